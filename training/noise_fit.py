"""Fit the figures of detector_noise.py to what a detector did on people of known pose.

Closed formulas throughout, chosen so that one kind of variation does not disturb the measurement of another:
a spread is told by the mean of log |error|, and how it varies by the covariance of log |x error| and log |y error|
(given the spread, the two are independent); memory in time by the signs of errors, which do not feel the spread.
For normal z: mean log |z| = -0.6352; mean of sign(a) sign(b) = 2/pi asin(correlation).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import mirrored
from .detector_noise import (
    CURVES,
    FACE,
    GROUPS,
    LEVELS,
    LIMB_POINTS,
    SWAPS,
    confidence_curves,
    face_middle,
    leader_of,
)

Mask = NDArray[np.bool_]

HIDDEN = 0.5  # confidence below which the detector admits that it guesses
MEAN_LOG_NORMAL = -0.6352
LIMB_OF = {point: index for index, points in enumerate(LIMB_POINTS) for point in points}
CENTRE = {0: 15, 1: 16, 2: 27, 3: 28}  # wrists and ankles: the points whose doubt stands for their limb
TRUSTED = ("nose", "face", "hips", "shoulders")  # the detector never admits to guess these


@dataclass(frozen=True)
class Seen:
    """N clips of T frames; NaN where a frame is missing. Lengths in shares of the person's box.

    truth (N, T, 33, 2) where the points are, from the picture's centre, never NaN; error (N, T, 33, 2) how far beside
    them the detector saw them; confidence (N, T, 33); hidden (N, T, 4) how much each limb is hidden; picture (N, 2)
    half its width and height; fps (N,).
    """

    truth: Array
    error: Array
    confidence: Array
    hidden: Array
    picture: Array
    fps: Array


def fit_noise(seen: Seen, step_correction: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The figures of DetectorNoise: shares of the box, seconds, shares of frames.

    step_correction: for each group what to add to the mean log step before bursts are told from it, because
    changes of the spread make steps too (noise_check.py finds it by simulation).
    """
    misplaced, swapped, doubled = misplacements(seen)
    shrink, error = _unshrunk(seen)
    outside = (np.abs(seen.truth) > seen.picture[:, None, None]).any(-1)
    clean = replace(seen, error=np.where((misplaced | outside)[..., None], np.nan, error))
    own: dict[str, Array] = {}
    groups: dict[str, dict[str, Any]] = {}
    for group in GROUPS:
        groups[group], own[group] = _group(clean, group)
    for group in TRUSTED:  # how errors grow in doubt is known from the limbs only
        ratio = np.exp(
            np.mean([np.log(np.divide(g["hidden"], g["sure"])) for n, g in groups.items() if n not in TRUSTED])
        )
        groups[group]["hidden"] = (np.array(groups[group]["sure"]) * ratio).tolist()
    drift_seconds = _memories(clean, groups, own, step_correction or {})
    tail = _tails(clean, groups, own)
    doubt = _confidences(clean, groups)
    return _rounded(
        {
            "groups": groups,
            "face_shrink": shrink,
            "drift_seconds": drift_seconds,
            "tail": tail,
            "doubt": doubt,
            "swapped": swapped,
            "doubled": doubled,
        }
    )


def misplacements(seen: Seen) -> tuple[Mask, dict[str, list[float]], dict[str, list[float]]]:
    """Points (N, T, 33) that sit on the other side's limb, and [share of frames, mean seconds] of exchanged left and
    right and of limbs that double the other."""
    found = seen.truth + seen.error
    swap = list(mirrored(BLAZEPOSE33))

    def on_other_side(points: tuple[int, ...]) -> Mask:
        own = np.linalg.norm(seen.error[:, :, points], axis=-1).mean(2)
        other = np.linalg.norm((found - seen.truth[:, :, swap])[:, :, points], axis=-1).mean(2)
        apart = np.linalg.norm((seen.truth - seen.truth[:, :, swap])[:, :, points], axis=-1).mean(2)
        return (other < 0.5 * own) & (apart > 0.06)

    limb = np.stack([on_other_side(points) for points in LIMB_POINTS], 2)
    trunk = on_other_side((11, 12, 23, 24))
    pairs = {"body": trunk, "arms": limb[:, :, :2].all(2) & ~trunk, "legs": limb[:, :, 2:].all(2) & ~trunk}
    either = np.stack([trunk | pairs[name] for name in ("arms", "arms", "legs", "legs")], 2)
    single = limb & ~either
    misplaced = np.zeros(seen.confidence.shape, bool)
    for index, points in enumerate(LIMB_POINTS):
        misplaced[:, :, points] = limb[:, :, index, None]
    misplaced[:, :, SWAPS["body"]] |= trunk[..., None]
    given = np.isfinite(seen.confidence[:, :, 0]).sum()
    swapped = {name: _runs(where[..., None], given, seen.fps) for name, where in pairs.items()}
    arm, leg = (_runs(single[:, :, columns], 2 * given, seen.fps) for columns in (slice(0, 2), slice(2, 4)))
    return misplaced, swapped, {"arm": arm, "leg": leg}


