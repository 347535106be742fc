"""Bring every body from MakeHuman's A-pose into SMPL's T-pose."""

import numpy as np
from numpy.typing import NDArray

from ..rotation import matrix_from_axis_angle, rotation_between
from ..skeleton import JOINT, PARENTS
from .joint_layout import SIDES
from .makehuman import Floats


def rotations_to_t_pose(joints: dict[str, Floats]) -> Floats:
    """Global rotations (M, 24, 3, 3) of each joint from the source pose to the T-pose, for named joints (M, 3).

    Arms exactly along X with palms down and the elbow's hinge vertical; thighs 5 degrees out, shins nearly upright;
    toes 10 degrees out.
    """
    rotations = np.tile(np.eye(3), (len(joints["pelvis"]), len(JOINT), 1, 1))
    for side, _, sign in SIDES:
        own = {name.removeprefix(f"{side}_"): centre for name, centre in joints.items() if name.startswith(side)}
        for name, turn in (_arm_rotations(own, sign) | _leg_rotations(own, sign)).items():
            rotations[:, JOINT[f"{side}_{name}"]] = turn
    return rotations


def _arm_rotations(joint: dict[str, Floats], sign: float) -> dict[str, Floats]:
    outwards = np.array([sign, 0.0, 0.0])
    collar = _about(1, np.radians(sign * 11.0)) @ _about(2, np.radians(sign * 18.0))
    upper_arm, forearm = joint["elbow"] - joint["shoulder"], joint["wrist"] - joint["elbow"]

    shoulder = _swing(upper_arm, outwards)
    hinge = np.cross(_turn(shoulder, upper_arm), _turn(shoulder, forearm))
    # the forearm must bend forwards, so the hinge is brought to -Y on the left and +Y on the right
    shoulder = _about(0, sign * np.arctan2(hinge[:, 2], -sign * hinge[:, 1])) @ shoulder
    elbow = _swing(_turn(shoulder, forearm), outwards) @ shoulder
    wrist = _swing(_turn(elbow, joint["hand"] - joint["wrist"]), outwards) @ elbow
    palm = _turn(wrist, joint["index1"] - joint["pinky1"])
    twist = np.arctan2(palm[:, 1], palm[:, 2])  # brings the index side to +Z; the forearm takes half of it
    wrist = _about(0, twist) @ wrist
    return {
        "collar": collar,
        "shoulder": shoulder,
        "elbow": _about(0, twist * 0.5) @ elbow,
        "wrist": wrist,
        "hand": wrist,
    }


def _leg_rotations(joint: dict[str, Floats], sign: float) -> dict[str, Floats]:
    hip = _swing(joint["knee"] - joint["hip"], np.array([sign * 0.09, -0.99, 0.02]))
    knee = _swing(_turn(hip, joint["ankle"] - joint["knee"]), np.array([-sign * 0.02, -0.99, -0.075])) @ hip
    foot = joint["foot"] - joint["ankle"]
    ankle = _about(1, np.radians(sign * 10.0) - np.arctan2(foot[:, 0], foot[:, 2]))
    return {"hip": hip, "knee": knee, "ankle": ankle, "foot": ankle}


def _about(axis: int, angle: Floats | float) -> Floats:
    """Rotations (..., 3, 3) by angles (...) radians about x, y or z."""
    return matrix_from_axis_angle(np.asarray(angle)[..., None] * np.eye(3)[axis])


def _swing(direction: Floats, target: Floats) -> Floats:
    return rotation_between(direction, np.broadcast_to(target, direction.shape))


def _turn(rotation: Floats, vector: Floats) -> Floats:
    return np.einsum("nij,nj->ni", rotation, vector)


def unskin(
    vertices: NDArray[np.float32], joints: Floats, rotations: Floats, weights: Floats
) -> tuple[NDArray[np.float32], Floats]:
    """Rest vertices (M, V, 3) and joints (M, 24, 3) in the T-pose, pelvis at the origin.

    The rest vertices are those that linear blend skinning carries back exactly onto the artist's mesh, ``vertices``.
    """
    posed = joints.copy()
    for joint in range(1, len(PARENTS)):
        parent = PARENTS[joint]
        posed[:, joint] = posed[:, parent] + _turn(rotations[:, parent], joints[:, joint] - joints[:, parent])
    rest = np.empty_like(vertices)
    for person in range(len(vertices)):  # one at a time: all of them would need 3 GB
        back = rotations[person].transpose(0, 2, 1)
        shift = joints[person] - np.einsum("jab,jb->ja", back, posed[person])
        blended = (weights @ back.reshape(-1, 9)).reshape(-1, 3, 3)
        rest[person] = np.linalg.solve(blended, (vertices[person] - weights @ shift)[..., None])[..., 0]
    pelvis = posed[:, :1].copy()
    return rest - pelvis.astype(np.float32), posed - pelvis
