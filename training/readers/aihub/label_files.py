"""One label file: JSON to arrays, as the files have them (millimetres, pixels). Nothing in a file is trusted."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LARGEST_FILE = 1_000_000  # bytes; a real one has about 5,000
LARGEST_NUMBER = 1e9  # millimetres or pixels; larger ones are damage, and would overflow later on
FOCAL_UNIT = 1920.0  # intrinsics are divided by this, in both directions of the picture
IMAGE_SIZE = (1920, 1080)
_BRACKETS = str.maketrans("[](),", "     ")


class LabelError(ValueError):
    """Why a file cannot be used."""


def read_label(path: str) -> dict[str, Any]:
    """The object in a label file. Raises LabelError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs a tenth of the time, over millions of files
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise LabelError(f"cannot be read ({error.strerror})") from error
    if not data.strip():
        raise LabelError("empty")
    if len(data) > LARGEST_FILE:
        raise LabelError(f"larger than {LARGEST_FILE // 1_000_000} MB")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LabelError("not JSON") from error
    if not isinstance(content, dict):
        raise LabelError("not a JSON object")
    return content


def joint_positions(content: dict[str, Any]) -> Array:
    """Joints (24, 3) of a 3D label, world, unit of the file: 24x4x1 (homogeneous), 24x3x1 or flat. LabelError."""
    points = _points(content, "3d_pos", (3, 4))
    if points.shape[1] == 4 and not np.allclose(points[:, 3], 1.0):
        raise LabelError("3d_pos has a fourth number that is not 1")
    return points[:, :3]


def keypoint_positions(content: dict[str, Any]) -> Array:
    """Keypoints (24, 2) of a 2D label in pixels, also where they are written as a string. Raises LabelError."""
    return _points(content, "2d_pos", (2,))


def picture_size(content: dict[str, Any]) -> tuple[int, int]:
    """(width, height) of a 2D label's picture, 1920 x 1080 where it does not say."""
    info = content.get("info")
    size = (info.get("img_width"), info.get("img_height")) if isinstance(info, dict) else (None, None)
    width, height = size
    if isinstance(width, int) and isinstance(height, int) and 0 < width < 100_000 and 0 < height < 100_000:
        return width, height
    return IMAGE_SIZE


def camera_matrices(content: dict[str, Any]) -> tuple[Array, Array]:
    """Intrinsics (3, 3), still divided by 1920, and extrinsics (3, 4) in the unit of the file. Raises LabelError."""
    intrinsics, extrinsics = _numbers(content, "intrinsics"), _numbers(content, "extrinsics")
    if intrinsics.shape != (3, 3) or intrinsics[0, 0] <= 0 or intrinsics[1, 1] <= 0:
        raise LabelError("intrinsics are not 3x3 with positive focal lengths")
    if extrinsics.shape not in ((3, 4), (4, 4)):
        raise LabelError("extrinsics are not 3x4")
    turn = extrinsics[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 0.01 or np.linalg.det(turn) < 0:
        raise LabelError("extrinsics hold no rotation")
    return intrinsics, extrinsics[:3]


def _points(content: dict[str, Any], key: str, widths: tuple[int, ...]) -> Array:
    """What the annotation ``key`` holds, (24, width); raises LabelError when that is not 24 joints."""
    annotations = content.get("annotations")
    numbers = _numbers(annotations if isinstance(annotations, dict) else {}, key)
    if (numbers.ndim > 1 and len(numbers) != 24) or numbers.size not in [24 * width for width in widths]:
        raise LabelError(f"{key}: not 24 joints")
    return numbers.reshape(24, -1)


def _numbers(content: dict[str, Any], key: str) -> Array:
    if key not in content:
        raise LabelError(f"without {key}")
    value = content[key]
    # A list written as text is split at its brackets and commas: no parser, nothing that could be run.
    items = value.translate(_BRACKETS).split() if isinstance(value, str) else value
    try:
        numbers = np.asarray(items, dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise LabelError(f"{key}: no list of numbers") from error
    if not (np.abs(numbers) < LARGEST_NUMBER).all():
        raise LabelError(f"{key}: not finite (NaN, null, infinity or a number beyond all measure)")
    return numbers
