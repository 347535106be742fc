"""A worker whose parent dies stops, as when Blender is killed."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
A_FEW_SECONDS = 20  # on a machine that has much else to do
# Starts a worker as the extension does, reads what it says, and says so itself once the detection goes on.
PARENT = """
import json, subprocess, sys
pipe = int(sys.argv[1])
worker = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[pipe])
for line in worker.stdout:
    said = json.loads(line)
    if said["stage"] == "detect" and said["done"] > 0:
        print("detecting", flush=True)
"""


def test_the_worker_ends_with_the_program_that_started_it_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    worker = [sys.executable, "-m", "reel2rig.lifter", "capture", str(DEMO), "--out", str(out), "--progress", "json"]
    # an end of this pipe stays open for as long as parent or worker live
    alive, kept = os.pipe()
    with (
        os.fdopen(alive),
        subprocess.Popen(
            [sys.executable, "-c", PARENT, str(kept), *worker], stdout=subprocess.PIPE, text=True, pass_fds=[kept]
        ) as parent,
    ):
        os.close(kept)
        assert parent.stdout is not None
        assert parent.stdout.readline() == "detecting\n"
        assert select.select([alive], [], [], 0)[0] == [], "both live"
        parent.send_signal(signal.SIGKILL)
        assert select.select([alive], [], [], A_FEW_SECONDS)[0] == [alive], "the worker still lives"
    assert list(tmp_path.iterdir()) == []
