"""AI Hub's pose 3D set is read from both its folder trees, checked by reprojection, and what does not fit is named."""

import json
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, mirrored
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.readers.aihub import parse_actor, read_aihub
from reel2rig.training.readers.aihub.omissions import Omissions
from reel2rig.training.readers.aihub_sample import main, write_sample
from reel2rig.training.readers.clip import Clip

FIRST, SECOND = "9_F160A", "70_M180D"


@dataclass(frozen=True)
class Written:
    """A data set and the clips that a reader must find in it."""

    folder: Path
    truth: list[Clip]


@pytest.fixture(scope="module", params=[False, True], ids=["sample tree", "reissue"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Either tree, only to be read."""
    folder = tmp_path_factory.mktemp("written")
    return Written(folder, write_sample(folder, reissue=request.param))


@pytest.fixture(scope="module")
def written_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the sample's tree, to be copied."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, frames=9)
    return folder


@pytest.fixture
def sample(written_sample: Path, tmp_path: Path) -> Path:
    """A small data set in the sample's tree, to be changed."""
    return shutil.copytree(written_sample, tmp_path / "data")


def read(folder: Path, **options: float) -> tuple[dict[str, Any], str]:
    """Clips by name and all that was explained."""
    lines: list[str] = []
    clips = {clip["name"]: clip for clip in read_aihub(folder, lines.append, **options)}
    return clips, "\n".join(lines)


def refusal(folder: Path) -> str:
    """What is explained about a data set in which nothing is usable."""
    lines: list[str] = []
    with pytest.raises(TrainingDataError):
        list(read_aihub(folder, lines.append))
    return "\n".join(lines)


def rewrite(folder: Path, pattern: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the content of every label file that matches the pattern and is JSON."""
    paths = [path for path in folder.rglob(pattern) if path.read_bytes().endswith(b"}")]
    assert paths
    for path in paths:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))


def scaled_positions(factor: float) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        points = np.array(content["annotations"]["3d_pos"])
        points[:, :3] *= factor
        content["annotations"]["3d_pos"] = points.tolist()

    return change


def scaled_places(factor: float) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        content["extrinsics"] = (np.array(content["extrinsics"]) * [1, 1, 1, factor]).tolist()

    return change


def inverted(content: dict[str, Any]) -> None:
    content["extrinsics"] = np.linalg.inv(np.vstack([content["extrinsics"], [0, 0, 0, 1]]))[:3].tolist()


def in_pixels(content: dict[str, Any]) -> None:
    content["intrinsics"] = (np.array(content["intrinsics"]) * [[1920], [1920], [1]]).tolist()


def swapped(content: dict[str, Any]) -> None:
    points = content["annotations"]["3d_pos"]
    content["annotations"]["3d_pos"] = [points[joint] for joint in mirrored(JOINT_NAMES)]


class TestReadingBack:
    def test_what_was_written_is_found(self, written: Written) -> None:
        truth: dict[str, Any] = {clip["name"]: clip for clip in written.truth}
        found, _ = read(written.folder)
        assert list(found) == [FIRST, SECOND]  # by the number of the action
        for name, clip in found.items():
            expected = truth[name]
            assert (clip["source"], clip["action"], clip["actor"]) == ("aihub", *name.split("_"))
            assert_allclose(clip["joints"], expected["joints"], atol=1e-3)
            assert_allclose(clip["time"], expected["time"])
            assert_array_equal(clip["camera"], expected["camera"])
            assert_array_equal(clip["image_size"], [[1920, 1080]] * 2)
            assert_array_equal(np.isnan(clip["keypoints"]), np.isnan(expected["keypoints"]))
            assert_allclose(clip["keypoints"], expected["keypoints"], atol=0.1)
            assert_allclose(clip["intrinsics"], expected["intrinsics"])
            assert_allclose(clip["extrinsics"], expected["extrinsics"])
            assert "rotations" not in clip

    def test_metres_and_pixels_belong_together(self, sample: Path) -> None:
        clip = read(sample)[0][SECOND]
        for view in range(2):
            seen = clip["joints"] @ clip["extrinsics"][view, :, :3].T + clip["extrinsics"][view, :, 3]
            pixels = seen @ clip["intrinsics"][view].T
            distance = np.linalg.norm(pixels[..., :2] / pixels[..., 2:] - clip["keypoints"][view], axis=-1)
            assert np.nanmax(distance) < 0.1
        assert clip["joints"][:, 15, 1].mean() > clip["joints"][:, 10, 1].mean() + 1  # head over foot, Y up

    def test_time_keeps_the_gaps_of_the_frame_numbers(self, sample: Path) -> None:
        clips, _ = read(sample, fps=10.0)
        assert_allclose(clips[SECOND]["time"], [0.0, 0.1, 0.2, 0.3, 0.4, 0.7, 0.8])
        assert_allclose(clips[FIRST]["time"], [9.7, 9.8, 9.9, 10.0, 10.1, 10.4, 10.5])  # 97 ... 105, not as text

    def test_padded_numbers_are_read_too(self, sample: Path) -> None:
        for path in (sample / "label/3d" / SECOND).glob("*.json"):
            stem, number = path.stem.rsplit("_", 1)
            path.rename(path.with_name(f"{stem}_{int(number):05d}.json"))
        assert len(read(sample)[0][SECOND]["time"]) == 7

    def test_a_frame_without_keypoints_keeps_its_joints(self, sample: Path) -> None:
        for path in (sample / "label/2d" / SECOND).glob("*_8.json"):
            path.unlink()
        clips, told = read(sample)
        assert len(clips[SECOND]["joints"]) == 7
        assert np.isnan(clips[SECOND]["keypoints"][:, -1]).all()
        assert f"3D frames without 2D, kept without keypoints: 1 of {SECOND}" in told

    def test_the_reissue_is_taken_where_a_frame_is_there_twice(self, sample: Path) -> None:
        write_sample(sample, reissue=True, frames=9)
        rewrite(sample / "label" / "2d", f"{SECOND}_1_*.json", lambda label: label["annotations"].pop("2d_pos"))
        clips, told = read(sample)
        assert np.isfinite(clips[SECOND]["keypoints"][0]).all()
        assert "without 2d_pos" not in told

    def test_clips_are_read_one_at_a_time(self, sample: Path) -> None:
        lines: list[str] = []
        clips = read_aihub(sample, lines.append)
        assert next(clips)["name"] == FIRST
        shutil.rmtree(sample / "label" / "3d" / SECOND)
        assert list(clips) == []
        assert f"3D_{SECOND}_0.json" in "\n".join(lines)


class TestFolders:
    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_a_folder_is_found_in_either_spelling(
        self, written_sample: Path, tmp_path: Path, form: Literal["NFC", "NFD"]
    ) -> None:
        name = "사람 인체자세 3D 😀"
        shutil.copytree(written_sample, tmp_path / unicodedata.normalize(form, name))
        both: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
        for asked in both:
            assert len(read(tmp_path / unicodedata.normalize(asked, name))[0]) == 2

    def test_links_in_a_circle_end(self, sample: Path) -> None:
        (sample / "label" / "again").symlink_to(sample)
        assert len(read(sample)[0]) == 2

    def test_very_deep_folders_are_not_followed(self, sample: Path) -> None:
        deep = sample.joinpath(*["a"] * 40)
        deep.mkdir(parents=True)
        clips, told = read(sample)
        assert len(clips) == 2
        assert "folders not looked into, as they lie over 16 deep" in told

    def test_a_missing_folder_says_what_is_expected(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingDataError, match=r"There is no folder .*label/2d"):
            next(read_aihub(tmp_path / "nothing", print))

    def test_a_folder_without_labels_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(TrainingDataError, match=r"No JSON file is there.*3D_70_M180D_0\.json"):
            next(read_aihub(tmp_path, print))

    def test_folders_with_other_json_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "coco").mkdir()
        (tmp_path / "coco" / "person_keypoints.json").write_text("{}")
        lines: list[str] = []
        with pytest.raises(TrainingDataError, match="JSON files are in coco"):
            next(read_aihub(tmp_path, lines.append))
        assert lines == ["files whose name is not action_actor_camera_frame: person_keypoints.json"]


class TestWhatDoesNotPair:
    def test_clips_without_their_half_are_named(self, sample: Path) -> None:
        told = read(sample)[1].splitlines()
        assert "2D without 3D: 12_F150C" in told
        assert "3D without 2D: 13_M160B" in told
        assert "2D without a camera file: 14_M180D_1, 14_M180D_2" in told

    def test_one_camera_without_its_file_leaves_the_other(self, sample: Path) -> None:
        (sample / "label" / "camera" / f"{SECOND}_1.json").unlink()
        clips, told = read(sample)
        assert clips[SECOND]["camera"].tolist() == ["2"]
        assert f"2D without a camera file: 14_M180D_1, 14_M180D_2, {SECOND}_1" in told.splitlines()

    def test_a_camera_without_keypoints_is_named(self, sample: Path) -> None:
        for path in (sample / "label" / "2d" / SECOND).glob(f"{SECOND}_2_*.json"):
            path.unlink()
        clips, told = read(sample)
        assert clips[SECOND]["camera"].tolist() == ["1"]
        assert f"camera file without 2D: {SECOND}_2" in told

    def test_frames_without_joints_are_counted(self, sample: Path) -> None:
        (sample / "label" / "3d" / SECOND / f"3D_{SECOND}_4.json").unlink()
        clips, told = read(sample)
        assert len(clips[SECOND]["time"]) == 6
        assert f"2D frames without 3D: 1 of {SECOND}_1, 1 of {SECOND}_2" in told

    def test_many_are_summarised(self) -> None:
        lines: list[str] = []
        omissions = Omissions()
        for number in range(1000):
            omissions.add("2D without 3D", f"{number}_F150C")
        omissions.explain(lines.append)
        assert lines == ["2D without 3D: 0_F150C, 1_F150C, 2_F150C, 3_F150C, 4_F150C and 995 more"]


def test_a_broken_file_is_named_and_costs_its_frame_only(sample: Path) -> None:
    (sample / "label" / "3d" / SECOND / f"3D_{SECOND}_2.json").write_text('{"annotations": {"3d_pos": ')
    (sample / "label" / "2d" / SECOND / f"{SECOND}_2_4.json").write_text('{"annotations": {"2d_pos": [NaN, 1]}}')
    clips, told = read(sample)
    assert_allclose(clips[SECOND]["time"] * 30, [0, 1, 3, 4, 7, 8])
    assert np.isfinite(clips[SECOND]["keypoints"][0]).all()
    assert np.isnan(clips[SECOND]["keypoints"][1, 3]).all()
    assert f"not JSON: 3D_{SECOND}_2.json" in told
    assert f"2d_pos: not finite (NaN, null, infinity or a number beyond all measure): {SECOND}_2_4.json" in told


def test_a_broken_camera_is_named_and_costs_its_view_only(sample: Path) -> None:
    (sample / "label" / "camera" / f"{SECOND}_1.json").write_text("{}")
    clips, told = read(sample)
    assert clips[SECOND]["camera"].tolist() == ["2"]
    assert f"without intrinsics: {SECOND}_1.json" in told.splitlines()


class TestConventions:
    @pytest.mark.parametrize(
        ("files", "change", "fits"),
        [
            ("3D_*.json", scaled_positions(0.1), "positions in centimetres"),
            ("3D_*.json", scaled_positions(0.001), "positions in metres"),
            ("camera/*.json", scaled_places(0.1), "camera places in centimetres"),
            ("camera/*.json", scaled_places(0.001), "camera places in metres"),
            ("camera/*.json", inverted, "extrinsics world from camera"),
            ("camera/*.json", in_pixels, "intrinsics in pixels, not divided by 1920"),
            ("3D_*.json", swapped, "left and right swapped"),
        ],
    )
    def test_another_convention_is_refused_and_named(
        self, sample: Path, files: str, change: Callable[[dict[str, Any]], None], fits: str
    ) -> None:
        rewrite(sample / "label", files, change)
        told = refusal(sample)
        assert f"it would fit with {fits}: {FIRST}_1" in told
        assert "px off" in told or "behind the camera" in told

    def test_two_at_once_are_named_together(self, sample: Path) -> None:
        rewrite(sample / "label", "camera/*.json", inverted)
        rewrite(sample / "label", "3D_*.json", swapped)
        assert "it would fit with extrinsics world from camera, left and right swapped: " in refusal(sample)

    def test_what_no_convention_explains_is_refused_too(self, sample: Path) -> None:
        def turned(content: dict[str, Any]) -> None:
            turn = matrix_from_axis_angle(np.array([0.3, 0.1, 0.2]))
            content["extrinsics"] = (turn @ content["extrinsics"]).tolist()

        rewrite(sample / "label", "camera/*.json", turned)
        assert "no known convention would fit" in refusal(sample)

    @pytest.mark.parametrize(("factor", "unit"), [(0.1, "centimetres"), (0.001, "metres")])
    def test_a_world_all_in_another_unit_shows_in_the_actors_height(
        self, sample: Path, factor: float, unit: str
    ) -> None:
        rewrite(sample / "label", "3D_*.json", scaled_positions(factor))
        rewrite(sample / "label", "camera/*.json", scaled_places(factor))
        assert f"it would fit with positions in {unit}: {FIRST}, {SECOND}" in refusal(sample)

    @pytest.mark.parametrize(("axis_angle", "axis"), [([np.pi / 2, 0, 0], "Z"), ([np.pi, 0, 0], "-Y")])
    def test_a_world_with_another_axis_up_is_refused(self, sample: Path, axis_angle: list[float], axis: str) -> None:
        turn = matrix_from_axis_angle(np.array(axis_angle))

        def turn_joints(content: dict[str, Any]) -> None:
            points = np.array(content["annotations"]["3d_pos"])
            content["annotations"]["3d_pos"] = (turn @ points[:, :3]).tolist()

        def turn_camera(content: dict[str, Any]) -> None:
            extrinsics = np.array(content["extrinsics"])
            content["extrinsics"] = np.column_stack([extrinsics[:, :3] @ turn.T, extrinsics[:, 3]]).tolist()

        rewrite(sample / "label", "3D_*.json", turn_joints)
        rewrite(sample / "label", "camera/*.json", turn_camera)
        assert f"with a world turned to {axis} up: {FIRST}, {SECOND}" in refusal(sample)

    def test_one_wrong_camera_leaves_the_others(self, sample: Path) -> None:
        rewrite(sample / "label", f"camera/{SECOND}_2.json", inverted)
        clips, told = read(sample)
        assert clips[SECOND]["camera"].tolist() == ["1"]
        assert f"extrinsics world from camera: {SECOND}_2" in told

    def test_a_few_pixels_are_accepted_and_the_limit_can_be_set(self, sample: Path) -> None:
        def shifted(content: dict[str, Any]) -> None:
            content["annotations"]["2d_pos"] = np.add(content["annotations"]["2d_pos"], [3, 0]).tolist()

        rewrite(sample / "label", f"{SECOND}_1_*.json", shifted)
        assert read(sample)[0][SECOND]["camera"].tolist() == ["1", "2"]
        clips, told = read(sample, max_error=2.0)
        assert clips[SECOND]["camera"].tolist() == ["2"]
        assert f"{SECOND}_1 (3 px off)" in told


def test_an_actors_name_says_sex_height_and_build() -> None:
    woman = parse_actor("F150C")
    assert woman is not None
    assert (woman.sex, woman.height, woman.build) == ("female", 1.5, "C")
    man = parse_actor("M160B")
    assert man is not None
    assert (man.sex, man.height, man.build) == ("male", 1.6, "B")
    assert parse_actor("somebody") is None


def test_the_sample_is_written_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "data"), "--reissue", "--frames", "2"]) == 0
    assert len(read(tmp_path / "data")[0]) == 2
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file")]) == 2
    assert "no sample written" in capsys.readouterr().err
