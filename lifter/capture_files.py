"""Read and write keypoints.npz and joints.npz, the files between the stages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atomic_file import written_whole
from .errors import InputError
from .keypoint_sets import KEYPOINT_SETS
from .motion_file import read_npz
from .records import Joints3D, Keypoints

JOINTS_FORMAT = "reel2rig-joints/1"
# Shapes that a key must have where it is present; N is the number of rows.
ROW_SHAPES: dict[str, tuple[int, ...]] = {
    "track_id": (), "view": (), "frames": (), "times": (), "hands": (2, 21, 3), "world": (33, 3), "ends": (13, 3),
    "confidence": (24,),
}  # fmt: skip
SHAPES: dict[str, tuple[int, ...]] = {
    "camera_K": (3, 3), "camera_world_from_cam": (4, 4), "image_size": (2,), "fps": (), "clip_frames": (),
}  # fmt: skip
MAY_BE_UNKNOWN = ("hands", "world", "ends", "confidence")  # NaN where something is not known
FRAMES = ("world", "y_up", "camera")
Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def write_keypoints(path: Path, keypoints: Keypoints) -> None:
    """Write ``keypoints`` to ``path`` (.npz), whole or not at all."""
    _save(path, dict(vars(keypoints)))


def read_keypoints(path: Path) -> Keypoints:
    """Read a keypoints.npz. Raises InputError when keys are missing or do not fit each other."""
    arrays = read_npz(path)
    _require(arrays, path, ("keypoints", "set", "frames", "times", "image_size", "fps"))
    points = arrays["keypoints"]
    names = KEYPOINT_SETS.get(str(arrays["set"]))
    if names is None or points.dtype.kind not in "fiu" or points.ndim != 3 or points.shape[1:] != (len(names), 3):
        message = f"{Path(path).name}: {points.shape} does not fit the set {arrays['set']}."
        raise InputError("bad_keypoints", message, f"Known sets: {', '.join(KEYPOINT_SETS)}.")
    _check_shapes(arrays, path, len(points))
    zeros = np.zeros(len(points), np.int64)
    return Keypoints(
        keypoints=points.astype(np.float32),
        set=str(arrays["set"]),
        track_id=arrays.get("track_id", zeros),
        view=arrays.get("view", zeros),
        frames=arrays["frames"],
        times=arrays["times"],
        image_size=(int(arrays["image_size"][0]), int(arrays["image_size"][1])),
        fps=_rate(arrays, path),
        clip_frames=int(arrays.get("clip_frames", len(np.unique(arrays["frames"])))),
        hands=arrays.get("hands"),
        world=arrays.get("world"),
        camera_K=arrays.get("camera_K"),
    )


def write_joints(path: Path, joints: Joints3D) -> None:
    """Write ``joints`` to ``path`` (.npz), whole or not at all."""
    _save(path, dict(vars(joints)) | {"format": JOINTS_FORMAT})


def read_joints(path: Path) -> Joints3D:
    """Read a joints.npz; only ``joints`` and ``times`` (or ``fps``) are a must, so other estimators' output fits too.

    Joints that are not known are NaN, or in files that are not ours at 0, 0, 0 or confidence 0; of 22 joints the hands
    are not known. ``frame`` "y_up" comes back as "world". Raises InputError when keys are missing, do not fit each
    other or hold what they cannot.
    """
    arrays = _with_hands(read_npz(path))
    _require(arrays, path, ("joints",))
    points, count = _checked_joints(arrays, path), len(arrays["joints"])
    ends = arrays.get("ends", np.full((count, 13, 3), np.nan)).astype(np.float32)
    confidence = np.clip(np.nan_to_num(arrays.get("confidence", np.ones((count, 24)))), 0.0, 1.0).astype(np.float32)
    if str(arrays.get("format", "")) != JOINTS_FORMAT:
        _forget_placeholders(points, ends, confidence)
    joints = Joints3D(
        joints=points,
        ends=np.where(np.isfinite(ends).all(axis=-1, keepdims=True), ends, np.nan),
        frame="camera" if str(arrays.get("frame", "world")) == "camera" else "world",
        track_id=arrays.get("track_id", np.zeros(count)).astype(np.int64),
        frames=arrays.get("frames", np.arange(count)).astype(np.int64),
        times=arrays["times"].astype(np.float64) if "times" in arrays else np.arange(count) / _rate(arrays, path),
        confidence=confidence,
        camera_K=arrays.get("camera_K"),
        camera_world_from_cam=arrays.get("camera_world_from_cam"),
    )
    return _z_up(joints) if str(arrays.get("frame", "world")) == "y_up" else joints


def _with_hands(arrays: dict[str, NDArray]) -> dict[str, NDArray]:
    """The 22 joints that SMPL-H and SMPL-X have before the fingers, as SMPL's 24, of which the hands are not known."""
    for key, unknown in (("joints", np.nan), ("confidence", 0.0)):
        rows = arrays.get(key)
        if rows is not None and rows.dtype.kind in "fiu" and rows.ndim > 1 and rows.shape[1] == 22:
            hands = np.full((len(rows), 2, *rows.shape[2:]), unknown)
            arrays[key] = np.concatenate([rows, hands], axis=1)
    return arrays


