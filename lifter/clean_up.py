"""Clean up a fitted motion: smooth, find contacts, set on the floor, steady the path, lock the feet, in this order.

The order matters. Contacts are found on smoothed motion, since jitter looks like speed; first with patience for a body
that drifts as a whole, as it does in front of one camera, and again, strictly, once standing feet have steadied the
path; feet are locked last, and nothing smooths them loose again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array
from .contact import ContactMode, contacts
from .fit.skeleton import Posed, RestSkeleton, pose_skeleton
from .foot_lock import grounding_shift, lock_feet
from .ground import CONTACT_POINTS, sole_heights
from .level_floor import standing_height
from .smooth import smooth_motion
from .steady_path import settling_shift, steadying_shift

# Heights in front of one camera err: a level is the floor if people stood on it for half as long as on any.
OF_MOST = 0.5


@dataclass(frozen=True)
class CleanUp:
    """How strongly a fitted motion is cleaned up; 0 and "never" switch a part off.

    smoothing: 0..1 (smooth.py). contacts: what feet are taken to do (contact.py). foot_lock: 0..1, of the way that
    standing feet are brought back, and the path with them (foot_lock.py, steady_path.py). floor: 0..1, of the way that
    people are set on the floor z = 0 and kept from sinking into it.
    """

    smoothing: float = 0.5
    contacts: ContactMode = "auto"
    foot_lock: float = 1.0
    floor: float = 1.0


def clean_up(
    rest: RestSkeleton,
    local: Array,
    pelvis: Array,
    fps: float,
    options: CleanUp,
    one_camera: bool = False,
    told: NDArray[np.float32] | None = None,
) -> tuple[Array, Array, NDArray[np.float32]]:
    """The cleaned-up local rotations (T, 24, 3, 3), pelvis path (T, 3) m and contacts (T, 4) of one fitted person.

    local, pelvis: as fitted, world with Z up, floor near z = 0, evenly spaced frames without gaps. The contacts
    (l_heel, l_toe, r_heel, r_toe; 0 or 1) are those that the feet were locked with. Memory and time are linear in T.
    one_camera: the path is what a single camera saw, so that heights drift. told: (T, 4), what somebody who looked says
    of the contacts, 0 or 1, NaN where they are to be found; what is found elsewhere does not depend on it. Heel and
    toe of a foot are told alike.
    """
    local, pelvis = smooth_motion(local, pelvis, fps, options.smoothing)
    shift, ends = _on_the_floor(pose_skeleton(rest, local, pelvis), fps, options, one_camera)
    if options.contacts == "grounding":
        found = as_told(contacts(ends, fps, "grounding"), told)
        held = as_told(np.zeros_like(found), told)
    else:
        drifting = contacts(ends, fps, options.contacts)
        steadying = _steadying_shift(ends, drifting, fps, options)
        found = held = as_told(contacts(ends + steadying[:, None], fps, options.contacts), told)
        if told is not None:
            steadying = _steadying_shift(ends, as_told(drifting, told), fps, options)
        shift += steadying
    firm = None if told is None else told[:, ::2] == 1
    local, pelvis = lock_feet(rest, local, pelvis + shift, held, fps, options.foot_lock, options.floor, firm)
    return local, pelvis, found


def as_told(found: NDArray[np.float32], told: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Contacts (T, 4) as ``told`` (NaN: nothing is) and else as ``found``."""
    return found if told is None else np.where(np.isnan(told), found, told)


def _on_the_floor(posed: Posed, fps: float, options: CleanUp, one_camera: bool) -> tuple[Array, Array]:
    """Shift (T, 3) m up or down after which people are on the floor, and where their ends (T, 13, 3) are then.

    It is one for the whole clip, but for the drift of one camera, so that jumps and stools stay as high as they were,
    or one of every moment for those who are said never to leave the floor.
    """
    if options.contacts in ("grounding", "always"):
        shift = options.floor * grounding_shift(posed.joints, posed.ends, fps)
    else:
        shift = options.floor * _to_the_floor(posed.ends, contacts(posed.ends, fps, options.contacts), fps, one_camera)
    return shift, posed.ends + shift[:, None]


def _to_the_floor(ends: Array, contact: Array, fps: float, one_camera: bool) -> Array:
    """The shift (T, 3) m that brings the floor that feet in ``contact`` (T, 4) stand on to z = 0; ends (T, 13, 3)."""
    shift = np.zeros((len(ends), 3))
    if one_camera:
        shift += settling_shift(sole_heights(ends), contact, fps)
    height = standing_height(ends + shift[:, None], contact, fps, OF_MOST if one_camera else 0.0)
    shift[:, 2] -= 0.0 if np.isnan(height) else height
    return shift


def _steadying_shift(ends: Array, contact: NDArray[np.float32], fps: float, options: CleanUp) -> Array:
    """The shift (T, 3) m of the path that takes away what feet standing in ``contact`` (T, 4) show to be drift."""
    return options.foot_lock * steadying_shift(ends[:, CONTACT_POINTS], contact, fps)
