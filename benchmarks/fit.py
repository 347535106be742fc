"""Solvers and clean-up on motion whose pose is known: python -m reel2rig.benchmarks.fit [--quick] [--out fit.json]

Prints one JSON object, all of it from one run on the same data and one core. README.md says what the columns mean;
python -m reel2rig.docs.fit_figures puts them into its tables.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fit_rows import Clips

SPEED_FRAMES = 3000
QUICK = ("cmu_06_09", "cmu_09_03")  # a dribble and a run, 97 frames
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Measure, print, and write the file if one was asked for."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.benchmarks.fit", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="two clips and few steps: seconds, to see that it runs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the object there as well")
    options = parser.parse_args()
    os.environ.update(
        {name: "1" for name in THREADS}
    )  # before NumPy is loaded, so all that needs it is imported in functions
    text = json.dumps(measure(options.quick), indent=1, ensure_ascii=False) + "\n"
    print(text, end="")
    if options.out:
        from ..lifter.atomic_file import written_whole

        with written_whole(options.out) as part:
            part.write_text(text, "utf-8")


def measure(quick: bool = False) -> dict[str, Any]:
    """All tables; ``quick`` for two clips, few steps, and no hour of motion."""
    from .fit_clean_up import score_clean_up
    from .fit_data import JUMPS, truth_clips
    from .fit_rows import Clips, say, score

    hours = {} if quick else {"hour": _hour()}  # first: a child begins with its parent's peak memory
    started = time.process_time()
    clips = Clips(truth_clips(QUICK if quick else None), truth_clips(JUMPS[:1] if quick else JUMPS))
    solvers, left_out = _solvers(clips, quick)
    say("clean-up")
    found = {
        "machine": {"processor": _processor(), "threads": 1},
        "data": {
            "clips": len(clips.validation),
            "frames": sum(len(clip.posed.joints) for clip in clips.validation),
            "jumps": [clip.name for clip in clips.jumps],
            "noise_mm": 20,
        },
        "truth": score(lambda clip: clip.posed, clips),
        "solvers": solvers,
        "left_out": left_out,
        "clean_up": score_clean_up(clips),
    }
    return {**found, **hours, "processor_seconds": round(time.process_time() - started)}


def _processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _solvers(clips: "Clips", quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    from .fit_rows import rows, say, score_row, speed

    solvers, left_out = rows((5, 3) if quick else (150, 40))
    found = {}
    for name, row in solvers.items():
        say(name)
        frames = 60 if quick else SPEED_FRAMES
        found[name] = {"says": row.says, "frames_per_second": speed(row.solver, clips.validation, frames)}
        found[name].update(score_row(row, clips))
    return found, left_out


def _hour() -> dict[str, Any]:
    from . import fit_hour
    from .fit_rows import say

    say("an hour of motion")
    rows = {"ours, closed form": "closed_form", "ours, refined": "refined", "ours, as `reel2rig fit` does it": "whole"}
    return {name: fit_hour.measure(solver) for name, solver in rows.items()}


if __name__ == "__main__":
    sys.exit(main())
