"""The training file keeps everything, in shards that are read as one, and is there whole or not at all."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from reel2rig.training import motion_set
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.motion_set import MotionSet, MotionSetWriter, Shards, read_motion_set, write_motion_set


def same(found: MotionSet, expected: MotionSet) -> None:
    every = np.arange(len(expected.pelvis))
    for key in (field.name for field in fields(MotionSet)):
        mine, theirs = getattr(found, key), getattr(expected, key)
        np.testing.assert_array_equal(mine[every] if key in motion_set.FRAME_KEYS else mine, theirs, err_msg=key)


def in_shards(path: Path, motions: MotionSet, shard_frames: int) -> None:
    with MotionSetWriter(path, shard_frames) as writer:
        for row in range(len(motions.start)):
            frames = slice(motions.start[row], motions.start[row] + motions.length[row])
            clip = {key: getattr(motions, key)[row] for key in ("fps", "name", "subject", "action", "split")}
            writer.add(motions.quaternions[frames], motions.pelvis[frames], **clip)  # type: ignore[index]


def test_the_training_file_keeps_everything(tmp_path: Path, motions: MotionSet) -> None:
    path = tmp_path / "훈련 🎬" / "data.npz"
    write_motion_set(path, motions)
    same(read_motion_set(path), motions)


def test_shards_mapped_from_disk_are_read_as_one(
    tmp_path: Path, motions: MotionSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.npz"
    in_shards(path, motions, shard_frames=100)
    assert len(list(tmp_path.glob("data_*_pelvis.npy"))) == 2
    monkeypatch.setattr(motion_set, "IN_MEMORY_FRAMES", 10)
    found = read_motion_set(path)
    assert isinstance(found.quaternions, Shards)
    assert all(isinstance(array, np.memmap) for array in found.quaternions.arrays)
    same(found, motions)
    mixed = np.array([[309, 0], [90, 209]])  # out of order, of every shard, of any shape
    np.testing.assert_array_equal(found.quaternions[mixed], motions.quaternions[mixed])


def test_what_goes_wrong_half_way_leaves_what_was_there(tmp_path: Path, motions: MotionSet) -> None:
    path = tmp_path / "data.npz"

    class FullDiskError(Exception):
        pass

    def fail() -> None:
        with pytest.raises(FullDiskError), MotionSetWriter(path, shard_frames=1) as writer:
            writer.add(motions.quaternions[:5], motions.pelvis[:5], fps=30.0)  # type: ignore[index]
            raise FullDiskError

    fail()
    assert list(tmp_path.iterdir()) == []
    write_motion_set(path, motions)
    fail()
    assert len(list(tmp_path.iterdir())) == 3
    same(read_motion_set(path), motions)


def test_a_smaller_set_leaves_no_shard_of_a_larger_one(tmp_path: Path, motions: MotionSet) -> None:
    path = tmp_path / "data.npz"
    in_shards(path, motions, shard_frames=1)
    write_motion_set(path, motions)
    assert len(list(tmp_path.iterdir())) == 3


def test_missing_and_damaged_files_are_told_with_what_to_do(tmp_path: Path, motions: MotionSet) -> None:
    path = tmp_path / "data.npz"
    with pytest.raises(TrainingDataError, match="preprocess"):
        read_motion_set(path)
    path.write_text("words")
    with pytest.raises(TrainingDataError, match="Make it again"):
        read_motion_set(path)
    write_motion_set(path, motions)
    (tmp_path / "data_000_pelvis.npy").unlink()
    with pytest.raises(TrainingDataError, match="Make it again"):
        read_motion_set(path)
    np.save(tmp_path / "data_000_pelvis.npy", motions.pelvis[:7])  # type: ignore[index]
    with pytest.raises(TrainingDataError, match="frames that the index counts"):
        read_motion_set(path)


def test_a_split_that_is_not_there_is_told(motions: MotionSet) -> None:
    assert motions.only("val").name.tolist() == ["sit"]
    with pytest.raises(TrainingDataError, match="no clips for 'test'"):
        motions.only("test")
