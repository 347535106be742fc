"""Whether joints of any estimator can be those of one person in metres, and what makes that doubtful."""

import numpy as np

from ..smpl_assets.skeleton import JOINT
from .errors import InputError
from .fit.shape import LENGTHS, measured_lengths
from .records import Fit, Joints3D
from .stretches import frame_rate

LEGS = (0.25, 1.4)  # metres of thigh and shin together, from small children to the tallest
FARTHEST = 1e4  # metres from the origin; single precision still tells a millimetre there
FRAME_RATES = (4.0, 1000.0)
LYING = 0.3  # of the leg's length: a head that is no higher above the ankles is that of somebody who lies down
MISFIT = 0.07  # metres; noise that a body can be fitted to stays below


def check_joints(joints: Joints3D) -> None:
    """One person's rows, times ascending: a track of their own at a rate that can be, seen, in metres, near the origin.

    Raises InputError that says which of these it is not and what to do.
    """
    if (np.diff(joints.times) <= 0).any():
        hint = "Give each person's rows a number of their own in track_id (N,), and each frame its time."
        raise InputError("bad_times", "Several rows of one person have the same time.", hint)
    fps = frame_rate(joints.times)
    if not FRAME_RATES[0] <= fps <= FRAME_RATES[1]:
        hint = f"Give fps or times in seconds; {FRAME_RATES[0]:g} to {FRAME_RATES[1]:g} frames a second are taken."
        raise InputError("bad_fps", f"The times make {fps:.4g} frames a second.", hint)
    if not (np.isfinite(joints.joints).all(axis=-1) & (joints.confidence > 0)).any():
        hint = "Give positions that are not NaN, and a confidence above 0 (or none at all) where they are known."
        raise InputError("nobody", "No joint is known in any frame.", hint)
    leg = _leg(joints)
    if leg < LEGS[0] or leg > LEGS[1]:
        hint = "Joints are in metres: divide millimetres by 1000, centimetres by 100. Their order is SMPL's."
        raise InputError("bad_units", f"The legs of these joints are {leg:.3g} m long.", hint)
    away = float(np.nanmedian(np.linalg.norm(joints.joints.astype(np.float64), axis=-1)))
    if away > FARTHEST:
        hint = "Subtract the first frame's pelvis from all joints: numbers of this size hold no millimetres."
        raise InputError("too_far", f"The person is {away / 1000:.0f} km from the origin.", hint)


def told_doubts(joints: Joints3D, found: Fit) -> list[str]:
    """What a user should know of joints (one person's rows, world) that make no upright person, or none at all."""
    doubts = []
    ankles = joints.joints[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 2].mean(axis=1)
    if np.nanmedian(joints.joints[:, JOINT["head"], 2] - ankles) < LYING * _leg(joints):
        doubts.append(
            "The head is not above the feet in most frames. If nobody lies down or is upside down there, the axes are "
            'wrong: Z is up, or the file says frame "y_up" or "camera".'
        )
    misfit = float(np.nanmean(found.joint_residual))
    if misfit > MISFIT:
        doubts.append(
            f"The body is {1000 * misfit:.0f} mm from the joints on average: check their units, axes and order, left "
            "and right, and --height."
        )
    return doubts


def _leg(joints: Joints3D) -> float:
    """Thigh and shin together in metres, NaN where they are not known."""
    lengths = dict(zip(LENGTHS, measured_lengths(joints.joints, joints.confidence), strict=True))
    return float(lengths["thigh"] + lengths["shin"])
