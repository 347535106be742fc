"""The default detector: MoveNet finds people now and then, BlazePose follows each of them from frame to frame."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..oks import BLAZEPOSE_OF_COCO, similarity
from ..providers import MODELS, Provider
from ..records import Frame
from .blazepose import CROP, BlazePose, Poses, roi_of_coco
from .crop import crop
from .movenet import MoveNet
from .rows import Rows

FloatArray = NDArray[np.float32]

PRESENT: Final = 0.5  # BlazePose's own limit for "a person is in this crop"
SAME_PERSON: Final = 0.5  # OKS between two tracks in one frame
FOUND_AGAIN: Final = 0.3  # OKS between a person of MoveNet and a track
MOVENET_SCORE: Final = 0.25
SEARCHES_A_SECOND: Final = 3
LONGEST_SEARCH_STEP: Final = 15  # frames
LOST_AFTER: Final = 3  # frames without a person
UNCONFIRMED_AFTER: Final = 8  # searches in which MoveNet did not see the track


@dataclass(frozen=True)
class Preset:
    """Which BlazePose, and how large pictures MoveNet sees (px of the longer side).

    MoveNet overlooks people who fill a large picture and people who are small in a small one, so it gets both in turn.
    """

    blazepose: str
    movenet_sides: tuple[int, ...]


PRESETS: Final = {
    "fast": Preset("blazepose_lite.onnx", (256, 352)),
    "balanced": Preset("blazepose_full.onnx", (256, 448)),
    "best": Preset("blazepose_heavy.onnx", (256, 512)),
}


@dataclass
class Live:
    """A person being followed. roi: (4,) where to look next. points: (33, 3) where the person was."""

    number: int
    roi: FloatArray
    points: FloatArray
    missed: int = 0
    unconfirmed: int = 0


@dataclass
class OnnxDetector:
    """Feed it frame after frame; rows of keypoints gather in ``rows``, seconds per part in ``seconds``."""

    preset: Preset
    provider: Provider
    fps: float
    people_limit: int
    threads: int | None = None
    rows: Rows = field(default_factory=Rows)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self._movenet = MoveNet(MODELS / "movenet_multipose.onnx", self.provider, MOVENET_SCORE, self.threads)
        self._sides = cycle(self.preset.movenet_sides)
        self._pose = BlazePose(MODELS / self.preset.blazepose, self.provider, self.threads)
        self._live: list[Live] = []
        self._number = 0
        self._since_search = LONGEST_SEARCH_STEP
        self._search_step = int(np.clip(round(self.fps / SEARCHES_A_SECOND), 1, LONGEST_SEARCH_STEP))

    def __call__(self, frame: Frame) -> None:
        """Find and follow everybody in this frame."""
        if self._search_is_due():
            self._search(frame.rgb)
        if not self._live:
            return
        poses = self._poses(frame.rgb, np.stack([person.roi for person in self._live]))
        for person, points, presence, roi in zip(self._live, poses.keypoints, poses.presence, poses.rois, strict=True):
            if presence >= PRESENT:
                person.roi, person.points, person.missed = roi, points, 0
            else:
                person.missed += 1
        seen = self._drop_lost_and_doubles()
        for index, person in seen:
            self.rows.add(frame, person.number, poses.keypoints[index], poses.world[index])

    def _search_is_due(self) -> bool:
        self._since_search += 1
        step = self._search_step if self._live else max(1, self._search_step // 2)
        return self._since_search >= step or any(person.missed for person in self._live)

    def _search(self, rgb: NDArray[np.uint8]) -> None:
        """Let MoveNet look at the whole picture: start new people, put lost ones back on their feet."""
        self._since_search = 0
        people = self._people(rgb)
        tracks = np.stack([person.points for person in self._live]) if self._live else np.zeros((0, 33, 3), np.float32)
        alike = similarity(people, tracks[:, BLAZEPOSE_OF_COCO])
        for index, person in enumerate(self._live):
            confirmed = bool(len(people)) and alike[:, index].max() > FOUND_AGAIN
            person.unconfirmed = 0 if confirmed else person.unconfirmed + 1
            if confirmed and person.missed:
                person.roi = self._settled(rgb, people[[alike[:, index].argmax()]]).rois[0]
        new = people[alike.max(axis=1, initial=0) <= FOUND_AGAIN]
        new = new[: max(0, self.people_limit - len(self._live))]
        if len(new):
            self._start(self._settled(rgb, new))

    def _people(self, rgb: NDArray[np.uint8]) -> FloatArray:
        """MoveNet's people (N, 17, 3); while nobody is followed, all sizes until one shows somebody."""
        with self._timed("people"):
            people = self._movenet(rgb, next(self._sides))
            for _ in range(len(self.preset.movenet_sides) - 1):
                if not self._live and not len(people):
                    people = self._movenet(rgb, next(self._sides))
        return people

    def _settled(self, rgb: NDArray[np.uint8], coco: FloatArray) -> Poses:
        """BlazePose where MoveNet saw people; its circles are better crops than MoveNet's points give."""
        return self._poses(rgb, roi_of_coco(coco))

    def _start(self, poses: Poses) -> None:
        for points, presence, roi in zip(poses.keypoints, poses.presence, poses.rois, strict=True):
            if presence >= PRESENT:
                self._number += 1
                self._live.append(Live(self._number, roi, points))

    def _poses(self, rgb: NDArray[np.uint8], rois: FloatArray) -> Poses:
        with self._timed("crop"):
            crops = crop(rgb, rois, CROP)
        with self._timed("pose"):
            return self._pose(crops, rois, (rgb.shape[1], rgb.shape[0]))

    def _drop_lost_and_doubles(self) -> list[tuple[int, Live]]:
        """Forget people who left and second tracks of one person; who is seen in this frame, with their index."""
        points = np.stack([person.points for person in self._live])
        alike = np.triu(similarity(points, points), 1) > SAME_PERSON
        # the older track of a pair stays: its number has been in use
        kept = [
            (index, person)
            for index, person in enumerate(self._live)
            if person.missed < LOST_AFTER and person.unconfirmed < UNCONFIRMED_AFTER and not alike[:, index].any()
        ]
        self._live = [person for _, person in kept]
        return [(index, person) for index, person in kept if person.missed == 0]

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - start
