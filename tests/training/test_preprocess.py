"""Clips of any source become even motion: cut at gaps, thinned out when fast, people kept apart."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reel2rig.smpl_assets.body import joint_transforms, open_body
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle, quaternion_from_axis_angle, quaternion_from_matrix
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.motion_set import MotionSet, read_motion_set
from reel2rig.training.preprocess import even_pieces, preprocess
from reel2rig.training.readers import sources
from reel2rig.training.readers.clip import Clip, Explain
from reel2rig.training.readers.cmu_pack import PACK, read_cmu_pack


def clip(times: np.ndarray, *, name: str = "a", actor: str = "one", split: str | None = None) -> Clip:
    """The pelvis walks one metre a second along x, the left elbow bends by one radian a second."""
    pose = np.zeros((len(times), 24, 3))
    pose[:, 18, 1] = -times
    joints = np.zeros((len(times), 24, 3), np.float32)
    joints[..., 0] = times[:, None]
    found = Clip(
        name=name, source="test", actor=actor, action="walk", time=times, joints=joints,
        rotations=quaternion_from_axis_angle(pose).astype(np.float32),
    )  # fmt: skip
    if split:
        found["split"] = split
    return found


def processed(tmp_path: Path, clips: list[Clip], validation: tuple[str, ...] = ()) -> MotionSet:
    def read(_: Path, __: Explain) -> Iterator[Clip]:
        yield from clips

    preprocess([(read, tmp_path)], tmp_path / "data.npz", validation=validation, report=lambda _: None)
    return read_motion_set(tmp_path / "data.npz")


def test_a_clip_is_cut_where_frames_are_missing() -> None:
    times = np.arange(90) / 30.0
    kept = clip(np.concatenate([times[:30], times[45:]]))
    pieces = list(even_pieces(kept))
    assert [len(pelvis) for _, pelvis, _ in pieces] == [30, 45]
    assert pieces[1][1][0, 0] == pytest.approx(1.5)


def test_a_frame_or_two_that_are_missing_are_bridged() -> None:
    times = np.delete(np.arange(60) / 30.0, [20, 21, 40])
    (piece,) = even_pieces(clip(times))
    quaternions, pelvis, fps = piece
    assert (len(pelvis), fps) == (60, pytest.approx(30.0))
    np.testing.assert_allclose(pelvis[:, 0], np.arange(60) / 30.0, atol=1e-6)
    angle = 2 * np.arccos(np.clip(np.abs(quaternions[:, 18, 0]), 0, 1))
    np.testing.assert_allclose(angle, np.arange(60) / 30.0, atol=2e-3)


def test_frames_that_are_not_numbers_are_gaps() -> None:
    broken = clip(np.arange(90) / 30.0)
    broken["joints"][30:40] = np.nan
    assert [len(pelvis) for _, pelvis, _ in even_pieces(broken)] == [30, 50]


@pytest.mark.parametrize(("recorded", "kept"), [(120.0, 60.0), (100.0, 60.0), (30.0, 30.0), (24.0, 24.0)])
def test_fast_recordings_are_thinned_out(recorded: float, kept: float) -> None:
    ((_, pelvis, fps),) = even_pieces(clip(np.arange(int(recorded)) / recorded))
    assert fps == pytest.approx(kept)
    np.testing.assert_allclose(np.diff(pelvis[:, 0]), 1 / kept, atol=1e-5)


def test_short_clips_are_left_out_and_nothing_left_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="long enough"):
        processed(tmp_path, [clip(np.arange(5) / 30.0), clip(np.arange(1) / 30.0)])
    assert not list(tmp_path.glob("data*"))


def test_joints_without_rotations_become_rotations(tmp_path: Path) -> None:
    body = open_body()
    random = np.random.default_rng(0)
    pose = 0.3 * np.sin(random.normal(0, 3, (24, 3)) + np.arange(40)[:, None, None] / 10)
    pose[:, [20, 21, 22, 23, 15, 10, 11, 7, 8]] = 0  # what joints alone say nothing of
    rotations, joints = joint_transforms(
        body.rest_joints(np.zeros(10)), body.parents, matrix_from_axis_angle(pose), np.zeros((40, 3))
    )
    given = clip(np.arange(40) / 30.0)
    given.pop("rotations")
    given["joints"] = joints.astype(np.float32)
    ((quaternions, _, _),) = even_pieces(given)
    expected = quaternion_from_matrix(rotations[:, 0])
    assert np.degrees(2 * np.arccos(np.abs((quaternions[:, 0] * expected).sum(-1)).clip(0, 1))).mean() < 6
    assert (np.abs((quaternions[1:] * quaternions[:-1]).sum(-1)) > 0.9).all()


def test_a_tenth_of_the_people_is_held_out_each_wholly(tmp_path: Path) -> None:
    times = np.arange(30) / 30.0
    clips = [clip(times, name=f"{actor}_{take}", actor=str(actor)) for actor in range(20) for take in range(2)]
    found = processed(tmp_path, clips)
    held = set(found.subject[found.split == "val"])
    assert len(held) == 2
    assert not held & set(found.subject[found.split == "train"])
    assert found.split.tolist() == processed(tmp_path, clips).split.tolist()


def test_the_user_can_name_who_is_held_out(tmp_path: Path) -> None:
    times = np.arange(30) / 30.0
    clips = [clip(times, actor=actor) for actor in ("ann", "bob", "민수")]
    found = processed(tmp_path, clips, validation=("민수",))
    assert found.split.tolist() == ["train", "train", "val"]
    for nobody in (("eve",), ("ann", "eve"), ("ann", "bob", "민수")):
        with pytest.raises(TrainingDataError, match="some, not all, of"):
            processed(tmp_path, clips, validation=nobody)


def test_clips_are_held_out_where_there_is_one_person(tmp_path: Path) -> None:
    times = np.arange(30) / 30.0
    found = processed(tmp_path, [clip(times, name=str(take)) for take in range(6)])
    assert sorted(found.split) == ["train"] * 5 + ["val"]
    with pytest.raises(TrainingDataError, match="One clip"):
        processed(tmp_path, [clip(times)])


def test_a_source_that_says_who_is_held_out_is_obeyed(tmp_path: Path) -> None:
    times = np.arange(30) / 30.0
    own = [clip(times, actor="pack_a", split="train"), clip(times, actor="pack_b", split="val")]
    assert processed(tmp_path, own).split.tolist() == ["train", "val"]
    # the only person of a further source is trained with, as somebody is held out already
    assert processed(tmp_path, [*own, clip(times, actor="mine")]).split.tolist() == ["train", "val", "train"]


def test_the_bundled_pack_says_who_is_held_out(tmp_path: Path) -> None:
    clips = list(read_cmu_pack(PACK, print))
    people = {split: {clip["actor"] for clip in clips if clip.get("split") == split} for split in ("train", "val")}
    assert people["val"] == {"cmu_06", "cmu_09", "cmu_12"}
    assert not people["train"] & people["val"]
    longest = max(clips, key=lambda clip: len(clip["time"]))
    ((_, pelvis, fps),) = even_pieces(longest)
    assert (len(pelvis), fps) == (len(longest["time"]), pytest.approx(30.0))
    np.testing.assert_allclose(pelvis, longest["joints"][:, 0], atol=1e-4)


def test_damaged_packs_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"No motion pack in .*expected train_"):
        list(read_cmu_pack(tmp_path, print))
    (tmp_path / "train_00.npz").write_text("words")
    with pytest.raises(TrainingDataError, match="Get the pack again"):
        list(read_cmu_pack(tmp_path, print))


def test_sources_are_named_with_their_folders() -> None:
    assert sources(None) == [(read_cmu_pack, PACK)]
    assert sources([["cmu_pack"], ["cmu_pack", "elsewhere"]])[1] == (read_cmu_pack, Path("elsewhere"))
    for wrong in (["unheard", "folder"], ["bvh"], ["cmu_pack", "a", "b"]):
        with pytest.raises(TrainingDataError, match="give one of"):
            sources([wrong])
