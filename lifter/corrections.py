"""What a person corrects of a finished capture, on ranges of time. The file format of one is "KIND:PERSON:START:END".

Two kinds change the keypoints before they are lifted. The others say what feet do, where that is decided (clean_up.py).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.skeleton import mirrored
from .errors import InputError
from .keypoint_sets import BLAZEPOSE33, KEYPOINT_SETS
from .records import Keypoints

Rows = NDArray[np.bool_]
ROUNDING = 0.001  # seconds by which a time may be rounded and still be that of its frame
HINT = "Give KIND:PERSON:START:END, for example swap:1:0.5:2.25, the person by track number and times in seconds."

BOTH, LEFT, RIGHT = slice(0, 4), slice(0, 2), slice(2, 4)  # of l_heel, l_toe, r_heel, r_toe
# Which of these are told to be in contact (1) or not (0).
FOOTING: dict[str, tuple[slice, float]] = {
    "stand": (BOTH, 1.0), "stand_left": (LEFT, 1.0), "stand_right": (RIGHT, 1.0),
    "free": (BOTH, 0.0), "free_left": (LEFT, 0.0), "free_right": (RIGHT, 0.0),
}  # fmt: skip


def _swapped(keypoints: Keypoints, rows: Rows) -> Keypoints:
    """Left is right and right is left in ``rows`` (N,)."""

    def exchanged(points: NDArray[np.float32] | None, order: tuple[int, ...]) -> NDArray[np.float32] | None:
        return None if points is None else np.where(rows[:, None, None], points[:, list(order)], points)

    hands = keypoints.hands
    return replace(
        keypoints,
        keypoints=exchanged(keypoints.keypoints, mirrored(KEYPOINT_SETS[keypoints.set])),
        hands=None if hands is None else np.where(rows[:, None, None, None], hands[:, ::-1], hands),
        world=exchanged(keypoints.world, mirrored(BLAZEPOSE33)),
    )


def _unseen(keypoints: Keypoints, rows: Rows) -> Keypoints:
    """As if the detector had not found the person in ``rows`` (N,)."""
    return keypoints.select(~rows)


KEYPOINT_CHANGES: dict[str, Callable[[Keypoints, Rows], Keypoints]] = {"swap": _swapped, "unseen": _unseen}
KINDS = (*KEYPOINT_CHANGES, *FOOTING)


@dataclass(frozen=True)
class Correction:
    """One correction: what (KINDS), of whom (track id), from when to when in seconds of the clip, both included.

    Raises InputError("bad_correction") for what is none.
    """

    kind: str
    person: int
    start: float
    end: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _bad(f"There is no correction called {self.kind}.", f"There are: {', '.join(KINDS)}.")
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise _bad(f"{self}: the times are not finite.")
        if self.end < self.start:
            raise _bad(f"{self}: the range ends before it begins.", "Swap the two times.")

    def __str__(self) -> str:
        """As parse_correction reads it, without any rounding."""
        return f"{self.kind}:{self.person}:{float(self.start)!r}:{float(self.end)!r}"

    def holds(self, times: NDArray[np.float64]) -> Rows:
        """Which of ``times`` (T,) s are in the range."""
        return (times >= self.start - ROUNDING) & (times <= self.end + ROUNDING)


def parse_correction(text: str) -> Correction:
    """Read "KIND:PERSON:START:END". Raises InputError("bad_correction") that says what is wrong."""
    parts = text.split(":")
    if len(parts) != 4:
        raise _bad(f"{text!r} is no correction.")
    kind, person, start, end = (part.strip() for part in parts)
    try:
        return Correction(kind, int(person), float(start), float(end))
    except ValueError as error:
        raise _bad(f"{text!r} is no correction: {error}.") from error


def corrected_keypoints(keypoints: Keypoints, corrections: Iterable[Correction]) -> Keypoints:
    """The keypoints after all ``corrections`` that change them. Rows in which a person is told to be unseen are gone.

    Raises InputError("nobody_left") when nothing is left of a person.
    """
    for correction in corrections:
        change = KEYPOINT_CHANGES.get(correction.kind)
        if change is not None:
            keypoints = change(keypoints, rows_of(correction, keypoints))
            if not (keypoints.track_id == correction.person).any():
                message = f"{correction} leaves no frame in which person {correction.person} is seen."
                raise InputError("nobody_left", message, "Leave some frames as they are, or delete the person.")
    return keypoints


def told_contacts(
    corrections: Iterable[Correction], person: int, times: NDArray[np.float64]
) -> NDArray[np.float32] | None:
    """What a ``person``'s feet are told to do: (T, 4) of l_heel, l_toe, r_heel, r_toe, 1, 0, or NaN where nothing is.

    times: (T,) s. Where ranges overlap the last one is right. None when nothing is told at all.
    """
    told = np.full((len(times), 4), np.nan, np.float32)
    for correction in corrections:
        if correction.kind in FOOTING and correction.person == person:
            points, contact = FOOTING[correction.kind]
            told[correction.holds(times), points] = contact
    return None if np.isnan(told).all() else told


def rows_of(correction: Correction, keypoints: Keypoints) -> Rows:
    """Which rows (N,) of ``keypoints`` the correction is about."""
    return correction.holds(keypoints.times) & (keypoints.track_id == correction.person)


def _bad(message: str, hint: str = HINT) -> InputError:
    return InputError("bad_correction", message, hint)
