"""The second detector and the yardstick: MediaPipe's own PoseLandmarker. It gives no track ids."""

import re
import time
from collections import defaultdict
from importlib import metadata
from typing import Any

import numpy as np

from ..errors import CaptureError
from ..providers import MODELS
from ..records import Frame
from .rows import Rows

PINNED = "0.10.33"
FIRST_REPORTING = (0, 10, 35)


class MediaPipeDetector:
    """Feed it frame after frame; rows of keypoints gather in ``rows`` (track_id 0), seconds in ``seconds``.

    Raises CaptureError: missing_package, mediapipe_reports (a version that reports usage over the network),
    missing_model.
    """

    def __init__(self, people_limit: int) -> None:
        self.rows = Rows()
        self.seconds: dict[str, float] = defaultdict(float)
        self._mediapipe = _import_mediapipe()
        self._landmarker = self._open(people_limit)
        self._last_milliseconds = -1

    def __call__(self, frame: Frame) -> None:
        """Find everybody in this frame."""
        start = time.perf_counter()
        # the clock of VIDEO mode has to move on with every call
        milliseconds = max(round(frame.time * 1000), self._last_milliseconds + 1)
        self._last_milliseconds = milliseconds
        image = self._mediapipe.Image(self._mediapipe.ImageFormat.SRGB, np.ascontiguousarray(frame.rgb))
        result = self._landmarker.detect_for_video(image, milliseconds)
        height, width = frame.rgb.shape[:2]
        for points, world in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
            values = [(p.x * width - 0.5, p.y * height - 0.5, p.visibility * p.presence) for p in points]
            self.rows.add(frame, 0, np.asarray(values, np.float32), np.asarray([(p.x, p.y, p.z) for p in world]))
        self.seconds["pose"] += time.perf_counter() - start

    def close(self) -> None:
        """Let MediaPipe's threads end; leaving it to the garbage collector prints a traceback."""
        self._landmarker.close()

    def _open(self, people_limit: int) -> Any:  # noqa: ANN401
        model = MODELS / "pose_landmarker_full.task"
        if not model.is_file():
            hint = "Install Reel2Rig again; its models folder is not complete."
            raise CaptureError("missing_model", f"There is no model file {model}.", hint)
        tasks = self._mediapipe.tasks
        options = tasks.vision.PoseLandmarkerOptions(
            # given as bytes: MediaPipe cannot open every path (Korean letters on Windows)
            base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
            running_mode=tasks.vision.RunningMode.VIDEO,
            num_poses=people_limit,
            min_pose_detection_confidence=0.3,
        )
        return tasks.vision.PoseLandmarker.create_from_options(options)


def _import_mediapipe() -> Any:  # noqa: ANN401 - a module
    hint = f"Install it into the capture environment: pip install mediapipe=={PINNED}, or use the onnx detector."
    try:
        version = metadata.version("mediapipe")
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        if numbers >= FIRST_REPORTING:
            message = f"MediaPipe {version} reports usage over the network and cannot be told not to."
            raise CaptureError("mediapipe_reports", message, hint)
        import mediapipe
    except ImportError as error:
        raise CaptureError("missing_package", "The package mediapipe is missing.", hint) from error
    return mediapipe
