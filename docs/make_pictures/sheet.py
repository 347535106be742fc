"""Put pictures (H, W, 3) beside and under each other and save them."""

from pathlib import Path

import av
import numpy as np
from matplotlib.image import imsave

from ...lifter.preview import Picture

WIDTH = 1200  # px of a finished picture
QUALITY = 86
GAP = 8


def beside(pictures: list[Picture]) -> Picture:
    """Pictures of one height in a row."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def stack(pictures: list[Picture]) -> Picture:
    """Pictures under each other, each brought to the width of the first."""
    width = pictures[0].shape[1]
    gap = np.full((GAP, width, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (to_width(picture, width), gap)]
    return np.concatenate(parts[:-1])


def resized(picture: Picture, width: int, height: int) -> Picture:
    """The picture in another size."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return np.asarray(frame.reformat(width, height, interpolation="AREA").to_ndarray(), np.uint8)


def to_width(picture: Picture, width: int) -> Picture:
    """The picture in another width, in proportion."""
    return resized(picture, width, round(picture.shape[0] * width / picture.shape[1]))


def save(path: Path, picture: Picture) -> None:
    """Write a JPEG, at most WIDTH px wide."""
    small = to_width(picture, WIDTH) if picture.shape[1] > WIDTH else picture
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, small, pil_kwargs={"quality": QUALITY, "optimize": True})
    print(f"{path}  ({path.stat().st_size // 1000} kB)")
