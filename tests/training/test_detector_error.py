"""The measurement of a detector finds what was put into the picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.detector_error import Render, joint_of, measure, observed, offset_from_joint, table_offsets
from reel2rig.training.errors import TrainingDataError


def render_of_a_point(offset: np.ndarray, joint: int, point: int) -> Render:
    """A camera at the origin that sees, exactly, a point fixed at ``offset`` to a joint that turns before it."""
    random = np.random.default_rng(0)
    frames = 40
    rotations = np.tile(np.eye(3), (frames, 24, 1, 1))
    rotations[:, joint] = matrix_from_axis_angle(random.normal(0, 1, (frames, 3)))
    ahead = np.array([0.0, 0.0, 3.0])
    joints = np.tile(random.normal(0, 0.2, (frames, 1, 3)) + ahead, (1, 24, 1))
    landmarks = np.tile(joints[:, :1], (1, 33, 1))  # the table has it at the joint itself
    landmarks[:, BLAZEPOSE33.index("nose"), 1] -= 0.5
    seen = joints[:, joint] + rotations[:, joint] @ offset
    lens = np.array([[500.0, 0, 280], [0, 500, 280], [0, 0, 1]])
    keypoints = np.ones((frames, 33, 3))
    keypoints[:, :, :2] = lens[:2, 2]
    keypoints[:, point, :2] = 500 * seen[:, :2] / seen[:, 2:] + lens[:2, 2]
    return Render(
        keypoints, np.arange(frames), rotations, joints, landmarks, np.eye(4), lens, np.array([560.0, 560.0]), 30.0
    )


def test_offset_of_a_point_is_recovered_from_one_camera() -> None:
    offset = np.array([0.01, -0.04, 0.1])
    render = render_of_a_point(offset, JOINT["head"], 0)
    np.testing.assert_allclose(offset_from_joint([render], 0, JOINT["head"]), offset, atol=1e-9)


def test_offset_from_the_table_is_alike_on_both_sides_and_leaves_no_error() -> None:
    left, offset = BLAZEPOSE33.index("left_knee"), np.array([0.02, -0.04, 0.03])
    right, mirrored = BLAZEPOSE33.index("right_knee"), offset * np.array([-1, 1, 1])
    both = [render_of_a_point(offset, JOINT["left_knee"], left)]
    other = render_of_a_point(mirrored, JOINT["right_knee"], right)
    both[0].keypoints[:, right] = other.keypoints[:, right]
    both[0].rotations[:, JOINT["right_knee"]] = other.rotations[:, JOINT["right_knee"]]
    offsets = table_offsets(both)
    np.testing.assert_allclose(offsets[left], offset, atol=1e-9)
    np.testing.assert_allclose(offsets[right], mirrored, atol=1e-9)
    assert not offsets[:11].any()  # the face's is told by its shrinking
    seen = observed(both, offsets)
    np.testing.assert_allclose(seen.error[:, :, [left, right]], 0, atol=1e-9)


def test_frames_in_which_nobody_was_found_are_marked() -> None:
    render = render_of_a_point(np.zeros(3), JOINT["head"], 0)
    some = np.flatnonzero(np.arange(40) % 4 != 1)
    gappy = replace(
        render,
        frames=some,
        **{name: getattr(render, name)[some] for name in ("keypoints", "rotations", "joints", "landmarks")},
    )
    seen = observed([gappy], np.zeros((33, 3)))
    assert seen.truth.shape == (1, 40, 33, 2)
    assert np.isfinite(seen.truth).all()
    assert np.flatnonzero(np.isnan(seen.confidence[0, :, 0])).tolist() == list(range(1, 40, 4))


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
