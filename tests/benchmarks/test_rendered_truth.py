"""The measurement on rendered truth finds no error where there is none, and the one that is put in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel2rig.benchmarks.fit_metrics import PARTS
from reel2rig.benchmarks.render_people import Z_UP, posed
from reel2rig.benchmarks.rendered_truth import measure, rotation_errors, slides
from reel2rig.benchmarks.true_render import TrueRender, read_true_render
from reel2rig.lifter.fit.skeleton import Posed, local_from_global, pose_skeleton, rest_skeleton
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.readers.cmu_pack import PACK, read_cmu_pack

COUNT = 30
FRAMES = np.arange(COUNT)


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    """A truth.npz as render_people.py writes it: somebody walks."""
    clip = next(clip for clip in read_cmu_pack(PACK, print) if clip["name"] == "cmu_12_02")
    scene = posed(clip, 40, COUNT, np.random.default_rng(0))
    return {
        "poses_body_yup": scene.poses,
        "betas": scene.betas,
        "joints": scene.joints,
        "global_rotation_world": Z_UP @ matrix_from_axis_angle(scene.poses[:, :3]),
        "K": np.eye(3)[None],
        "world_from_cam": np.eye(4)[None],
    }


@pytest.fixture
def written(tmp_path: Path, arrays: dict[str, Any]) -> Callable[..., Path]:
    """Writes such a file with some arrays changed, or left out where None, and returns its folder."""

    def write(**changed: Any) -> Path:
        kept = {key: value for key, value in {**arrays, **changed}.items() if value is not None}
        (tmp_path / "clip").mkdir(exist_ok=True)
        np.savez(tmp_path / "clip" / "truth.npz", **kept)
        return tmp_path / "clip"

    return write


@pytest.fixture
def walk(written: Callable[..., Path]) -> TrueRender:
    return read_true_render(written())


def with_bent_knees(truth: TrueRender, degrees: float) -> Posed:
    """The true motion with both knees and what hangs on them turned further."""
    local = local_from_global(truth.posed.rotations)
    for knee in ("left_knee", "right_knee"):
        local[:, JOINT[knee]] = local[:, JOINT[knee]] @ matrix_from_axis_angle(np.radians([degrees, 0.0, 0.0]))
    return pose_skeleton(rest_skeleton(open_body(), truth.betas), local, truth.joints[:, 0])


def test_the_pose_that_is_read_puts_the_joints_where_they_were_written(walk: TrueRender) -> None:
    np.testing.assert_allclose(walk.posed.joints, walk.joints, atol=1e-5)


def test_the_truth_has_no_error(walk: TrueRender) -> None:
    found = rotation_errors(walk.posed, walk.camera, walk, FRAMES)
    assert len(found) == len(PARTS) + 2
    assert list(found.values()) == pytest.approx([0.0] * len(found), abs=1e-5)


def test_a_bent_knee_is_found_in_shins_and_feet_only(walk: TrueRender) -> None:
    found = rotation_errors(with_bent_knees(walk, 8.0), walk.camera, walk, FRAMES)
    assert found["shins_degrees"] == pytest.approx(8.0, abs=1e-5)
    assert found["feet_degrees"] == pytest.approx(8.0, abs=1e-5)
    assert found["thighs_degrees"] == pytest.approx(0.0, abs=1e-5)
    assert found["limb_degrees"] == pytest.approx(8.0 * 2 / 8, abs=1e-5), "two of eight limb bones are off"
    assert found["knee_bend_bias_degrees"] == pytest.approx(8.0, abs=0.5)


def test_another_world_is_no_error_but_another_view_is(walk: TrueRender) -> None:
    turn = matrix_from_axis_angle(np.radians([0.0, 0.0, 30.0]))
    elsewhere, camera = replace(walk.posed, rotations=turn @ walk.posed.rotations), walk.camera.copy()
    assert rotation_errors(elsewhere, camera, walk, FRAMES)["arms_degrees"] == pytest.approx(30.0, abs=1e-5)
    camera[:3, :3] = turn @ camera[:3, :3]
    assert rotation_errors(elsewhere, camera, walk, FRAMES)["arms_degrees"] == pytest.approx(0.0, abs=1e-5)


def test_slide_is_what_standing_feet_move(walk: TrueRender) -> None:
    still = slides(walk.posed, walk, FRAMES)
    assert still["foot_slide_mm_per_frame"] == still["true_foot_slide_mm_per_frame"] < 5.0
    along = np.outer(FRAMES, [0.0, 0.02, 0.0])[:, None]
    sliding = replace(walk.posed, ends=walk.posed.ends + along)
    assert slides(sliding, walk, FRAMES)["foot_slide_mm_per_frame"] == pytest.approx(20.0, abs=3.0)
    assert slides(replace(walk.posed, ends=walk.posed.ends[5:]), walk, FRAMES[5:]) != still


def test_a_folder_without_renders_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No renders"):
        measure(tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"betas": None}, "betas"),
        ({"joints": np.zeros((COUNT, 17, 3))}, r"joints has the shape \(30, 17, 3\)"),
        ({"joints": np.zeros((COUNT - 1, 24, 3))}, "one length"),
        ({"K": np.full((1, 3, 3), np.nan)}, "K holds values that are not finite"),
        ({"poses_body_yup": np.array(["a"])}, "could not convert"),
    ],
)
def test_a_bad_truth_is_told_without_a_traceback(written: Callable[..., Path], changed: dict, said: str) -> None:
    with pytest.raises(SystemExit, match=rf"truth\.npz is not the truth of a render: .*{said}.*render_people"):
        measure(written(**changed).parent)


def test_a_truth_that_is_no_archive_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "truth.npz").write_bytes(b"nothing")
    with pytest.raises(SystemExit, match="is not the truth of a render"):
        measure(tmp_path)


def test_a_truth_without_its_video_is_told(written: Callable[..., Path]) -> None:
    with pytest.raises(SystemExit, match=r"view0\.mp4"):
        measure(written().parent)
