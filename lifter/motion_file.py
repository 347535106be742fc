"""The motion file: AMASS-compatible .npz with a few keys of our own, no pickles. Needs numpy only.

AMASS keys: Mahmood et al., AMASS, 2019. World Z up, metres, radians, seconds.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .atomic_file import written_whole
from .errors import InputError

FORMAT = "reel2rig-motion/1"
FloatArray = NDArray[np.float32]
# What reading a damaged or foreign file ends with: a lone .npy is no context manager (TypeError), an archive may be
# encrypted (RuntimeError).
NOT_AN_ARCHIVE = (OSError, ValueError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Motion:
    """One person's motion.

    poses: (T, 72) or (T, 156) axis-angle, first three are global_orient. trans: (T, 3) metres; the pelvis stands at
    the body's rest pelvis + trans. betas: (B,). fps: frames per second. body: model name and SHA-256.
    Optional, None in foreign files: times (T,) s, frames (T,) source frame numbers, joints (T, 24, 3), ends (T, 13, 3),
    confidence (T, 24), contacts (T, 4) l_heel, l_toe, r_heel, r_toe, camera_K (3, 3) px,
    camera_world_from_cam (4, 4) OpenCV camera axes. licence: "open", "smpl-noncommercial" or "unknown".
    """

    poses: FloatArray
    trans: FloatArray
    betas: FloatArray
    fps: float
    gender: str = "neutral"
    body: str = ""
    times: NDArray[np.float64] | None = None
    frames: NDArray[np.int64] | None = None
    joints: FloatArray | None = None
    ends: FloatArray | None = None
    confidence: FloatArray | None = None
    contacts: FloatArray | None = None
    camera_K: NDArray[np.float64] | None = None
    camera_world_from_cam: NDArray[np.float64] | None = None
    image_size: tuple[int, int] | None = None
    track_id: int = 0
    source: str = ""
    licence: str = "unknown"

    @property
    def poses24(self) -> FloatArray:
        """Axis-angle (T, 24, 3) of SMPL's joints; fingers of a 52-joint file are left out, its hands stay straight."""
        if self.poses.shape[1] == 72:
            return self.poses.reshape(-1, 24, 3)
        body = self.poses[:, :66].reshape(-1, 22, 3)
        return np.concatenate([body, np.zeros((len(body), 2, 3), np.float32)], axis=1)


def write_motion(path: Path, motion: Motion) -> None:
    """Write ``motion`` to ``path`` (.npz), whole or not at all."""
    keys: dict[str, object] = {
        "format": FORMAT,
        "poses": motion.poses.astype(np.float32),
        "trans": motion.trans.astype(np.float32),
        "betas": motion.betas.astype(np.float32),
        "gender": motion.gender,
        "mocap_frame_rate": np.float64(motion.fps),
        "mocap_framerate": np.float64(motion.fps),
        "body": motion.body,
        "track_id": np.int64(motion.track_id),
        "source": motion.source,
        "licence": motion.licence,
        "image_size": None if motion.image_size is None else np.asarray(motion.image_size, np.int64),
    }
    optional = "times frames joints ends confidence contacts camera_K camera_world_from_cam"
    keys.update({key: getattr(motion, key) for key in optional.split()})
    with written_whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **{key: np.asarray(value) for key, value in keys.items() if value is not None})  # type: ignore[arg-type]


