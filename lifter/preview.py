"""preview.mp4: the clip with keypoints and fitted skeleton drawn on it, and a side view beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import END, PARENTS
from .atomic_file import written_whole
from .records import Frame, Keypoints

HEIGHT = 720  # px of the preview
BONES = [(joint, parent) for joint, parent in enumerate(PARENTS) if parent >= 0]
FEET = [(7, 24 + END["left_heel"]), (10, 24 + END["left_big_toe"]), (8, 24 + END["right_heel"]), (11, 24 + END["right_big_toe"]),
        (15, 24 + END["nose"])]  # fmt: skip
LEFT, RIGHT, MIDDLE, POINT = (255, 90, 60), (60, 150, 255), (250, 220, 60), (90, 255, 120)
GROUND, BACKGROUND, DOUBT = (120, 120, 130), (32, 34, 40), (120, 120, 120)


@dataclass(frozen=True)
class Person:
    """What is drawn of one person: frames (T,) source frame numbers, points (T, 37, 3) m world, confidence (T,)."""

    frames: NDArray[np.int64]
    points: Array
    confidence: Array


def write_preview(
    path: Path,
    frames: Iterable[Frame],
    fps: float,
    people: list[Person],
    keypoints: Keypoints,
    camera_K: Array,
    world_from_cam: Array,
    progress: Any = None,  # noqa: ANN401 - a callable or nothing
) -> None:
    """Write the preview video (H.264), whole or not at all. World frame Z up, camera OpenCV."""
    import av

    width, height = keypoints.image_size
    scale = min(1.0, HEIGHT / height)
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    side = SideView(people, (max(size[1] * 3 // 4, 2) // 2 * 2, size[1]))
    rows = _by_frame(keypoints.frames)
    with written_whole(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=max(1, round(fps)))
        stream.width, stream.height = size[0] + side.size[0], size[1]  # type: ignore[attr-defined]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "22", "preset": "veryfast"}  # type: ignore[attr-defined]
        for count, frame in enumerate(frames):
            picture = _shrunk(frame.rgb, size)
            for row in rows.get(frame.index, ()):
                _draw_keypoints(picture, keypoints.keypoints[row], scale)
            for person in people:
                _draw_on_clip(picture, person, frame.index, camera_K, world_from_cam, scale)
            joined = np.concatenate([picture, side.draw(frame.index)], axis=1)
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(joined), format="rgb24")):  # type: ignore[attr-defined]
                container.mux(packet)
            if progress is not None:
                progress(count + 1)
        for packet in stream.encode(None):  # type: ignore[attr-defined]
            container.mux(packet)


class SideView:
    """The people seen from the camera's left, at a right angle to it, standing on the floor line."""

    def __init__(self, people: list[Person], size: tuple[int, int]) -> None:
        self.people, self.size = people, size
        points = np.concatenate([p.points for p in people]) if people else np.zeros((1, 37, 3))
        low, high = np.percentile(points.reshape(-1, 3), [0.5, 99.5], axis=0)
        low[2] = min(low[2], 0.0)
        self.centre = (low + high) / 2
        room = max((high - low)[1] / size[0], (high - low)[2] / size[1], 2.2 / size[1])
        self.pixels_per_metre = 0.82 / room

    def draw(self, frame: int) -> NDArray[np.uint8]:
        """The picture (H, W, 3) of one frame."""
        picture = np.full((self.size[1], self.size[0], 3), BACKGROUND, np.uint8)
        floor = self._pixels(np.array([[0.0, -50.0, 0.0], [0.0, 50.0, 0.0]]))
        draw_line(picture, floor[0], floor[1], GROUND, 1.5)
        for person in self.people:
            rows = np.flatnonzero(person.frames == frame)
            if len(rows):
                _draw_bones(picture, self._pixels(person.points[rows[0]]), 2.5, person.confidence[rows[0]])
        return picture

    def _pixels(self, points: Array) -> Array:
        flat = (points - self.centre) * self.pixels_per_metre
        return np.stack([self.size[0] / 2 + flat[:, 1], self.size[1] / 2 - flat[:, 2]], axis=-1)


def _by_frame(frames: NDArray[np.int64]) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = {}
    for row, frame in enumerate(frames.tolist()):
        rows.setdefault(frame, []).append(row)
    return rows


def _shrunk(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if (rgb.shape[1], rgb.shape[0]) == size:
        return rgb.copy()
    import av

    return (
        av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(*size).to_ndarray(format="rgb24")
    )


def _draw_keypoints(picture: NDArray[np.uint8], points: Array, scale: float) -> None:
    for x, y, confidence in points[points[:, 2] > 0.1]:
        colour = POINT if confidence > 0.5 else DOUBT
        draw_line(picture, (x * scale, y * scale), (x * scale, y * scale), colour, 2.2)


def _draw_on_clip(
    picture: NDArray[np.uint8], person: Person, frame: int, camera_K: Array, world_from_cam: Array, scale: float
) -> None:
    rows = np.flatnonzero(person.frames == frame)
    if not len(rows):
        return
    seen = (person.points[rows[0]] - world_from_cam[:3, 3]) @ world_from_cam[:3, :3]
    if seen[:, 2].min() < 0.1:
        return
    pixels = seen[:, :2] / seen[:, 2:] @ camera_K[:2, :2].T + camera_K[:2, 2]
    _draw_bones(picture, pixels * scale, max(1.2, picture.shape[0] / 400), person.confidence[rows[0]])


def _draw_bones(picture: NDArray[np.uint8], pixels: Array, width: float, confidence: float) -> None:
    for end, start in BONES + FEET:
        side = {0: MIDDLE, 1: LEFT, 2: RIGHT}[_side(end)]
        draw_line(picture, pixels[start], pixels[end], side if confidence > 0 else DOUBT, width)


def _side(point: int) -> int:
    from ..smpl_assets.skeleton import END_NAMES, JOINT_NAMES

    name = (*JOINT_NAMES, *END_NAMES)[point]
    return 1 if name.startswith("left") else 2 if name.startswith("right") else 0


def draw_line(
    picture: NDArray[np.uint8], start: Array | tuple, end: Array | tuple, colour: tuple[int, int, int], width: float
) -> None:
    """Draw an anti-aliased line (a dot when both ends agree) of ``width`` px radius into ``picture`` (H, W, 3)."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return
    low = np.maximum(np.floor(np.minimum(a, b) - width - 1), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(a, b) + width + 2), picture.shape[1::-1]).astype(int)
    if (high <= low).any():
        return
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
    along = b - a
    share = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-9), 0, 1)
    distance = np.hypot(x - a[0] - share * along[0], y - a[1] - share * along[1])
    cover = np.clip(width + 0.5 - distance, 0, 1)[..., None]
    area = picture[low[1] : high[1], low[0] : high[0]]
    area[:] = (area * (1 - cover) + np.array(colour) * cover).astype(np.uint8)
