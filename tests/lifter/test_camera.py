"""The clip's camera from an angle, a calibration file, the metadata, or a guess."""

import json
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.camera import intrinsics
from reel2rig.lifter.errors import InputError

MATRIX = [[1000.0, 0, 539.5], [0, 1100.0, 959.5], [0, 0, 1]]
TOML = """
[cam_01]
name = "cam_01"
size = [1080.0, 1920.0]
matrix = [[1000.0, 0.0, 539.5], [0.0, 1100.0, 959.5], [0.0, 0.0, 1.0]]

[cam_02]
size = [1080.0, 1920.0]
matrix = [[2000.0, 0.0, 539.5], [0.0, 2000.0, 959.5], [0.0, 0.0, 1.0]]

[metadata]
adjusted = false
"""


def refusal(calibration: Path, clip: str = "cam01.mp4", size: tuple[int, int] = (1080, 1920)) -> InputError:
    with pytest.raises(InputError) as caught:
        intrinsics(Path(clip), size, calibration=calibration)
    assert caught.value.code == "bad_calibration"
    assert caught.value.hint
    return caught.value


def test_the_angle_spans_the_longer_side() -> None:
    for size in ((1000, 500), (500, 1000)):
        K = intrinsics(Path("a.mp4"), size, field_of_view=90.0).camera_K
        np.testing.assert_allclose([K[0, 0], K[1, 1]], 500.0)  # half of the longer side over tan 45 degrees
        np.testing.assert_allclose(K[:2, 2], [(size[0] - 1) / 2, (size[1] - 1) / 2])


def test_without_any_word_55_degrees_are_assumed_and_it_is_said() -> None:
    found = intrinsics(Path("a.mp4"), (1920, 1080))
    np.testing.assert_allclose(np.degrees(2 * np.arctan(960 / found.camera_K[0, 0])), 55.0)
    assert "55 degrees, assumed" in found.source


def test_metadata_count_unless_an_angle_is_given() -> None:
    found = intrinsics(Path("a.mp4"), (3000, 4000), focal_length_35mm=43.27)
    np.testing.assert_allclose(found.camera_K[0, 0], 5000.0)  # a focal length as long as the diagonal
    assert "metadata" in found.source
    assert "given" in intrinsics(Path("a.mp4"), (3, 4), focal_length_35mm=26, field_of_view=70).source


@pytest.mark.parametrize("angle", [0.0, -60.0, 180.0, float("nan"), float("inf")])
def test_impossible_angles_are_refused(angle: float) -> None:
    with pytest.raises(InputError) as caught:
        intrinsics(Path("a.mp4"), (640, 480), field_of_view=angle)
    assert caught.value.code == "bad_fov"


@pytest.mark.parametrize(("clip", "focal"), [("cam01.mp4", 1000.0), ("CAM-02.MOV", 2000.0)])
def test_the_camera_named_like_the_clip_is_taken(tmp_path: Path, clip: str, focal: float) -> None:
    (tmp_path / "calib.toml").write_text(TOML)
    found = intrinsics(Path(clip), (1080, 1920), calibration=tmp_path / "calib.toml")
    assert found.camera_K[0, 0] == focal
    assert "calib.toml" in found.source


def test_a_smaller_copy_of_the_clip_scales_the_camera(tmp_path: Path) -> None:
    (tmp_path / "calib.toml").write_text(TOML)
    K = intrinsics(Path("cam01.mp4"), (540, 960), calibration=tmp_path / "calib.toml").camera_K
    np.testing.assert_allclose([K[0, 0], K[1, 1]], [500.0, 550.0])


@pytest.mark.parametrize("data", [{"matrix": MATRIX}, {"only": {"matrix": MATRIX, "size": [1080, 1920]}}])
def test_json_with_one_camera_fits_any_clip(tmp_path: Path, data: dict) -> None:
    path = tmp_path / "카메라.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    np.testing.assert_allclose(intrinsics(Path("x.mp4"), (1080, 1920), calibration=path).camera_K, MATRIX)


def test_a_calibration_of_another_shape_or_camera_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calib.toml"
    path.write_text(TOML)
    assert "1080 x 1920" in refusal(path, size=(1920, 1080)).message
    assert "cam_01, cam_02" in refusal(path, clip="cam03.mp4").hint


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '{"matrix": [[1]]}', '{"matrix": "abc"}', "not json", "3"])
def test_unusable_calibrations_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "calib.json").write_text(text)
    refusal(tmp_path / "calib.json")
    refusal(tmp_path / "missing.json")