def _checked_joints(arrays: dict[str, NDArray], path: Path) -> NDArray[np.float32]:
    joints, name = arrays["joints"], Path(path).name
    if joints.dtype.kind not in "fiu" or joints.ndim != 3 or joints.shape[1:] != (24, 3) or len(joints) == 0:
        message = f"{name}: joints have shape {joints.shape}."
        raise InputError("bad_joints", message, "Expected (N, 24, 3) metres in SMPL order, or its first 22.")
    _check_shapes(arrays, path, len(joints))
    if "times" not in arrays and "fps" not in arrays:
        raise InputError("bad_joints", f"{name} has neither times nor fps.", "Add times (N,) in seconds, or fps.")
    if str(arrays.get("frame", "world")) not in FRAMES:
        hint = f"Known frames: {', '.join(FRAMES)}; world has Z up, camera x right, y down, z forward (OpenCV)."
        raise InputError("bad_frame", f"{name}: the frame {arrays['frame']} is not known.", hint)
    return joints.astype(np.float32)


def _forget_placeholders(points: NDArray, ends: NDArray, confidence: NDArray) -> None:
    """Set to NaN what other estimators write for a point that they did not find: the origin, or anything at 0."""
    doubtful = (confidence == 0) | (points == 0).all(axis=-1)
    points[doubtful & ~doubtful.all(axis=0)] = np.nan  # a joint that is so in every frame has no better place
    ends[(ends == 0).all(axis=-1) | (confidence == 0).all(axis=1, keepdims=True)] = np.nan


def _z_up(joints: Joints3D) -> Joints3D:
    """The same in a world with Z up, from one with Y up."""
    turn, pose = Z_UP_FROM_Y_UP[:3, :3].astype(np.float32).T, joints.camera_world_from_cam
    return replace(
        joints,
        joints=joints.joints @ turn,
        ends=joints.ends @ turn,
        camera_world_from_cam=None if pose is None else Z_UP_FROM_Y_UP @ pose,
    )


def _save(path: Path, arrays: dict[str, Any]) -> None:
    with written_whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **{key: np.asarray(value) for key, value in arrays.items() if value is not None})


def _require(arrays: dict[str, NDArray], path: Path, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in arrays]
    if missing:
        message = f"{Path(path).name} has no {', '.join(missing)}."
        raise InputError("missing_keys", message, "It must come from an earlier stage.")


def _check_shapes(arrays: dict[str, NDArray], path: Path, count: int) -> None:
    expected = {key: (count, *shape) for key, shape in ROW_SHAPES.items()} | SHAPES
    wrong = [key for key, shape in expected.items() if key in arrays and arrays[key].shape != shape]
    if wrong:
        details = ", ".join(f"{key} is {arrays[key].shape}, not {expected[key]}" for key in wrong)
        raise InputError("wrong_shape", f"{Path(path).name}: {details}.", "Write the file again.")
    here = {key: arrays[key] for key in expected if key in arrays}
    wrong = [key for key, value in here.items() if value.dtype.kind not in "fiu" or not _known(key, value)]
    if wrong:
        message = f"{Path(path).name}: {', '.join(wrong)} must be finite numbers."
        raise InputError("not_numbers", message, "Write the file again without what is not known.")


def _known(key: str, value: NDArray) -> bool:
    return key in MAY_BE_UNKNOWN or bool(np.isfinite(value).all())


def _rate(arrays: dict[str, NDArray], path: Path) -> float:
    rate = float(arrays["fps"])
    if not (np.isfinite(rate) and rate > 0):
        raise InputError("bad_fps", f"{Path(path).name}: fps is {rate:g}.", "The frame rate must be above zero.")
    return rate
