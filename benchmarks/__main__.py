"""python -m reel2rig.benchmarks: every measurement; prints one JSON object. Progress goes to standard error."""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from . import capture_stages, lifter_speed

ROOT = Path(__file__).resolve().parent.parent
BLENDER_52 = ROOT / ".venv-blender52" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main() -> int:
    """Run all benchmarks one after another, so that none disturbs another."""
    argparse.ArgumentParser(prog="python -m reel2rig.benchmarks", description=__doc__).parse_args()
    results = {
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "capture": capture_stages.measure(),
        "lifter": lifter_speed.measure(),
        "blender": [in_blender(python) for python in (Path(sys.executable), BLENDER_52) if python.exists()],
    }
    print(json.dumps(results, indent=2))
    return 0


def in_blender(python: Path) -> dict:
    """Times under the Blender module of an environment, in a process of its own."""
    command = [str(python), "-m", "reel2rig.benchmarks.blender"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
