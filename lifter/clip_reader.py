"""Read video clips: facts about the file, and upright RGB frames with true timestamps. Uses PyAV (FFmpeg)."""

import hashlib
import math
import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CaptureError, InputError
from .records import Frame

MAX_FPS = 60.0
QUEUE_BYTES = 96 * 2**20
FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)


@dataclass(frozen=True)
class ClipInfo:
    """Facts about one clip.

    image_size: (width, height) px of the upright picture. rotation: degrees counter-clockwise that make the stored
    picture upright (0, 90, 180, 270). fps: mean rate of the frames. duration: seconds, last frame included.
    variable_rate: frame spacing varies by more than half a frame. focal_length_35mm: full-frame equivalent (mm) told
    by the file, or None. warnings: what a person should know, in plain words.
    """

    path: Path
    image_size: tuple[int, int]
    rotation: int
    fps: float
    duration: float
    frame_count: int
    variable_rate: bool
    sha256: str
    focal_length_35mm: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def default_fps(self) -> float:
        """The rate frames are read at unless another is asked for: the clip's own, divided to be at most 60."""
        return self.fps / max(1, math.ceil(self.fps / (MAX_FPS * 1.02)))

    @property
    def field_of_view(self) -> float | None:
        """Degrees across the longer side, from the 35 mm equivalent (which compares diagonals), or None."""
        if self.focal_length_35mm is None:
            return None
        longer = max(self.image_size) / math.hypot(*self.image_size) * FULL_FRAME_DIAGONAL_MM
        return math.degrees(2 * math.atan(longer / 2 / self.focal_length_35mm))


@dataclass(frozen=True)
class _Timeline:
    """Sorted times of all frames: pts in ticks (None when the file has none) and seconds from the first frame."""

    pts: NDArray[np.int64] | None
    seconds: NDArray[np.float64]
    fps: float
    announced: int


def probe(path: Path | str) -> ClipInfo:
    """Look at a clip without decoding more than its first frame.

    Raises InputError (no_such_file, not_a_file, empty_file, unreadable_video, no_video, no_frames).
    """
    path = _checked(path)
    with _opened(path) as (container, stream):
        timeline = _timeline(path, container, stream)
        focal_length = _focal_length({**container.metadata, **stream.metadata})
    with _opened(path) as (container, stream):
        first = _first_frame(path, container, stream)
        rotation, size = _rotation(first), _upright_size(first, stream)
    steps = np.diff(timeline.seconds)
    warnings = []
    if len(timeline.seconds) < 0.99 * timeline.announced:
        warnings.append(f"The file is cut off: it holds {len(timeline.seconds)} of {timeline.announced} frames.")
    return ClipInfo(
        path=path,
        image_size=size,
        rotation=rotation,
        fps=timeline.fps,
        duration=float(timeline.seconds[-1] + 1 / timeline.fps),
        frame_count=len(timeline.seconds),
        variable_rate=bool(len(steps) and np.ptp(steps) * timeline.fps > 0.5),
        sha256=_sha256(path),
        focal_length_35mm=focal_length,
        warnings=tuple(warnings),
    )


def read_frames(
    path: Path | str,
    *,
    fps: float | None = None,
    start: float | None = None,
    end: float | None = None,
    height: int | None = None,
    warnings: list[str] | None = None,
) -> Generator[Frame, None, None]:
    """Frames of a clip at a constant rate, upright; decoding runs ahead in its own thread.

    fps: frames a second, default ClipInfo.default_fps; for every tick of that clock the frame nearest in time is
    given (so a frame may come twice when fps is above the clip's rate). start, end: seconds from the first frame,
    start <= time < end. height: px that the upright pictures are high at most (they are never enlarged); all of them
    then have one size, with both sides even as video encoders ask for. Damaged or missing parts of a file are passed
    over and told in ``warnings``.
    Raises InputError as probe does, and bad_range, bad_fps or bad_height. Close the iterator to stop early.
    """
    if height is not None and height < 2:
        raise InputError("bad_height", f"A picture cannot be {height} px high.", "Give a height such as 720.")
    path = _checked(path)
    with _opened(path) as (container, stream):
        timeline = _timeline(path, container, stream)
    ticks = _ticks(timeline, fps, start, end)
    sources = _nearest(timeline.seconds, ticks)
    return _decoded_ahead(path, timeline, ticks, sources, height, [] if warnings is None else warnings)