def _runs(where: Mask, given: int, fps: Array) -> list[float]:
    """Share of frames, and mean length in seconds of the stretches in (N, T, tracks)."""
    starts = where[:, 0].sum() + (where[:, 1:] & ~where[:, :-1]).sum()
    seconds = (where.sum((1, 2)) / fps).sum() / max(starts, 1)
    return [float(where.sum() / given), float(seconds)]


def _unshrunk(seen: Seen) -> tuple[list[float], Array]:
    """Mean and spread over clips of the face's size as seen, and the errors without that shrinking."""
    face, error = seen.truth[:, :, : len(FACE)], seen.error[:, :, : len(FACE)]
    arm = face - face_middle(face)
    lever = arm - arm.mean(2, keepdims=True)
    size = (lever * (error - error.mean(2, keepdims=True))).sum((2, 3)) / np.square(lever).sum((2, 3))
    clip = np.nanmean(size, axis=1)
    rest = error - clip[:, None, None, None] * arm
    return [float(1 + clip.mean()), float(clip.std())], np.concatenate([rest, seen.error[:, :, len(FACE) :]], 2)


def points_of(group: str) -> list[int]:
    """Which of the 33 points belong to a group."""
    return [BLAZEPOSE33.index(name) for name in GROUPS[group]]


def _group(seen: Seen, group: str) -> tuple[dict[str, Any], Array]:
    """Following and spread of a group, and its points' own errors (N, T, P, 2) over their spread, free of following.

    The two are found in turns: what is left over after following gives the spread, which weighs the following.
    """
    points = points_of(group)
    leaders = [BLAZEPOSE33.index(name) for name in (leader_of(p) for p in GROUPS[group]) if name]
    error, doubt = seen.error[:, :, points], 1 - seen.confidence[:, :, points]
    lead = seen.error[:, :, leaders] if leaders else np.zeros_like(error)
    follow, log_sure, slope = np.zeros(2), np.zeros(2), 0.0
    own = error
    for _ in range(6):
        log_sure, slope = _log_spread(own, doubt, group in TRUSTED)
        spread = np.exp(log_sure + slope * doubt[..., None])
        if leaders:
            follow = _following(error, lead, own / spread, doubt, spread, group in TRUSTED)
            own = error - (follow[0] + doubt * (follow[1] - follow[0]))[..., None] * lead
    figures = {
        "sure": np.exp(log_sure).tolist(),
        "hidden": np.exp(log_sure + slope).tolist(),
        "follow_sure": float(follow[0]),
        "follow_hidden": float(follow[1]),
    }
    return figures, own / np.exp(log_sure + slope * doubt[..., None])


def _log_spread(own: Array, doubt: Array, flat: bool) -> tuple[Array, float]:
    """Log spread of x and y when sure, and how much it grows up to full doubt (least squares on log |error|)."""
    known = np.isfinite(own).all(-1)
    log = np.log(np.abs(own[known]).clip(1e-6)) - MEAN_LOG_NORMAL
    off = doubt[known] - doubt[known].mean()
    slope = 0.0 if flat else float((off[:, None] * log).sum() / (2 * np.square(off).sum().clip(1e-9)))
    return log.mean(0) - slope * doubt[known].mean(), slope


