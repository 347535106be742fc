"""preview.mp4: the clip with keypoints and fitted skeleton drawn on it, and a side view beside it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, END_NAMES, JOINT_NAMES, PARENTS
from .atomic_file import written_whole
from .motion_file import Motion
from .records import Frame, Keypoints

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

HEIGHT = 720  # px of the preview
LEFT, RIGHT, MIDDLE = (255, 90, 60), (60, 150, 255), (250, 220, 60)
POINT, GROUND, BACKGROUND, DOUBT = (90, 255, 120), (120, 120, 130), (32, 34, 40), (120, 120, 120)
# What lines join: (joint, parent), and the ends that show how feet and head are turned.
BONES = [(joint, parent) for joint, parent in enumerate(PARENTS) if parent >= 0] + [
    (24 + END["left_heel"], 7),
    (24 + END["left_big_toe"], 10),
    (24 + END["right_heel"], 8),
    (24 + END["right_big_toe"], 11),
    (24 + END["nose"], 15),
]
BONE_COLOURS = [
    LEFT if name.startswith("left") else RIGHT if name.startswith("right") else MIDDLE
    for name in ((*JOINT_NAMES, *END_NAMES)[end] for end, _ in BONES)
]


@dataclass(frozen=True)
class Person:
    """What is drawn of one person: frames (T,) source frame numbers, points (T, 37, 3) m world, confidence (T,)."""

    frames: NDArray[np.int64]
    points: Array
    confidence: Array

    @cached_property
    def rows(self) -> dict[int, int]:
        """Row of each source frame."""
        return {frame: row for row, frame in enumerate(self.frames.tolist())}


def person_drawn(motion: Motion) -> Person:
    """What the preview needs of a motion of ours."""
    assert motion.frames is not None
    assert motion.joints is not None
    assert motion.ends is not None
    assert motion.confidence is not None
    points = np.concatenate([motion.joints, motion.ends], axis=1)
    return Person(motion.frames, points, motion.confidence.mean(axis=1))


def write_preview(
    path: Path,
    frames: Iterable[Frame],
    fps: float,
    people: list[Person],
    keypoints: Keypoints,
    camera_K: Array,
    world_from_cam: Array,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the preview video (H.264), whole or not at all. World frame Z up, camera OpenCV.

    Raises CaptureError("cannot_write").
    """
    import av

    overlay = Overlay(people, keypoints, camera_K, world_from_cam)
    side = SideView(people, overlay.size[1])
    with written_whole(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = overlay.size[0] + side.size[0], overlay.size[1]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "22", "preset": "superfast"}
        for count, frame in enumerate(frames, start=1):
            picture = np.concatenate([overlay.draw(frame), side.draw(frame.index)], axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if progress is not None:
                progress(count)
        container.mux(stream.encode(None))


class Overlay:
    """The clip, at most HEIGHT px high, with everybody's keypoints (dots) and the fitted skeletons drawn on it."""

    def __init__(self, people: list[Person], keypoints: Keypoints, camera_K: Array, world_from_cam: Array) -> None:
        self.people, self.camera_K, self.world_from_cam = people, camera_K, world_from_cam
        width, height = keypoints.image_size
        self.scale = min(1.0, HEIGHT / height)
        self.size = (_even(width * self.scale), _even(height * self.scale))
        self.keypoints = keypoints.keypoints * np.array([self.scale, self.scale, 1.0], np.float32)
        self.rows: dict[int, list[int]] = {}
        for row, frame in enumerate(keypoints.frames.tolist()):
            self.rows.setdefault(frame, []).append(row)

    def draw(self, frame: Frame) -> Picture:
        """The picture (H, W, 3) of one frame."""
        picture = shrunk(frame.rgb, self.size)
        for row in self.rows.get(frame.index, ()):
            for x, y, confidence in self.keypoints[row].tolist():
                if confidence > 0.1:
                    draw_line(picture, (x, y), (x, y), POINT if confidence > 0.5 else DOUBT, 2.2)
        for person in self.people:
            row = person.rows.get(frame.index)
            if row is not None:
                self._draw_person(picture, person.points[row], float(person.confidence[row]))
        return picture

    def _draw_person(self, picture: Picture, points: Array, confidence: float) -> None:
        seen = (points - self.world_from_cam[:3, 3]) @ self.world_from_cam[:3, :3]
        if seen[:, 2].min() < 0.1:
            return
        pixels = seen[:, :2] / seen[:, 2:] @ self.camera_K[:2, :2].T + self.camera_K[:2, 2]
        draw_bones(picture, pixels * self.scale, seen[:, 2], max(1.2, self.size[1] / 400), confidence)


class SideView:
    """The people seen from the camera's right, at a right angle to its view: it stands off the picture's left edge."""

    def __init__(self, people: list[Person], height: int) -> None:
        self.people, self.size = people, (_even(height * 3 / 4), height)
        points = np.concatenate([person.points for person in people])
        low, high = np.percentile(points.reshape(-1, 3), [0.5, 99.5], axis=0)
        low[2] = min(low[2], 0.0)
        self.centre = (low + high) / 2
        room = max((high - low)[1] / self.size[0], (high - low)[2] / self.size[1], 2.2 / self.size[1])
        self.pixels_per_metre = 0.82 / room
        self.empty = np.empty((self.size[1], self.size[0], 3), np.uint8)
        self.empty[:] = BACKGROUND
        floor = self._pixels(np.zeros((1, 3)))[0, 1]
        draw_line(self.empty, (0, floor), (self.size[0], floor), GROUND, 1.5)

    def draw(self, frame: int) -> Picture:
        """The picture (H, W, 3) of one frame."""
        picture = self.empty.copy()
        for person in self.people:
            row = person.rows.get(frame)
            if row is not None:
                points = person.points[row]
                draw_bones(picture, self._pixels(points), -points[:, 0], 2.5, float(person.confidence[row]))
        return picture

    def _pixels(self, points: Array) -> Array:
        flat = (points - self.centre) * self.pixels_per_metre
        return np.stack([self.size[0] / 2 + flat[:, 1], self.size[1] / 2 - flat[:, 2]], axis=-1)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def shrunk(rgb: Picture, size: tuple[int, int]) -> Picture:
    """A copy of the picture in ``size`` (width, height) px."""
    import av

    if (rgb.shape[1], rgb.shape[0]) == size:
        return rgb.copy()
    step = max(1, rgb.shape[0] // size[1])  # whole steps first: most of the time goes into touching every pixel
    coarse = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[::step, ::step]), format="rgb24")
    small = coarse.reformat(*size, interpolation="FAST_BILINEAR").to_ndarray()
    return np.asarray(small, np.uint8)