def _checked(path: Path | str) -> Path:
    path = Path(path)
    if not path.exists():
        raise InputError("no_such_file", f"There is no file {path}.", "Check the path.")
    if not path.is_file():
        raise InputError("not_a_file", f"{path} is a folder, not a video.", "Choose one video file in it.")
    if path.stat().st_size == 0:
        raise InputError("empty_file", f"{path.name} is empty (0 bytes).", "Copy or record the clip again.")
    return path


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Container and its main video stream (not a cover picture)."""
    av = _import_av()
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        hint = "Play it in a video player; if it does not play there, record or convert it again (MP4 with H.264)."
        raise InputError("unreadable_video", f"{path.name} is not a readable video.", hint) from error
    with container:
        streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not streams:
            raise InputError("no_video", f"{path.name} holds no moving picture, only sound or data.", "Choose a video.")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def _import_av() -> Any:  # noqa: ANN401 - a module
    try:
        import av
    except ImportError as error:
        hint = "Install it into the capture environment: pip install av==18.1.0"
        raise CaptureError("missing_package", "The package av (PyAV) is missing.", hint) from error
    return av


def _timeline(path: Path, container: Any, stream: Any) -> _Timeline:  # noqa: ANN401
    """Read the times of all packets; no picture is decoded. The mean rate comes from them, not from the header."""
    packets = [(p.pts, bool(p.is_discard)) for p in _packets(container, stream) if p.size]
    shown = [pts for pts, discarded in packets if not discarded]
    if not shown:
        raise _no_frames(path)
    header_rate = float(stream.average_rate or stream.guessed_rate or 25)
    if any(pts is None for pts in shown) or len(set(shown)) < len(shown):
        return _Timeline(None, np.arange(len(shown)) / header_rate, header_rate, stream.frames)
    pts = np.sort(np.asarray(shown, np.int64))
    seconds = (pts - pts[0]) * float(stream.time_base)
    rate = (len(pts) - 1) / seconds[-1] if len(pts) > 1 else header_rate
    # times rounded to milliseconds (mkv) blur the rate: keep the header's where both agree over the whole clip
    if abs(rate - header_rate) * seconds[-1] < 0.1:
        rate = header_rate
    return _Timeline(pts, seconds, float(rate), stream.frames)


def _packets(container: Any, stream: Any) -> Iterator[Any]:  # noqa: ANN401
    """Packets of a stream as far as the file can be read."""
    av = _import_av()
    try:
        yield from container.demux(stream)
    except (av.FFmpegError, OSError, EOFError):
        return


def _frames(packets: Iterator[Any], warnings: list[str]) -> Iterator[Any]:
    """Decoded frames; damaged packets are passed over and counted."""
    av = _import_av()
    damaged = 0
    for packet in packets:
        try:
            decoded = packet.decode()
        except (av.FFmpegError, OSError, EOFError):
            damaged += 1
            continue
        yield from decoded
    if damaged:
        warnings.append(f"{damaged} damaged parts of the video could not be decoded.")


def _first_frame(path: Path, container: Any, stream: Any) -> Any:  # noqa: ANN401
    frame = next(_frames(_packets(container, stream), []), None)
    if frame is None:
        raise _no_frames(path)
    return frame


def _no_frames(path: Path) -> InputError:
    return InputError("no_frames", f"{path.name} holds no frame that can be decoded.", "Record or convert it again.")


def _rotation(frame: Any) -> int:  # noqa: ANN401
    """Counter-clockwise degrees that turn the stored picture upright, in quarter turns."""
    return round(float(frame.rotation or 0) / 90) % 4 * 90


def _stored_size(frame: Any, stream: Any) -> tuple[int, int]:  # noqa: ANN401
    """Width and height with square pixels, before rotation."""
    aspect = stream.sample_aspect_ratio
    width = frame.width if not aspect or aspect <= 0 else round(frame.width * float(aspect))
    return width, frame.height


def _upright_size(frame: Any, stream: Any) -> tuple[int, int]:  # noqa: ANN401
    width, height = _stored_size(frame, stream)
    return (height, width) if _rotation(frame) % 180 else (width, height)


def _reduced_size(size: tuple[int, int], height: int) -> tuple[int, int]:
    """Width and height at most ``height`` px high, both even, neither larger than in ``size``."""
    scale = min(1.0, height / size[1])
    width, height = (2 * max(1, min(round(side * scale / 2), side // 2)) for side in size)
    return width, height


def _upright_rgb(frame: Any, stream: Any, reduced: tuple[int, int] | None) -> NDArray[np.uint8]:  # noqa: ANN401
    """The upright picture (H, W, 3), in its own size or ``reduced`` to (width, height) px."""
    rotation = _rotation(frame)
    if reduced is None:
        scaled = frame.reformat(*_stored_size(frame, stream), format="rgb24")
    else:
        size = reduced[::-1] if rotation % 180 else reduced
        scaled = frame.reformat(*size, format="rgb24", interpolation="AREA")
    # rows are padded to a round number of bytes; to_ndarray takes them off one by one, which is slow
    rows = np.frombuffer(scaled.planes[0], np.uint8).reshape(scaled.height, -1)
    rgb = rows[:, : 3 * scaled.width].reshape(scaled.height, scaled.width, 3)
    return np.rot90(rgb, rotation // 90).copy()


def _focal_length(metadata: dict[str, str]) -> float | None:
    """Full-frame equivalent in mm, as phones write it (com.apple.quicktime.camera.focal_length.35mm_equivalent)."""
    for key, value in metadata.items():
        if key.lower().endswith("focal_length.35mm_equivalent"):
            try:
                length = float(value)
            except ValueError:
                continue
            if 5 <= length <= 2000:
                return length
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ticks(timeline: _Timeline, fps: float | None, start: float | None, end: float | None) -> NDArray[np.float64]:
    """Times (s) of the sampling clock inside the range; the clock starts at the first frame of the clip."""
    if fps is not None and not (math.isfinite(fps) and 0 < fps <= 1000):
        raise InputError("bad_fps", f"{fps} frames a second cannot be read.", "Give a rate above 0, such as 30.")
    rate = fps or timeline.fps / max(1, math.ceil(timeline.fps / (MAX_FPS * 1.02)))
    first, last = max(start or 0.0, 0.0), math.inf if end is None else end
    if not first < last:
        raise InputError("bad_range", f"The start ({first:g} s) is not before the end ({last:g} s).", "Swap them.")
    # the last frame is shown until half a frame after its own time
    shown_until = timeline.seconds[-1] + 0.5 / timeline.fps
    ticks = np.arange(math.ceil(first * rate - 1e-6), math.ceil(min(last, shown_until) * rate - 1e-6)) / rate
    if not len(ticks):
        hint = f"The clip is {timeline.seconds[-1] + 1 / timeline.fps:.2f} s long; choose a range inside it."
        raise InputError("bad_range", f"There is no frame between {first:g} s and {last:g} s.", hint)
    return ticks


def _nearest(seconds: NDArray[np.float64], ticks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the frame nearest in time to each tick."""
    after = np.clip(np.searchsorted(seconds, ticks), 1, max(len(seconds) - 1, 1))
    if len(seconds) == 1:
        return np.zeros(len(ticks), np.int64)
    return np.where(ticks - seconds[after - 1] <= seconds[after] - ticks, after - 1, after)


