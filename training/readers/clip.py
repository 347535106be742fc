"""What every reader gives: one recording of one actor as a dictionary of arrays."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray


class Clip(TypedDict):
    """T frames of one actor, perhaps seen by V cameras. World axes: Y up, right-handed, metres.

    joints (T, 24, 3) in SMPL's order. time (T,) seconds, rising, gaps allowed. rotations (T, 24, 4): local joint
    rotations as unit quaternions w x y z, the global orientation first; absent where a source has positions only.
    keypoints (V, T, 24, 2) pixels, NaN where missing, as the source annotates them; camera (V,) names; intrinsics
    (V, 3, 3) pixels; extrinsics (V, 3, 4) camera from world, OpenCV axes; image_size (V, 2) pixels, width first.
    split: "train" or "val" where the source itself says so.
    """

    name: str
    source: str
    actor: str
    action: str
    split: NotRequired[str]
    time: NDArray[np.float64]
    joints: NDArray[np.float32]
    rotations: NotRequired[NDArray[np.float32]]
    keypoints: NotRequired[NDArray[np.float32]]
    camera: NotRequired[NDArray[np.str_]]
    intrinsics: NotRequired[NDArray[np.float64]]
    extrinsics: NotRequired[NDArray[np.float64]]
    image_size: NotRequired[NDArray[np.int64]]


# Takes a line for people about something that was left out, and why.
Explain = Callable[[str], None]

# Reads a folder clip by clip, so that a data set larger than memory can be read. What cannot be used is explained, not
# raised; TrainingDataError when the folder holds nothing usable.
Reader = Callable[[Path, Explain], Iterator[Clip]]
