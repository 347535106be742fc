"""preview.mp4: the clip with keypoints and fitted skeleton drawn on it, and a side view beside it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, END_NAMES, JOINT_NAMES, PARENTS
from .atomic_file import written_whole
from .motion_file import Motion
from .records import Frame, Keypoints

if TYPE_CHECKING:
    from av import VideoFrame

Picture = NDArray[np.uint8]
Integers = NDArray[np.integer]

FARTHEST = 1e7  # px; what lies beyond is not drawn
HEIGHT = 720  # px that a preview is high at most
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
    frames: Iterator[Frame],
    fps: float,
    people: list[Person],
    keypoints: Keypoints,
    camera_K: Array,
    world_from_cam: Array,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the preview video (H.264), whole or not at all. World frame Z up, camera OpenCV.

    frames: at least one, all in the size that the clip has in the preview, both sides even (read_frames gives them
    so for a height). keypoints and camera_K are in px of the clip itself.
    Raises CaptureError("cannot_write").
    """
    import av

    first = next(frames)
    height, width = first.rgb.shape[:2]
    overlay = Overlay(people, keypoints, camera_K, world_from_cam, (width, height))
    side = SideView(people, height)
    with written_whole(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = width + side.size[0], height
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "22", "preset": "ultrafast"}
        for count, frame in enumerate(chain([first], frames), start=1):
            container.mux(stream.encode(side_by_side(overlay.draw(frame), side.draw(frame.index))))
            if progress is not None:
                progress(count)
        container.mux(stream.encode(None))


class Overlay:
    """The clip in ``size`` (width, height) px, with everybody's keypoints (dots) and the fitted skeletons on it."""

    def __init__(
        self,
        people: list[Person],
        keypoints: Keypoints,
        camera_K: Array,
        world_from_cam: Array,
        size: tuple[int, int],
    ) -> None:
        self.people, self.camera_K, self.world_from_cam, self.size = people, camera_K, world_from_cam, size
        self.scale = np.divide(size, keypoints.image_size)
        self.keypoints = np.copy(keypoints.keypoints)
        self.keypoints[..., :2] = self._scaled(keypoints.keypoints[..., :2])
        self.rows: dict[int, list[int]] = {}
        for row, frame in enumerate(keypoints.frames.tolist()):
            self.rows.setdefault(frame, []).append(row)

    def draw(self, frame: Frame) -> Picture:
        """The picture (H, W, 3) of one frame, whose own picture has this size too."""
        picture = frame.rgb.copy()
        seen = self.keypoints[self.rows.get(frame.index, [])].reshape(-1, 3)
        seen = seen[seen[:, 2] > 0.1]
        draw_lines(picture, seen[:, :2], seen[:, :2], np.where(seen[:, 2:] > 0.5, POINT, DOUBT), 2.2)
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
        draw_bones(picture, self._scaled(pixels), seen[:, 2], max(1.2, self.size[1] / 400), confidence)

    def _scaled(self, pixels: Array) -> Array:
        """Pixels of the clip as pixels of this picture; pixel 0 is the middle of the first one in both."""
        return (pixels + 0.5) * self.scale - 0.5


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
        draw_lines(self.empty, np.array([[0, floor]]), np.array([[self.size[0], floor]]), np.array([GROUND]), 1.5)

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


def side_by_side(left: Picture, right: Picture) -> "VideoFrame":
    """Two pictures of one height as one frame to encode."""
    import av

    height, width = left.shape[0], left.shape[1] + right.shape[1]
    frame = av.VideoFrame(width, height, "rgb24")
    # rows are padded to a round number of bytes; from_ndarray fills them one by one, which is slow
    rows = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(height, -1)
    np.concatenate([left, right], axis=1, out=rows[:, : 3 * width].reshape(height, width, 3))
    return frame


def draw_bones(picture: Picture, pixels: Array, depth: Array, width: float, confidence: float) -> None:
    """Draw a skeleton, points (37, 2) px, near bones over far ones by ``depth`` (37,); grey where nobody was seen."""
    bones = np.array(BONES)
    order = np.argsort(-depth[bones].mean(axis=1))
    ends, starts = bones[order].T
    colours = np.array(BONE_COLOURS if confidence > 0 else [DOUBT] * len(BONES))[order]
    draw_lines(picture, pixels[starts], pixels[ends], colours, width)


def draw_lines(picture: Picture, starts: Array, ends: Array, colours: Integers, width: float) -> None:
    """Draw anti-aliased lines of ``width`` px radius into ``picture`` (H, W, 3), later ones over earlier ones.

    starts, ends: (N, 2) px; a dot where both agree. colours: (N, 3). Lines with an end that is no place are left out.
    """
    drawable = (np.abs(np.concatenate([starts, ends], axis=1)) < FARTHEST).all(axis=1)
    starts, ends, colours = starts[drawable], ends[drawable], colours[drawable]
    # a strip of pixels around every line, along x or y, whichever the line runs along: (place along, places across)
    flat = np.abs(ends - starts) @ np.array([1.0, -1.0]) > 0
    first, last = (np.where(flat[:, None], points, points[:, ::-1]) for points in (starts, ends))
    length = np.where(flat, picture.shape[1], picture.shape[0])
    low = np.clip(np.minimum(first, last)[:, 0] - width - 1, 0, length).astype(int)
    count = np.clip(np.maximum(first, last)[:, 0] + width + 2, 0, length).astype(int) - low
    line = np.repeat(np.arange(len(low)), count)
    along = (np.arange(len(line)) - np.repeat(np.cumsum(count) - count - low, count))[:, None]
    start, step = first[line], (last - first)[line]
    share = np.clip((along[:, 0] - start[:, 0]) / np.where(step[:, 0] == 0, 1, step[:, 0]), 0, 1)
    reach = int(1.5 * width + 2)
    across = np.rint(start[:, 1] + share * step[:, 1]).astype(int)[:, None] + np.arange(-reach, reach + 1)
    cover = np.clip(width + 0.5 - _distance(along - start[:, :1], across - start[:, 1:], step), 0, 1)
    x, y = (np.where(flat[line, None], *pair) for pair in ((along, across), (across, along)))
    _paint(picture, x, y, cover, colours[line])


def _paint(picture: Picture, x: Integers, y: Integers, cover: Array, colours: Integers) -> None:
    """Lay colours (S, 3) over the pixels x, y (S, R), as far as they are in the picture, by ``cover`` (S, R) 0..1."""
    inside = np.flatnonzero((cover > 0) & (x >= 0) & (x < picture.shape[1]) & (y >= 0) & (y < picture.shape[0]))
    # fully covered pixels last: where lines meet, the soft edge of one does not nibble at the other
    inside = inside[np.argsort(cover.flat[inside] == 1, kind="stable")]
    places, colour = (y.flat[inside], x.flat[inside]), colours[inside // x.shape[1]]
    under = picture[places]
    picture[places] = (under + cover.flat[inside][:, None] * (colour - under)).astype(np.uint8)


def _distance(along: Array, across: Array, step: Array) -> Array:
    """Distance of points (S, R), given from a line's start, to the line that goes ``step`` (S, 2) from there."""
    squared = np.maximum((step**2).sum(axis=1), 1e-9)[:, None]
    share = np.clip((along * step[:, :1] + across * step[:, 1:]) / squared, 0, 1)
    return np.hypot(along - share * step[:, :1], across - share * step[:, 1:])
