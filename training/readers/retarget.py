"""From a source skeleton's motion to SMPL's rotations.

Each joint's turning since a reference pose is given to SMPL's T-pose. Limbs that point elsewhere in the reference pose
(arms of an A-pose, spread legs, rigs whose zero rotation is no pose at all) are first turned there by the shortest
rotation, so that every limb of the result points where the source's does.
"""

from dataclasses import dataclass

import numpy as np

from ...smpl_assets.body import open_body
from ...smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle, rotation_between
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS
from .bvh_file import BvhError, BvhFile
from .bvh_skeletons import Skeleton

SIDES = ("left", "right")
LIMBS = {f"{s}_{a}": f"{s}_{b}" for a, b in (
    ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"),
) for s in SIDES}  # fmt: skip
# Anatomy differs here from rig to rig (collar bones, joints of the foot): turned only where the reference is far off.
OTHERS = {"spine1": "spine3", "spine3": "neck", "neck": "head", **{
    f"{s}_{a}": f"{s}_{b}" for a, b in (("collar", "shoulder"), ("ankle", "foot")) for s in SIDES
}}  # fmt: skip
FAR = np.cos(np.radians(45.0))
UPRIGHT = np.cos(np.radians(45.0))
AXES = np.concatenate([np.eye(3), -np.eye(3)])

Found = dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class Reference:
    """A standing pose of the source: up Y, facing Z. rotations (J, 3, 3) global; points (J, 3); up: the file's own
    axis that points up in it.
    """

    rotations: Array
    points: Array
    up: Array


def smpl_rotations(file: BvhFile, skeleton: Skeleton, found: Found) -> tuple[Array, Array]:
    """Global rotations (T, 24, 3, 3) of SMPL's joints, Y up, and the turn (3, 3) from the file's world to that.

    Raises BvhError where no pose is found to start from.
    """
    reference = _reference(file, skeleton, found)
    turn = rotation_between(_world_up(file, skeleton, found, reference.up), np.array([0.0, 1.0, 0.0]))
    since = file.world_rotations @ np.swapaxes(reference.rotations, -1, -2)
    world: list[Array] = []
    for joint, name in enumerate(JOINT_NAMES):
        rows = found.get(joint, ())
        if name.endswith("hand") or not rows:  # the hand has no turning of its own in SMPL's joints
            world.append(world[PARENTS[joint]])
            continue
        if len(rows) == 2:
            turned = _halfway(since[:, rows[0]], since[:, rows[1]])
        else:
            turned = since[:, rows[0]] @ _alignment(file, skeleton, found, reference, name)
        world.append(turn @ turned @ matrix_from_axis_angle(skeleton.turned.get(name, np.zeros(3))))
    return np.stack(world, axis=1), turn


def _halfway(first: Array, second: Array) -> Array:
    between = axis_angle_from_matrix(np.swapaxes(first, -1, -2) @ second)
    return first @ matrix_from_axis_angle(between / 2)


def _alignment(file: BvhFile, skeleton: Skeleton, found: Found, reference: Reference, name: str) -> Array:
    """Rotation (3, 3) that turns SMPL's bone in T-pose to where the source's points in the reference pose."""
    rest = open_body().joint_template.astype(np.float64)
    child = LIMBS.get(name) or OTHERS.get(name)
    bone = None if child is None else _bone(file, found, reference, name, child)
    if name in skeleton.straight or (bone is None and name.endswith("wrist")):
        return _alignment(file, skeleton, found, reference, JOINT_NAMES[PARENTS[JOINT[name]]])
    if child is None or bone is None:
        return np.eye(3)
    smpl = (rest[JOINT[child]] - rest[JOINT[name]]).astype(np.float64)
    near = bone @ smpl > FAR * np.linalg.norm(bone) * np.linalg.norm(smpl)
    kept = near and name in OTHERS and name not in skeleton.aligned
    return np.eye(3) if kept else rotation_between(smpl, bone)


def _bone(file: BvhFile, found: Found, reference: Reference, name: str, child: str) -> Array | None:
    """Direction (3,) of a bone in the reference pose, None where it is not known."""
    row, ends = found[JOINT[name]][0], found.get(JOINT[child], ())
    if len(ends) == 1:
        bone = reference.points[ends[0]] - reference.points[row]
    elif not ends and row in file.ends:
        bone = reference.rotations[row] @ file.ends[row]
    else:
        return None
    return bone if np.linalg.norm(bone) > 0.01 * leg_length(file, found) else None


def leg_length(file: BvhFile, found: Found) -> float:
    """Thigh and shin, mean of both sides, in the file's unit."""
    rows = [found[JOINT[f"{side}_{part}"]][0] for part in ("hip", "knee", "ankle") for side in SIDES]
    points = file.world_positions[0][rows].reshape(3, 2, 3)
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=-1).sum() / 2)
    if length <= 0:
        raise BvhError("its legs have no length")
    return length


