"""Read the CMU motion pack and write it as one training file.

The training file (.npz, no pickles): quaternions (N, 24, 4) w x y z local rotations, pelvis (N, 3) metres, world Y up,
all clips one after the other; start, length, fps, name, subject, split per clip.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import continuous_quaternions, quaternion_from_axis_angle

PACK = Path(__file__).parent / "data" / "cmu_pack"
CLIP_KEYS = ("start", "length", "fps", "name", "subject", "split")


class TrainingDataError(ValueError):
    """Training data is missing or damaged; the message says what to do."""


@dataclass(frozen=True)
class MotionSet:
    """Many clips. quaternions (N, 24, 4); pelvis (N, 3) m, Y up; start, length, fps, name, subject, split (C,)."""

    quaternions: NDArray[np.float32]
    pelvis: NDArray[np.float32]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    fps: NDArray[np.float64]
    name: NDArray[np.str_]
    subject: NDArray[np.str_]
    split: NDArray[np.str_]

    def only(self, split: str) -> "MotionSet":
        """The clips of one split; frames stay where they are."""
        rows = self.split == split
        if not rows.any():
            raise TrainingDataError(f"The training data has no clips for '{split}'. Preprocess again.")
        return MotionSet(self.quaternions, self.pelvis, *(getattr(self, key)[rows] for key in CLIP_KEYS))


def read_pack(folder: Path = PACK) -> MotionSet:
    """Read train_*.npz and val_*.npz of a pack folder. Raises TrainingDataError when there are none."""
    shards = sorted(folder.glob("train_*.npz")) + sorted(folder.glob("val_*.npz"))
    if not shards:
        raise TrainingDataError(f"No motion pack in {folder}: expected train_*.npz and val_*.npz.")
    sets = [_read_shard(path) for path in shards]
    offsets = np.cumsum([0] + [len(s.pelvis) for s in sets])
    joined = {key: np.concatenate([getattr(s, key) for s in sets]) for key in ("quaternions", "pelvis", *CLIP_KEYS)}
    joined["start"] = np.concatenate([s.start + offset for s, offset in zip(sets, offsets, strict=False)])
    return MotionSet(**joined)


def _read_shard(path: Path) -> MotionSet:
    try:
        with np.load(path, allow_pickle=False) as shard:
            return _clips_of({key: shard[key] for key in shard.files})
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingDataError(f"{path} is no shard of a motion pack ({error}). Get the pack again.") from error


def _clips_of(data: dict[str, NDArray]) -> MotionSet:
    axis_angle = data["pose"].astype(np.float32) * np.float32(data["pose_scale"])
    quaternions = quaternion_from_axis_angle(axis_angle)
    start, length = data["start"].astype(np.int64), data["length"].astype(np.int64)
    for first, count in zip(start, length, strict=True):
        quaternions[first : first + count] = continuous_quaternions(quaternions[first : first + count])
    return MotionSet(
        quaternions=quaternions.astype(np.float32),
        pelvis=data["joints"][:, 0].astype(np.float32) * np.float32(data["joint_scale"]),
        start=start,
        length=length,
        fps=np.full(len(start), float(data["fps"])),
        name=data["name"],
        subject=data["subject"],
        split=data["split"],
    )


def write_motion_set(path: Path, motions: MotionSet) -> None:
    """Write the training file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **vars(motions))
    part.replace(path)


def read_motion_set(path: Path) -> MotionSet:
    """Read the training file. Raises TrainingDataError when it is missing or damaged."""
    if not path.exists():
        raise TrainingDataError(f"There is no {path}. Make it with: python -m reel2rig.training preprocess")
    try:
        with np.load(path, allow_pickle=False) as data:
            return MotionSet(**{key: data[key] for key in data.files})
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        message = f"{path} is no training file ({error}). Make it again with: python -m reel2rig.training preprocess"
        raise TrainingDataError(message) from error
