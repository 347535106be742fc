"""Options that several verbs share."""

import argparse
from pathlib import Path

DATA = Path("processed") / "processed_data.npz"


def add_data(verb: argparse.ArgumentParser) -> None:
    """--data: the training file."""
    verb.add_argument("--data", type=Path, default=DATA, help="the training file")


def add_machine(verb: argparse.ArgumentParser) -> None:
    """--device and --threads: what to compute with."""
    verb.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    verb.add_argument("--threads", type=int, default=0, help="CPU threads, 0 = all")


def add_steps(verb: argparse.ArgumentParser, steps: int) -> None:
    """--steps, of which there is one at least."""
    verb.add_argument("--steps", type=positive, default=steps, help=f"{steps} when not given")


def positive(text: str) -> int:
    """A whole number above 0. Raises ValueError, which argparse turns into words."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
