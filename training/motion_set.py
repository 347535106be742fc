"""The training file: many clips of motion, small ones in memory, large ones mapped from disk.

processed_data.npz (no pickles) holds a row per clip: start, length, fps, name, subject, action, split, and the names of
the shards beside it with their numbers of frames. A shard NAME is two files: NAME_quaternions.npy (N, 24, 4) local
rotations w x y z, and NAME_pelvis.npy (N, 3) metres, world Y up. Frames are numbered through all shards.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..lifter.motion_file import NOT_AN_ARCHIVE
from .errors import TrainingDataError

FRAME_KEYS = ("quaternions", "pelvis")
CLIP_KEYS = ("start", "length", "fps", "name", "subject", "action", "split")
IN_MEMORY_FRAMES = 2_000_000  # about 0.8 GB; what is larger stays on disk and is mapped


class Shards:
    """Arrays of frames that follow each other, read by frame number as if they were one."""

    def __init__(self, arrays: list[NDArray[np.float32]]) -> None:
        self.arrays = arrays
        self.first = np.cumsum([0] + [len(array) for array in arrays])
        self.shape = (int(self.first[-1]), *arrays[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """The frames of an array of frame numbers, of any shape."""
        found = np.empty((*rows.shape, *self.shape[1:]), np.float32)
        shard = np.searchsorted(self.first, rows, side="right") - 1
        for number in np.unique(shard):
            here = shard == number
            found[here] = self.arrays[number][rows[here] - self.first[number]]
        return found


@dataclass(frozen=True)
class MotionSet:
    """Many clips. quaternions (N, 24, 4); pelvis (N, 3) m, Y up; the other arrays have a row per clip (C,)."""

    quaternions: NDArray[np.float32] | Shards
    pelvis: NDArray[np.float32] | Shards
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    fps: NDArray[np.float64]
    name: NDArray[np.str_]
    subject: NDArray[np.str_]
    action: NDArray[np.str_]
    split: NDArray[np.str_]

    def only(self, split: str) -> "MotionSet":
        """The clips of one split; frames stay where they are. Raises TrainingDataError when there are none."""
        rows = self.split == split
        if not rows.any():
            raise TrainingDataError(f"The training data has no clips for '{split}'. Preprocess again.")
        return replace(self, **{key: getattr(self, key)[rows] for key in CLIP_KEYS})


def read_motion_set(path: Path) -> MotionSet:
    """Read the training file. Raises TrainingDataError when it or a shard is missing or damaged."""
    if not path.exists():
        raise TrainingDataError(f"There is no {path}. Make it with: python -m reel2rig.training preprocess")
    try:
        with np.load(path, allow_pickle=False) as index:
            clips = {key: index[key] for key in CLIP_KEYS}
            shards = list(zip(index["shards"].tolist(), index["shard_frames"].tolist(), strict=True))
        frames = {key: _frames(path.parent, shards, key) for key in FRAME_KEYS}
    except (*NOT_AN_ARCHIVE, KeyError) as error:
        message = f"{path} is no training file ({error}). Make it again with: python -m reel2rig.training preprocess"
        raise TrainingDataError(message) from error
    return MotionSet(**frames, **clips)


def _frames(folder: Path, shards: list[tuple[str, int]], key: str) -> NDArray[np.float32] | Shards:
    mode = "r" if sum(count for _, count in shards) > IN_MEMORY_FRAMES else None
    arrays = [np.load(folder / f"{name}_{key}.npy", mmap_mode=mode, allow_pickle=False) for name, _ in shards]
    if [len(array) for array in arrays] != [count for _, count in shards]:
        raise ValueError(f"the shards' {key} do not have the frames that the index counts")
    return Shards(arrays) if mode else np.concatenate(arrays)


def write_motion_set(path: Path, motions: MotionSet) -> None:
    """Write a motion set that is in memory as one shard; the index is written last."""
    with MotionSetWriter(path) as writer:
        for row in range(len(motions.start)):
            frames = np.arange(motions.start[row], motions.start[row] + motions.length[row])
            clip = {key: getattr(motions, key)[row] for key in ("fps", "name", "subject", "action", "split")}
            writer.add(motions.quaternions[frames], motions.pelvis[frames], **clip)


class MotionSetWriter:
    """Writes clip by clip, shard by shard, in a folder beside; all takes its place at a good end, and only then."""

    def __init__(self, path: Path, shard_frames: int = 500_000) -> None:
        self.path, self.shard_frames = path, shard_frames
        self.part = path.parent / f".part-{path.stem}"
        self.clips: list[dict[str, object]] = []
        self.shards: list[tuple[str, int]] = []
        self.waiting: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self.frames = self.flushed = 0

    def __enter__(self) -> "MotionSetWriter":
        shutil.rmtree(self.part, ignore_errors=True)  # of a run that was killed
        self.part.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
                self._write_index()
                self._replace()
        finally:
            shutil.rmtree(self.part, ignore_errors=True)

    def add(self, quaternions: NDArray[np.floating], pelvis: NDArray[np.floating], **clip: object) -> None:
        """One clip: quaternions (T, 24, 4), pelvis (T, 3) and fps, name, subject, action, split."""
        self.clips.append({"start": self.frames, "length": len(pelvis), **clip})
        self.waiting.append((quaternions.astype(np.float32), pelvis.astype(np.float32)))
        self.frames += len(pelvis)
        if self.frames - self.flushed >= self.shard_frames:
            self._flush()

    def set_splits(self, splits: Iterable[str]) -> None:
        """The split of every clip so far, once all people are known."""
        for clip, split in zip(self.clips, splits, strict=True):
            clip["split"] = split

    def _flush(self) -> None:
        if not self.waiting:
            return
        name = f"{self.path.stem}_{len(self.shards):03d}"
        for key, arrays in zip(FRAME_KEYS, zip(*self.waiting, strict=True), strict=True):
            np.save(self.part / f"{name}_{key}.npy", np.concatenate(arrays))
        self.shards.append((name, self.frames - self.flushed))
        self.waiting, self.flushed = [], self.frames

    def _write_index(self) -> None:
        index = {key: np.array([clip[key] for clip in self.clips]) for key in CLIP_KEYS}
        names, counts = [name for name, _ in self.shards], [count for _, count in self.shards]
        np.savez(self.part / "index.npz", **index, shards=np.array(names), shard_frames=np.array(counts, np.int64))

    def _replace(self) -> None:
        """Put the new files in the place of old ones, the index last."""
        self.path.unlink(missing_ok=True)
        for key in FRAME_KEYS:
            for file in self.path.parent.glob(f"{self.path.stem}_[0-9][0-9][0-9]_{key}.npy"):
                file.unlink()
            for name, _ in self.shards:
                (self.part / f"{name}_{key}.npy").replace(self.path.parent / f"{name}_{key}.npy")
        (self.part / "index.npz").replace(self.path)
