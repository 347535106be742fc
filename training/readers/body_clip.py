"""Clips made of rotations: joints are those of the open body, since bodies of other models and rigs do not fit it."""

import re
from pathlib import Path

import numpy as np

from ...smpl_assets.body import joint_transforms, open_body
from ...smpl_assets.rotation import Array, continuous_quaternions, quaternion_from_matrix
from ...smpl_assets.skeleton import JOINT, PARENTS
from .clip import Clip

FEET = [JOINT[name] for name in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
# The lowest point of a clip is often one bad frame
LOW_PERCENT = 1.0


def body_clip(path: Path, folder: Path, source: str, frame_time: float, rotations: Array, pelvis: Array) -> Clip:
    """A clip of the file ``path`` in ``folder`` from local rotations (T, 24, 3, 3) and pelvis (T, 3) m, Y up.

    The whole clip is raised or lowered so that the feet, at their lowest, stand on the floor y = 0.
    """
    body = open_body()
    rest = body.joint_template.astype(np.float64)
    _, joints = joint_transforms(rest, PARENTS, rotations, pelvis - rest[0])
    soles = joints[:, FEET, 1] - (rest[FEET, 1] - body.v_template[:, 1].min())
    joints[..., 1] -= np.percentile(soles.min(axis=1), LOW_PERCENT)
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Clip(
        name=name,
        source=source,
        actor=actor_of(path, folder),
        action=re.sub(r"_(poses|stageii)$", "", path.stem),
        time=np.arange(len(joints)) * frame_time,
        joints=joints.astype(np.float32),
        rotations=continuous_quaternions(quaternion_from_matrix(rotations)).astype(np.float32),
    )


def actor_of(path: Path, folder: Path) -> str:
    """Who moves: "01" of 01_02.bvh (CMU), "subject3" of walk1_subject3.bvh (LaFAN1), else the folder a file is in."""
    name = re.match(r"(\d+)_\d+", path.stem) or re.search(r"(subject[-_]?\d+)", path.stem, re.IGNORECASE)
    parent = path.parent
    return name[1] if name else (parent.name if parent != folder else folder.resolve().name)


def files_of(folder: Path, suffix: str) -> list[Path]:
    """Files in ``folder`` and below whose name ends in ``suffix`` in any case, sorted; a single file is itself."""
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() == suffix)
