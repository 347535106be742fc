"""What each part of the lifter is worth: small lifters that lack one part each, trained and scored alike."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from .detector_noise import DetectorNoise
from .evaluate import Method, lifted, tallies
from .evaluation_cases import CASES
from .held_out import HeldOutPairs
from .json_file import write_json
from .motion_set import MotionSet
from .run_folder import LOG
from .synthesis import Batch, PairMaker
from .train import Run, TrainingSettings

SCORED = ("noisy", "clean", "missing_30_percent", "wide_lens")
CAMERAS = 3
COLUMNS = ("mpjpe_mm", "pa_mpjpe_mm", "mpjve_mm_per_frame")


@dataclass(frozen=True)
class WhiteNoise(DetectorNoise):
    """What is usually trained with: every point off by itself in every frame, by one percent of the box, and sure."""

    spread: float = 0.01

    def seen(
        self, rays: torch.Tensor, hidden: torch.Tensor, image: torch.Tensor, fps: torch.Tensor, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As DetectorNoise.seen."""
        box = (rays.amax(2) - rays.amin(2)).amax(-1).mean(1)[:, None, None, None]
        error = torch.randn(rays.shape, generator=random, device=rays.device)
        return rays + self.spread * box * error, torch.ones_like(rays[..., 0])


def same(batch: Batch) -> Batch:
    """The batch as it is."""
    return batch


def without_confidence(batch: Batch) -> Batch:
    """Every point counts as sure; missing ones are at zero and do not say so."""
    features = batch.features.clone()
    features[..., 66:99] = 1.0
    return replace(batch, features=features)


def in_the_picture(batch: Batch) -> Batch:
    """The person cut out of the picture in place of rays in a camera aimed at it; the lens is not known.

    Pixels are fractions of the picture, centred and scaled on the points that are seen; joints in camera axes.
    """
    pixels = batch.rays / batch.image.amax(1)[:, None, None, None]
    weight = batch.confidence[..., None] + 1e-4
    centre = (pixels * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True)
    size = (((pixels - centre).square() * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)).sqrt()
    size = size.clamp_min(1e-4)
    points = (pixels - centre) / size * (batch.confidence[..., None] > 0)
    features = torch.cat([points.flatten(2), batch.confidence, size[..., 0].log()], -1)
    upright = torch.eye(3, device=features.device).expand_as(batch.rotation)
    return replace(batch, features=features, target=batch.target @ batch.rotation.mT, rotation=upright)


@dataclass(frozen=True)
class Variant:
    """One small lifter: settings that differ from the others', the noise it learns with, what it sees of a batch."""

    settings: dict[str, Any] = field(default_factory=dict)
    noise: DetectorNoise | None = None
    change: Callable[[Batch], Batch] = same


VARIANTS: dict[str, Variant] = {
    "as shipped, but smaller (width 192)": Variant(),
    "window of 1 frame": Variant({"dilations": (0, 0, 0, 0, 0)}),
    "window of 27 frames": Variant({"dilations": (1, 2, 4, 4, 2)}),
    "window of 127 frames": Variant({"dilations": (2, 4, 9, 16, 32), "frames": 81, "batch": 38}),
    "width 96": Variant({"width": 96}),
    "width 288": Variant({"width": 288}),
    "picture instead of rays": Variant(change=in_the_picture),
    "trained without noise": Variant(noise=DetectorNoise(strength=0.0)),
    "trained with white noise": Variant(noise=WhiteNoise()),
    "without confidence": Variant(change=without_confidence),
    "without velocity loss": Variant({"velocity_weight": 0.0}),
    "trained on more, shorter stretches (17 frames)": Variant({"frames": 17, "batch": 184}),
}


class VariantRun(Run):
    """A run of a variant; it is scored once, at the end."""

    def __init__(self, folder: Path, settings: TrainingSettings, motions: MotionSet, variant: Variant) -> None:
        super().__init__(folder, settings, motions.only("train"), motions.only("val"))
        self.variant = variant
        if variant.noise is not None:
            self.maker = PairMaker(motions.only("train"), settings.seed, noise=variant.noise, device=self.device)

    def _batch(self) -> Batch:
        return self.variant.change(super()._batch())


def ablate(motions: MotionSet, folder: Path, settings: TrainingSettings, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Train and score all variants, or those whose names hold one of ``names``; ablation.json grows row by row."""
    file = folder / "ablation.json"
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for number, (name, variant) in enumerate(VARIANTS.items()):
        if names and not any(part in name for part in names):
            continue
        asked = replace(settings, check_every=settings.steps, **variant.settings)
        run = VariantRun(folder / f"variant_{number:02d}", asked, motions, variant)
        LOG.info(name)
        run.train()
        run.averaged.eval()
        report[name] = {"settings": asdict(asked), **_scores(run, motions.only("val"))}
        write_json(file, report)
    return report


def _scores(run: VariantRun, motions: MotionSet) -> dict[str, Any]:
    change = run.variant.change
    methods: dict[str, Method] = {
        "flip": lambda batch: lifted(run.averaged, change(batch)),
        "plain": lambda batch: lifted(run.averaged, change(batch), flip=False),
    }
    found: dict[str, Any] = {}
    for case in SCORED:
        pairs = HeldOutPairs(motions, CASES[case], cameras=CAMERAS, seed=7, device=run.device)
        rows = tallies(pairs, methods if case == "noisy" else {"flip": methods["flip"]})
        found[case] = rows["flip"].means()
        if case == "noisy":
            found["noisy_without_flip_averaging"] = rows["plain"].means()
    return found


def ablation_table(report: dict[str, Any]) -> str:
    """The report in Markdown: MPJPE of every case, and of the noisy one PA-MPJPE and MPJVE; mm, mm a frame."""
    cases = [*SCORED, "noisy_without_flip_averaging"]
    heads = ["variant", *(case.replace("_", " ") for case in cases), "PA, noisy", "MPJVE, noisy"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, row in report.items():
        figures = [row[case][COLUMNS[0]] for case in cases] + [row["noisy"][column] for column in COLUMNS[1:]]
        lines.append("| " + " | ".join([name, *(f"{figure:.1f}" for figure in figures)]) + " |")
    return "\n".join(lines)
