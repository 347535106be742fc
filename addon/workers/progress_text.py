"""The progress of a capture or a set-up in words."""

import math
from typing import Final

from ..text_lines import filled, translated
from .worker import Progress

STAGES: Final = {
    "starting": "Starting",
    "open": "Opening the video",
    "detect": "Finding people",
    "track": "Following people",
    "lift": "Estimating joints",
    "place": "Finding camera and floor",
    "fit": "Fitting the body",
    "write": "Writing the files",
    "preview": "Making the preview",
    "make environment": "Making the environment",
    "fetch MB": "Fetching, MB",
    "install": "Installing packages",
    "try out": "Trying it out",
    "put in place": "Putting it in place",
}
"""What a worker calls its stages, and what a person reads."""


def progress_text(progress: Progress) -> str:
    """Stage, steps done of all, speed and time left, in the user's language."""
    return ", ".join(filter(None, (stage_text(progress), pace_text(progress))))


def stage_text(progress: Progress) -> str:
    """Stage and steps done of all: what a bar in the sidebar has room for."""
    stage = translated(STAGES.get(progress.stage, progress.stage))
    return f"{stage} {progress.done}/{progress.total}" if progress.total > 0 else stage


def pace_text(progress: Progress) -> str:
    """Speed and time left, as far as they are known."""
    parts = []
    if progress.fps > 0:
        parts.append(filled("{rate:.1f} frames/s", rate=progress.fps))
    if progress.total > 0 and progress.seconds_left > 0:
        parts.append(filled("{time} left", time=clock(progress.seconds_left)))
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Minutes and seconds as on a clock, with hours where there are any."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
