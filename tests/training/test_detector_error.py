"""The measurement of a detector finds what was put into the picture."""

from pathlib import Path

import numpy as np
import pytest
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.detector_error import Render, joint_of, measure, offset_from_joint
from reel2rig.training.motion_pack import TrainingDataError


def render_of_a_point(offset: np.ndarray, joint: int, point: int) -> Render:
    """A camera at the origin that sees, exactly, a point fixed at ``offset`` to a joint that turns before it."""
    random = np.random.default_rng(0)
    frames = 40
    rotations = np.tile(np.eye(3), (frames, 24, 1, 1))
    rotations[:, joint] = matrix_from_axis_angle(random.normal(0, 1, (frames, 3)))
    ahead = np.array([0.0, 0.0, 3.0])
    joints = np.tile(random.normal(0, 0.2, (frames, 1, 3)) + ahead, (1, 24, 1))
    seen = joints[:, joint] + rotations[:, joint] @ offset
    rays = np.tile(np.array([0.0, 0.0, 1.0]), (frames, 33, 1))
    rays[:, point] = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    return Render(np.ones((frames, 33, 3)), rotations, joints, np.zeros((frames, 33, 2)), rays, np.zeros(3))


def test_offset_of_a_point_is_recovered_from_one_camera() -> None:
    offset = np.array([0.01, -0.04, 0.1])
    render = render_of_a_point(offset, JOINT["head"], 0)
    np.testing.assert_allclose(offset_from_joint([render], 0, JOINT["head"]), offset, atol=1e-9)


@pytest.mark.parametrize(
    ("point", "joint"),
    [("nose", "head"), ("mouth_left", "head"), ("left_eye_inner", "head"), ("right_knee", "right_knee"),
     ("left_foot_index", "left_foot"), ("right_heel", "right_ankle"), ("left_pinky", "left_wrist")],
)  # fmt: skip
def test_each_point_is_measured_at_the_bone_it_lies_on(point: str, joint: str) -> None:
    assert joint_of(point) == joint


def test_a_folder_without_renders_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="No renders"):
        measure(tmp_path, "fast")
