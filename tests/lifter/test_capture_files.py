"""keypoints.npz and joints.npz: round trips, files of other estimators, and clear words about wrong ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.capture_files import read_joints, read_keypoints, write_joints, write_keypoints
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.records import Joints3D, Keypoints

RANDOM = np.random.default_rng(0)
KEYPOINTS = Keypoints(
    keypoints=RANDOM.random((5, 33, 3), np.float32),
    set="blazepose33",
    track_id=np.array([1, 1, 2, 1, 2]),
    view=np.zeros(5, np.int64),
    frames=np.array([0, 1, 1, 2, 2]),
    times=np.array([0, 1, 1, 2, 2]) / 30,
    image_size=(640, 480),
    fps=30.0,
    clip_frames=7,
    world=RANDOM.random((5, 33, 3), np.float32),
    camera_K=np.array([[500.0, 0, 319.5], [0, 500, 239.5], [0, 0, 1]]),
)
JOINTS = Joints3D(
    joints=RANDOM.random((5, 24, 3), np.float32),
    ends=np.full((5, 13, 3), np.nan, np.float32),
    frame="camera",
    track_id=KEYPOINTS.track_id,
    frames=KEYPOINTS.frames,
    times=KEYPOINTS.times,
    confidence=np.ones((5, 24), np.float32),
    camera_K=KEYPOINTS.camera_K,
    camera_world_from_cam=np.eye(4),
)


def assert_same(found: object, expected: object) -> None:
    for key, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, key), value, err_msg=key)


def test_keypoints_come_back_as_they_were(tmp_path: Path) -> None:
    for keypoints in (KEYPOINTS, replace(KEYPOINTS, world=None, camera_K=None, hands=np.zeros((5, 2, 21, 3)))):
        write_keypoints(tmp_path / "keypoints.npz", keypoints)
        assert_same(read_keypoints(tmp_path / "keypoints.npz"), keypoints)


def test_joints_come_back_as_they_were(tmp_path: Path) -> None:
    for joints in (JOINTS, replace(JOINTS, frame="world", camera_K=None, camera_world_from_cam=None)):
        write_joints(tmp_path / "joints.npz", joints)
        assert_same(read_joints(tmp_path / "joints.npz"), joints)


def test_joints_and_a_rate_are_enough(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", joints=JOINTS.joints, fps=25)
    found = read_joints(tmp_path / "other.npz")
    np.testing.assert_allclose(found.times, np.arange(5) / 25)
    assert found.frame == "world"
    assert np.isnan(found.ends).all()
    assert set(found.track_id.tolist()) == {0}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"joints": np.zeros((5, 17, 3))}, "(5, 17, 3)"),
        ({"joints": np.zeros((0, 24, 3))}, "(0, 24, 3)"),
        ({"joints": np.full((5, 24, 3), "x")}, "joints"),
        ({"ends": np.zeros((5, 12, 3))}, "ends"),
        ({"track_id": np.zeros(4, int)}, "track_id"),
        ({"confidence": np.zeros(5)}, "confidence"),
        ({"camera_K": np.eye(4)}, "camera_K"),
        ({"fps": 0.0}, "fps"),
        ({"fps": np.zeros(2)}, "fps"),
        ({"fps": "25"}, "fps"),
        ({"times": np.array([0, 1, np.nan, 3, 4])}, "times"),
        ({"times": np.full(5, "now")}, "times"),
        ({"track_id": np.full(5, np.nan)}, "track_id"),
        ({"confidence": np.full((5, 24), "high")}, "confidence"),
        ({"ends": np.full((5, 13, 3), "x")}, "ends"),
        ({"camera_K": np.full((3, 3), np.inf)}, "camera_K"),
        ({"frame": "opencv"}, "opencv"),
        ({"frame": "Camera"}, "Camera"),
    ],
)
def test_wrong_joints_are_named(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    np.savez(tmp_path / "joints.npz", **({"joints": JOINTS.joints, "fps": 25} | changed))  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        read_joints(tmp_path / "joints.npz")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_joint_of_unknown_confidence_is_not_trusted(tmp_path: Path) -> None:
    np.savez(tmp_path / "joints.npz", joints=JOINTS.joints, fps=25, confidence=np.full((5, 24), np.nan))
    assert (read_joints(tmp_path / "joints.npz").confidence == 0).all()


def test_confidence_is_brought_between_0_and_1(tmp_path: Path) -> None:
    given = np.tile([[-0.5], [0.0], [0.5], [1.0], [90.0]], (1, 24))
    np.savez(tmp_path / "joints.npz", joints=JOINTS.joints, fps=25, confidence=given)
    assert read_joints(tmp_path / "joints.npz").confidence[:, 7].tolist() == [0, 0, 0.5, 1, 1]


def test_end_points_that_are_not_finite_are_not_known(tmp_path: Path) -> None:
    ends = np.ones((5, 13, 3))
    ends[2, 4, 1] = np.inf
    np.savez(tmp_path / "joints.npz", joints=JOINTS.joints, fps=25, ends=ends)
    found = read_joints(tmp_path / "joints.npz").ends
    assert np.isnan(found[2, 4]).all()
    assert np.isfinite(np.delete(found, 4, axis=1)).all()


def test_in_files_of_others_joints_at_confidence_0_are_not_known(tmp_path: Path) -> None:
    confidence = np.ones((5, 24))
    confidence[1, 18] = 0  # an elbow that was seen but for one frame
    confidence[:, 15] = 0  # a head that the estimator always guesses: there is nothing better
    np.savez(tmp_path / "other.npz", joints=JOINTS.joints, fps=25, confidence=confidence)
    unknown = np.argwhere(np.isnan(read_joints(tmp_path / "other.npz").joints).any(axis=-1))
    assert unknown.tolist() == [[1, 18]]
    confidence[2] = 0  # a frame that was not seen at all
    np.savez(tmp_path / "other.npz", joints=JOINTS.joints, ends=np.ones((5, 13, 3)), fps=25, confidence=confidence)
    found = read_joints(tmp_path / "other.npz")
    assert np.flatnonzero(np.isnan(found.ends).all(axis=(1, 2))).tolist() == [2]
    write_joints(tmp_path / "ours.npz", replace(JOINTS, confidence=confidence.astype(np.float32)))
    assert np.isfinite(read_joints(tmp_path / "ours.npz").joints).all()


def test_in_files_of_others_points_at_the_origin_are_not_known(tmp_path: Path) -> None:
    joints, ends = JOINTS.joints - JOINTS.joints[:, :1], np.ones((5, 13, 3))  # the pelvis always is at the origin
    joints[3, 18] = ends[4, 2] = 0
    np.savez(tmp_path / "other.npz", joints=joints, ends=ends, fps=25)
    found = read_joints(tmp_path / "other.npz")
    assert np.argwhere(np.isnan(found.joints).any(axis=-1)).tolist() == [[3, 18]]
    assert np.argwhere(np.isnan(found.ends).any(axis=-1)).tolist() == [[4, 2]]


def test_of_22_joints_the_hands_are_not_known(tmp_path: Path) -> None:
    np.savez(tmp_path / "h.npz", joints=JOINTS.joints[:, :22], fps=25, confidence=np.ones((5, 22)))
    found = read_joints(tmp_path / "h.npz")
    np.testing.assert_array_equal(found.joints[:, :22], JOINTS.joints[:, :22])
    assert np.isnan(found.joints[:, 22:]).all()
    assert (found.confidence == np.repeat([1.0, 0.0], [22, 2])).all()


def test_a_world_with_y_up_is_stood_up(tmp_path: Path) -> None:
    camera = np.eye(4)
    camera[:3, 3] = [1.0, 2.0, 3.0]
    joints, ends = np.zeros((1, 24, 3)), np.zeros((1, 13, 3))
    joints[0, 15] = ends[0, 0] = [0.1, 1.6, 0.3]  # 1.6 m up, 0.3 m towards the viewer
    np.savez(tmp_path / "y.npz", joints=joints, ends=ends, fps=25, frame="y_up", camera_world_from_cam=camera)
    found = read_joints(tmp_path / "y.npz")
    assert found.frame == "world"
    np.testing.assert_allclose(found.joints[0, 15], [0.1, -0.3, 1.6], atol=1e-6)
    np.testing.assert_allclose(found.ends[0, 0], [0.1, -0.3, 1.6], atol=1e-6)
    assert found.camera_world_from_cam is not None
    np.testing.assert_allclose(found.camera_world_from_cam[:3, 3], [1.0, -3.0, 2.0])


def test_joints_without_time_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "joints.npz", joints=JOINTS.joints)
    with pytest.raises(InputError, match="neither times nor fps"):
        read_joints(tmp_path / "joints.npz")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"set": "openpose25"}, "openpose25"),
        ({"keypoints": np.zeros((5, 17, 3))}, "(5, 17, 3)"),
        ({"times": np.zeros(4)}, "times"),
        ({"image_size": np.zeros(3)}, "image_size"),
        ({"fps": float("nan")}, "fps"),
    ],
)
def test_wrong_keypoints_are_named(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    keys = {key: value for key, value in vars(KEYPOINTS).items() if value is not None}
    np.savez(tmp_path / "keypoints.npz", **(keys | changed))  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        read_keypoints(tmp_path / "keypoints.npz")
    assert said in caught.value.message


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "keypoints.npz", keypoints=KEYPOINTS.keypoints, set="blazepose33")
    with pytest.raises(InputError, match="frames, times, image_size, fps"):
        read_keypoints(tmp_path / "keypoints.npz")
