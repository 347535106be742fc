"""Let only one process at a time do a thing. Standard library only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...lifter.errors import CaptureError


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold ``lock`` while the block runs; the system lets go of it when the process ends, however it ends.

    Raises CaptureError("environment_busy") when another process holds it.
    """
    with lock.open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            hint = "Wait for it, or cancel it there."
            raise CaptureError("environment_busy", "Another Blender is setting up captures now.", hint) from error
        yield
