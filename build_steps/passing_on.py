"""The verbs that hand everything to a module of the package: train and bench."""

import contextlib
import sys

from . import setup
from .children import run_child


def train(arguments: list[str]) -> int:
    """python build.py train ...: the same as python -m reel2rig.training ... in the main environment."""
    return run_child([setup.ensure().python, "-m", "reel2rig.training", *arguments])


def bench(arguments: list[str]) -> int:
    """python build.py bench: measure and print one JSON object, the only thing on standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        environment = setup.ensure(blender52=True)
    return run_child([environment.python, "-m", "reel2rig.benchmarks", *arguments])
