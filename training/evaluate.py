"""Score a lifter on people and cameras it never saw, beside simpler ones on the same pairs."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from .baselines import load_baselines, training_of
from .error_tally import ErrorTally
from .evaluation_cases import CASES
from .evaluation_table import comparisons
from .flip import flip_averaged
from .held_out import FPS, LONGEST_PIECE, HeldOutPairs
from .motion_set import MotionSet
from .network import POINTS, Lifter
from .synthesis import Batch, PairMaker

Method = Callable[[Batch], Tensor]  # joints, and whatever else ErrorTally.add takes
CAMERAS = 8  # each with a body shape of its own, before every piece of every clip
CONVENTIONS = {
    "joints": "SMPL's 24, the pelvis too, though its error is zero",
    "root": "pelvis: both are put at the origin before MPJPE, N-MPJPE (then the best scale) and PCK",
    "pa_mpjpe": "after the best similarity transform of each frame",
    "frames_per_second": FPS,
    "velocity": f"mpjve: mm per frame at {FPS:.0f} frames a second; acceleration: mm per frame squared",
    "pck_auc": "percent of joints within 150 mm; mean of that over 0, 5 ... 150 mm",
    "stature": "the person's true one, but for height_10_percent_low and _high",
    "axes": "camera axes",
    "flip_averaging": "as the product does, but for noisy_without_flip_averaging and the plain recipe",
}


def lifted(network: Lifter, batch: Batch, flip: bool = True) -> Tensor:
    """Points (B, T, 38, 3) in camera axes: 24 joints and 13 ends in metres at the true stature, then up."""
    output = flip_averaged(network, batch.features) if flip else network(batch.features)
    turned = output @ batch.rotation.mT
    size = batch.stature[:, None, None, None]
    return torch.cat([turned[:, :, :POINTS] * size, turned[:, :, POINTS:]], 2)


@torch.no_grad()
def tallies(batches: Iterable[Batch], methods: dict[str, Method]) -> dict[str, ErrorTally]:
    """The errors of all methods on the same batches."""
    found = {name: ErrorTally() for name in methods}
    for batch in batches:
        for name, method in methods.items():
            found[name].add(method(batch), batch)
    return found


def score(
    network: Lifter, motions: MotionSet, case: str, *, windows: int = 64, frames: int = 49, seed: int = 7
) -> dict[str, float]:
    """Quick errors on random windows for training to watch, without flip averaging; rows as in ``evaluate``."""
    asked = CASES[case]
    device = next(network.parameters()).device
    maker = PairMaker(motions, seed, augmentation=asked.augmentation, noise=asked.noise, device=device)
    batches = (maker.batch(32, frames) for _ in range(max(1, windows // 32)))
    return tallies(batches, {"lifter": lambda batch: lifted(network, batch, flip=False)})["lifter"].means()


def evaluate(
    network: Lifter, motions: MotionSet, baselines_folder: Path | None = None, *, cameras: int = CAMERAS, seed: int = 7
) -> dict[str, Any]:
    """All cases for the people in ``motions``, each clip whole before ``cameras`` cameras.

    With ``baselines_folder``, which train_baselines wrote, the baselines see the same pairs. Raises TrainingDataError
    when it holds none, or the motion is too short.
    """
    network.eval()
    device = next(network.parameters()).device
    methods: dict[str, Method] = {"lifter": lambda batch: lifted(network, batch)}
    if baselines_folder is not None:
        loaded = load_baselines(baselines_folder, device)
        methods |= {name: baseline.points for name, baseline in loaded.items()}
    report: dict[str, Any] = {
        "people": sorted(set(motions.subject.tolist())),
        "clips": len(motions.start),
        "cameras_per_clip": cameras,
        "longest_piece_frames": LONGEST_PIECE,
        "conventions": CONVENTIONS,
        "cases": {},
        "baselines": {name: {} for name in methods if name != "lifter"},
        "by_joint": {},
        "by_action": {},
    }
    if baselines_folder is not None:
        report["baselines_training"] = training_of(baselines_folder)
    for name, case in tqdm(CASES.items(), desc="evaluate", unit="case"):
        pairs = HeldOutPairs(motions, case, cameras=cameras, seed=seed, device=device)
        report["frames"] = cameras * sum(len(positions) for _, positions in pairs.pieces)
        extra: dict[str, Method] = {"without_flip": lambda batch: lifted(network, batch, flip=False)}
        found = tallies(pairs, methods | (extra if name == "noisy" else {}))
        report["cases"][name] = found["lifter"].means()
        for baseline in report["baselines"]:
            report["baselines"][baseline][name] = found[baseline].means()
        if name == "noisy":
            report["cases"]["noisy_without_flip_averaging"] = found["without_flip"].means()
        if name in ("noisy", "clean"):
            report["by_joint"][name] = found["lifter"].by_joint()
            report["by_action"][name] = found["lifter"].by_action(motions.action)
    report["comparisons"] = comparisons(report)
    return report
