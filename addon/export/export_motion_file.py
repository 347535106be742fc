"""The motion file (.npz) of a character as it moves now, corrections and all, and reading it back. Needs numpy only."""

from pathlib import Path
from typing import Any

import numpy as np

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion, read_motion
from ...smpl_assets.body import Body, joint_transforms
from ...smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle
from ...smpl_assets.skeleton import JOINT_NAMES, PARENTS
from ..character.rest_pose import TO_BLENDER
from .export_sampling import SampledMotion
from .exported_motion import ExportedMotion, WrongExportError


def require_smpl(bones: tuple[str, ...]) -> None:
    """Raise InputError unless all of SMPL's bones are among ``bones``."""
    missing = [name for name in JOINT_NAMES if name not in bones]
    if missing:
        message = f"A motion file holds SMPL's skeleton; the bones {', '.join(missing)} are missing."
        raise InputError("not_smpl", message, "Choose FBX, GLB, BVH or USD for other characters.")


def motion_of(sampled: SampledMotion, body: Body, source: str, licence: str) -> Motion:
    """SMPL's poses (T, 72) and trans (T, 3) of an armature with SMPL's bones that was built on ``body``."""
    order = [sampled.skeleton.index(name) for name in JOINT_NAMES]
    upright = sampled.to_rest[:3, :3] / np.linalg.norm(sampled.to_rest[:3, 0])
    turned = sampled.turns[:, order] @ upright @ TO_BLENDER
    local = turned.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        local[:, joint] = np.swapaxes(turned[:, parent], -1, -2) @ turned[:, joint]
    betas = betas_of(sampled.skeleton.heads[order] @ upright, body)
    pelvis = sampled.pose.heads[:, order[0]]
    count = len(pelvis)
    return Motion(
        poses=axis_angle_from_matrix(local).reshape(count, 72).astype(np.float32),
        trans=(pelvis - body.rest_joints(betas)[0]).astype(np.float32),
        betas=betas,
        fps=sampled.fps,
        body=body.identity(),
        times=np.arange(count) / sampled.fps,
        source=source,
        licence=licence,
    )


def betas_of(heads: Array, body: Body) -> Array:
    """The betas (B,) whose rest joints are as far apart as ``heads`` (24, 3), metres, Blender's rest frame."""
    count = body.shapedirs.shape[-1]

    def from_pelvis(betas: Array) -> Array:
        joints = body.rest_joints(betas.astype(np.float32)).astype(np.float64)
        return (joints - joints[0]).ravel()

    average = from_pelvis(np.zeros(count))
    directions = np.stack([from_pelvis(one) - average for one in np.eye(count)], axis=1)
    wanted = ((heads - heads[0]) @ TO_BLENDER).ravel()
    return np.linalg.lstsq(directions, wanted - average, rcond=None)[0].astype(np.float32)


def read_motion_file(path: Path, body: Body) -> ExportedMotion:
    """The motion file at ``path`` as it moves ``body``'s joints. Raises WrongExportError when it is none."""
    try:
        motion = read_motion(path)
    except InputError as error:
        raise WrongExportError(f"it cannot be read back ({error.message})") from error
    rest = body.rest_joints(motion.betas).astype(np.float64)
    local = matrix_from_axis_angle(motion.poses24.astype(np.float64))
    turned, heads = joint_transforms(rest, body.parents, local, motion.trans.astype(np.float64))
    return ExportedMotion(
        times=np.arange(len(heads)) / motion.fps if motion.times is None else motion.times,
        bones=JOINT_NAMES,
        parents=tuple(None if parent < 0 else JOINT_NAMES[parent] for parent in PARENTS),
        heads=heads,
        turns=turned @ TO_BLENDER.T,
        node_scales=np.zeros((0, 3)),
        licence=motion.licence,
    )


def own_body(rig: Any, bodies: list[Body], key: str) -> Body:
    """The body among ``bodies`` that ``rig`` was built on. Raises InputError when it is none of them."""
    made_on = str(rig.get(key, ""))
    for body in bodies:
        if body.identity() == made_on:
            return body
    name = made_on.split(" sha256:")[0] or "a body it does not name"
    message = f"{rig.name} was made on {name}, which is not at hand."
    raise InputError("other_body", message, "Choose the body file in the preferences, or export another format.")
