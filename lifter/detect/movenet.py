"""MoveNet MultiPose: up to six people in one picture, 17 COCO keypoints each. Google, 2021."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..providers import Provider, open_session

FloatArray = NDArray[np.float32]
MULTIPLE = 32  # the net takes sides that are multiples of this


class MoveNet:
    """Finds people, wherever they are; less exact than BlazePose, whose crops it starts."""

    def __init__(self, model_path: Path, provider: Provider, least_score: float, threads: int | None = None) -> None:
        self._session = open_session(model_path, provider, threads)
        self._least_score = least_score

    def __call__(self, rgb: NDArray[np.uint8], longer_side: int) -> FloatArray:
        """People (N, 17, 3) x px, y px, score in an (H, W, 3) picture shrunk to ``longer_side``, surest first."""
        picture, scale = letterboxed(rgb, longer_side)
        people = self._session.run(None, {"input": picture[None].astype(np.int32)})[0][0]
        people = people[np.argsort(-people[:, 55])]
        people = people[people[:, 55] > self._least_score]
        y, x, score = np.moveaxis(people[:, :51].reshape(-1, 17, 3), -1, 0)
        height, width = picture.shape[:2]
        return np.stack([x * width / scale - 0.5, y * height / scale - 0.5, score], axis=-1).astype(np.float32)


def letterboxed(rgb: NDArray[np.uint8], longer_side: int) -> tuple[NDArray[np.uint8], float]:
    """The picture shrunk by the returned scale into the top left of a black one whose sides the net takes."""
    from av import VideoFrame  # its scaler averages areas and is fast

    scale = longer_side / max(rgb.shape[:2])
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    small = VideoFrame.from_ndarray(rgb, format="rgb24").reformat(width, height, interpolation="AREA").to_ndarray()
    out = np.zeros((*(-(-side // MULTIPLE) * MULTIPLE for side in (height, width)), 3), np.uint8)
    out[:height, :width] = small
    return out, scale
