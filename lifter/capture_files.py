"""Read and write keypoints.npz and joints.npz, the files between the stages."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atomic_file import written_whole
from .errors import InputError
from .keypoint_sets import KEYPOINT_SETS
from .motion_file import read_npz
from .records import Joints3D, Keypoints


def _save(path: Path, arrays: dict[str, Any]) -> None:
    with written_whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **{key: np.asarray(value) for key, value in arrays.items() if value is not None})


def write_keypoints(path: Path, keypoints: Keypoints) -> None:
    """Write ``keypoints`` to ``path`` (.npz), whole or not at all."""
    _save(path, dict(vars(keypoints)))


def read_keypoints(path: Path) -> Keypoints:
    """Read a keypoints.npz. Raises InputError when keys are missing or do not fit each other."""
    arrays = read_npz(path)
    _require(arrays, path, ("keypoints", "set", "frames", "times", "image_size", "fps"))
    points = arrays["keypoints"].astype(np.float32)
    names = KEYPOINT_SETS.get(str(arrays["set"]))
    if names is None or points.ndim != 3 or points.shape[1:] != (len(names), 3):
        raise InputError(
            "bad_keypoints",
            f"{Path(path).name}: {points.shape} does not fit the set {arrays['set']}.",
            f"Known sets: {', '.join(KEYPOINT_SETS)}.",
        )
    zeros = np.zeros(len(points), np.int64)
    _require_rows(arrays, path, len(points), ("track_id", "view", "frames", "times", "hands", "world"))
    return Keypoints(
        keypoints=points,
        set=str(arrays["set"]),
        track_id=arrays.get("track_id", zeros),
        view=arrays.get("view", zeros),
        frames=arrays["frames"],
        times=arrays["times"],
        image_size=(int(arrays["image_size"][0]), int(arrays["image_size"][1])),
        fps=float(arrays["fps"]),
        clip_frames=int(arrays.get("clip_frames", len(np.unique(arrays["frames"])))),
        hands=arrays.get("hands"),
        world=arrays.get("world"),
    )


def write_joints(path: Path, joints: Joints3D) -> None:
    """Write ``joints`` to ``path`` (.npz), whole or not at all."""
    _save(path, dict(vars(joints)))


def read_joints(path: Path) -> Joints3D:
    """Read a joints.npz; only ``joints`` and ``times`` (or ``fps``) are a must, so other estimators' output fits too.

    Raises InputError when keys are missing or do not fit each other.
    """
    arrays = read_npz(path)
    _require(arrays, path, ("joints",))
    joints = arrays["joints"].astype(np.float32)
    if joints.ndim != 3 or joints.shape[1:] != (24, 3) or len(joints) == 0:
        raise InputError(
            "bad_joints",
            f"{Path(path).name}: joints have shape {joints.shape}.",
            "Expected (N, 24, 3) metres in SMPL order.",
        )
    count = len(joints)
    _require_rows(arrays, path, count, ("ends", "track_id", "frames", "times", "confidence"))
    if "times" not in arrays and "fps" not in arrays:
        raise InputError("bad_joints", f"{Path(path).name} has neither times nor fps.", "Add times (N,) in seconds.")
    frame = str(arrays.get("frame", "world"))
    return Joints3D(
        joints=joints,
        ends=arrays.get("ends", np.full((count, 13, 3), np.nan)).astype(np.float32),
        frame="camera" if frame == "camera" else "world",
        track_id=arrays.get("track_id", np.zeros(count, np.int64)),
        frames=arrays.get("frames", np.arange(count)),
        times=arrays["times"] if "times" in arrays else np.arange(count) / float(arrays["fps"]),
        confidence=arrays.get("confidence", np.ones((count, 24))).astype(np.float32),
        camera_K=arrays.get("camera_K"),
        camera_world_from_cam=arrays.get("camera_world_from_cam"),
    )


def _require(arrays: dict[str, NDArray], path: Path, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise InputError(
            "missing_keys", f"{Path(path).name} has no {', '.join(missing)}.", "It must come from an earlier stage."
        )


def _require_rows(arrays: dict[str, NDArray], path: Path, count: int, keys: tuple[str, ...]) -> None:
    wrong = [key for key in keys if key in arrays and len(arrays[key]) != count]
    if wrong:
        raise InputError(
            "wrong_rows", f"{Path(path).name}: {', '.join(wrong)} should have {count} rows.", "Write the file again."
        )
