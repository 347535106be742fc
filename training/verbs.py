"""What each verb of ``python -m reel2rig.training`` does with its options."""

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import TrainingDataError
from .json_file import write_json

if TYPE_CHECKING:
    from .train import TrainingSettings


def preprocess(options: argparse.Namespace) -> None:
    """Motion capture of any source into the training file."""
    from .preprocess import preprocess as write
    from .readers import sources

    write(sources(options.source, options.skeleton), options.data, validation=tuple(options.validation))


def train(options: argparse.Namespace) -> None:
    """Start a run, or go on with one."""
    from .motion_set import read_motion_set
    from .network import load_lifter
    from .train import Run
    from .workers import joined_workers

    use_threads(options.threads)
    motions = read_motion_set(options.data)
    folder, settings = (options.resume, _settings_of(options.resume)) if options.resume else _new_run(options)
    with joined_workers(device_named(settings.device)) as (workers, device):
        run = Run(folder, settings, motions.only("train"), motions.only("val"), workers, device)
        if options.resume:
            run.resume()
        elif options.weights:
            run.begin_with(load_lifter(options.weights, device).state_dict())
        if workers.first:
            print(f"training in {folder} on {settings.device} in {settings.precision}")
        run.train()


def _settings_of(folder: Path) -> "TrainingSettings":
    from .train import TrainingSettings

    try:
        return TrainingSettings(**json.loads((folder / "config.json").read_text("utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{folder} holds no run that can go on (no state.pth, or no readable config.json). "
            "Give the folder of a run."
        ) from error


def _new_run(options: argparse.Namespace) -> "tuple[Path, TrainingSettings]":
    from .network import load_lifter
    from .train import MATRICES_FASTER, TrainingSettings

    device = device_named(options.device)
    precision = precision_named(options.precision, device)
    settings = TrainingSettings(
        initial_weights=str(options.weights or ""),
        steps=options.steps,
        batch=options.batch,
        width=load_lifter(options.weights).settings["width"] if options.weights else options.width,
        learning_rate=options.learning_rate,
        matrix_rate=MATRICES_FASTER * options.learning_rate,
        patience=options.patience,
        seed=options.seed,
        device=device,
        precision=precision,
    )
    return Path("runs") / f"{options.name}_{time.strftime('%Y%m%d_%H%M%S')}", settings


def use_threads(count: int) -> None:
    """Compute with ``count`` CPU threads, 0 = as many as PyTorch likes."""
    import torch

    if count:
        torch.set_num_threads(count)


def device_named(asked: str) -> str:
    """cpu or cuda. Raises TrainingDataError when CUDA is asked for and not there."""
    import torch

    if asked == "cuda" and not torch.cuda.is_available():
        raise TrainingDataError(
            "PyTorch finds no CUDA GPU here. Leave out --device to use the processor (a run begun on a GPU needs one "
            "to go on), or install a CUDA build of PyTorch (https://pytorch.org/get-started/locally) and NVIDIA's "
            "driver."
        )
    return asked if asked != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")


def precision_named(asked: str, device: str) -> str:
    """float32 or bfloat16; "auto" is bfloat16 where the device computes with it."""
    import torch

    if asked != "auto":
        return asked
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # PyTorch 2.8 does not say
        fast = able.get("avx512_bf16") or able.get("amx_bf16")
    return "bfloat16" if fast else "float32"


def baselines(options: argparse.Namespace) -> None:
    """Train the plain recipe and the single-frame network that evaluate compares with."""
    from .baselines import train_baselines
    from .motion_set import read_motion_set

    use_threads(options.threads)
    motions = read_motion_set(options.data)
    train_baselines(motions, options.out, options.steps, seed=options.seed, device=device_named(options.device))


def evaluate(options: argparse.Namespace) -> None:
    """Score a model on people and cameras it never saw."""
    from .evaluate import evaluate as score
    from .evaluation_table import table
    from .motion_set import read_motion_set
    from .network import load_lifter

    use_threads(options.threads)
    network = load_lifter(options.model, device_named(options.device))
    report = score(network, read_motion_set(options.data).only("val"), options.baselines)
    print(table(report))
    if options.out:
        write_json(options.out, report)


def export(options: argparse.Namespace) -> None:
    """Write a model as ONNX with its metadata."""
    from .evaluate import evaluate as score
    from .export import export_lifter, require_onnx, rounded
    from .motion_set import read_motion_set
    from .network import load_lifter

    require_onnx()
    network = rounded(load_lifter(options.model))
    report = score(network, read_motion_set(options.data).only("val"), options.baselines)
    print(export_lifter(network, options.out, report))


def ablate(options: argparse.Namespace) -> None:
    """Small lifters that lack one part each, as a table."""
    from .ablation import ablate as train_variants
    from .ablation import ablation_table
    from .motion_set import read_motion_set
    from .train import TrainingSettings

    use_threads(options.threads)
    device = device_named(options.device)
    precision = precision_named(options.precision, device)
    settings = TrainingSettings(options.steps, width=192, device=device, precision=precision)
    report = train_variants(read_motion_set(options.data), options.out, settings, tuple(options.only))
    print(ablation_table(report))


def measure(options: argparse.Namespace) -> None:
    """A 2D detector's errors on rendered people, as the table that the pairs' noise is drawn from."""
    from .detector_error import measure as errors

    found = errors(options.renders, options.preset)
    write_json(options.out, found)
    print(f"{options.out}: {found['clips']} clips")
