"""The measurement on rendered truth finds no error where there is none, and the one that is put in."""

from pathlib import Path

import numpy as np
import pytest
from reel2rig.benchmarks.rendered_truth import measure, rotation_errors
from reel2rig.lifter.records import Fit
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

COUNT = 5


def fit_of(axis_angle: np.ndarray) -> Fit:
    nothing = np.zeros(COUNT)
    return Fit(
        axis_angle=axis_angle,
        trans=np.zeros((COUNT, 3)),
        betas=np.zeros(10),
        joints=np.zeros((COUNT, 24, 3)),
        ends=np.zeros((COUNT, 13, 3)),
        joint_residual=nothing,
        pixel_residual=nothing,
    )


def errors_of(extra_knee_bend: float) -> dict[str, float]:
    poses = np.random.default_rng(0).normal(0, 0.3, (COUNT, 24, 3))
    poses[:, [JOINT["left_knee"], JOINT["right_knee"]]] = [0.5, 0.0, 0.0]
    turned = matrix_from_axis_angle(poses[:, 0])
    truth = {"poses_body_yup": poses.reshape(COUNT, 72), "global_rotation_world": turned}
    found = poses.copy()
    found[:, [JOINT["left_knee"], JOINT["right_knee"]], 0] += np.radians(extra_knee_bend)
    return rotation_errors(fit_of(found), np.eye(4), truth, np.arange(COUNT), np.eye(4))


def test_the_truth_has_no_error() -> None:
    assert errors_of(0.0) == pytest.approx({"limb_degrees": 0.0, "knee_bend_bias_degrees": 0.0}, abs=1e-5)


def test_a_bent_knee_is_found() -> None:
    found = errors_of(8.0)
    assert found["knee_bend_bias_degrees"] == pytest.approx(8.0, abs=1e-5)
    assert found["limb_degrees"] == pytest.approx(8.0 * 2 / 8, abs=1e-5), "two of eight limb bones are off"


def test_a_folder_without_renders_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No renders"):
        measure(tmp_path)
