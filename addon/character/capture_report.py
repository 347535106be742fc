"""What a capture says about itself in capture.json, as lines for the panel. The file comes from outside and may hold
anything."""

import json
from pathlib import Path
from typing import Any, Final

from .body_choice import LICENCE_TEXT

RECORD: Final = "capture.json"
LARGEST: Final = 4_000_000  # bytes
LARGEST_NUMBER: Final = 1e12
LONGEST_LINE: Final = 200  # characters
MOST_WARNINGS: Final = 20
PROVIDERS: Final = {
    "CUDAExecutionProvider": "CUDA",
    "TensorrtExecutionProvider": "CUDA",
    "CPUExecutionProvider": "the processor",
}


def report_lines(folder: Path, motion_name: str) -> list[str]:
    """What ``folder``'s capture.json says of the capture and of the person in the file ``motion_name``.

    People, frames, rate, confidence, provider, time taken, licence, then the warnings. What is missing or not of the
    right kind is left out; without a readable file there are no lines. Each is "head: value", so that the panel can
    translate the head.
    """
    record = read_record(folder)
    if not record:
        return []
    people = [person for person in _list(record, "people") if isinstance(person, dict)]
    person = next((item for item in people if item.get("file") == motion_name), {})
    lines = [
        f"People: {len(people)}",
        _said("Frames in the clip: {:.0f}", _number(record, "frames")),
        _said("Frames per second: {:.4g}", _number(record, "fps")),
        _said("Mean confidence: {:.2f}", _number(person, "mean_confidence")),
        _provider_line(record),
        _said("Took: {:.1f} s", _sum(record.get("seconds"))),
        f"Licence: {LICENCE_TEXT.get(_text(record, 'licence'), LICENCE_TEXT['unknown'])}",
        *[_plain(text) for text in _list(record, "warnings")[:MOST_WARNINGS] if isinstance(text, str)],
    ]
    return [line for line in lines if line]


def read_record(folder: Path) -> dict[str, Any]:
    """The object in ``folder``'s capture.json; empty when there is none, it is too large or no JSON object."""
    path = Path(folder) / RECORD
    try:
        if path.stat().st_size > LARGEST:
            return {}
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _provider_line(record: dict[str, Any]) -> str:
    provider = record.get("provider")
    name = _text(provider, "name") if isinstance(provider, dict) else ""
    return f"Computed on: {PROVIDERS.get(name, name)}" if name else ""


def _sum(seconds: object) -> float | None:
    if not isinstance(seconds, dict):
        return None
    values = [_number(seconds, name) for name in seconds]
    return sum(value for value in values if value is not None)


def _number(record: dict[str, Any], key: str) -> float | None:
    value = record.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LARGEST_NUMBER:
        return None
    return float(value)


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return _plain(value) if isinstance(value, str) else ""


def _list(record: dict[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    return value if isinstance(value, list) else []


def _said(sentence: str, value: float | None) -> str:
    return "" if value is None else sentence.format(value)


def _plain(text: str) -> str:
    """``text`` on one line of printable characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_LINE]).strip()