def _following(error: Array, lead: Array, standard: Array, doubt: Array, spread: Array, flat: bool) -> Array:
    """What share of its leader's error a point takes over, sure and in doubt (robust least squares)."""
    known = np.isfinite(standard).all(-1) & np.isfinite(lead).all(-1)
    weight = 1 / (spread * np.sqrt(1 + np.square(standard).sum(-1, keepdims=True)))
    x, y = (lead * weight)[known], (error * weight)[known]
    part = doubt[known][:, None]
    if flat:
        return np.full(2, (x * y).sum() / np.square(x).sum())
    columns = np.stack([((1 - part) * x).ravel(), (part * x).ravel()], 1)
    return np.linalg.lstsq(columns, y.ravel(), rcond=None)[0]


def _lagged(product: Callable[[int], Array], frames: int) -> tuple[NDArray[np.int64], Array, Array]:
    """Lags in frames, mean of a product of two moments that far apart, and the number of pairs behind it."""
    lags = np.array([lag for lag in (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 26) if lag < frames])
    pairs = [product(int(lag)) for lag in lags]
    counts = np.array([np.isfinite(pair).sum() for pair in pairs])
    means = np.array([np.nanmean(pair) if count else 0.0 for pair, count in zip(pairs, counts, strict=True)])
    return lags, means, counts


def _apart(first: Array, second: Array, lag: int) -> Array:
    return first[:, lag:] * second[:, : second.shape[1] - lag]


def _fading(seconds: Array, values: Array, weights: Array, memory: float) -> tuple[Array, float]:
    """Constant and fading part (>= 0) of a correlation over time lags, and the misfit."""
    columns = np.stack([np.ones_like(seconds), np.exp(-seconds / memory)], 1)
    scale = np.sqrt(weights)[:, None]
    parts = np.linalg.lstsq(columns * scale, values * scale[:, 0], rcond=None)[0]
    if parts.min() < 0:
        one = int(parts.argmax())
        column = columns[:, one]
        parts = np.zeros(2)
        parts[one] = max(0.0, (weights * column * values).sum() / (weights * column**2).sum())
    return parts, float((weights * (columns @ parts - values) ** 2).sum())


MEMORIES = np.geomspace(0.05, 3.0, 40)  # seconds tried


def _memories(
    seen: Seen, groups: dict[str, dict[str, Any]], own: dict[str, Array], step_correction: Mapping[str, float]
) -> float:
    """Share of an error's variance that is constant, how bursty the rest drifts and how left and right go together,
    into ``groups``; the drift's memory in seconds.

    A drift that comes in bursts has smaller usual steps than a steady one with the same memory; that tells them apart.
    """
    curves: dict[str, tuple[Array, Array, Array]] = {}
    for group, values in own.items():
        sign = np.sign(values)
        lags, mean, counts = _lagged(lambda lag, s=sign: _apart(s, s, lag), values.shape[1])
        curves[group] = (lags[1:] / seen.fps.mean(), np.sin(np.pi / 2 * mean[1:]), counts[1:])
    misfit = [sum(_fading(*curve, memory)[1] for curve in curves.values()) for memory in MEMORIES]
    best = float(MEMORIES[int(np.argmin(misfit))])
    for group, curve in curves.items():
        bias, drift = _fading(*curve, best)[0]
        usual = np.nanmean(np.log(np.abs(np.diff(own[group], axis=1)).clip(1e-5))) - MEAN_LOG_NORMAL
        usual += step_correction.get(group, 0.0)
        bias /= max(bias + drift, 1e-6)
        steady = np.log((1 - bias) * (1 - np.exp(-1 / (best * seen.fps.mean()))) * 2) / 2
        burst = np.sqrt(np.clip(steady - usual, 0, 1))
        groups[group] |= {"bias": float(bias), "burst": float(burst), "paired": _paired(own[group], group)}
    return best


def _paired(own: Array, group: str) -> list[float]:
    """Correlation of left and right, in x and y."""
    sign, swap = np.sign(own), list(mirrored(GROUPS[group]))
    if swap == list(range(len(swap))):
        return [0.0, 0.0]
    return np.sin(np.pi / 2 * np.nanmean(sign * sign[:, :, swap], axis=(0, 1, 2))).tolist()


