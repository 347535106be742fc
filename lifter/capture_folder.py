"""The folder of a capture: filled beside its place and moved there whole; and capture.json, what was asked and done."""

import json
import os
import platform
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .errors import CaptureError


@contextmanager
def published_whole(out: Path) -> Iterator[Path]:
    """Give a staging folder beside ``out``; when the block ends well its files replace those of the same name in it.

    Raises CaptureError("cannot_write") when the disk is full or the place cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = out.parent / f".reel2rig-{uuid.uuid4().hex}"
        staging.mkdir()
    except OSError as error:
        raise _cannot_write(out, error) from error
    try:
        yield staging
        out.mkdir(exist_ok=True)
        for stale in out.glob("person_*.npz"):  # people of an earlier capture into the same folder
            if not (staging / stale.name).exists():
                stale.unlink()
        for file in sorted(staging.iterdir()):
            os.replace(file, out / file.name)
    except OSError as error:
        raise _cannot_write(out, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _cannot_write(out: Path, error: OSError) -> CaptureError:
    return CaptureError(
        "cannot_write",
        f"Could not write to {out}: {error.strerror or error}.",
        "Free some disk space or choose another folder.",
    )


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write capture.json."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False, default=_plain), encoding="utf-8")


def versions() -> dict[str, str]:
    """Versions of what did the work."""
    import av
    import onnxruntime
    import scipy

    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "onnxruntime": onnxruntime.__version__,
        "av": av.__version__,
    }


def plain_options(options: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """A dataclass of options as JSON takes it."""
    return json.loads(json.dumps(asdict(options), default=_plain))


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value)} in a record")
