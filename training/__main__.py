"""python -m reel2rig.training: preprocess, train, evaluate, export and what belongs to them; each has --help."""

import argparse
import sys
from pathlib import Path

from ..lifter.errors import CaptureError
from . import browser_verbs, verbs
from .errors import TrainingDataError, is_out_of_memory
from .options import DATA, add_data, add_machine, add_steps, positive
from .readers import READERS

INTERRUPTED = 3  # exit status, as of a capture


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 done, 1 when the machine is at fault, 2 the data or the options, 3 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except TrainingDataError as error:
        return _told(str(error), 2)
    except ModuleNotFoundError as error:
        return _told(f"this needs {error.name}, which is not installed: pip install {error.name}", 2)
    except CaptureError as error:
        return _told(f"{error.message} {error.hint}", error.exit_status)
    except OSError as error:
        return _told(f"{error}. Is the disk full, or may the folder not be read or written?", 1)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return _told("Out of memory. Close other programs, or use a machine or a --device with more.", 1)
    except KeyboardInterrupt:
        return _told("stopped. A run of train goes on from its last check with --resume FOLDER.", INTERRUPTED)
    return 0


def _told(message: str, status: int) -> int:
    print(f"reel2rig training: {message}", file=sys.stderr)
    return status


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
    add_steps(verb, 13000)
    verb.add_argument("--batch", type=positive, default=64, help="windows a step, over all GPUs")
    verb.add_argument("--width", type=positive, default=304)
    verb.add_argument("--learning-rate", type=float, default=1e-3, help="of AdamW; Muon's goes with it")
    verb.add_argument("--weights", type=Path, help="a .pth to begin with: train longer, or adapt it to other motion")
    verb.add_argument("--patience", type=int, default=20, help="checks without gain before stopping, 0 = never stop")
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument(
        "--precision", default="auto", choices=("auto", "float32", "bfloat16"), help="auto: bfloat16 where it is fast"
    )
    verb.add_argument("--name", default="lifter")
    verb.add_argument(
        "--resume", type=Path, help="folder of a run; of the options only --data and --threads count then"
    )
    add_machine(verb)
    add_data(verb)
    verb.set_defaults(run=verbs.train)


def _add_baselines(verb: argparse.ArgumentParser) -> None:
    add_steps(verb, 6000)
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument("--out", type=Path, default=Path("runs") / "baselines")
    add_machine(verb)
    add_data(verb)
    verb.set_defaults(run=verbs.baselines)


def _add_evaluate(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", type=Path, help=".pth")
    verb.add_argument("--baselines", type=Path, help="folder that the verb baselines wrote")
    verb.add_argument("--out", type=Path, help="JSON file")
    add_machine(verb)
    add_data(verb)
    verb.set_defaults(run=verbs.evaluate)


def _add_export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("model", type=Path, help=".pth")
    verb.add_argument("--baselines", type=Path, help="folder that the verb baselines wrote")
    verb.add_argument("--out", type=Path, default=Path("lifter.onnx"))
    add_data(verb)
    verb.set_defaults(run=verbs.export)


def _add_ablate(verb: argparse.ArgumentParser) -> None:
    add_steps(verb, 1000)
    verb.add_argument("--only", nargs="+", default=[], metavar="WORDS", help="variants whose name holds one of these")
    verb.add_argument("--out", type=Path, default=Path("runs") / "ablation")
    verb.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    add_machine(verb)
    add_data(verb)
    verb.set_defaults(run=verbs.ablate)


def _add_measure(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("renders", type=Path, help="folder with one folder a clip: view0.mp4 and truth.npz")
    verb.add_argument("--preset", choices=("fast", "balanced", "best"), default="balanced")
    verb.add_argument("--out", type=Path, default=Path("detector_noise.json"))
    verb.set_defaults(run=verbs.measure)


if __name__ == "__main__":
    sys.exit(main())
