"""What an actor's name says: F150C is a woman of 150 cm, build C."""

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Actor:
    """Sex, height in metres and the letter of the build."""

    sex: Literal["female", "male"]
    height: float
    build: str


def parse_actor(name: str) -> Actor | None:
    """The actor called ``name``, or None when it is no such name."""
    parts = re.fullmatch(r"([FM])([0-9]{2,3})([A-Z])", name)
    if parts is None:
        return None
    return Actor("female" if parts[1] == "F" else "male", int(parts[2]) / 100, parts[3])
