"""Motion packs are read, written as one training file, and read again."""

from pathlib import Path

import numpy as np
import pytest
from reel2rig.smpl_assets.rotation import quaternion_from_axis_angle
from reel2rig.training.motion_pack import MotionSet, TrainingDataError, read_motion_set, read_pack, write_motion_set


def write_shard(path: Path, split: str, lengths: tuple[int, ...], seed: int) -> np.ndarray:
    """A shard of quantised poses; returns the poses (N, 24, 3) in radians."""
    random = np.random.default_rng(seed)
    count = sum(lengths)
    pose = random.integers(-3000, 3000, (count, 24, 3)).astype(np.int16)
    start = np.cumsum((0, *lengths[:-1]))
    np.savez(
        path,
        pose=pose,
        pose_scale=1e-3,
        joints=random.integers(-900, 900, (count, 24, 3)).astype(np.int16),
        joint_scale=1e-3,
        start=start,
        length=np.array(lengths),
        fps=30.0,
        name=np.array([f"{split}_{number}" for number in range(len(lengths))]),
        subject=np.array([split] * len(lengths)),
        split=np.array([split] * len(lengths)),
    )
    return pose * 1e-3


def test_shards_are_joined_clip_by_clip(tmp_path: Path) -> None:
    first = write_shard(tmp_path / "train_00.npz", "train", (4, 6), 1)
    second = write_shard(tmp_path / "val_00.npz", "val", (5,), 2)
    found = read_pack(tmp_path)
    assert found.name.tolist() == ["train_0", "train_1", "val_0"]
    assert found.start.tolist() == [0, 4, 10]
    assert found.length.tolist() == [4, 6, 5]
    expected = quaternion_from_axis_angle(np.concatenate([first, second]))
    same = np.abs((found.quaternions * expected).sum(-1))  # q and -q are one rotation
    np.testing.assert_allclose(same, 1, atol=1e-5)


def test_quaternions_do_not_jump_inside_a_clip(tmp_path: Path) -> None:
    write_shard(tmp_path / "train_00.npz", "train", (40, 60), 1)
    found = read_pack(tmp_path)
    for start, length in zip(found.start, found.length, strict=True):
        clip = found.quaternions[start : start + length]
        assert ((clip[1:] * clip[:-1]).sum(-1) >= 0).all()


def test_the_training_file_keeps_everything(tmp_path: Path, motions: MotionSet) -> None:
    path = tmp_path / "훈련" / "data.npz"
    write_motion_set(path, motions)
    found = read_motion_set(path)
    for key, value in vars(motions).items():
        np.testing.assert_array_equal(getattr(found, key), value)
    assert [file.name for file in path.parent.iterdir()] == ["data.npz"]


def test_one_split_holds_its_own_people_only(motions: MotionSet) -> None:
    assert motions.only("val").name.tolist() == ["sit"]
    assert set(motions.only("train").subject) & set(motions.only("val").subject) == set()
    with pytest.raises(TrainingDataError, match="'test'"):
        motions.only("test")


def test_the_pack_in_the_tree_keeps_people_apart() -> None:
    found = read_pack()
    assert found.quaternions.shape == (len(found.pelvis), 24, 4)
    assert found.start[-1] + found.length[-1] == len(found.pelvis)
    np.testing.assert_allclose(np.linalg.norm(found.quaternions[::1000], axis=-1), 1, atol=1e-5)
    assert set(found.only("train").subject) & set(found.only("val").subject) == set()


def test_missing_and_damaged_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="No motion pack"):
        read_pack(tmp_path)
    (tmp_path / "train_00.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(TrainingDataError, match="train_00"):
        read_pack(tmp_path)
    with pytest.raises(TrainingDataError, match="preprocess"):
        read_motion_set(tmp_path / "none.npz")
    (tmp_path / "data.npz").write_text("words")
    with pytest.raises(TrainingDataError, match="preprocess"):
        read_motion_set(tmp_path / "data.npz")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(TrainingDataError, match="other"):
        read_motion_set(tmp_path / "other.npz")
