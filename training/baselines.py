"""Simpler lifters trained on the same data, so that every claim about ours is a difference.

plain_recipe: what a first attempt does. 24 joints in the picture, as fractions of it, to 24 joints in metres along the
axes of the recorded world, centred on their mean; mean squared error; no confidence, no camera, no height.
single_frame: our features of one frame to our joints (statures, virtual camera axes) by the same network; MPJPE loss.
Both are the network of Martinez et al. (2017). They learn from the same batches, for as many steps.
"""

import csv
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..lifter.atomic_file import written_whole
from ..lifter.virtual_camera import FEATURES
from .checkpoint import Explained, load_checkpoint, save_checkpoint
from .detector_noise import DetectorNoise
from .evaluation_cases import AS_RECORDED
from .flip import flip_averaged
from .frame_network import FrameNetwork
from .joints_from_landmarks import joint_weights
from .json_file import write_json
from .metrics import mpjpe
from .motion_set import MotionSet
from .synthesis import Augmentation, Batch, PairMaker

FRAMES = 8  # consecutive frames a window: few, so that a batch holds many people
LEARNING_RATE = 1e-3
CHECK_EVERY = 500
REMEDY = "Make it with: python -m reel2rig.training baselines"


def picture_joints(batch: Batch, weights: Tensor) -> Tensor:
    """Joints (B, T, 48) in the picture, -1..1 across it, mixed from the detector's points by weights (24, 33).

    A point the detector missed stays where it was last seen, or will be next, or in the middle of the others.
    """
    points = _held(batch.rays, batch.confidence > 0) / batch.image[:, None, None]
    return (weights @ points).flatten(2)


def _held(points: Tensor, seen: Tensor) -> Tensor:
    """Points (B, T, P, 2) whose missing ones are filled in time."""
    count = points.shape[1]
    times = torch.arange(count, device=points.device)[None, :, None]
    last = torch.where(seen, times, -1).cummax(1).values
    following = torch.where(seen, times, count).flip(1).cummin(1).values.flip(1)
    source = torch.where(last >= 0, last, following.clamp_max(count - 1))
    known = ((last >= 0) | (following < count))[..., None]
    filled = points.gather(1, source[..., None].expand_as(points))
    middle = (filled * known).sum(2, keepdim=True) / known.sum(2, keepdim=True).clamp_min(1)
    return torch.where(known, filled, middle)


@dataclass(frozen=True)
class PlainRecipe:
    """See the module. weights: (24, 33), joints from points."""

    network: nn.Module
    weights: Tensor

    def loss(self, batch: Batch) -> Tensor:
        """Mean squared error, square metres."""
        world = batch.joints @ batch.world_from_camera[:, None].mT
        return (self._world(batch) - (world - world.mean(2, keepdim=True))).square().mean()

    def points(self, batch: Batch) -> Tensor:
        """Joints (B, T, 24, 3) in metres, camera axes."""
        return self._world(batch) @ batch.world_from_camera[:, None]

    def _world(self, batch: Batch) -> Tensor:
        return _frame_by_frame(self.network, picture_joints(batch, self.weights))


@dataclass(frozen=True)
class SingleFrame:
    """See the module."""

    network: nn.Module

    def loss(self, batch: Batch) -> Tensor:
        """MPJPE in statures."""
        return (_frame_by_frame(self.network, batch.features) - batch.target[:, :, :24]).norm(dim=-1).mean()

    def points(self, batch: Batch) -> Tensor:
        """Joints (B, T, 24, 3) in metres at the true stature, camera axes; averaged with the mirror image as ours."""
        lifted = flip_averaged(lambda features: _frame_by_frame(self.network, features), batch.features)
        return lifted @ batch.rotation.mT * batch.stature[:, None, None, None]


Baseline = PlainRecipe | SingleFrame


def _frame_by_frame(network: nn.Module, inputs: Tensor) -> Tensor:
    """Inputs (B, T, F) to joints (B, T, 24, 3)."""
    return network(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2]).unflatten(-1, (24, 3))


