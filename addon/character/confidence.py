"""How sure the capture is of a person, on the timeline: a curve beside the bones', and markers where to look."""

from collections.abc import Sequence
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ...lifter.corrections import Correction
from .action_curves import key_points
from .keying import key_number, keyed_curve
from .scene_setup import FIRST_FRAME, frame_rate

CONFIDENCE: Final = "reel2rig_confidence"
MARKERS: Final = "reel2rig_markers"
DOUBTFUL: Final = 0.4
"""People in full view stay above it; hidden limbs and crowds fall below."""
WORST_SHARE: Final = 3
JOINED_SECONDS: Final = 0.25
SHORTEST_SECONDS: Final = 0.2
MOST_MARKERS: Final = 6

Stretch = tuple[float, float]


def person_confidence(confidence: NDArray[np.floating]) -> NDArray[np.float64]:
    """One number (T,) in 0..1 of joints' confidence (T, J): the mean of each frame's worst third.

    A mean over all joints hides a lost arm, the worst single joint is low all the time.
    """
    known = np.clip(np.nan_to_num(confidence.astype(np.float64)), 0.0, 1.0)
    worst = max(1, known.shape[1] // WORST_SHARE)
    return np.partition(known, worst - 1, axis=1)[:, :worst].mean(axis=1)


def low_confidence_stretches(
    times: NDArray[np.floating], confidence: NDArray[np.floating], threshold: float = DOUBTFUL
) -> list[Stretch]:
    """(start, end) in seconds wherever ``confidence`` (T,) at rising ``times`` (T,) s is below ``threshold``.

    Stretches that lie close together are one; very short ones are none. Start and end are times of low frames.
    """
    low = np.flatnonzero(confidence < threshold)
    if len(low) == 0:
        return []
    breaks = np.flatnonzero(np.diff(times[low]) > JOINED_SECONDS)
    starts, ends = low[np.r_[0, breaks + 1]], low[np.r_[breaks, len(low) - 1]]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    stretches = [(float(times[start]), float(times[end])) for start, end in zip(starts, ends, strict=True)]
    return [(start, end) for start, end in stretches if end - start + step > SHORTEST_SECONDS]


def doubtful_stretches(
    rig: Any, scene: Any, threshold: float = DOUBTFUL, corrections: Sequence[Correction] = ()
) -> list[Stretch]:
    """The same of a character in ``scene``, in the clip's seconds, read from its curve; none without a curve.

    Without stretches that are interpolated: those where nobody was seen, and those where ``corrections`` told so.
    """
    times, values = _still_open(rig, scene, corrections)
    found = low_confidence_stretches(times, values, threshold)
    return [stretch for stretch in found if _is_seen(values[_inside(times, stretch)])]


def _inside(times: NDArray, stretch: Stretch) -> NDArray[np.bool_]:
    return (times >= stretch[0]) & (times <= stretch[1])


def _is_seen(values: NDArray) -> bool:
    """Whether a detector was behind confidence ``values`` (T,): it never gives exactly 0, which frames between get.

    The first and last may lie between a seen frame and one that is not, where the scene has another rate.
    """
    return bool(np.any(values[1:-1] if len(values) > 2 else values))


def key_confidence(rig: Any, frames: NDArray[np.float64], confidence: NDArray | None) -> None:
    """Key the person's confidence (T, J) on scene ``frames`` (T,) into its action; foreign files have none."""
    if confidence is None:
        rig.pop(CONFIDENCE, None)
        return
    rig[CONFIDENCE] = 1.0
    rig.id_properties_ui(CONFIDENCE).update(
        min=0.0, max=1.0, description="How sure the capture is of this person: the worst third of the joints"
    )
    key_number(rig, f'["{CONFIDENCE}"]', "Confidence", frames, person_confidence(confidence))


def mark_doubtful(rig: Any, scene: Any, corrections: Sequence[Correction] = ()) -> None:
    """Mark the worst low stretches of ``rig`` on the timeline; its earlier markers go.

    Where nobody was seen is worth a look as well, unless a person has told to interpolate it.
    """
    remove_markers(rig)
    times, values = _still_open(rig, scene, corrections)
    _mark(rig, scene, _worst(low_confidence_stretches(times, values), times, values))


def _still_open(rig: Any, scene: Any, corrections: Sequence[Correction]) -> tuple[NDArray, NDArray]:
    """Times (T,) s and confidence (T,) from the curve of ``rig``; what is told to be interpolated counts as sure."""
    curve = keyed_curve(rig, f'["{CONFIDENCE}"]')
    if curve is None:
        return np.zeros(0), np.zeros(0)
    frames, values = key_points(curve).astype(np.float64).T
    times = (frames - FIRST_FRAME) / frame_rate(scene, rig)
    for correction in corrections:
        if correction.kind == "unseen":
            values = np.where(correction.holds(times), 1.0, values)
    return times, values


def remove_markers(rig: Any) -> None:
    """Take the character's markers off the timelines of its scenes; duplicates, which share them, have none then."""
    for item in duplicates_with_markers(rig):
        del item[MARKERS]
    names = set(rig.get(MARKERS, "").split("\n"))
    for scene in rig.users_scene:
        for marker in [item for item in scene.timeline_markers if item.name in names]:
            scene.timeline_markers.remove(marker)
    rig.pop(MARKERS, None)


def duplicates_with_markers(rig: Any) -> list[Any]:
    """Copies of ``rig`` in its scenes that have the same markers."""
    own, scenes = rig.get(MARKERS), rig.users_scene
    same = [item for item in bpy.data.objects if own and item != rig and item.get(MARKERS) == own]
    return [item for item in same if item.library is None and any(scene in scenes for scene in item.users_scene)]


def _worst(stretches: list[Stretch], times: NDArray, values: NDArray) -> list[Stretch]:
    """At most MOST_MARKERS stretches, those with the most doubt over time, in order of time."""

    def doubt(stretch: Stretch) -> float:
        return float((DOUBTFUL - values[_inside(times, stretch)]).sum())

    return sorted(sorted(stretches, key=doubt, reverse=True)[:MOST_MARKERS])


def _mark(rig: Any, scene: Any, stretches: list[Stretch]) -> None:
    names = []
    for start, end in stretches:
        frame = round(FIRST_FRAME + start * frame_rate(scene, rig))
        marker = scene.timeline_markers.new(f"? {end - start:.1f} s {rig.name}", frame=frame)
        names.append(marker.name)
    if names:
        rig[MARKERS] = "\n".join(names)
