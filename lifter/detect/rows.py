"""Gather what detectors see, one row a person and frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..records import Frame, Keypoints

FloatArray = NDArray[np.float32]


@dataclass
class Rows:
    """Rows in the order they were seen."""

    track_id: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keypoints: list[FloatArray] = field(default_factory=list)
    world: list[FloatArray] = field(default_factory=list)

    def add(self, frame: Frame, track_id: int, keypoints: FloatArray, world: FloatArray) -> None:
        """One person: keypoints (33, 3) x px, y px, confidence; world (33, 3) metres."""
        self.track_id.append(track_id)
        self.frames.append(frame.index)
        self.times.append(frame.time)
        self.keypoints.append(keypoints)
        self.world.append(world)

    def as_keypoints(self, image_size: tuple[int, int], fps: float, clip_frames: int) -> Keypoints:
        """All rows as one record."""
        return Keypoints(
            keypoints=np.asarray(self.keypoints, np.float32).reshape(-1, 33, 3),
            set="blazepose33",
            track_id=np.asarray(self.track_id, np.int64),
            view=np.zeros(len(self.track_id), np.int64),
            frames=np.asarray(self.frames, np.int64),
            times=np.asarray(self.times, np.float64),
            image_size=image_size,
            fps=fps,
            clip_frames=clip_frames,
            world=np.asarray(self.world, np.float32).reshape(-1, 33, 3),
        )
