"""One clip: its label files to arrays, checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip
from .actor import parse_actor
from .conventions import axis_problem, fitting_convention, pixel_intrinsics, reprojection_error, unit_problem
from .file_index import ClipFiles, FrameFiles
from .label_files import (
    IMAGE_SIZE,
    LabelError,
    camera_matrices,
    joint_positions,
    keypoint_positions,
    picture_size,
    read_label,
)
from .omissions import Omissions

Array = NDArray[np.float64]
METRES = 1e-3  # of a millimetre


@dataclass(frozen=True)
class View:
    """One camera. keypoints (T, 24, 2) px, NaN where missing; intrinsics (3, 3) px; extrinsics (3, 4), mm."""

    camera: str
    keypoints: Array
    intrinsics: Array
    extrinsics: Array
    image_size: tuple[int, int]


def read_clip(name: str, files: ClipFiles, omissions: Omissions, fps: float, max_error: float) -> Clip | None:
    """The clip, or None; all that cannot be used goes to ``omissions``. Arguments as in read_aihub."""
    joints_of = _read_frames(files.joints.paths(), joint_positions, omissions)
    if not joints_of:
        return None
    frames = np.array(list(joints_of))
    joints = np.stack(list(joints_of.values()))
    cameras = sorted(files.keypoints.keys() & files.cameras.keys(), key=int)
    views = [_read_view(camera, files, frames, joints, omissions, f"{name}_{camera}", max_error) for camera in cameras]
    fitting = [view for view in views if view is not None]
    action, actor = name.split("_")
    if not fitting or not _is_in_shape(name, actor, joints, fitting, omissions):
        return None
    unseen = np.isnan([view.keypoints for view in fitting]).all(axis=(0, 2, 3))
    if unseen.any():
        omissions.add("3D frames without 2D, kept without keypoints", f"{unseen.sum()} of {name}")
    return Clip(
        name=name,
        source="aihub",
        actor=actor,
        action=action,
        time=frames / fps,
        joints=(joints * METRES).astype(np.float32),
        keypoints=np.stack([view.keypoints for view in fitting]).astype(np.float32),
        camera=np.array([view.camera for view in fitting]),
        intrinsics=np.stack([view.intrinsics for view in fitting]),
        extrinsics=np.stack([view.extrinsics * [1, 1, 1, METRES] for view in fitting]),
        image_size=np.array([view.image_size for view in fitting]),
    )


def _read_frames(
    paths: dict[int, str], parse: Callable[[dict[str, Any]], Array], omissions: Omissions
) -> dict[int, Array]:
    found: dict[int, Array] = {}
    for frame, path in paths.items():
        try:
            found[frame] = parse(read_label(path))
        except LabelError as error:
            omissions.add(str(error), Path(path).name)
    return found


def _read_view(
    camera: str,
    files: ClipFiles,
    frames: NDArray[np.int64],
    joints: Array,
    omissions: Omissions,
    name: str,
    limit: float,
) -> View | None:
    """The camera's view, or None when its files are broken or its picture of the joints does not fit."""
    try:
        intrinsics, extrinsics = camera_matrices(read_label(files.cameras[camera]))
    except LabelError as error:
        omissions.add(str(error), Path(files.cameras[camera]).name)
        return None
    keypoints, size = _read_keypoints(files.keypoints[camera], frames, omissions, name)
    if np.isnan(keypoints).all():
        omissions.add("no frame with both 2D and 3D", name)
        return None
    error = reprojection_error(joints, keypoints, pixel_intrinsics(intrinsics), extrinsics)
    if error > limit:
        fits = fitting_convention(joints, keypoints, intrinsics, extrinsics, limit)
        remedy = f"it would fit with {fits}" if fits else "no known convention would fit"
        apart = f"{error:.0f} px off" if np.isfinite(error) else "behind the camera"
        omissions.add(f"cameras whose view of the joints is not where the 2D says; {remedy}", f"{name} ({apart})")
        return None
    return View(camera, keypoints, pixel_intrinsics(intrinsics), extrinsics, size)


def _read_keypoints(
    files: FrameFiles, frames: NDArray[np.int64], omissions: Omissions, name: str
) -> tuple[Array, tuple[int, int]]:
    """Keypoints (T, 24, 2) at ``frames``, NaN where there are none, and the size of the picture."""
    sizes: list[tuple[int, int]] = []

    def parse(content: dict[str, Any]) -> Array:
        points = keypoint_positions(content)
        sizes.append(picture_size(content))
        return points

    paths = files.paths()
    row = {int(frame): number for number, frame in enumerate(frames)}
    if alone := len(paths.keys() - row.keys()):
        omissions.add("2D frames without 3D", f"{alone} of {name}")
    found = _read_frames({frame: path for frame, path in paths.items() if frame in row}, parse, omissions)
    keypoints = np.full((len(frames), 24, 2), np.nan)
    for frame, points in found.items():
        keypoints[row[frame]] = points
    return keypoints, sizes[0] if sizes else IMAGE_SIZE


def _is_in_shape(name: str, actor: str, joints: Array, views: list[View], omissions: Omissions) -> bool:
    """Do the unit and the up axis hold?"""
    known = parse_actor(actor)
    problem = unit_problem(joints, known.height) if known else ""
    problem = problem or axis_problem(joints, np.stack([view.extrinsics for view in views]))
    if problem:
        omissions.add(problem, name)
    return not problem
