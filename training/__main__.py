"""python -m reel2rig.training: preprocess, train, evaluate, export and what belongs to them; each has --help."""

import argparse
import sys
from pathlib import Path

from . import browser_verbs, verbs
from .errors import TrainingDataError
from .readers import READERS

DATA = Path("processed") / "processed_data.npz"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 done, 2 when the data or the options are at fault."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except TrainingDataError as error:
        print(f"reel2rig training: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"reel2rig training: this needs {error.name}, which is not installed: pip install {error.name}",
              file=sys.stderr)  # fmt: skip
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reel2rig.training", description="Train the 2D-to-3D lifter.")
    found = parser.add_subparsers(required=True)
    _add_preprocess(found.add_parser("preprocess", help="read motion capture into one training file"))
    _add_train(found.add_parser("train", help="train; a killed run goes on with --resume FOLDER"))
    _add_baselines(found.add_parser("baselines", help="train the simpler lifters that evaluate compares with"))
    _add_evaluate(found.add_parser("evaluate", help="score on people and cameras never seen"))
    _add_export(found.add_parser("export", help="write the ONNX and its metadata, checked against PyTorch"))
    _add_ablate(found.add_parser("ablate", help="train and score small lifters that lack one part each"))
    browser_verbs.add_train_browser(found.add_parser("train-browser", help="train the lifter of examples/browser"))
    browser_verbs.add_export_browser(found.add_parser("export-browser", help="write the lifter of examples/browser"))
    _add_measure(found.add_parser("measure", help="a 2D detector's errors on rendered people of known pose"))
    return parser


def _add_preprocess(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--source",
        action="append",
        nargs="+",
        metavar=("KIND", "FOLDER"),
        help=f"{', '.join(READERS)}; may be given several times; alone, cmu_pack is the bundled motion (the default)",
    )
    verb.add_argument("--skeleton", type=Path, help="for bvh: a table (.json) that names your skeleton's joints")
    verb.add_argument("--validation", nargs="+", default=[], metavar="ACTOR", help="actors to hold out")
    verb.add_argument("--data", type=Path, default=DATA, help="the training file to write")
    verb.set_defaults(run=verbs.preprocess)


def _add_train(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--steps", type=int, default=13000)
    verb.add_argument("--batch", type=int, default=64, help="windows a step, over all GPUs")
    verb.add_argument("--width", type=int, default=304)
    verb.add_argument("--learning-rate", type=float, default=1e-3)
    verb.add_argument("--patience", type=int, default=20, help="checks without gain before stopping, 0 = never stop")
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument(
        "--precision", default="auto", choices=("auto", "float32", "bfloat16"), help="auto: bfloat16 where it is fast"
    )
    verb.add_argument("--threads", type=int, default=0, help="CPU threads, 0 = all")
    verb.add_argument("--name", default="lifter")
    verb.add_argument("--resume", type=Path, help="folder of a run")
    _add_common(verb)
    verb.set_defaults(run=verbs.train)


def _add_baselines(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--steps", type=int, default=6000)
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument("--out", type=Path, default=Path("runs") / "baselines")
    _add_common(verb)
    verb.set_defaults(run=verbs.baselines)


def _add_evaluate(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", type=Path, help=".pth")
    verb.add_argument("--baselines", type=Path, help="folder that the verb baselines wrote")
    verb.add_argument("--out", type=Path, help="JSON file")
    _add_common(verb)
    verb.set_defaults(run=verbs.evaluate)


def _add_export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", type=Path, help=".pth")
    verb.add_argument("--baselines", type=Path, help="folder that the verb baselines wrote")
    verb.add_argument("--out", type=Path, default=Path("lifter.onnx"))
    verb.add_argument("--data", type=Path, default=DATA, help="the training file")
    verb.set_defaults(run=verbs.export)


def _add_ablate(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--steps", type=int, default=1000)
    verb.add_argument("--only", nargs="+", default=[], metavar="WORDS", help="variants whose name holds one of these")
    verb.add_argument("--out", type=Path, default=Path("runs") / "ablation")
    verb.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    verb.add_argument("--threads", type=int, default=0, help="CPU threads, 0 = all")
    _add_common(verb)
    verb.set_defaults(run=verbs.ablate)


def _add_measure(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("renders", type=Path, help="folder with one folder a clip: view0.mp4 and truth.npz")
    verb.add_argument("--preset", choices=("fast", "balanced", "best"), default="balanced")
    verb.add_argument("--out", type=Path, default=Path("detector_noise.json"))
    verb.set_defaults(run=verbs.measure)


def _add_common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, default=DATA, help="the training file")
    verb.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))


if __name__ == "__main__":
    sys.exit(main())
