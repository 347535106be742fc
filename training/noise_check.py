"""Does the noise that is simulated look like the noise that was measured? Both are told by the same statistics."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.rotation import Array
from .detector_noise import GROUPS, DetectorNoise, leader_of
from .noise_fit import HIDDEN, Seen, correlation, fit_noise, points_of

LAGS = (0.1, 0.3, 0.9)  # seconds
CLIPPED = 3.0  # errors beyond this many medians are cut to it before they are correlated


def simulated(seen: Seen, figures: Mapping[str, Any], seeds: int) -> Seen:
    """The same people seen ``seeds`` times through the noise of ``figures``."""
    copies = {key: np.concatenate([value] * seeds) for key, value in vars(seen).items()}
    truth, hidden, picture, fps = (
        torch.as_tensor(copies[key], dtype=torch.float32) for key in ("truth", "hidden", "picture", "fps")
    )
    random = torch.Generator().manual_seed(0)
    found, confidence = DetectorNoise.as_measured(figures).seen(truth, hidden, picture, fps, random)
    lost = np.isnan(copies["confidence"])
    error = np.where(lost[..., None], np.nan, found.numpy() - copies["truth"])
    return replace(Seen(**copies), error=error, confidence=np.where(lost, np.nan, confidence.numpy()))


def fit_and_check(seen: Seen, rounds: int = 4) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures whose simulation also has the usual steps that were measured, and the comparison of the two."""
    correction = dict.fromkeys(GROUPS, 0.0)
    for _ in range(rounds):
        figures = fit_noise(seen, correction)
        noise = simulated(seen, figures, seeds=8)
        correction = {g: 0.8 * (_usual_step(seen, g) - _usual_step(noise, g)) + c for g, c in correction.items()}
    figures = fit_noise(seen, correction)
    return figures, compared(seen, simulated(seen, figures, seeds=20))


def _usual_step(seen: Seen, group: str) -> float:
    points = points_of(group)
    return float(np.log(np.nanmedian(np.linalg.norm(np.diff(seen.error[:, :, points], axis=1), axis=-1))))


def compared(measured: Seen, noise: Seen) -> dict[str, dict[str, list[float]]]:
    """For each group and statistic [measured, simulated]."""
    rows = {}
    for group in GROUPS:
        one, two = statistics(measured, group), statistics(noise, group)
        rows[group] = {key: [round(one[key], 3), round(two[key], 3)] for key in one}
    return rows


def statistics(seen: Seen, group: str) -> dict[str, float]:
    """Errors and steps in percent of the box, quantiles of confidence, and correlations over time and with the
    point that a point follows."""
    points = points_of(group)
    error, confidence = 100 * seen.error[:, :, points], seen.confidence[:, :, points]
    distance, step = np.linalg.norm(error, axis=-1), np.linalg.norm(np.diff(error, axis=1), axis=-1)
    found = {f"error_p{q}": float(np.nanpercentile(distance, q)) for q in (50, 90, 99)}
    found |= {f"step_p{q}": float(np.nanpercentile(step, q)) for q in (50, 90)}
    found |= {f"confidence_p{q}": float(np.nanpercentile(confidence, q)) for q in (10, 25, 50)}
    known = confidence[np.isfinite(confidence)]
    found["hidden_share"] = float((known < HIDDEN).mean())
    for name, mask in (("sure", confidence >= HIDDEN), ("hidden", confidence < HIDDEN)):
        if mask.mean() > 0.02:
            found[f"error_{name}_p50"] = float(np.median(distance[mask]))
    cut = _cut(error)
    for seconds in LAGS:
        lag = round(seconds * float(seen.fps.mean()))
        if lag < error.shape[1]:
            found[f"correlation_{seconds}s"] = correlation(cut[:, lag:], cut[:, : error.shape[1] - lag])
    leaders = [BLAZEPOSE33.index(name) for name in (leader_of(p) for p in GROUPS[group]) if name]
    if leaders:
        found["correlation_leader"] = correlation(cut, _cut(100 * seen.error[:, :, leaders]))
    return found


def _cut(error: Array) -> Array:
    limit = CLIPPED * np.nanmedian(np.abs(error))
    return error.clip(-limit, limit)
