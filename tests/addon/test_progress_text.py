"""What a person reads of a worker's progress."""

import ast
from pathlib import Path

import pytest
import reel2rig
from reel2rig.addon.workers.progress_text import STAGES, clock, progress_text
from reel2rig.addon.workers.worker import Progress

ROOT = Path(reel2rig.__file__).parent


def test_stage_steps_speed_and_time_left_make_one_line() -> None:
    assert progress_text(Progress("detect", 5, 20, 2.5)) == "Finding people 5/20, 2.5 frames/s, 0:06 left"


def test_a_stage_of_unknown_length_promises_no_end() -> None:
    assert progress_text(Progress("write")) == "Writing the files"
    assert progress_text(Progress("detect", 30, 0, 12.0)) == "Finding people, 12.0 frames/s"


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, "0:01"), (59.5, "1:00"), (61, "1:01"), (3661, "1:01:01")])
def test_time_left_is_shown_as_on_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_every_stage_has_words() -> None:
    begun = {
        call.args[0].value
        for file in [*(ROOT / "lifter").glob("*.py"), ROOT / "addon/set_up/environment_build.py"]
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "stage"
        if isinstance(call.args[0], ast.Constant)
    }
    assert begun | {Progress().stage} == STAGES.keys()
