"""What the stages hand to each other: plain dataclasses of numpy arrays, rows of all people together.

A row is one person in one frame. Files: capture_files.py.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Frame:
    """One picture of a clip.

    index: source frame number, from 0. time: seconds from the clip's first frame. rgb: (H, W, 3), upright.
    """

    index: int
    time: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class Keypoints:
    """2D keypoints of everybody seen in one clip.

    keypoints: (N, K, 3) x px, y px, confidence 0..1; pixel (0, 0) is the centre of the top left pixel of the
        upright picture (rotation metadata applied). A point never seen has confidence 0.
    set: name of the keypoint set (keypoint_sets.py), which fixes K and the order.
    track_id, view, frames: (N,) person, camera, source frame number. times: (N,) seconds.
    image_size: (width, height) px of the upright picture. fps: rate of the sampled frames.
    clip_frames: how many frames were looked at (also those without anybody).
    hands: (N, 2, 21, 3) left and right hand, or None.
    camera_K: (3, 3) px, the lens that the clip is taken to have, or None.
    world: (N, 33, 3) metres, BlazePose's own 3D guess: pelvis-centred, camera axes (x right, y down, z forward), or
        None. A start or a prior, not a result.
    """

    keypoints: FloatArray
    set: str
    track_id: IntArray
    view: IntArray
    frames: IntArray
    times: NDArray[np.float64]
    image_size: tuple[int, int]
    fps: float
    clip_frames: int
    hands: FloatArray | None = None
    world: FloatArray | None = None
    camera_K: NDArray[np.float64] | None = None

    def select(self, rows: NDArray[np.bool_] | IntArray) -> "Keypoints":
        """The given rows only (mask or indices)."""
        return replace(
            self,
            keypoints=self.keypoints[rows],
            track_id=self.track_id[rows],
            view=self.view[rows],
            frames=self.frames[rows],
            times=self.times[rows],
            hands=None if self.hands is None else self.hands[rows],
            world=None if self.world is None else self.world[rows],
        )


@dataclass(frozen=True)
class Joints3D:
    """3D joints in metres, rows alike.

    joints (N, 24, 3) and ends (N, 13, 3; NaN where unknown) in the frame named by ``frame``: "camera" is OpenCV's
    (x right, y down, z forward), "world" is right-handed with Z up and the floor at z = 0.
    confidence: (N, 24) 0..1. camera_K (3, 3) px, camera_world_from_cam (4, 4) when known.
    """

    joints: FloatArray
    ends: FloatArray
    frame: Literal["camera", "world"]
    track_id: IntArray
    frames: IntArray
    times: NDArray[np.float64]
    confidence: FloatArray
    camera_K: NDArray[np.float64] | None = None
    camera_world_from_cam: NDArray[np.float64] | None = None

    def select(self, rows: NDArray[np.bool_] | IntArray) -> "Joints3D":
        """The given rows only (mask or indices)."""
        return replace(
            self,
            joints=self.joints[rows],
            ends=self.ends[rows],
            track_id=self.track_id[rows],
            frames=self.frames[rows],
            times=self.times[rows],
            confidence=self.confidence[rows],
        )


def everybody(people: list[Joints3D]) -> Joints3D:
    """The rows of all people, one after the other."""
    keys = ("joints", "ends", "track_id", "frames", "times", "confidence")
    return replace(people[0], **{key: np.concatenate([getattr(one, key) for one in people]) for key in keys})


@dataclass(frozen=True)
class Lifted:
    """joints: Joints3D in the camera frame, each row's pelvis at the origin. up (N, 3): the world's up as each row
    suggests it, camera frame. keypoints: the 2D rows, rows alike, missing frames filled with confidence 0."""

    joints: Joints3D
    up: NDArray[np.float64]
    keypoints: Keypoints


@dataclass(frozen=True)
class Fit:
    """One person's fitted motion, rows as in the joints it was fitted to.

    axis_angle (T, 24, 3) radians local; trans (T, 3) m, added to the rest pelvis; betas (B,); joints (T, 24, 3) and
    ends (T, 13, 3) m of the fitted skeleton, world frame; joint_residual (T,) m, mean distance to the given
    joints with both pelvises in one place;
    pixel_residual (T,) px, confidence-weighted mean distance to the keypoints (NaN without keypoints).
    contacts: (T, 4) l_heel, l_toe, r_heel, r_toe, 0..1, once they were looked for.
    before_refinement: mean joint_residual and pixel_residual before the smplx refinement, if there was one.
    """

    axis_angle: NDArray[np.floating]
    trans: NDArray[np.floating]
    betas: NDArray[np.floating]
    joints: NDArray[np.floating]
    ends: NDArray[np.floating]
    joint_residual: NDArray[np.floating]
    pixel_residual: NDArray[np.floating]
    contacts: FloatArray | None = None
    before_refinement: tuple[float, float] | None = None
