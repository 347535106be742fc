"""What may go wrong with a body model file or with the package that reads it. Needs the standard library only."""


class BodyFileError(ValueError):
    """A body model file that cannot be used. ``hint`` tells a person what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SmplxMissingError(ImportError):
    """The optional ``smplx`` package (or torch, which it needs) is not installed."""

    message = "The smplx body model needs the packages torch and smplx, and at least one of them is not installed."
    hint = (
        "Get them with `pip install torch smplx==0.1.28`, or leave the smplx option off; the default needs neither. "
        "smplx may be used for non-commercial research only (licence of the Max Planck Society); so may what it makes."
    )

    def __init__(self) -> None:
        super().__init__(f"{self.message} {self.hint}")
