"""The corrections that a capture was fitted with, as its folder tells. Needs numpy only."""

from pathlib import Path

from ...lifter.corrections import Correction, parse_correction
from ...lifter.errors import CaptureError
from .capture_report import read_record


def recorded_corrections(folder: Path, person: int) -> list[Correction]:
    """Those of ``person`` (track id) in ``folder``'s capture.json; what cannot be read is left out."""
    lines = read_record(folder).get("corrections")
    found = []
    for line in lines if isinstance(lines, list) else []:
        try:
            found.append(parse_correction(str(line)))
        except CaptureError:
            continue
    return [one for one in found if one.person == person]
