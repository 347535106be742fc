"""Stop when asked (Ctrl-C, SIGTERM), but never between two steps that belong together. Standard library only."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .errors import CancelledError

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]

_deferred = False
_requested = False


@contextmanager
def listening() -> Iterator[None]:
    """Inside the block the signals that ask a process to stop raise CancelledError in the main thread."""
    global _deferred, _requested
    _deferred = _requested = False
    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield
        return
    before = {number: signal.signal(number, _on_signal) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _deferred = _requested = False


def requested() -> bool:
    """Whether a stop was asked for."""
    return _requested


def check() -> None:
    """Raise CancelledError when a stop was asked for but got lost, as in code that swallows exceptions."""
    if _requested and not _deferred:
        raise CancelledError


@contextmanager
def deferred() -> Iterator[None]:
    """Let the block run to its end; a stop asked for meanwhile is raised after it."""
    global _deferred
    before, _deferred = _deferred, True
    try:
        yield
    finally:
        _deferred = before
    check()


@contextmanager
def allowed() -> Iterator[None]:
    """Inside ``deferred``: a stop may come at any moment of this block."""
    global _deferred
    before, _deferred = _deferred, False
    try:
        check()
        yield
    finally:
        _deferred = before


def stop_listening() -> None:
    """The last word is being said: a stop asked for from now on comes too late."""
    global _deferred
    _deferred = True


def _on_signal(_signal: int, _frame: FrameType | None) -> None:
    global _requested
    _requested = True
    check()
