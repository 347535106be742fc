"""Who is who over the whole clip: join rows of keypoints into people, and choose whom to capture."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from .errors import InputError
from .oks import person_box, person_size, similarity
from .records import Keypoints

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

LONGEST_GAP: Final = 1.0  # seconds a person may be out of sight and keep the number
LEAST_LIKENESS: Final = 0.3
DETECTOR_FOLLOWED: Final = 0.25  # likeness added where the detector gave both rows one number
FLEETING: Final = 0.3  # seconds; a shorter sighting is no one who can be captured, and often no one at all


@dataclass
class _Track:
    number: int
    row: int
    time: float
    velocity: FloatArray  # px a second of the box's centre


def track(keypoints: Keypoints) -> Keypoints:
    """The same rows with track_id 1, 2, ... over the whole clip, 1 the most prominent person (see prominence).

    Rows are joined over time by likeness (OKS and place) to where a person is expected; a person out of sight for
    up to a second keeps the number. Fleeting sightings are dropped. Views are tracked one by one.
    """
    numbers = np.zeros(len(keypoints.frames), np.int64)
    for view in np.unique(keypoints.view):
        rows = np.flatnonzero(keypoints.view == view)
        numbers[rows] = _linked(keypoints, rows) + numbers.max(initial=0)
    joined = replace(keypoints, track_id=numbers)
    joined = joined.select(~np.isin(numbers, _fleeting(joined)))
    order = {number: place for place, number in enumerate(prominence(joined), start=1)}
    return replace(joined, track_id=np.array([order[number] for number in joined.track_id.tolist()], np.int64))


def choose_people(keypoints: Keypoints, person: Literal["largest", "all"] | int = "largest") -> list[int]:
    """Track ids to capture: the most prominent person, everybody (most prominent first), or the one asked for.

    Raises InputError: nobody_found, no_such_person.
    """
    known = list(prominence(keypoints))
    if not known:
        hint = "Choose a clip, or a part of it, in which a person is seen, upright and not too small."
        raise InputError("nobody_found", "Nobody was found in the clip.", hint)
    if person == "all":
        return known
    if person == "largest":
        return known[:1]
    if person not in known:
        numbers = ", ".join(map(str, sorted(known)))
        raise InputError("no_such_person", f"There is no person {person} in the clip.", f"People seen: {numbers}.")
    return [person]


def prominence(keypoints: Keypoints) -> dict[int, float]:
    """Mean square of the box's longer side (px^2) times number of rows, per track id, largest first.

    Not its area: spread arms make nobody more important than somebody who walks by, seen from the side.
    """
    box = person_box(keypoints.keypoints).astype(np.float64)
    square = (box[:, 2:] - box[:, :2]).max(axis=1, initial=0) ** 2
    ids, index = np.unique(keypoints.track_id, return_inverse=True)
    total = np.bincount(index, weights=square, minlength=len(ids))
    return {int(ids[place]): float(total[place]) for place in np.argsort(-total, kind="stable")}


def _linked(keypoints: Keypoints, rows: IntArray) -> IntArray:
    """Track numbers from 1 for ``rows``, going through the clip once."""
    numbers = np.zeros(len(rows), np.int64)
    times = keypoints.times[rows]
    boxes = person_box(keypoints.keypoints[rows])
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, person_size(keypoints.keypoints[rows])
    active: list[_Track] = []
    count = 0
    for time in np.unique(times):
        here = np.flatnonzero(times == time)
        active = [one for one in active if time - one.time <= LONGEST_GAP]
        for one, row in _matches(keypoints, rows, active, here, time, centres, sizes):
            elapsed = time - one.time
            speed = (centres[row] - centres[one.row]) / elapsed
            one.velocity = 0.5 * one.velocity + 0.5 * speed.astype(np.float32)
            one.row, one.time = row, time
            numbers[row] = one.number
        for row in here[numbers[here] == 0]:
            count += 1
            numbers[row] = count
            active.append(_Track(count, int(row), float(time), np.zeros(2, np.float32)))
    return numbers


def _matches(
    keypoints: Keypoints,
    rows: IntArray,
    active: list[_Track],
    here: IntArray,
    time: float,
    centres: FloatArray,
    sizes: FloatArray,
) -> list[tuple[_Track, int]]:
    """Best pairs of tracks and rows of one moment (Hungarian method)."""
    if not active:
        return []
    last = np.array([one.row for one in active])
    elapsed = np.array([time - one.time for one in active], np.float32)
    # a guess of where people went is good for a moment only
    moved = np.stack([one.velocity for one in active]) * np.minimum(elapsed, 0.2)[:, None]
    expected = keypoints.keypoints[rows[last]].copy()
    expected[..., :2] += moved[:, None]
    size = np.maximum(sizes[last][:, None], sizes[here])
    away = np.linalg.norm((centres[last] + moved)[:, None] - centres[here], axis=-1) / size
    same_size = np.minimum(sizes[last][:, None], sizes[here]) / size
    place = np.exp(-0.5 * (away / 0.6) ** 2) * same_size
    likeness = 0.5 * similarity(expected, keypoints.keypoints[rows[here]]) + 0.5 * place
    followed = keypoints.track_id[rows[last]][:, None]
    likeness += DETECTOR_FOLLOWED * ((followed == keypoints.track_id[rows[here]]) & (followed > 0))
    pairs = zip(*linear_sum_assignment(-likeness), strict=True)
    return [(active[one], int(here[row])) for one, row in pairs if likeness[one, row] >= LEAST_LIKENESS]


def _fleeting(keypoints: Keypoints) -> IntArray:
    """Tracks seen for a moment only; in a very short clip a moment counts."""
    ids, rows = np.unique(keypoints.track_id, return_counts=True)
    return ids[rows < min(FLEETING * keypoints.fps, 0.2 * keypoints.clip_frames)]
