"""Train the lifter on synthetic pairs. A run is one folder and can be killed and resumed."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from .errors import TrainingDataError, is_out_of_memory
from .evaluate import score
from .learning_rate import learning_rate_share
from .motion_set import MotionSet
from .network import DILATIONS, POINTS, Lifter
from .run_folder import LOG, RunFolder, require_finite
from .synthesis import Batch, PairMaker
from .workers import Workers

ENDS_WEIGHT = 0.7
MATRICES_FASTER = 40.0  # Muon's rate over AdamW's, the best of those tried
UP_WEIGHT = 0.05  # a unit vector's error against points that are about 0.05 statures off


@dataclass(frozen=True)
class TrainingSettings:
    """What a run was asked for; written to config.json. Defaults made the first run of the model that ships.

    initial_weights: .pth whose weights the run begins with, "" = random ones.
    learning_rate: of AdamW, at its height; matrix_rate: of Muon, which trains the matrices of the blocks.
    batch: windows a step, over all workers. patience: checks without gain after which training stops, 0 = never.
    precision: "float32" or "bfloat16" (mixed precision: matrix products in bfloat16, the rest in float32).
    """

    steps: int = 13000
    initial_weights: str = ""
    batch: int = 64
    frames: int = 49
    width: int = 304
    dilations: tuple[int, ...] = DILATIONS
    velocity_weight: float = 2.0
    learning_rate: float = 1e-3
    matrix_rate: float = MATRICES_FASTER * 1e-3
    weight_decay: float = 1e-2
    average: float = 0.999
    check_every: int = 500
    patience: int = 20
    seed: int = 1
    device: str = "cpu"
    precision: str = "float32"


def loss_of(predicted: Tensor, batch: Batch, velocity_weight: float) -> Tensor:
    """Mean distance of points and of their steps between frames, in statures; unseen frames count a quarter."""
    weight = torch.cat([torch.ones(24), torch.full((POINTS - 24,), ENDS_WEIGHT)]).to(predicted.device)
    seen = 0.25 + 0.75 * batch.seen[..., None].float()
    error = predicted - batch.target
    distance = _length(error)
    position = (distance[..., :POINTS] * weight * seen).mean()
    up = (distance[..., POINTS:] * seen).mean()
    step = _length(error[:, :, :POINTS].diff(dim=1))
    rate = batch.fps[:, None, None] / 30.0
    return position + UP_WEIGHT * up + velocity_weight * (step * rate * weight * seen[:, 1:]).mean()


def _length(vectors: Tensor) -> Tensor:
    """Norm over the last axis; several times faster than torch.norm on three numbers, and smooth at zero."""
    return (vectors.square().sum(-1) + 1e-12).sqrt()


class Run:
    """Everything that a run needs to go on after a kill."""

    def __init__(
        self,
        folder: Path,
        settings: TrainingSettings,
        training: MotionSet,
        validation: MotionSet,
        workers: Workers | None = None,
        device: str | None = None,
    ) -> None:
        self.folder, self.settings, self.validation = RunFolder(folder), settings, validation
        self.workers = workers or Workers()
        self.share = self.workers.share_of(settings.batch)
        self.data = [len(training.start), int(training.length.sum())]
        self.device = torch.device(device or settings.device)
        torch.manual_seed(settings.seed)
        self.network = Lifter(settings.width, tuple(settings.dilations)).to(self.device)
        self.averaged = Lifter(settings.width, tuple(settings.dilations)).to(self.device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.parallel = nn.parallel.DistributedDataParallel(self.network) if self.workers.count > 1 else self.network
        self.maker = PairMaker(training, settings.seed + 1000 * self.workers.rank, device=self.device)
        self.optimizers = self.network.optimizers(settings.learning_rate, settings.matrix_rate, settings.weight_decay)
        self.base_rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]
        self.step, self.best, self.stale, self.minutes = 0, math.inf, 0, 0.0
        self.running = torch.zeros((), device=self.device)

    def train(self) -> None:
        """Take the remaining steps, checking, recording and saving on the way.

        Raises TrainingDataError when memory runs out or the loss stops being a number.
        """
        settings = self.settings
        if self.workers.first:
            self.folder.start(settings)
            self.folder.forget_after(self.step)
            LOG.info("training from step %d: %s", self.step, asdict(settings))
        started, before = time.monotonic(), self.minutes
        progress = tqdm(
            total=settings.steps, initial=self.step, desc="train", unit="step", disable=not self.workers.first
        )
        with progress, remedies(settings.batch):
            while self.step < settings.steps and not self._is_stale():
                loss = self._take_step()
                self.running.lerp_(loss, max(0.01, 1 / self.step))
                progress.update()
                if self.step % settings.check_every == 0 or self.step == settings.steps:
                    self.minutes = before + (time.monotonic() - started) / 60
                    progress.set_postfix(loss=f"{float(self.running):.4f}", best=f"{self._check():.1f} mm")
        self._finish()

    def begin_with(self, weights: dict[str, Tensor]) -> None:
        """Take over a trained network's weights, of the same width."""
        self.network.load_state_dict(weights)
        self.averaged.load_state_dict(weights)

    def _take_step(self) -> Tensor:
        settings = self.settings
        share = learning_rate_share(self.step, settings.steps)
        for optimizer, rates in zip(self.optimizers, self.base_rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            optimizer.zero_grad(set_to_none=True)
        batch = self._batch()
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
            predicted = self.parallel(batch.features)
        loss = loss_of(predicted.float(), batch, settings.velocity_weight)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self._average()
        return loss.detach()

    def _batch(self) -> Batch:
        return self.maker.batch(self.share, self.settings.frames)

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        for averaged, weight in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            averaged.lerp_(weight, 1 - keep)

    def _check(self) -> float:
        """Score on the validation people, record and save; the best score so far, mm."""
        require_finite(float(self.running), self.step)
        randoms = self.workers.gather(self.maker.random.get_state())
        if self.workers.first:
            self.averaged.eval()
            found = score(self.averaged, self.validation, "noisy", windows=64, frames=self.settings.frames)
            better = found["mpjpe_mm"] < self.best
            self.best, self.stale = (found["mpjpe_mm"], 0) if better else (self.best, self.stale + 1)
            if better:
                self._save_weights("best_model.pth")
            self._save_state(randoms)
            row = (self.step, round(float(self.running), 5), found["mpjpe_mm"], found["ends_mm"])
            self.folder.record((*row, round(self.minutes, 2)))
        return self.best

    def _is_stale(self) -> bool:
        if not self.settings.patience or self.step % self.settings.check_every:
            return False
        stale = self.workers.agree(self.stale >= self.settings.patience)
        if stale and self.workers.first:
            LOG.info("stopped early: no gain in the last %d checks", self.stale)
        return stale

    def _finish(self) -> None:
        if self.workers.first:
            self._save_weights("final_model.pth")
            self.folder.draw_history()
            LOG.info("done: best %.1f mm; %s", self.best, self.folder.path / "best_model.pth")

    def _save_weights(self, name: str) -> None:
        weights = self.averaged.state_dict()
        self.folder.save(name, {"settings": self.averaged.settings, "weights": weights, "step": self.step})

    def _save_state(self, randoms: list[Tensor]) -> None:
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "randoms": randoms,
            "torch_random": torch.get_rng_state(),
            "running": self.running,
            "data": self.data,
            "step": self.step,
            "best": self.best,
            "stale": self.stale,
            "minutes": self.minutes,
        }
        self.folder.save("state.pth", state)

    def resume(self) -> None:
        """Go on from state.pth; the steps that follow are those an uninterrupted run would have taken.

        Raises TrainingDataError when there is no state, or it was saved by another number of workers or
        from other data.
        """
        state = self.folder.state()
        if len(state["randoms"]) != self.workers.count:
            raise TrainingDataError(
                f"This run had {len(state['randoms'])} workers, now there are {self.workers.count}. "
                "Resume it with the same number, so that the result is the same."
            )
        if state["data"] != self.data:
            raise TrainingDataError(
                f"This run learned from {state['data'][0]} clips of {state['data'][1]} frames, the training file has "
                f"{self.data[0]} of {self.data[1]}. Give the same --data, or start a new run."
            )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.maker.random.set_state(state["randoms"][self.workers.rank])
        torch.set_rng_state(state["torch_random"])
        self.running = state["running"].to(self.device)
        self.step, self.best, self.stale, self.minutes = (state[key] for key in ("step", "best", "stale", "minutes"))


@contextmanager
def remedies(batch: int) -> Iterator[None]:
    """Turn running out of memory into a word on what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingDataError(
            f"Out of memory with batches of {batch}. Use a smaller one, such as --batch {max(1, batch // 2)}, and "
            "--resume the run or start again."
        ) from error
