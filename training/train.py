"""Train the lifter on synthetic pairs. A run is one folder and can be killed and resumed."""

import csv
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from .evaluate import score
from .motion_pack import MotionSet
from .network import POINTS, Lifter
from .synthesis import Batch, PairMaker

ENDS_WEIGHT = 0.7
VELOCITY_WEIGHT = 2.0
UP_WEIGHT = 0.05  # a unit vector's error against points that are about 0.05 statures off
RECORD = ("step", "loss", "validation_mpjpe_mm", "validation_ends_mm", "minutes")


@dataclass(frozen=True)
class TrainingSettings:
    """What a run was asked for; written to config.json."""

    steps: int = 17000
    batch: int = 32
    frames: int = 49
    width: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    average: float = 0.999
    check_every: int = 500
    seed: int = 1
    device: str = "cpu"


def loss_of(predicted: Tensor, batch: Batch) -> Tensor:
    """Mean distance of points and of their steps between frames, in statures; unseen frames count a quarter."""
    weight = torch.cat([torch.ones(24), torch.full((13,), ENDS_WEIGHT)]).to(predicted.device)
    seen = 0.25 + 0.75 * batch.seen[..., None].float()
    distance = (predicted - batch.target).norm(dim=-1)
    position = (distance[..., :POINTS] * weight * seen).mean()
    up = (distance[..., POINTS:] * seen).mean()
    step = (predicted.diff(dim=1) - batch.target.diff(dim=1)).norm(dim=-1)[..., :POINTS]
    rate = batch.fps[:, None, None] / 30.0
    return position + UP_WEIGHT * up + VELOCITY_WEIGHT * (step * rate * weight * seen[:, 1:]).mean()


class Run:
    """Everything that a run needs to go on after a kill."""

    def __init__(self, folder: Path, settings: TrainingSettings, training: MotionSet, validation: MotionSet) -> None:
        self.folder, self.settings, self.validation = folder, settings, validation
        device = torch.device(settings.device)
        torch.manual_seed(settings.seed)
        self.network = Lifter(settings.width).to(device)
        self.averaged = Lifter(settings.width).to(device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.maker = PairMaker(training, settings.seed, device=device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.step, self.best, self.minutes = 0, math.inf, 0.0

    def train(self) -> None:
        """Take the remaining steps, checking, recording and saving on the way."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.json").write_text(json.dumps(asdict(self.settings), indent=1))
        started, before = time.monotonic(), self.minutes
        progress = tqdm(total=self.settings.steps, initial=self.step, desc="train", unit="step", mininterval=5)
        running = None
        while self.step < self.settings.steps:
            loss = self._take_step()
            running = loss if running is None else 0.99 * running + 0.01 * loss
            progress.update()
            if self.step % self.settings.check_every == 0 or self.step == self.settings.steps:
                self.minutes = before + (time.monotonic() - started) / 60
                progress.set_postfix(loss=f"{running:.4f}", mpjpe=f"{self._check(running):.1f}")
        progress.close()
        self._save_weights("final_model.pth")

    def _take_step(self) -> float:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, self.step)
        batch = self.maker.batch(settings.batch, settings.frames)
        self.network.train()
        loss = loss_of(self.network(batch.features), batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        for mine, theirs in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)

    def _check(self, loss: float) -> float:
        self.averaged.eval()
        found = score(self.averaged, self.validation, "noisy", windows=64, frames=self.settings.frames)
        self._record((self.step, round(loss, 5), found["mpjpe_mm"], found["ends_mm"], round(self.minutes, 2)))
        if found["mpjpe_mm"] < self.best:
            self.best = found["mpjpe_mm"]
            self._save_weights("best_model.pth")
        self._save_state()
        return found["mpjpe_mm"]

    def _record(self, row: tuple[float, ...]) -> None:
        record = self.folder / "record.csv"
        new = not record.exists()
        with record.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(RECORD)
            writer.writerow(row)

    def _save_weights(self, name: str) -> None:
        _save_whole(
            {"settings": self.averaged.settings, "weights": self.averaged.state_dict(), "step": self.step},
            self.folder / name,
        )

    def _save_state(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.maker.random.get_state(),
            "torch_random": torch.get_rng_state(),
            "step": self.step,
            "best": self.best,
            "minutes": self.minutes,
        }
        _save_whole(state, self.folder / "state.pth")

    def resume(self) -> None:
        """Go on from state.pth; the steps that follow are those an uninterrupted run would have taken."""
        state = torch.load(self.folder / "state.pth", map_location=self.settings.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.maker.random.set_state(state["random"].cpu())
        torch.set_rng_state(state["torch_random"].cpu())
        self.step, self.best, self.minutes = state["step"], state["best"], state["minutes"]


def learning_rate(settings: TrainingSettings, step: int) -> float:
    """Warm up over 200 steps, then fall along a cosine to a hundredth."""
    warm = min(1.0, (step + 1) / 200)
    return settings.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / settings.steps)))


def _save_whole(data: dict[str, Any], path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(data, part)
    part.replace(path)
