"""Around the network: chunks, mirror, rates and units. The network itself is a stand-in that is local in time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from onnxruntime import InferenceSession
from reel2rig.lifter import lift as lift_module
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.lifter.lift import LIFTER_MODEL, REACH, joint_confidence, lift, mirrored_features
from reel2rig.lifter.records import Keypoints, Lifted
from reel2rig.smpl_assets.skeleton import JOINT
from scipy.ndimage import uniform_filter1d

K = np.array([[1000.0, 0.0, 320.0], [0.0, 1000.0, 240.0], [0.0, 0.0, 1.0]])


class LocalNetwork:
    """Answers with a mixture of the features' mean over REACH frames to either side."""

    def __init__(self) -> None:
        self.mixing = np.random.default_rng(0).normal(size=(100, 38 * 3)) / 10
        self.longest = 0

    def run(self, _names: None, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        features = inputs["features"]
        assert features.dtype == np.float32
        self.longest = max(self.longest, features.shape[1])
        local = uniform_filter1d(features.astype(float), 2 * REACH + 1, axis=1, mode="constant")
        return [(local @ self.mixing).reshape(*features.shape[:2], 38, 3)]


def person(count: int, fps: float = 30.0, track: int = 1, seed: int = 0) -> Keypoints:
    random = np.random.default_rng(seed)
    middle = 300 + 40 * np.sin(np.arange(count) / fps)[:, None, None]
    points = middle + random.normal(0, 60, (33, 2)) + random.normal(0, 2, (count, 33, 2))
    confidence = random.uniform(0.3, 1.0, (count, 33, 1))
    return Keypoints(
        keypoints=np.concatenate([points, confidence], axis=-1).astype(np.float32),
        set="blazepose33",
        track_id=np.full(count, track),
        view=np.zeros(count, np.int64),
        frames=np.arange(count),
        times=np.arange(count) / fps,
        image_size=(640, 480),
        fps=fps,
        clip_frames=count,
    )


def lifted(keypoints: Keypoints, stature: float = 1.7, **options: Any) -> Lifted:
    return lift(keypoints, K, stature, cast(InferenceSession, LocalNetwork()), **options)


def test_a_long_clip_in_chunks_equals_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    keypoints = person(300)
    whole = lifted(keypoints)
    monkeypatch.setattr(lift_module, "CHUNK", 50)
    network = LocalNetwork()
    parts = lift(keypoints, K, 1.7, cast(InferenceSession, network))
    np.testing.assert_allclose(parts.joints.joints, whole.joints.joints, atol=1e-6)
    np.testing.assert_allclose(parts.up, whole.up, atol=1e-6)
    assert network.longest == 50 + 2 * REACH


def test_the_real_network_reaches_no_further_than_said() -> None:
    session = InferenceSession(str(LIFTER_MODEL), providers=["CPUExecutionProvider"])
    features = np.random.default_rng(0).normal(size=(1, 200, 100)).astype(np.float32)
    changed = features.copy()
    changed[:, 100] += 1.0
    one, other = (np.asarray(session.run(None, {"features": each})[0])[0] for each in (features, changed))
    far = np.abs(np.arange(200) - 100) > REACH
    assert np.abs(one - other).max(axis=(1, 2))[~far].max() > 1e-3
    np.testing.assert_allclose(other[far], one[far], atol=1e-5)


def test_mirroring_twice_changes_nothing() -> None:
    features = np.random.default_rng(0).normal(size=(5, 100)).astype(np.float32)
    np.testing.assert_array_equal(mirrored_features(mirrored_features(features)), features)


def test_a_mirror_exchanges_left_and_right() -> None:
    features = np.zeros((1, 100), np.float32)
    left, right = BLAZEPOSE33.index("left_wrist"), BLAZEPOSE33.index("right_wrist")
    features[0, 2 * left : 2 * left + 2] = [3.0, 4.0]
    features[0, 66 + left] = 0.8
    features[0, 99] = -2.0
    found = mirrored_features(features)[0]
    assert found[2 * right : 2 * right + 2].tolist() == [-3.0, 4.0]
    assert found[66 + right] == np.float32(0.8)
    assert found[99] == -2.0
    assert np.count_nonzero(found) == 4


def test_a_mirrored_clip_gives_the_mirrored_person() -> None:
    keypoints = person(60)
    swap = [BLAZEPOSE33.index(_other_side(name)) for name in BLAZEPOSE33]
    points = keypoints.keypoints[:, swap].copy()
    points[..., 0] = 2 * K[0, 2] - points[..., 0]
    one, other = lifted(keypoints), lifted(replace(keypoints, keypoints=points))
    for name, joint in JOINT.items():
        mirrored = other.joints.joints[:, JOINT[_other_side(name)]] * [-1.0, 1.0, 1.0]
        np.testing.assert_allclose(mirrored, one.joints.joints[:, joint], atol=1e-4)


def _other_side(name: str) -> str:
    return name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")


def test_metres_come_from_the_stature() -> None:
    small, tall = lifted(person(40), 0.9), lifted(person(40), 1.8)
    np.testing.assert_allclose(tall.joints.joints, 2 * small.joints.joints, atol=1e-5)
    np.testing.assert_allclose(tall.joints.ends, 2 * small.joints.ends, atol=1e-5)
    np.testing.assert_allclose(tall.up, small.up)


@pytest.mark.parametrize("fps", [5.0, 30.0, 60.0, 120.0])
def test_every_frame_gets_a_row_at_any_rate(fps: float) -> None:
    found = lifted(person(50, fps))
    assert found.joints.joints.shape == (50, 24, 3)
    assert found.joints.frames.tolist() == list(range(50))
    np.testing.assert_allclose(found.joints.times, np.arange(50) / fps)
    assert np.isfinite(found.joints.joints).all()


def test_rows_of_people_stay_apart() -> None:
    one, other = person(20, track=4), person(30, track=2, seed=1)
    both = replace(
        one,
        **{
            key: np.concatenate([getattr(one, key), getattr(other, key)])
            for key in ("keypoints", "track_id", "view", "frames", "times")
        },
    )
    found = lifted(both)
    for alone in (one, other):
        rows = found.joints.track_id == alone.track_id[0]
        np.testing.assert_allclose(found.joints.joints[rows], lifted(alone).joints.joints, atol=1e-6)
    assert set(lifted(both, track_ids=[2]).joints.track_id.tolist()) == {2}


def test_a_filled_gap_has_no_confidence() -> None:
    keypoints = person(30)
    found = lifted(keypoints.select(np.delete(np.arange(30), [10, 11, 12])))
    assert (found.joints.confidence[10:13] == 0).all()
    assert (found.joints.confidence[[9, 13]] > 0).all()
    np.testing.assert_array_equal(found.keypoints.keypoints[10:13, :, 2], 0)
    assert len(found.keypoints.times) == len(found.joints.times) == 30


def test_a_joint_is_as_sure_as_its_points() -> None:
    points = np.zeros((1, 33))
    points[0, BLAZEPOSE33.index("left_knee")] = 0.8
    points[0, BLAZEPOSE33.index("left_index")] = 0.6
    points[0, BLAZEPOSE33.index("left_hip")] = 0.4
    found = joint_confidence(points)[0]
    assert found[JOINT["left_knee"]] == pytest.approx(0.8)
    assert found[JOINT["left_hand"]] == pytest.approx(0.3)
    assert found[JOINT["pelvis"]] == pytest.approx(0.1)
    assert found[JOINT["right_knee"]] == 0


def test_other_keypoint_sets_are_refused() -> None:
    with pytest.raises(InputError, match="coco17"):
        lifted(replace(person(5), set="coco17"))


def test_nobody_is_an_error_that_says_so() -> None:
    with pytest.raises(InputError) as caught:
        lifted(person(5), track_ids=[99])
    assert caught.value.code == "nobody_found"
    assert caught.value.hint
