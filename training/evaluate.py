"""Score a lifter on people and cameras it never saw."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from .detector_noise import DetectorNoise
from .metrics import acceleration_error, mpjpe, pa_mpjpe, velocity_error
from .motion_pack import MotionSet
from .network import POINTS, Lifter
from .synthesis import Augmentation, PairMaker

# Cameras and shapes stay random; the motion is played as recorded.
AS_RECORDED = Augmentation(
    rate=(30.0, 30.0), speed=(1.0, 1.0), recombine=0.0, joint_turn=0.0, lean=0.0, tumble=0.0, focal_error=0.0
)
CLEAN = DetectorNoise(strength=0.0)
CASES: dict[str, tuple[Augmentation, DetectorNoise]] = {
    "noisy": (AS_RECORDED, DetectorNoise()),
    "clean": (AS_RECORDED, CLEAN),
    "missing_30_percent": (AS_RECORDED, DetectorNoise(missing=0.3)),
    "wide_lens": (replace(AS_RECORDED, field_of_view=(80.0, 100.0)), DetectorNoise()),
    "focal_length_guessed": (replace(AS_RECORDED, focal_error=0.12), DetectorNoise()),
}


@torch.no_grad()
def score(
    network: Lifter, motions: MotionSet, case: str, *, windows: int = 256, frames: int = 81, seed: int = 7
) -> dict[str, float]:
    """Errors in millimetres at each actor's true stature; velocities per frame at 30 fps.

    All 24 joints, both pelvises at the origin; 'ends' are the 13 further points.
    """
    augmentation, noise = CASES[case]
    device = next(network.parameters()).device
    maker = PairMaker(motions, seed, augmentation=augmentation, noise=noise, device=device)
    rows: list[dict[str, float]] = []
    for _ in range(max(1, windows // 32)):
        batch = maker.batch(32, frames)
        size = 1000.0 * batch.stature[:, None, None, None]
        output = network(batch.features)
        predicted, truth = (x[:, :, :POINTS].mul(size).cpu().numpy() for x in (output, batch.target))
        joints, true_joints = predicted[:, :, :24], truth[:, :, :24]
        rows.append(
            {
                "mpjpe_mm": float(mpjpe(joints, true_joints).mean()),
                "pa_mpjpe_mm": float(pa_mpjpe(joints, true_joints).mean()),
                "ends_mm": float(np.linalg.norm(predicted[:, :, 24:] - truth[:, :, 24:], axis=-1).mean()),
                "mpjve_mm_per_frame": float(velocity_error(joints, true_joints).mean()),
                "up_degrees": up_error(output[:, :, POINTS], batch.target[:, :, POINTS]),
                "acceleration_mm_per_frame2": float(acceleration_error(joints, true_joints).mean()),
            }
        )
    return {key: round(float(np.mean([row[key] for row in rows])), 2) for key in rows[0]}


def up_error(predicted: torch.Tensor, truth: torch.Tensor) -> float:
    """Mean angle in degrees between the world's up as seen over a whole window, (B, T, 3) each."""
    cosine = torch.nn.functional.cosine_similarity(predicted.mean(1), truth.mean(1), dim=-1)
    return float(torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).mean())


def evaluate(network: Lifter, motions: MotionSet) -> dict[str, Any]:
    """All cases for the validation people."""
    network.eval()
    people = sorted(set(motions.subject.tolist()))
    return {"people": people, "cases": {case: score(network, motions, case) for case in CASES}}


def table(report: dict[str, Any]) -> str:
    """The report as a text table."""
    columns = list(next(iter(report["cases"].values())))
    lines = ["case".ljust(22) + "".join(column.rjust(28) for column in columns)]
    for case, row in report["cases"].items():
        lines.append(case.ljust(22) + "".join(f"{row[column]:28.1f}" for column in columns))
    return "\n".join(lines)
