"""Write a file whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import CaptureError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place when the block ends well, else remove it.

    Raises CaptureError("cannot_write") when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".part-{uuid.uuid4().hex}{path.suffix}"
        part.touch(exist_ok=False)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> CaptureError:
    reason = error.strerror or str(error)
    return CaptureError(
        "cannot_write", f"Could not write {path}: {reason}.", "Free some disk space or choose another folder."
    )
