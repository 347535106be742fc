"""2D detection: frames in, BlazePose's 33 keypoints of everybody out. Public: detect, Detections."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..errors import InputError
from ..providers import Device, Provider, choose_provider
from ..records import Frame, Keypoints
from .rows import Rows

Backend = Literal["onnx", "mediapipe"]
PresetName = Literal["fast", "balanced", "best"]


@dataclass(frozen=True)
class Detections:
    """What was seen and how.

    keypoints: rows of all people, set "blazepose33", track_id as the detector followed them (1, 2, ...; the whole-clip
    tracking in track.py makes better ones), with BlazePose's own 3D points in ``world``.
    provider: what the nets ran on and why. seconds: spent in "decode" (waiting for frames), "people", "crop", "pose".
    """

    keypoints: Keypoints
    provider: Provider
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class Detector(Protocol):
    """What a backend offers."""

    rows: Rows
    seconds: dict[str, float]

    def __call__(self, frame: Frame) -> None:
        """Look at the next frame."""
        ...


def detect(
    frames: Iterable[Frame],
    image_size: tuple[int, int],
    fps: float,
    *,
    backend: Backend = "onnx",
    preset: PresetName = "balanced",
    device: Device = "auto",
    progress: Callable[[int], None] | None = None,
    people_limit: int = 6,
) -> Detections:
    """Find everybody's keypoints in every frame.

    frames: upright pictures in order of time. image_size: (width, height) px. fps: their rate. people_limit: most
    people followed at once (1 to 6). progress is called with the number of frames done; what it raises stops the
    work, and the frame reader is closed.
    Raises InputError (bad_preset, bad_backend) and CaptureError (missing packages or models, wrong versions).
    """
    provider = choose_provider("cpu" if backend == "mediapipe" else device)
    detector = _backend(backend, preset, provider, fps, people_limit)
    seconds = {"decode": 0.0}
    count = 0
    iterator = iter(frames)
    try:
        while True:
            start = time.perf_counter()
            frame = next(iterator, None)
            seconds["decode"] += time.perf_counter() - start
            if frame is None:
                break
            detector(frame)
            count += 1
            if progress is not None:
                progress(count)
    finally:
        for resource in (iterator, detector):
            if close := getattr(resource, "close", None):
                close()
    keypoints = detector.rows.as_keypoints(image_size, fps, count)
    return Detections(keypoints, provider, provider.warnings, seconds | dict(detector.seconds))


def _backend(backend: Backend, preset: PresetName, provider: Provider, fps: float, people_limit: int) -> Detector:
    from .onnx_backend import PRESETS, OnnxDetector

    if preset not in PRESETS:
        raise InputError("bad_preset", f"Unknown preset {preset!r}.", f"Choose one of {', '.join(PRESETS)}.")
    if backend == "onnx":
        return OnnxDetector(PRESETS[preset], provider, fps, people_limit)
    if backend == "mediapipe":
        from .mediapipe_backend import MediaPipeDetector

        return MediaPipeDetector(people_limit)
    raise InputError("bad_backend", f"Unknown detector {backend!r}.", "Choose onnx or mediapipe.")
