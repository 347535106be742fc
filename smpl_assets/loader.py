"""Load body model files: the bundled open body and licensed SMPL .npz or .pkl."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from .body import OPEN_BODY, Body, sha256_of
from .errors import BodyFileError
from .skeleton import JOINT_NAMES, PARENTS
from .smpl_pickle import plain_array, read_pickle

OPEN_BODY_SHA256: Final = "845053075579d84928a1db07ee39e38815c30136adc6a0165b4af7fac4c447de"
REQUIRED: Final = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
OPTIONAL: Final = ("quads", "vt", "ft", "beta_names", "preset_names", "preset_betas")
MAX_BETAS: Final = 10
JOINT_COUNT: Final = len(JOINT_NAMES)
DOWNLOAD_HINT: Final = (
    "Use the bundled open body (leave the option out), or a SMPL model with 24 joints from https://smpl.is.tue.mpg.de, "
    "for example SMPL_NEUTRAL.pkl or basicmodel_m_lbs_10_207_0_v1.0.0.pkl."
)


def load_body(path: Path = OPEN_BODY) -> Body:
    """Load a body in SMPL's layout (24 joints) from .npz or .pkl; pickles are read without running their content.

    At most the first 10 shape directions are kept. The licence is "open" only for the bundled body, known by its
    SHA-256; any other file counts as SMPL's. Raises BodyFileError when the file is missing, damaged, or no such body.
    """
    path = Path(path)
    try:
        sha256 = sha256_of(path)
        is_open = sha256 == OPEN_BODY_SHA256
        # the open body has no pose directions; the 34 MB of zeros in the file are for other readers of SMPL files
        data = _read(path, REQUIRED + OPTIONAL, without=("posedirs",) if is_open else ())
        return _body(path.stem, sha256, is_open, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BodyFileError(f"The body model {path} cannot be read: {reason}.", "Check the path.") from error
    except BodyFileError as error:
        raise BodyFileError(
            f"{path} cannot be used as a body model. {error.message}", error.hint or DOWNLOAD_HINT
        ) from error


def _read(path: Path, keys: tuple[str, ...], without: tuple[str, ...]) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        magic = file.read(4)
    if not magic:
        raise BodyFileError("It is empty.")
    if magic[:2] == b"PK":
        return _read_npz(path, keys, without)
    content = read_pickle(path)
    return _collect(content.keys(), lambda key: plain_array(content[key]), keys, without)


def _read_npz(path: Path, keys: tuple[str, ...], without: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _collect(archive.keys(), archive.__getitem__, keys, without)
    except (zipfile.BadZipFile, EOFError) as error:
        raise BodyFileError("It is damaged or cut short.", "Copy or download the file again.") from error


def _collect(
    present: Any,  # noqa: ANN401 - any container of keys
    read: Callable[[str], np.ndarray],
    keys: tuple[str, ...],
    without: tuple[str, ...],
) -> dict[str, np.ndarray]:
    missing = [key for key in REQUIRED if key not in present]
    if missing:
        raise BodyFileError(f"It lacks {', '.join(missing)}.")
    data = {}
    for key in keys:
        if key in present and key not in without:
            try:
                data[key] = read(key)
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise BodyFileError(f"Its {key} cannot be read ({error}).") from error
    return data


def _body(name: str, sha256: str, is_open: bool, data: dict[str, np.ndarray]) -> Body:
    _check(data)
    posedirs = data.get("posedirs")
    return Body(
        name=name,
        sha256=sha256,
        licence="open" if is_open else "smpl-noncommercial",
        v_template=data["v_template"].astype(np.float32),
        shapedirs=data["shapedirs"][..., :MAX_BETAS].astype(np.float32),
        J_regressor=data["J_regressor"].astype(np.float32),
        weights=data["weights"].astype(np.float32),
        parents=PARENTS,
        faces=data["f"].astype(np.int64),
        posedirs=None if posedirs is None or not posedirs.any() else posedirs.astype(np.float32),
        quads=data["quads"].astype(np.int64) if "quads" in data else None,
        uv=data["vt"].astype(np.float32) if "vt" in data else None,
        face_uv=data["ft"].astype(np.int64) if "ft" in data else None,
        beta_names=tuple(data["beta_names"].tolist()) if "beta_names" in data else (),
        presets=tuple(zip(data["preset_names"].tolist(), data["preset_betas"], strict=True))
        if "preset_names" in data and "preset_betas" in data
        else (),
    )


def _check(data: dict[str, np.ndarray]) -> None:
    """Raise BodyFileError where the arrays are not a body of 24 joints in SMPL's order."""
    _check_joint_count(data)
    _check_shapes(data)
    for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights"):
        if key in data and not np.isfinite(data[key]).all():
            raise BodyFileError(f"Its {key} holds values that are not finite numbers.")
    if np.abs(data["weights"].sum(axis=1) - 1.0).max() > 0.01:
        raise BodyFileError("Its weights do not add up to 1 at every vertex.")
    if tuple(data["kintree_table"][0, 1:].astype(np.int64).tolist()) != PARENTS[1:]:
        raise BodyFileError("Its kintree_table is not SMPL's, so its joints are other ones or in another order.")
    if data["f"].min() < 0 or data["f"].max() >= len(data["v_template"]):
        raise BodyFileError("Its f (faces) names vertices that v_template does not have.")


def _check_joint_count(data: dict[str, np.ndarray]) -> None:
    count = data["kintree_table"].shape[-1] if data["kintree_table"].ndim else 0
    if count == JOINT_COUNT:
        return
    kind = {52: " (SMPL-H, with fingers)", 55: " (SMPL-X, with fingers and face)"}.get(count, "")
    raise BodyFileError(f"It has {count} joints{kind}; only bodies with SMPL's {JOINT_COUNT} joints can be used.")


def _check_shapes(data: dict[str, np.ndarray]) -> None:
    """Sizes must agree; V is the number of vertices, and a letter stands for any number from 1."""
    vertices = len(data["v_template"]) if data["v_template"].ndim else 0
    wanted: dict[str, tuple[int | str, ...]] = {
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, "B"),
        "posedirs": (vertices, 3, 9 * (JOINT_COUNT - 1)),
        "J_regressor": (JOINT_COUNT, vertices),
        "weights": (vertices, JOINT_COUNT),
        "kintree_table": (2, JOINT_COUNT),
        "f": ("F", 3),
    }
    for key, sizes in wanted.items():
        if key not in data:
            continue
        array = data[key]
        fits = array.ndim == len(sizes) and all(
            have == want if isinstance(want, int) else have > 0 for have, want in zip(array.shape, sizes, strict=True)
        )
        if not fits or not vertices or array.dtype.kind not in "fiu":
            shape = ", ".join(map(str, sizes))
            raise BodyFileError(f"Its {key} is {array.dtype} {array.shape} instead of numbers ({shape}).")
