"""What a reader leaves out, told briefly: each reason once, with the first names and how many more."""

from ..clip import Explain

SHOWN = 5


class Omissions:
    """Names by reason. Holds only the names that will be shown, so that millions may be left out."""

    def __init__(self) -> None:
        self._first: dict[str, list[str]] = {}
        self._count: dict[str, int] = {}

    def add(self, reason: str, name: str) -> None:
        """One more ``name`` is left out for this ``reason``."""
        first = self._first.setdefault(reason, [])
        if len(first) < SHOWN:
            first.append(name)
        self._count[reason] = self._count.get(reason, 0) + 1

    def explain(self, explain: Explain, where: str = "") -> None:
        """One line a reason, after ``where``."""
        for reason, first in self._first.items():
            more = self._count[reason] - len(first)
            names = ", ".join(first) + (f" and {more} more" if more else "")
            explain(f"{where}{reason}: {names}")
