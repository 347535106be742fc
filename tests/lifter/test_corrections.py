"""Corrections: how they are written, which rows they mean, and what they do to keypoints and contacts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reel2rig.lifter.corrections import (
    KINDS,
    Correction,
    corrected_keypoints,
    parse_correction,
    told_contacts,
)
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.keypoint_sets import KEYPOINT_SETS
from reel2rig.lifter.records import Keypoints

SECONDS = st.floats(allow_nan=False, allow_infinity=False)
FRAMES = 20


def keypoints(name: str = "blazepose33") -> Keypoints:
    """Two people, 1 and 2, in 20 frames of a clip with ten a second; every number is another one."""
    rows, points = 2 * FRAMES, len(KEYPOINT_SETS[name])
    frames = np.tile(np.arange(FRAMES), 2)
    return Keypoints(
        keypoints=np.arange(rows * points * 3, dtype=np.float32).reshape(rows, points, 3), set=name,
        track_id=np.repeat([1, 2], FRAMES), view=np.zeros(rows, np.int64), frames=frames, times=frames / 10,
        image_size=(640, 480), fps=10.0, clip_frames=FRAMES,
        hands=np.arange(rows * 2 * 21 * 3, dtype=np.float32).reshape(rows, 2, 21, 3),
        world=-np.arange(rows * 33 * 3, dtype=np.float32).reshape(rows, 33, 3),
    )  # fmt: skip


def refusal(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_correction(text)
    assert caught.value.code == "bad_correction"
    assert caught.value.hint
    return caught.value


@given(st.sampled_from(KINDS), st.integers(1, 10**6), st.tuples(SECONDS, SECONDS))
def test_what_is_written_is_read_again(kind: str, person: int, times: tuple[float, float]) -> None:
    correction = Correction(kind, person, min(times), max(times))
    assert parse_correction(str(correction)) == correction


def test_people_may_write_it_plainly() -> None:
    assert parse_correction(" swap : 2:1:3.5") == Correction("swap", 2, 1.0, 3.5)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no correction"),
        ("swap", "no correction"),
        ("swap:1:0", "no correction"),
        ("swap:1:0:1:2", "no correction"),
        ("swap:somebody:0:1", "somebody"),
        ("swap:1.5:0:1", "1.5"),
        ("swap:1:begin:1", "begin"),
        ("swap:1:0:nan", "finite"),
        ("swap:1:-inf:0", "finite"),
        ("swap:1:2:1", "before it begins"),
        ("dance:1:0:1", "dance"),
    ],
)
def test_what_is_no_correction_is_refused_with_the_reason(text: str, word: str) -> None:
    assert word in refusal(text).message


def test_an_unknown_kind_names_the_known_ones() -> None:
    assert "stand_left" in refusal("hop:1:0:1").hint


def test_both_ends_of_a_range_are_in_it_though_times_are_rounded() -> None:
    correction = parse_correction("swap:1:0.333:0.667")
    assert np.flatnonzero(correction.holds(np.arange(30) / 30)).tolist() == list(range(10, 21))
    assert correction.holds(np.array([0.3, 1 / 3, 2 / 3, 0.7])).tolist() == [False, True, True, False]


@pytest.mark.parametrize("name", list(KEYPOINT_SETS))
def test_swap_exchanges_left_and_right_of_one_person_in_the_range(name: str) -> None:
    before, points = keypoints(name), KEYPOINT_SETS[name]
    after = corrected_keypoints(before, [Correction("swap", 2, 0.5, 0.9)])
    rows = np.arange(FRAMES + 5, FRAMES + 10)
    for one, other in (("left_wrist", "right_wrist"), ("right_ankle", "left_ankle"), ("nose", "nose")):
        found = after.keypoints[rows, points.index(one)]
        np.testing.assert_array_equal(found, before.keypoints[rows, points.index(other)])
    assert before.hands is not None
    assert after.hands is not None
    np.testing.assert_array_equal(after.hands[rows, 0], before.hands[rows, 1])
    others = np.setdiff1d(np.arange(2 * FRAMES), rows)
    for key in ("keypoints", "hands", "world"):
        np.testing.assert_array_equal(getattr(after, key)[others], getattr(before, key)[others])
        assert not np.array_equal(getattr(after, key)[rows], getattr(before, key)[rows])
        assert getattr(after, key).dtype == np.float32


@given(SECONDS, SECONDS)
def test_swapping_twice_changes_nothing(first: float, last: float) -> None:
    before, swap = keypoints(), Correction("swap", 1, min(first, last), max(first, last))
    after = corrected_keypoints(before, [swap, swap])
    for key in ("keypoints", "hands", "world", "times"):
        np.testing.assert_array_equal(getattr(after, key), getattr(before, key))


def test_unseen_rows_are_gone_as_if_never_detected() -> None:
    after = corrected_keypoints(keypoints(), [Correction("unseen", 1, 0.5, 0.9), Correction("unseen", 2, 1.5, 99.0)])
    assert after.frames[after.track_id == 1].tolist() == [*range(5), *range(10, FRAMES)]
    assert after.frames[after.track_id == 2].tolist() == list(range(15))
    assert after.hands is not None
    assert len(after.hands) == len(after.keypoints) == 30


def test_somebody_must_be_seen_in_some_frame() -> None:
    with pytest.raises(InputError, match="no frame in which person 1 is seen") as caught:
        corrected_keypoints(keypoints(), [Correction("unseen", 1, 0.0, 1.0), Correction("unseen", 1, 1.0, 2.0)])
    assert caught.value.code == "nobody_left"


def test_corrections_of_feet_leave_the_keypoints_alone() -> None:
    before = keypoints()
    assert corrected_keypoints(before, [Correction("stand", 1, 0.0, 1.0)]) is before


def test_feet_are_told_what_to_do_and_the_last_word_counts() -> None:
    told = told_contacts(
        [
            Correction("stand_left", 1, 0.0, 0.2),
            Correction("free", 1, 0.2, 0.3),
            Correction("stand", 2, 0.0, 0.5),
            Correction("swap", 1, 0.0, 0.5),
        ],
        person=1,
        times=np.arange(5) / 10,
    )
    nothing = [np.nan] * 4
    assert told is not None
    np.testing.assert_array_equal(
        told, [[1, 1, np.nan, np.nan], [1, 1, np.nan, np.nan], [0, 0, 0, 0], [0, 0, 0, 0], nothing]
    )


def test_nothing_is_told_of_a_person_whom_no_correction_is_about() -> None:
    assert told_contacts([Correction("stand", 2, 0.0, 1.0)], person=1, times=np.arange(5) / 10) is None
