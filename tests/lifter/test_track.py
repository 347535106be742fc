"""Who is who over a clip. People are stick figures of four points, walking along straight lines."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.records import Keypoints
from reel2rig.lifter.track import choose_people, prominence, track

FPS = 30.0


def walker(
    frames: NDArray[np.int64], place: Callable[[NDArray[np.float64]], NDArray[np.float64]], height: float = 200.0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Frames (T,) and points (T, 33, 3) of somebody whose x at each time (s) is ``place``."""
    shape = np.stack([np.linspace(0, 0.4, 33), np.linspace(0, 1, 33)], axis=-1) * height
    points = np.ones((len(frames), 33, 3), np.float32)
    points[..., :2] = shape
    points[..., 0] += place(frames / FPS)[:, None]
    return frames, points


def still(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full_like(seconds, 100)


def far(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full_like(seconds, 1500)


def clip(*walkers: tuple[NDArray[np.int64], NDArray[np.float32]], detector_ids: bool = False) -> Keypoints:
    """Everybody's rows, mixed as a detector gives them: by time, in no fixed order of people."""
    frames = np.concatenate([frames for frames, _ in walkers])
    points = np.concatenate([points for _, points in walkers])
    who = np.concatenate([np.full(len(frames), index + 1) for index, (frames, _) in enumerate(walkers)])
    order = np.lexsort([np.random.default_rng(0).random(len(frames)), frames])
    return Keypoints(
        keypoints=points[order],
        set="blazepose33",
        track_id=who[order] if detector_ids else np.zeros(len(who), np.int64),
        view=np.zeros(len(frames), np.int64),
        frames=frames[order],
        times=frames[order] / FPS,
        image_size=(1920, 1080),
        fps=FPS,
        clip_frames=int(frames.max()) + 1,
    )


def test_people_who_pass_each_other_keep_their_numbers() -> None:
    everywhere = np.arange(60)
    right = walker(everywhere, lambda t: 100 + 400 * t, height=240)
    left = walker(everywhere, lambda t: 900 - 400 * t)
    tracked = track(clip(right, left))
    heights = np.ptp(tracked.keypoints[..., 1], axis=1)
    assert set(tracked.track_id.tolist()) == {1, 2}
    assert (heights[tracked.track_id == 1] == 240).all(), "the larger one is number 1"
    assert (heights[tracked.track_id == 2] == 200).all()


@pytest.mark.parametrize(("gap", "people"), [(0.9, 1), (1.2, 2)])
def test_a_gap_of_up_to_a_second_is_bridged(gap: float, people: int) -> None:
    missing = round(gap * FPS)
    frames = np.concatenate([np.arange(30), np.arange(30 + missing, 80 + missing)])
    tracked = track(clip(walker(frames, lambda t: 100 + 50 * t)))
    assert len(np.unique(tracked.track_id)) == people


def test_somebody_who_appears_elsewhere_is_somebody_else() -> None:
    tracked = track(clip(walker(np.arange(20), still), walker(np.arange(20, 60), far)))
    assert dict(zip(*np.unique(tracked.track_id, return_counts=True), strict=True)) == {1: 40, 2: 20}


def test_fleeting_sightings_are_dropped_unless_the_clip_is_a_moment() -> None:
    flash = walker(np.arange(40, 43), far)
    assert set(track(clip(walker(np.arange(90), still), flash)).track_id.tolist()) == {1}
    assert track(clip(walker(np.arange(1), still))).track_id.tolist() == [1]


def test_rows_keep_their_contents_and_views_are_tracked_apart() -> None:
    one = clip(walker(np.arange(30), lambda t: 100 + 50 * t))
    both = Keypoints(**{**vars(one), "view": np.arange(30) % 2})
    tracked = track(both)
    assert np.array_equal(tracked.keypoints, one.keypoints)
    assert len(np.unique(tracked.track_id[tracked.view == 0])) == 1
    assert set(tracked.track_id[tracked.view == 0]).isdisjoint(tracked.track_id[tracked.view == 1])


def test_prominence_is_size_squared_times_time() -> None:
    long_small = walker(np.arange(80), still, height=100)
    short_large = walker(np.arange(30), far, height=200)
    people = prominence(clip(long_small, short_large, detector_ids=True))
    assert list(people) == [2, 1]
    assert people[2] == pytest.approx(30 * 200**2, rel=1e-3)
    assert people[1] == pytest.approx(80 * 100**2, rel=1e-3)


def test_people_are_chosen_by_size_number_or_all() -> None:
    tracked = track(clip(walker(np.arange(30), still, 100), walker(np.arange(30), far)))
    assert choose_people(tracked) == [1]
    assert choose_people(tracked, "all") == [1, 2]
    assert choose_people(tracked, 2) == [2]
    with pytest.raises(InputError) as caught:
        choose_people(tracked, 3)
    assert caught.value.code == "no_such_person"
    assert "1, 2" in caught.value.hint


def test_nobody_is_told_clearly() -> None:
    nobody = clip(walker(np.arange(3), still)).select(np.zeros(3, bool))
    assert len(track(nobody).frames) == 0
    with pytest.raises(InputError) as caught:
        choose_people(track(nobody))
    assert caught.value.code == "nobody_found"
    assert caught.value.hint
