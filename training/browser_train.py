"""Train the web page's lifter on single frames of the synthetic pairs. Minutes on one core."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from .browser_model import STATURE, BrowserLifter
from .checkpoint import save_checkpoint
from .detector_noise import DetectorNoise
from .evaluation_cases import AS_RECORDED
from .joints_from_landmarks import joint_weights
from .learning_rate import learning_rate_share
from .metrics import mpjpe, pa_mpjpe
from .motion_set import MotionSet
from .synthesis import Augmentation, Batch, PairMaker

CASES: dict[str, tuple[Augmentation, DetectorNoise]] = {
    "detector_noise": (AS_RECORDED, DetectorNoise()),
    "exact_points": (AS_RECORDED, DetectorNoise(strength=0.0)),
    "lens_guessed": (replace(AS_RECORDED, focal_error=0.12), DetectorNoise()),
    "wide_lens_80_to_100_degrees": (replace(AS_RECORDED, field_of_view=(80.0, 100.0)), DetectorNoise()),
}


@dataclass(frozen=True)
class BrowserSettings:
    """What a training was asked for. A batch is ``people`` times ``frames`` samples."""

    steps: int = 6000
    people: int = 128
    frames: int = 4
    width: int = 480
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    average: float = 0.999
    seed: int = 1
    device: str = "cpu"


def train_browser(motions: MotionSet, path: Path, settings: BrowserSettings) -> BrowserLifter:
    """Train on the set's "train" people; write the averaged model to ``path`` (.pth) at the end, whole, and return it.

    Raises TrainingDataError when the set has no such people.
    """
    torch.manual_seed(settings.seed)
    network = BrowserLifter(settings.width, joint_weights(), settings.steps).to(settings.device)
    averaged = AveragedModel(network, avg_fn=_running_mean(settings.average), use_buffers=True)
    maker = PairMaker(motions.only("train"), settings.seed, device=settings.device)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    warm_up = min(200, 1 + settings.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_share(step, settings.steps, warm_up)
    )
    for step in (progress := tqdm(range(settings.steps), desc="train-browser", unit="step", mininterval=5)):
        slopes, joints = frames_of(maker.batch(settings.people, settings.frames), network.joint_weights)
        loss = (network(slopes) - joints).reshape(-1, 24, 3).norm(dim=-1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        averaged.update_parameters(network)
        if step % 100 == 0:
            progress.set_postfix(mm=f"{1000 * float(loss.detach()):.0f}", refresh=False)
    network.load_state_dict(averaged.module.state_dict())
    save_checkpoint(path, {"settings": network.cpu().settings, "weights": network.state_dict()})
    return network.eval()


def frames_of(batch: Batch, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes (N, 48) of joints got from the detector's points by ``weights`` (24, 33), and the true joints (N, 72).

    True joints: metres of people scaled to 1.70 m, pelvis at the origin, camera axes.
    """
    slopes = (weights @ batch.rays).flatten(0, 1).flatten(1)
    joints = batch.joints * (STATURE / batch.stature)[:, None, None, None]
    return slopes, joints.flatten(0, 1).flatten(1)


@torch.no_grad()
def browser_scores(network: BrowserLifter, people: MotionSet, samples: int = 4096) -> dict[str, dict[str, float]]:
    """Mean errors in millimetres at each person's true stature, per case: MPJPE from the pelvis, and Procrustes."""
    network.eval()
    scores = {}
    for case, (augmentation, noise) in CASES.items():
        batch = PairMaker(people, 7, augmentation=augmentation, noise=noise).batch(samples // 4, 4)
        slopes, joints = frames_of(batch, network.joint_weights)
        size = 1000 * batch.stature.repeat_interleave(4)[:, None] / STATURE
        found, truth = ((x * size).reshape(-1, 24, 3).numpy() for x in (network(slopes), joints))
        errors = {"mpjpe_mm": mpjpe(found, truth), "pa_mpjpe_mm": pa_mpjpe(found, truth)}
        scores[case] = {name: round(float(np.mean(values)), 1) for name, values in errors.items()}
    return scores


def _running_mean(keep: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential mean of weights that forgets the first ones sooner."""

    def mean(old: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        return old + (new - old) * (1 - min(keep, (1 + int(count)) / (10 + int(count))))

    return mean