def draw_bones(picture: Picture, pixels: Array, depth: Array, width: float, confidence: float) -> None:
    """Draw a skeleton, points (37, 2) px, near bones over far ones by ``depth`` (37,); grey where nobody was seen."""
    ends = np.array(BONES)
    for bone in np.argsort(-depth[ends].mean(axis=1)):
        end, start = BONES[bone]
        colour = BONE_COLOURS[bone] if confidence > 0 else DOUBT
        draw_line(picture, tuple(pixels[start].tolist()), tuple(pixels[end].tolist()), colour, width)


def draw_line(
    picture: Picture, start: tuple[float, float], end: tuple[float, float], colour: Colour, width: float
) -> None:
    """Draw an anti-aliased line (a dot when both ends agree) of ``width`` px radius into ``picture`` (H, W, 3)."""
    if not np.isfinite([start, end]).all():
        return
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    left, top = max(0, int(left - width - 1)), max(0, int(top - width - 1))
    right, bottom = min(picture.shape[1], int(right + width + 3)), min(picture.shape[0], int(bottom + width + 3))
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32) - np.float32(start[0])
    y = (np.arange(top, bottom, dtype=np.float32) - np.float32(start[1]))[:, None]
    dx, dy = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
    share = (x * dx + y * dy) / max(dx * dx + dy * dy, np.float32(1e-9))
    np.minimum(np.maximum(share, 0, out=share), 1, out=share)
    distance = np.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2)
    cover = np.minimum(np.maximum(np.float32(width + 0.5) - distance, 0), 1)[..., None]
    area = picture[top:bottom, left:right]
    area += (cover * (np.array(colour, np.float32) - area)).astype(np.int16).astype(np.uint8)
