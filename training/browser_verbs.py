"""The verbs train-browser and export-browser of ``python -m reel2rig.training``."""

import argparse
from pathlib import Path

from .options import add_data, add_machine, add_steps
from .verbs import device_named, use_threads

MODEL = Path("runs") / "browser.pth"


def add_train_browser(verb: argparse.ArgumentParser) -> None:
    """Options of train-browser, and what it does."""
    add_steps(verb, 6000)
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument("--out", type=Path, default=MODEL, help="the model to write (.pth)")
    add_machine(verb)
    add_data(verb)
    verb.set_defaults(run=train_browser)


def add_export_browser(verb: argparse.ArgumentParser) -> None:
    """Options of export-browser, and what it does."""
    verb.add_argument("model", type=Path, help=".pth")
    verb.add_argument("--out", type=Path, default=Path("examples") / "browser", help="folder for model and metadata")
    add_data(verb)
    verb.set_defaults(run=export_browser)


def train_browser(options: argparse.Namespace) -> None:
    """Train the web page's lifter and say how far off it is."""
    from . import browser_train
    from .motion_set import read_motion_set

    use_threads(options.threads)
    motions = read_motion_set(options.data)
    settings = browser_train.BrowserSettings(options.steps, seed=options.seed, device=device_named(options.device))
    network = browser_train.train_browser(motions, options.out, settings)
    print(f"{options.out}, on people never seen:")
    for case, errors in browser_train.browser_scores(network, motions.only("val")).items():
        print(f"  {case}: " + ", ".join(f"{name} {value:.1f}" for name, value in errors.items()))


def export_browser(options: argparse.Namespace) -> None:
    """Write pose2d_to_3d.onnx and its metadata, checked against PyTorch."""
    from .browser_export import export_browser as write
    from .browser_model import load_browser_lifter
    from .browser_train import browser_scores
    from .motion_set import read_motion_set

    network = load_browser_lifter(options.model)
    print(write(network, options.out, browser_scores(network, read_motion_set(options.data).only("val"))))