def new_baselines(device: torch.device | str = "cpu") -> dict[str, Baseline]:
    """The two, not trained yet."""
    return {
        "plain_recipe": PlainRecipe(FrameNetwork(48, 72).to(device), joint_weights().to(device)),
        "single_frame": SingleFrame(FrameNetwork(FEATURES, 72).to(device)),
    }


def train_baselines(
    motions: MotionSet, folder: Path, steps: int = 6000, batch: int = 64, seed: int = 1, device: str = "cpu"
) -> dict[str, float]:
    """Train both on ``motions``' split "train", ``batch`` windows of 8 frames a step; returns their last MPJPE in mm.

    Writes plain_recipe.pth, single_frame.pth, config.json, and record.csv with errors on the split "val" on the way.
    """
    settings = {"steps": steps, "batch": batch, "frames": FRAMES, "learning_rate": LEARNING_RATE, "seed": seed}
    write_json(folder / "config.json", settings)
    torch.manual_seed(seed)
    baselines, errors = new_baselines(device), {}
    # pixels know no focal length: an error in it would only blur what the plain recipe sees
    pixels = replace(Augmentation(), focal_error=0.0)
    training = PairMaker(motions.only("train"), seed, augmentation=pixels, device=device)
    validation = PairMaker(motions.only("val"), 7, augmentation=AS_RECORDED, noise=DetectorNoise(), device=device)
    checks = [validation.batch(32, FRAMES) for _ in range(8)]
    optimizer = torch.optim.AdamW([p for b in baselines.values() for p in b.network.parameters()], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, LEARNING_RATE / 100)
    started, rows = time.monotonic(), []
    for step in tqdm(range(1, steps + 1), desc="baselines", unit="step", mininterval=5):
        _take_step(baselines, training.batch(batch, FRAMES), optimizer)
        schedule.step()
        if step % CHECK_EVERY == 0 or step == steps:
            errors = {name: round(_mean_error(baseline, checks), 2) for name, baseline in baselines.items()}
            minutes = round((time.monotonic() - started) / 60, 2)
            rows.append([step, step * batch * FRAMES, *errors.values(), minutes])
            _save(folder, baselines, rows)
    return errors


def _save(folder: Path, baselines: dict[str, Baseline], rows: list[list[float]]) -> None:
    for name, baseline in baselines.items():
        save_checkpoint(folder / f"{name}.pth", {"weights": baseline.network.state_dict()})
    with written_whole(folder / "record.csv") as part, part.open("w", newline="") as file:
        record = csv.writer(file)
        record.writerow(["step", "frames_seen", *(f"{name}_mpjpe_mm" for name in baselines), "minutes"])
        record.writerows(rows)


def _take_step(baselines: dict[str, Baseline], batch: Batch, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    for baseline in baselines.values():
        baseline.network.train()
        baseline.loss(batch).backward()
    optimizer.step()


@torch.no_grad()
def _mean_error(baseline: Baseline, batches: list[Batch]) -> float:
    """MPJPE in millimetres."""
    baseline.network.eval()
    errors = [mpjpe(baseline.points(batch).cpu().numpy(), batch.joints.cpu().numpy()).mean() for batch in batches]
    return 1000.0 * float(sum(errors)) / len(errors)


def load_baselines(folder: Path, device: torch.device | str = "cpu") -> dict[str, Baseline]:
    """What train_baselines wrote. Raises TrainingDataError when it is not there."""
    baselines = new_baselines(device)
    for name, baseline in baselines.items():
        path = folder / f"{name}.pth"
        with Explained(path, "trained baseline", REMEDY):
            baseline.network.load_state_dict(load_checkpoint(path, device)["weights"])
        baseline.network.eval()
    return baselines


def training_of(folder: Path) -> dict[str, Any]:
    """How the baselines in ``folder`` were trained: settings, and their errors on the way.

    Raises TrainingDataError when the folder does not say.
    """
    with Explained(folder, "folder of trained baselines", REMEDY), (folder / "record.csv").open(newline="") as file:
        record = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        return {"settings": json.loads((folder / "config.json").read_text("utf-8")), "record": record}