def _decoded_ahead(
    path: Path,
    timeline: _Timeline,
    ticks: NDArray[np.float64],
    sources: NDArray[np.int64],
    height: int | None,
    warnings: list[str],
) -> Generator[Frame, None, None]:
    """Run _sampled in a thread through a bounded queue; closing the iterator ends the thread."""
    with _opened(path) as (container, stream):
        first = _first_frame(path, container, stream)
        size = _upright_size(first, stream)
    reduced = None if height is None else _reduced_size(size, height)
    frame_bytes = 3 * math.prod(reduced or size)
    waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(max(2, min(8, QUEUE_BYTES // frame_bytes)))
    stopped = threading.Event()

    def put(item: Frame | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return waiting.put(item, timeout=0.1)
            except queue.Full:
                continue

    def decode() -> None:
        try:
            with closing(_sampled(path, timeline, ticks, sources, reduced, warnings)) as frames:
                for frame in frames:
                    put(frame)
                    if stopped.is_set():
                        return
            put(None)
        except BaseException as error:  # handed to the reader, which raises it
            put(error)

    thread = threading.Thread(target=decode, name="decode", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()


def _sampled(
    path: Path,
    timeline: _Timeline,
    ticks: NDArray[np.float64],
    sources: NDArray[np.int64],
    reduced: tuple[int, int] | None,
    warnings: list[str],
) -> Generator[Frame, None, None]:
    """Decode and give the frame of every tick, in order. A source frame that is damaged is left out."""
    given = 0
    with _opened(path) as (container, stream):
        if timeline.pts is not None and timeline.seconds[sources[0]] > 1:
            container.seek(int(timeline.pts[sources[0]]), stream=stream, backward=True)
        for count, picture in enumerate(_frames(_packets(container, stream), warnings)):
            index = count if timeline.pts is None else _index(timeline.pts, picture.pts)
            first, last = np.searchsorted(sources, [index, index + 1])
            if first < last:
                rgb = _upright_rgb(picture, stream, reduced)
                for tick in ticks[first:last]:
                    yield Frame(index, float(tick), rgb)
                given += last - first
            if index >= sources[-1]:
                break
    if given == 0:
        raise _no_frames(path)
    if given < len(ticks):
        warnings.append(f"{len(ticks) - given} of {len(ticks)} frames could not be read; the file may be cut off.")


def _index(pts: NDArray[np.int64], value: int | None) -> int:
    """Source frame number of a timestamp; -1 for a frame that is not in the timeline."""
    if value is None:
        return -1
    index = int(np.searchsorted(pts, value))
    return index if index < len(pts) and pts[index] == value else -1
