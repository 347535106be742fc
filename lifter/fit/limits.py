"""How far each joint turns: bounds on its local axis-angle and on the bend of hinges, in degrees, body rest frame.

Knees and elbows: flexion range of adults (Kapandji, The Physiology of the Joints) with a few degrees of slack; the
rest: the 0.3 and 99.7 percentiles of the CMU motion capture the lifter is trained on, widened by 10 degrees and made
symmetric. A bound of 180 leaves an axis free. People held out from training are beyond a bound in 0.003 % of joints.
"""

import numpy as np

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES

# Left side; the right side is its mirror image (y and z change sign). x, y, z as (low, high).
BOUNDS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "pelvis": ((-180, 180), (-180, 180), (-180, 180)),
    "hip": ((-130, 35), (-55, 55), (-45, 65)),
    "knee": ((-3, 155), (-30, 30), (-35, 40)),
    "ankle": ((-60, 60), (-50, 50), (-40, 40)),
    "foot": ((-45, 65), (-10, 10), (-10, 10)),
    "spine1": ((-45, 70), (-38, 38), (-32, 32)),
    "spine2": ((-22, 22), (-20, 20), (-20, 20)),
    "spine3": ((-22, 22), (-20, 20), (-20, 20)),
    "neck": ((-45, 50), (-50, 50), (-45, 45)),
    "head": ((-45, 50), (-50, 50), (-45, 45)),
    "collar": ((-15, 15), (-40, 25), (-30, 45)),
    "shoulder": ((-115, 95), (-125, 65), (-105, 100)),
    "elbow": ((-85, 75), (-150, 8), (-60, 85)),
    "wrist": ((-80, 60), (-65, 65), (-85, 85)),
    "hand": ((-15, 15), (-15, 15), (-15, 15)),
}


# Flexion from straight, as the angle about the hinge's own axis: passive range (Kapandji), a little beyond straight.
HINGE_RANGE: dict[str, tuple[float, float]] = {"elbow": (-4, 155), "knee": (-4, 165)}


def bounds() -> tuple[Array, Array]:
    """Lowest and highest local axis-angle (24, 3) in radians."""
    low, high = [], []
    for name in JOINT_NAMES:
        side, _, part = name.rpartition("_")
        limits = np.array(BOUNDS[part])
        if side == "right":
            limits = np.array([limits[0], -limits[1][::-1], -limits[2][::-1]])
        low.append(limits[:, 0])
        high.append(limits[:, 1])
    return np.radians(low), np.radians(high)


def excess(axis_angle: Array) -> Array:
    """How far local axis-angles (T, 24, 3) lie outside the bounds, radians, 0 inside."""
    low, high = bounds()
    return axis_angle - np.clip(axis_angle, low, high)
