"""Where the time of a capture goes: seconds per stage of the demo clip, and their shares of the whole."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO_CLIP = Path(__file__).resolve().parent.parent / "examples" / "balancing.mp4"


def measure(clip: Path = DEMO_CLIP) -> dict:
    """Capture ``clip`` in a worker process: {"clip", "seconds", "stages": {name: {"seconds", "share"}}}.

    ``seconds`` is the whole process as a user waits for it; shares are of that, start-up included as "other".
    """
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [sys.executable, "-m", "reel2rig.lifter", "capture", str(clip), "--out", folder]
        subprocess.run(command, check=True, stdout=sys.stderr)
        whole = time.perf_counter() - started
        stages: dict[str, float] = json.loads((Path(folder) / "capture.json").read_text("utf-8"))["seconds"]
    stages["other"] = max(0.0, whole - sum(stages.values()))
    shares = {
        name: {"seconds": round(seconds, 3), "share": round(seconds / whole, 4)} for name, seconds in stages.items()
    }
    return {"clip": clip.name, "seconds": round(whole, 2), "stages": shares}