def _tails(seen: Seen, groups: dict[str, dict[str, Any]], own: dict[str, Array]) -> dict[str, float]:
    """How much the log spread varies, into ``groups``; which part of that is constant, and the memory of the rest."""
    logs, means, counts = {}, [], []
    lags = np.zeros(0, np.int64)
    for group, values in own.items():
        log = np.log(np.abs(values).clip(1e-4)) - MEAN_LOG_NORMAL
        logs[group] = log - np.nanmean(log, axis=(0, 1, 2))
        x, y = logs[group][..., 0], logs[group][..., 1]
        lags, mean, count = _lagged(lambda lag, x=x, y=y: (_apart(x, y, lag) + _apart(y, x, lag)) / 2, x.shape[1])
        groups[group]["tail"] = float(np.sqrt(max(mean[0], 1e-4)))
        means.append(mean)
        counts.append(count)
    mean = np.average(means, axis=0, weights=np.array(counts) + 1e-9)
    parts, memory = _best_fading(lags[1:] / seen.fps.mean(), mean[1:] / max(mean[0], 1e-6), np.sum(counts, 0)[1:])
    return {"constant": float(parts[0] / max(parts.sum(), 1e-6)), "seconds": memory}


def _best_fading(seconds: Array, values: Array, weights: Array) -> tuple[Array, float]:
    fits = [_fading(seconds, values, weights, memory) for memory in MEMORIES]
    best = int(np.argmin([misfit for _, misfit in fits]))
    return fits[best][0], float(MEMORIES[best])


def _confidences(seen: Seen, groups: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Quantiles of confidence when free and when hidden, into ``groups``, and how doubt lasts and is shared."""
    limb = np.concatenate([seen.hidden, np.zeros_like(seen.hidden[..., :1])], -1)
    hidden = limb[..., [LIMB_OF.get(point, 4) for point in range(33)]]
    normal = np.full(seen.confidence.shape, np.nan)
    for group in GROUPS:
        points = points_of(group)
        confidence, behind = seen.confidence[:, :, points], hidden[:, :, points]
        free = weighted_quantiles(confidence, np.clip(1 - 4 * behind, 0, 1))
        some = (behind > 0.75).sum() >= LEVELS
        covered = weighted_quantiles(confidence, np.clip(4 * behind - 3, 0, 1)) if some else free
        groups[group] |= {"confidence_free": free.tolist(), "confidence_hidden": covered.tolist()}
        normal[:, :, points] = _normal_scores(confidence, behind, free, covered)
    for group in GROUPS:
        shared = [
            correlation(normal[..., p], normal[..., CENTRE[LIMB_OF[p]]]) for p in points_of(group) if p in LIMB_OF
        ]
        groups[group]["doubt_shared"] = float(np.clip(np.mean(shared), 0, 1)) if shared else 0.0
    centres = normal[:, :, list(CENTRE.values())]
    lags, mean, counts = _lagged(lambda lag: _apart(centres, centres, lag), normal.shape[1])
    parts, memory = _best_fading(lags[1:] / seen.fps.mean(), mean[1:] / mean[0], counts[1:])
    return {"constant": float(parts[0] / parts.sum()), "seconds": memory}


def weighted_quantiles(values: Array, weights: Array) -> Array:
    """LEVELS quantiles from least to greatest."""
    known = np.isfinite(values) & (weights > 0)
    order = np.argsort(values[known])
    ranked, weight = values[known][order], weights[known][order]
    return np.interp(np.linspace(0, 1, LEVELS), (np.cumsum(weight) - weight / 2) / weight.sum(), ranked)


def _normal_scores(confidence: Array, hidden: Array, free: Array, covered: Array) -> Array:
    """The normal number (...) of which the model would make each confidence."""
    curves = confidence_curves(free.tolist(), covered.tolist())
    curve = curves[np.rint(hidden * (CURVES - 1)).astype(int)]
    below = (curve[..., 1:-1] <= confidence[..., None]).sum(-1, keepdims=True)
    low, high = (np.take_along_axis(curve, below + step, -1)[..., 0] for step in (0, 1))
    part = ((confidence - low) / np.maximum(high - low, 1e-9)).clip(0, 1)
    level = ((below[..., 0] + part) / (LEVELS - 1)).clip(0.01, 0.99)
    return torch.special.ndtri(torch.as_tensor(level)).numpy()


def correlation(first: Array, second: Array) -> float:
    """Correlation of two arrays (...) where both are known."""
    known = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[known], second[known])[0, 1])


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same with numbers of four significant digits."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}")
