"""Do unit, direction and order of a clip's files hold? Its joints, seen by its cameras, must fall on its keypoints.

Documented: joints and camera place in millimetres, world Y up, extrinsics camera from world, intrinsics divided by
1920. Where that does not fit, what would fit is looked for and named; nothing is converted silently.
"""

import itertools
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ....smpl_assets.skeleton import JOINT_NAMES, mirrored
from .label_files import FOCAL_UNIT

Array = NDArray[np.float64]

# What the camera's place is multiplied by when it is not in the joints' unit.
_PLACES = {
    "": 1.0,
    "positions in centimetres": 0.1,
    "positions in metres": 0.001,
    "camera places in centimetres": 10.0,
    "camera places in metres": 1000.0,
}
_UNITS = {"millimetres": 1e-3, "centimetres": 1e-2, "metres": 1.0}
_SAMPLED_FRAMES = 50
# Crown to sole, nearly: head to pelvis along the spine, then down one leg. About 0.83 of the stature.
_CHAIN = (15, 12, 9, 6, 3, 0, 1, 4, 7)
_CHAIN_SHARE = 0.83


@dataclass(frozen=True)
class Convention:
    """How a camera's numbers are meant; the documented way where nothing is given."""

    place: str = ""
    inverse: bool = False
    swapped: bool = False
    pixel_intrinsics: bool = False

    def __str__(self) -> str:
        words = [self.place] * bool(self.place)
        words += ["extrinsics world from camera"] * self.inverse
        words += ["left and right swapped"] * self.swapped
        words += ["intrinsics in pixels, not divided by 1920"] * self.pixel_intrinsics
        return ", ".join(words)


def pixel_intrinsics(intrinsics: Array) -> Array:
    """Intrinsics (3, 3) in pixels from those in the file, which are divided by 1920 (not the last row)."""
    return np.vstack([intrinsics[:2] * FOCAL_UNIT, [0.0, 0.0, 1.0]])


def reprojection_error(joints: Array, keypoints: Array, intrinsics: Array, extrinsics: Array) -> float:
    """Median distance in pixels between joints (T, 24, 3), projected, and keypoints (T, 24, 2), NaN where missing.

    intrinsics (3, 3) pixels; extrinsics (3, 4) camera from world, in the joints' unit. A joint behind the camera is
    infinitely far off; so is everything when no keypoint is known.
    """
    known = np.isfinite(keypoints).all(-1)
    seen = joints[known] @ extrinsics[:, :3].T + extrinsics[:, 3]
    depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
    pixels = (seen @ intrinsics.T)[:, :2] / depth[:, None]
    distance = np.linalg.norm(pixels - keypoints[known], axis=-1)
    return float(np.median(np.nan_to_num(distance, nan=np.inf))) if len(distance) else np.inf


def fitting_convention(
    joints: Array, keypoints: Array, intrinsics: Array, extrinsics: Array, limit: float
) -> Convention | None:
    """The convention nearest to the documented one that brings the median under ``limit`` pixels, or None.

    Shapes as for reprojection_error; intrinsics and extrinsics as in the file.
    """
    frames = np.linspace(0, len(joints) - 1, min(len(joints), _SAMPLED_FRAMES)).astype(int)
    joints, keypoints = joints[frames], keypoints[frames]
    fitting: list[tuple[int, float, Convention]] = []
    for choice in itertools.product(_PLACES, (False, True), (False, True), (False, True)):
        convention = Convention(*choice)
        points = keypoints[:, list(mirrored(JOINT_NAMES))] if convention.swapped else keypoints
        error = reprojection_error(joints, points, *_meant(convention, intrinsics, extrinsics))
        if error <= limit:
            fitting.append((sum(map(bool, astuple(convention))), error, convention))
    return min(fitting, key=lambda found: found[:2])[2] if fitting else None


def _meant(convention: Convention, intrinsics: Array, extrinsics: Array) -> tuple[Array, Array]:
    turn, place = extrinsics[:, :3], extrinsics[:, 3:] * _PLACES[convention.place]
    if convention.inverse:
        turn, place = turn.T, -turn.T @ place
    return intrinsics if convention.pixel_intrinsics else pixel_intrinsics(intrinsics), np.hstack([turn, place])


def unit_problem(joints: Array, height: float) -> str:
    """Why joints (T, 24, 3) cannot be millimetres of an actor ``height`` metres tall; "" when they can.

    The camera alone cannot tell: a world in metres with its cameras in metres gives the same picture.
    """
    lengths = np.linalg.norm(np.diff(joints[:, _CHAIN], axis=1), axis=-1)
    stature = float(np.median(lengths.sum(-1))) / _CHAIN_SHARE
    fits = [unit for unit, metres in _UNITS.items() if 0.7 < stature * metres / height < 1.4]
    if "millimetres" in fits:
        return ""
    remedy = f"it would fit with positions in {fits[0]}" if fits else "no unit would fit"
    return f"read as millimetres, the body has not the actor's height; {remedy}"


def axis_problem(joints: Array, extrinsics: Array) -> str:
    """Why Y cannot be up: bodies (T, 24, 3) and cameras (V, 3, 4) agree on another axis. "" when they do not.

    A person may lie and a camera may look down, but they seldom agree on a wrong axis.
    """
    body = (joints[:, 15] - joints[:, [10, 11]].mean(1)).mean(0)
    views = -extrinsics[:, 1, :3].mean(0)  # a camera's own y axis points down
    main = [int(np.abs(up).argmax()) for up in (body, views)]
    signs = [up[axis] > 0 for up, axis in zip((body, views), main, strict=True)]
    if main[0] != main[1] or signs[0] != signs[1] or (main[0] == 1 and signs[0]):
        return ""
    axis = ("" if signs[0] else "-") + "XYZ"[main[0]]
    return f"bodies and cameras stand upright along {axis}, not along Y; it would fit with a world turned to {axis} up"
