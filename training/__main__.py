"""python -m reel2rig.training preprocess | train | evaluate | export | measure"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .motion_pack import PACK, MotionSet, TrainingDataError, read_motion_set, read_pack, write_motion_set

if TYPE_CHECKING:
    from .train import Run

DATA = Path("processed") / "processed_data.npz"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 done, 2 when the data or the options are at fault."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except TrainingDataError as error:
        print(f"reel2rig training: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reel2rig.training", description="Train the 2D-to-3D lifter.")
    verbs = parser.add_subparsers(required=True)
    preprocess = verbs.add_parser("preprocess", help="read motion capture into one training file")
    preprocess.add_argument("--pack", type=Path, default=PACK, help="folder with train_*.npz and val_*.npz")
    preprocess.set_defaults(run=_preprocess)
    train = verbs.add_parser("train", help="train; a killed run goes on with --resume FOLDER")
    train.add_argument("--steps", type=int, default=17000)
    train.add_argument("--batch", type=int, default=32)
    train.add_argument("--width", type=int, default=256)
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="auto, cpu or cuda")
    train.add_argument("--threads", type=int, default=0, help="CPU threads, 0 = all")
    train.add_argument("--name", default="lifter")
    train.add_argument("--resume", type=Path, help="folder of a run")
    train.set_defaults(run=_train)
    evaluate = verbs.add_parser("evaluate", help="score on people and cameras never seen")
    evaluate.add_argument("model", type=Path, help=".pth")
    evaluate.add_argument("--out", type=Path, help="JSON file")
    evaluate.set_defaults(run=_evaluate)
    export = verbs.add_parser("export", help="write the ONNX and its metadata, checked against PyTorch")
    export.add_argument("model", type=Path, help=".pth")
    export.add_argument("--out", type=Path, default=Path("lifter.onnx"))
    export.set_defaults(run=_export)
    measure = verbs.add_parser("measure", help="a 2D detector's errors on rendered people of known pose")
    measure.add_argument("renders", type=Path, help="folder with one folder a clip: view0.mp4 and truth.npz")
    measure.add_argument("--preset", choices=("fast", "balanced", "best"), default="balanced")
    measure.add_argument("--out", type=Path, default=Path("detector_error.json"))
    measure.set_defaults(run=_measure)
    for verb in (preprocess, train, evaluate, export):
        verb.add_argument("--data", type=Path, default=DATA, help="the training file")
    return parser


def _preprocess(options: argparse.Namespace) -> None:
    motions = read_pack(options.pack)
    write_motion_set(options.data, motions)
    print(f"{options.data}: {len(motions.start)} clips, {len(motions.pelvis)} frames")


def _train(options: argparse.Namespace) -> None:
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    motions = read_motion_set(options.data)
    run = _resumed(options.resume, motions) if options.resume else _new_run(options, motions)
    print(f"training in {run.folder} on {run.settings.device}")
    run.train()


def _new_run(options: argparse.Namespace, motions: MotionSet) -> "Run":
    import torch

    from .train import Run, TrainingSettings

    device = options.device if options.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    settings = TrainingSettings(options.steps, options.batch, width=options.width, seed=options.seed, device=device)
    folder = Path("runs") / f"{options.name}_{time.strftime('%Y%m%d_%H%M%S')}"
    return Run(folder, settings, motions.only("train"), motions.only("val"))


def _resumed(folder: Path, motions: MotionSet) -> "Run":
    from .train import Run, TrainingSettings

    if not (folder / "state.pth").exists():
        raise TrainingDataError(f"{folder} holds no run that can go on (no state.pth). Give the folder of a run.")
    settings = TrainingSettings(**json.loads((folder / "config.json").read_text()))
    run = Run(folder, settings, motions.only("train"), motions.only("val"))
    run.resume()
    return run


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluate import evaluate, table
    from .network import load_lifter

    report = evaluate(load_lifter(options.model), read_motion_set(options.data).only("val"))
    print(table(report))
    if options.out:
        options.out.write_text(json.dumps(report, indent=1))


def _export(options: argparse.Namespace) -> None:
    from .evaluate import evaluate
    from .export import export_lifter
    from .network import load_lifter

    network = load_lifter(options.model)
    report = evaluate(network, read_motion_set(options.data).only("val"))
    print(export_lifter(network, options.out, report))


def _measure(options: argparse.Namespace) -> None:
    from .detector_error import measure

    found = measure(options.renders, options.preset)
    options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"{options.out}: {len(found['points'])} points over {found['clips']} clips")


if __name__ == "__main__":
    sys.exit(main())
