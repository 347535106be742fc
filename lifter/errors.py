"""Errors that reach the user: what went wrong and what to do about it."""


class CaptureError(Exception):
    """Our fault or the machine's. ``code`` is stable for programs, ``hint`` tells a person what to do."""

    exit_status = 1

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class InputError(CaptureError):
    """The input's fault: an unreadable clip, a wrong file, a wrong option."""

    exit_status = 2


class CancelledError(CaptureError):
    """The user asked to stop."""

    exit_status = 3

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled.", "No half-written file is left; run it again when you like.")
