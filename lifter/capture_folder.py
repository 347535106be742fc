"""The folder of a capture: filled beside its place and moved there whole; and capture.json, what was asked and done."""

import json
import os
import platform
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from . import cancellation
from .atomic_file import cannot_write
from .errors import InputError


def check_place(out: Path) -> None:
    """Find out before the long work whether ``out`` can become a folder. Raises InputError("bad_out")."""
    known = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not known.is_dir():
        hint = "Choose a folder: --out, or Captures In in the panel."
        raise InputError("bad_out", f"{known} is a file, not a folder.", hint)
    beside = out.absolute().parent  # where the results are gathered
    locked = next((folder for folder in (known, beside) if folder.exists() and not os.access(folder, os.W_OK)), None)
    if locked is not None:
        hint = "Choose another folder: --out, or Captures In in the panel."
        raise InputError("bad_out", f"{locked} may not be written.", hint)


@contextmanager
def published_whole(out: Path, outdated: Collection[str] = ()) -> Iterator[Path]:
    """Give a staging folder beside ``out``; when the block ends well its files replace those of the same name in it.

    What people of an earlier capture left there goes, and so do the ``outdated`` files, by name. When
    anything fails ``out`` stays as it was.
    Raises CaptureError("cannot_write") when the disk is full or the place cannot be written.
    """
    staging = out.absolute().parent / f".reel2rig-{uuid.uuid4().hex}"
    with cancellation.deferred():
        try:
            staging.parent.mkdir(parents=True, exist_ok=True)
            staging.mkdir()
            with cancellation.allowed():
                yield staging
            _publish(staging, out, outdated)
        except OSError as error:
            raise cannot_write(out, error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, out: Path, outdated: Collection[str]) -> None:
    if not out.exists():
        staging.rename(out)
        return
    new = sorted(staging.iterdir())
    names = {*outdated, *(file.name for file in new)}
    old = {out / name for name in names if (out / name).exists()} | set(out.glob("person_*.npz"))
    replaced = staging / "replaced"
    replaced.mkdir()
    moved: list[tuple[Path, Path]] = []
    try:
        for source, target in [(file, replaced / file.name) for file in sorted(old)] + [(f, out / f.name) for f in new]:
            source.rename(target)
            moved.append((source, target))
    except OSError:
        for source, target in reversed(moved):
            target.rename(source)
        raise


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