def _reference(file: BvhFile, skeleton: Skeleton, found: Found) -> Reference:
    if skeleton.axes:
        rotations = _declared(file, skeleton, found)
        points = _points(file, rotations)
        heading = _heading(points, found)
        if heading is None or np.trace(heading) < 2.0:  # a person in T-pose faces Z, give or take
            raise BvhError("with the axes that its table declares nobody stands in T-pose")
        return Reference(rotations, points, np.array([0.0, 1.0, 0.0]))
    zero = np.tile(np.eye(3), (len(file.names), 1, 1))
    poses = {"zero": zero, "first_frame": file.world_rotations[0]}
    for kind, rotations in poses.items():
        if skeleton.rest not in ("auto", kind):
            continue
        points = _points(file, rotations)
        heading = _heading(points, found)
        if heading is not None and (kind == "zero" or skeleton.rest == kind or _arms_out(points @ heading.T, found)):
            return Reference(heading @ rotations, points @ heading.T, heading[1])
    raise BvhError(
        "in neither its zero pose nor its first frame a person stands with arms held out. "
        "Begin the recording in T-pose, or give a table with axes (readers/bvh_skeletons.json says how)"
    )


def _declared(file: BvhFile, skeleton: Skeleton, found: Found) -> Array:
    """Global rotations (J, 3, 3) in T-pose of joints whose axes are declared; the others follow their parents."""
    declared = {found[JOINT[name]][0]: axes.T for name, axes in skeleton.axes.items() if JOINT[name] in found}
    rotations: list[Array] = []
    for joint, parent in enumerate(file.parents):
        inherited = np.eye(3) if parent < 0 else rotations[parent]
        rotations.append(declared.get(joint, inherited))
    return np.stack(rotations)


def _points(file: BvhFile, rotations: Array) -> Array:
    """Joints (J, 3) of the skeleton with global ``rotations`` (J, 3, 3), root at 0."""
    points = [np.zeros(3)]
    for joint in range(1, len(file.parents)):
        parent = file.parents[joint]
        points.append(points[parent] + rotations[parent] @ file.offsets[joint])
    return np.stack(points)


def _heading(points: Array, found: Found) -> Array | None:
    """Rotation (3, 3) that makes a standing pose (J, 3) face Z with Y up; None where nobody stands like that."""
    hips, knees, ankles, shoulders = (_pair(points, found, part) for part in ("hip", "knee", "ankle", "shoulder"))
    top = found.get(JOINT["neck"]) or found[JOINT["head"]]
    spine = points[list(top)].mean(axis=0) - hips.mean(axis=0)
    bones = _directions(np.stack([spine, *(hips - knees), *(knees - ankles)]))
    up = AXES[np.argmax(AXES @ bones.sum(axis=0))]
    left = hips[0] - hips[1]
    length = np.linalg.norm(left)
    left = left - (left @ up) * up
    if (
        (bones @ up).min() < UPRIGHT
        or np.linalg.norm(left) <= 0.7 * length
        or (shoulders[0] - shoulders[1]) @ left <= 0
    ):
        return None
    left = _directions(left)
    return np.stack([left, up, np.cross(left, up)])


def _pair(points: Array, found: Found, part: str) -> Array:
    """Left and right (2, 3) of a part of the body."""
    return points[[found[JOINT[f"{side}_{part}"]][0] for side in SIDES]]


def _directions(bones: Array) -> Array:
    return bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)


def _arms_out(points: Array, found: Found) -> bool:
    """Whether both arms of a pose (J, 3) facing Z are straight and held away from the body."""
    shoulder, elbow, wrist = (_pair(points, found, part) for part in ("shoulder", "elbow", "wrist"))
    upper, lower = _directions(elbow - shoulder), _directions(wrist - elbow)
    straight = np.sum(upper * lower, axis=-1) > np.cos(np.radians(30.0))
    return bool(np.all(straight & (upper[:, 0] * [1.0, -1.0] > 0.5)))


def _world_up(file: BvhFile, skeleton: Skeleton, found: Found, reference_up: Array) -> Array:
    """The file's axis (3,) that points up: declared, or the reference pose's unless nobody ever stands along it."""
    if skeleton.up != "auto":
        return np.eye(3)["xyz".index(skeleton.up)]
    top = found.get(JOINT["neck"]) or found[JOINT["head"]]
    ankles = [found[JOINT[f"{side}_ankle"]][0] for side in SIDES]
    body = file.world_positions[:, list(top)].mean(axis=1) - file.world_positions[:, ankles].mean(axis=1)
    upright = np.mean(_directions(body) @ AXES.T > UPRIGHT, axis=0)  # share of frames along each axis
    best = int(np.argmax(upright))
    expected = int(np.argmax(AXES @ reference_up))
    return AXES[best] if upright[expected] == 0 and upright[best] > 0.9 else AXES[expected]
