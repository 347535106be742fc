"""JSON files, written whole or not at all."""

import json
from pathlib import Path
from typing import Any

from ..lifter.atomic_file import written_whole


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write ``content``. Raises CaptureError("cannot_write") when the disk is full or the folder cannot be written."""
    with written_whole(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