def read_npz(path: Path) -> dict[str, NDArray]:
    """All arrays of an .npz without unpickling anything; arrays that would need it are left out.

    Raises InputError when the file is missing, damaged or not an .npz.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {}
            for key in archive.files:
                try:
                    arrays[key] = archive[key]
                except ValueError:  # an object array, which only a pickle could restore
                    continue
            return arrays
    except FileNotFoundError as error:
        raise InputError("no_such_file", f"There is no file {path}.", "Check the path.") from error
    except NOT_AN_ARCHIVE as error:
        raise InputError(
            "not_npz", f"{Path(path).name} is not a readable .npz file.", "Choose a motion .npz (ours or AMASS)."
        ) from error


def read_motion(path: Path) -> Motion:
    """Read our motion file or a plain AMASS .npz.

    Raises InputError naming what is missing, not finite or of the wrong shape.
    """
    arrays = read_npz(path)
    name = Path(path).name
    poses, trans = _poses_and_trans(arrays, name)
    return Motion(
        poses=poses,
        trans=trans,
        betas=_betas(arrays, name),
        fps=_frame_rate(arrays, name),
        gender=_text(arrays, "gender", "neutral"),
        body=_text(arrays, "body", ""),
        track_id=int(arrays.get("track_id", 0)),
        source=_text(arrays, "source", ""),
        licence=_text(arrays, "licence", "unknown"),
        image_size=(int(arrays["image_size"][0]), int(arrays["image_size"][1])) if "image_size" in arrays else None,
        **_per_frame(arrays, len(poses), name),  # type: ignore[arg-type]
    )


def _poses_and_trans(arrays: dict[str, NDArray], name: str) -> tuple[FloatArray, FloatArray]:
    """poses (T, 72) or (T, 156) and trans (T, 3) of a file; hands that SMPL has and a file has not are straight."""
    missing = [key for key in ("poses", "trans") if key not in arrays]
    if missing:
        message = f"{name} has no {' and '.join(missing)}."
        raise InputError("not_motion", message, "Choose a motion file (ours or AMASS).")
    poses, trans = arrays["poses"], arrays["trans"]
    # SMPL-X files of AMASS hold 165 values a frame; their first 66 are SMPL's
    widths = {72: 72, 156: 156, 165: 66, 66: 66}
    fits = poses.ndim == 2 and poses.shape[1] in widths and trans.shape == (len(poses), 3) and len(poses) > 0
    if not fits or not _are_numbers(poses, trans):
        message = f"{name}: poses {poses.shape} and trans {trans.shape} do not fit."
        raise InputError("bad_motion", message, "Expected (T, 72) or (T, 156) and (T, 3), T > 0.")
    if not (np.isfinite(poses).all() and np.isfinite(trans).all()):
        message = f"{name} holds values that are not finite."
        raise InputError("bad_motion", message, "Capture or convert the file again.")
    if widths[poses.shape[1]] == 66:
        poses = np.concatenate([poses[:, :66], np.zeros((len(poses), 6), poses.dtype)], axis=1)
    return poses.astype(np.float32), trans.astype(np.float32)


def _are_numbers(*arrays: NDArray) -> bool:
    return all(array.dtype.kind in "fiu" for array in arrays)


def _betas(arrays: dict[str, NDArray], name: str) -> FloatArray:
    betas = np.ravel(arrays.get("betas", np.zeros(10)))
    if not _are_numbers(betas) or not np.isfinite(betas).all():
        raise InputError("bad_motion", f"{name}: betas are not finite numbers.", "Capture or convert the file again.")
    return betas.astype(np.float32)


def _frame_rate(arrays: dict[str, NDArray], name: str) -> float:
    for key in ("mocap_frame_rate", "mocap_framerate", "fps"):
        if key in arrays:
            value = np.ravel(arrays[key])
            rate = float(value[0]) if len(value) and _are_numbers(value) else float("nan")
            if np.isfinite(rate) and rate > 0:
                return rate
            raise InputError("bad_motion", f"{name}: {key} is {rate}.", "The frame rate must be above zero.")
    raise InputError("bad_motion", f"{name} does not say its frame rate.", "Add the key mocap_frame_rate.")


def _text(arrays: dict[str, NDArray], key: str, default: str) -> str:
    value = arrays.get(key)
    if value is None:
        return default
    item = value.item() if value.ndim == 0 else default
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _per_frame(arrays: dict[str, NDArray], count: int, name: str) -> dict[str, NDArray]:
    shapes = {
        "times": (count,),
        "frames": (count,),
        "joints": (count, 24, 3),
        "ends": (count, 13, 3),
        "confidence": (count, 24),
        "contacts": (count, 4),
        "camera_K": (3, 3),
        "camera_world_from_cam": (4, 4),
    }
    found = {key: arrays[key] for key in shapes if key in arrays}
    ours = _text(arrays, "format", "") == FORMAT
    wrong = [key for key, value in found.items() if value.shape != shapes[key]]
    if wrong and ours:
        raise InputError("bad_motion", f"{name}: wrong shape of {', '.join(wrong)}.", "Capture the clip again.")
    return {key: value for key, value in found.items() if key not in wrong}
