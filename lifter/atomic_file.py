"""Write a file whole or not at all."""

import errno
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import cancellation
from .errors import CaptureError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it into place when the block ends well, else remove it.

    Raises CaptureError("cannot_write") when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    part = path.parent / f".part-{uuid.uuid4().hex}{path.suffix}"
    with cancellation.deferred():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.touch(exist_ok=False)
            with cancellation.allowed():
                yield part
            part.replace(path)
        except OSError as error:
            raise cannot_write(path, error) from error
        finally:
            _remove(part)


def cannot_write(path: Path | None, error: OSError) -> CaptureError:
    """What a failed write of ``path`` (None: not known which) looks like to a person."""
    reason = error.strerror or str(error)
    return CaptureError(
        "cannot_write",
        f"Could not write {'the result' if path is None else path}: {reason}.",
        "Free some disk space or choose another folder.",
    )


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:  # the folder is gone or locked; the error that matters is on its way
        return
