"""Gaps, rates and missing points, worked by hand."""

import numpy as np
import pytest
from reel2rig.lifter.records import Joints3D, Keypoints
from reel2rig.lifter.stretches import frame_rate, lifter_positions, stretches, unbroken


def seen(frames: list[int], fps: float = 10.0, track: int = 7) -> Keypoints:
    """A person whose every point is at x = frame, y = 2 frame."""
    numbers = np.array(frames, np.int64)
    points = np.stack([numbers, 2.0 * numbers, np.full(len(frames), 0.9)], axis=-1)
    return Keypoints(
        keypoints=np.repeat(points[:, None], 33, axis=1).astype(np.float32),
        set="blazepose33",
        track_id=np.full(len(frames), track),
        view=np.zeros(len(frames), np.int64),
        frames=numbers,
        times=numbers / fps,
        image_size=(100, 100),
        fps=fps,
        clip_frames=100,
    )


def test_a_gap_is_filled_and_marked() -> None:
    (piece,) = stretches(seen([0, 1, 4, 5]), 7)
    assert piece.frames.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(piece.times, np.arange(6) / 10)
    np.testing.assert_allclose(piece.points[:, 0, 0], [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(piece.points[:, 32, 1], [0, 2, 4, 6, 8, 10])
    np.testing.assert_allclose(piece.confidence[:, 0], [0.9, 0.9, 0, 0, 0.9, 0.9], atol=1e-6)


def test_a_gap_longer_than_a_second_splits() -> None:
    first, second = stretches(seen([0, 1, 2, 20, 21]), 7)
    assert (first.frames.tolist(), second.frames.tolist()) == ([0, 1, 2], [20, 21])


def test_rows_are_cut_at_people_and_at_long_gaps() -> None:
    rows = Joints3D(
        joints=np.zeros((8, 24, 3), np.float32), ends=np.zeros((8, 13, 3), np.float32), frame="camera",
        track_id=np.array([1, 1, 1, 1, 2, 2, 2, 2]), frames=np.arange(8),
        times=np.array([0.0, 0.1, 2.0, 2.1, 0.0, 0.1, 0.2, 0.3]), confidence=np.ones((8, 24), np.float32),
    )  # fmt: skip
    assert [part.tolist() for part in unbroken(rows)] == [[0, 1], [2, 3], [4, 5, 6, 7]]


def test_a_gap_of_one_second_does_not() -> None:
    (piece,) = stretches(seen([0, 10]), 7)
    assert len(piece.frames) == 11


def test_rows_may_come_in_any_order_and_twice() -> None:
    (piece,) = stretches(seen([3, 1, 1, 0, 2]), 7)
    assert piece.frames.tolist() == [0, 1, 2, 3]


def test_nobody_has_no_stretch() -> None:
    assert stretches(seen([0, 1]), 8) == []


def test_others_are_not_mixed_in() -> None:
    keypoints = seen([0, 1, 2, 3])
    keypoints.track_id[1] = 8
    (piece,) = stretches(keypoints, 7)
    assert (piece.confidence[:, 0] > 0).tolist() == [True, False, True, True]


def test_a_missing_point_is_interpolated_alone() -> None:
    keypoints = seen([0, 1, 2, 3])
    keypoints.keypoints[1:3, 5] = [999.0, 999.0, 0.0]
    (piece,) = stretches(keypoints, 7)
    np.testing.assert_allclose(piece.points[:, 5, 0], [0, 1, 2, 3])
    np.testing.assert_allclose(piece.confidence[:, 5], [0.9, 0, 0, 0.9], atol=1e-6)
    np.testing.assert_allclose(piece.confidence[:, 6], 0.9, atol=1e-6)


def test_a_point_never_seen_stays_with_the_others() -> None:
    keypoints = seen([0, 1, 2])
    keypoints.keypoints[:, 5] = np.nan
    (piece,) = stretches(keypoints, 7)
    assert np.isfinite(piece.points).all()
    np.testing.assert_allclose(piece.points[:, 5, 0], [0, 1, 2])
    assert (piece.confidence[:, 5] == 0).all()


def test_one_frame_is_a_stretch() -> None:
    (piece,) = stretches(seen([4]), 7)
    assert piece.frames.tolist() == [4]
    assert piece.points.shape == (1, 33, 2)


@pytest.mark.parametrize(
    ("fps", "count", "rate", "first"),
    [
        (5.0, 3, 30.0, [0, 1 / 6, 2 / 6]),  # slow: five samples between two frames
        (15.0, 100, 15.0, [0, 1, 2]),
        (30.0, 100, 30.0, [0, 1, 2]),
        (60.0, 100, 60.0, [0, 1, 2]),
        (120.0, 100, 30.0, [0, 4, 8]),  # fast: every fourth frame
    ],
)
def test_the_lifter_sees_a_rate_it_knows(fps: float, count: int, rate: float, first: list[float]) -> None:
    positions, found = lifter_positions(count, fps)
    assert found == pytest.approx(rate)
    np.testing.assert_allclose(positions[:3], first)


@pytest.mark.parametrize("fps", [5.0, 12.5, 24.0, 30.0, 59.94, 60.0, 120.0, 240.0])
@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_samples_reach_from_the_first_to_the_last_frame(fps: float, count: int) -> None:
    positions, rate = lifter_positions(count, fps)
    assert positions[0] == 0
    assert positions[-1] == pytest.approx(count - 1)
    assert (np.diff(positions) > 0).all()
    assert 20 <= rate <= 62


@pytest.mark.parametrize("fps", [23.976, 29.97, 59.94, 120.0])
def test_the_rate_of_times_in_whole_milliseconds_is_the_true_one(fps: float) -> None:
    times = np.round(np.arange(400) / fps, 3)
    assert frame_rate(times) == pytest.approx(fps, rel=1e-4)


def test_the_rate_is_that_of_the_frames_that_should_be_there() -> None:
    numbers = np.array([0, 1, 2, 3, 7, 8, 9, 30, 31])  # most of them one step apart
    assert frame_rate(numbers / 25) == pytest.approx(25.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_rate_of_times_that_jitter_is_that_of_their_mean(seed: int) -> None:
    times = np.arange(300) / 30 + np.random.default_rng(seed).uniform(-0.01, 0.01, 300)
    assert frame_rate(times) == pytest.approx(30.0, rel=0.02)


def test_a_lone_frame_has_the_usual_rate() -> None:
    assert frame_rate(np.array([3.0])) == 30.0
