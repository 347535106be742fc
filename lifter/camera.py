"""The clip's camera: intrinsics from a given field of view, a calibration file, the clip's metadata, or a guess."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

DEFAULT_FIELD_OF_VIEW = 55.0  # degrees across the longer side: between a phone's main lens and a webcam
FULL_FRAME_DIAGONAL = 43.27  # mm


@dataclass(frozen=True)
class Intrinsics:
    """camera_K (3, 3) px, pixel (0, 0) being the centre of the top left pixel; source says where it comes from."""

    camera_K: NDArray[np.float64]
    source: str


def intrinsics(
    clip: Path,
    image_size: tuple[int, int],
    *,
    field_of_view: float | None = None,
    calibration: Path | None = None,
    focal_length_35mm: float | None = None,
) -> Intrinsics:
    """The camera of an upright picture of ``image_size`` (width, height) px.

    field_of_view: degrees across the longer side. calibration: .toml or .json. focal_length_35mm: of the metadata.
    Raises InputError for impossible angles and for calibration files that do not fit.
    """
    if calibration is not None:
        return Intrinsics(_calibrated(calibration, clip, image_size), f"calibration {calibration.name}")
    if field_of_view is not None:
        if not 5.0 <= field_of_view <= 150.0:
            raise InputError(
                "bad_fov",
                f"A field of view of {field_of_view:g} degrees is not possible.",
                "Give 5 to 150 degrees, across the longer side.",
            )
        return Intrinsics(_from_angle(image_size, field_of_view), f"field of view {field_of_view:g} degrees, given")
    if focal_length_35mm:
        focal = focal_length_35mm * float(np.hypot(*image_size)) / FULL_FRAME_DIAGONAL
        return Intrinsics(_matrix(focal, image_size), f"metadata: {focal_length_35mm:g} mm (35 mm equivalent)")
    angle = DEFAULT_FIELD_OF_VIEW
    return Intrinsics(_from_angle(image_size, angle), f"field of view {angle:g} degrees, assumed")


def _matrix(focal: float, image_size: tuple[int, int]) -> NDArray[np.float64]:
    width, height = image_size
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def _from_angle(image_size: tuple[int, int], degrees: float) -> NDArray[np.float64]:
    return _matrix(max(image_size) / 2 / float(np.tan(np.radians(degrees) / 2)), image_size)


def _calibrated(path: Path, clip: Path, image_size: tuple[int, int]) -> NDArray[np.float64]:
    camera = _section(path, clip)
    matrix, size = _numbers(camera["matrix"]), _numbers(camera.get("size", image_size))
    if matrix.shape != (3, 3) or matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or size.shape != (2,) or size.min() <= 0:
        message = f"{path.name}: no usable 'matrix' (3 x 3) and 'size'."
        raise InputError("bad_calibration", message, "Use a calibration in OpenCV form.")
    scale = np.array(image_size) / size
    if abs(scale[0] / scale[1] - 1) > 0.02:
        asked = f"{path.name} is for {size[0]:g} x {size[1]:g}, the clip is {image_size[0]} x {image_size[1]}."
        raise InputError("bad_calibration", asked, "Choose the calibration of this camera, in the clip's orientation.")
    matrix[0] *= scale[0]
    matrix[1] *= scale[1]
    return matrix


def _numbers(value: Any) -> NDArray[np.float64]:  # noqa: ANN401 - anything that a file may hold
    """The value as finite numbers; empty when it is something else."""
    try:
        array = np.array(value, float)
    except (ValueError, TypeError):
        return np.empty(0)
    return array if np.isfinite(array).all() else np.empty(0)


def _section(path: Path, clip: Path) -> dict[str, Any]:
    """The camera named like the clip (ignoring punctuation), or the only one."""
    data = _table(path)
    if "matrix" in data:
        return data
    cameras = {name: value for name, value in data.items() if isinstance(value, dict) and "matrix" in value}
    plain = {_plain(name): value for name, value in cameras.items()}
    if _plain(clip.stem) in plain:
        return plain[_plain(clip.stem)]
    if len(cameras) == 1:
        return next(iter(cameras.values()))
    message = f"{path.name} has no camera named {clip.stem}."
    raise InputError("bad_calibration", message, f"It has: {', '.join(cameras) or 'none'}.")


def _table(path: Path) -> dict[str, Any]:
    hint = "Give a .toml or .json file."
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise InputError("bad_calibration", f"Cannot read the calibration {path.name}: {error}", hint) from error
    if not isinstance(data, dict):
        raise InputError("bad_calibration", f"{path.name} holds no table of cameras.", hint)
    return data


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum()).lower()
