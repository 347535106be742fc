"""JSON from outside as dataclasses: what fits is taken, what does not is named."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from reel2rig.lifter.checked_json import of_type


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Example:
    name: str
    mode: Literal["slow", "fast"] = "slow"
    height: float | None = None
    count: int = 0
    sure: bool = False
    path: Path = Path("here")
    size: tuple[int, int] = (0, 0)
    points: tuple[Point, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


FULL = {
    "name": "다리", "mode": "fast", "height": 2, "count": 3, "sure": True, "path": "a/b", "size": [1, 2],
    "points": [{"x": 1}, {"x": 2, "y": 3, "unknown": {}}], "seconds": {"fit": 0.5},
}  # fmt: skip


def test_everything_that_fits_is_taken() -> None:
    found = of_type(json.loads(json.dumps(FULL)), Example)
    assert found == Example(
        "다리", "fast", 2.0, 3, True, Path("a/b"), (1, 2), (Point(1.0), Point(2.0, 3.0)), {"fit": 0.5}
    )
    assert isinstance(found.height, float)


def test_what_is_absent_has_its_default() -> None:
    assert of_type({"name": ""}, Example) == Example("")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": 5}, "it.name"),
        ({"name": None}, "it.name"),
        ({"mode": "medium"}, "it.mode"),
        ({"mode": []}, "it.mode"),
        ({"height": "tall"}, "it.height"),
        ({"height": float("nan")}, "it.height"),
        ({"height": float("inf")}, "it.height"),
        ({"height": True}, "it.height"),
        ({"count": 1.5}, "it.count"),
        ({"count": True}, "it.count"),
        ({"sure": 1}, "it.sure"),
        ({"path": "a\0b"}, "it.path"),
        ({"size": [1, 2, 3]}, "it.size"),
        ({"size": "12"}, "it.size"),
        ({"points": [{"x": 1}, {"x": "1"}]}, "it.points[1].x"),
        ({"points": [{}]}, "it.points[0] has no x"),
        ({"points": {"x": 1}}, "it.points"),
        ({"seconds": {"fit": "long"}}, "it.seconds.fit"),
        ({"seconds": [1]}, "it.seconds"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match=re.escape(place)):
        of_type(FULL | changes, Example)


@pytest.mark.parametrize("value", [None, [], "name", 5])
def test_a_dataclass_is_a_table(value: object) -> None:
    with pytest.raises(ValueError, match="it cannot be"):
        of_type(value, Example)
