"""An hour of motion through the fit, in a process of its own: python -m reel2rig.benchmarks.fit_hour FRAMES SOLVER

Prints one JSON object: frames, processor seconds of the fit, and the most memory the process ever held.
"""

import json
import subprocess
import sys
import time
from typing import Any

from .fit_data import CASES, long_clip, truth_clips
from .fit_ours import closed_form, refined, whole

HOUR = 108_000  # frames, 30 a second
TENTH = HOUR // 10
SOLVERS = {"closed_form": closed_form, "refined": refined, "whole": whole}


def measure(solver: str) -> dict[str, Any]:
    """An hour and a tenth of one through one of SOLVERS, each in its own process; ten times as long where linear."""
    tenth, hour = (_in_process(frames, solver) for frames in (TENTH, HOUR))
    return {
        **hour,
        "frames_per_second": round(HOUR / hour["seconds"]),
        "times_as_long_as_a_tenth": round(hour["seconds"] / tenth["seconds"], 2),
        "peak_memory_of_a_tenth_mb": tenth["peak_memory_mb"],
    }


def _in_process(frames: int, solver: str) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, str(frames), solver]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def peak_memory() -> float | None:
    """Megabytes that this process held at most; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes, kilobytes
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def main() -> None:
    """Fit one long noisy clip."""
    frames, solver = int(sys.argv[1]), SOLVERS[sys.argv[2]]
    given, truth = long_clip(truth_clips(), CASES["noisy"], frames)
    before, started = peak_memory(), time.process_time()
    solver(given, truth.fps)
    seconds = round(time.process_time() - started, 2)
    print(json.dumps({"frames": frames, "seconds": seconds, "peak_memory_mb": peak_memory(), "before_mb": before}))


if __name__ == "__main__":
    main()
