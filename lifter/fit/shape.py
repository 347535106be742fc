"""Betas of a person, once per clip: from robust bone lengths and the given stature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT
from ..errors import InputError

# Joint pairs whose distance never changes with the pose; sides are averaged.
LENGTHS: dict[str, tuple[tuple[str, str], ...]] = {
    "thigh": (("left_hip", "left_knee"), ("right_hip", "right_knee")),
    "shin": (("left_knee", "left_ankle"), ("right_knee", "right_ankle")),
    "upper_arm": (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow")),
    "forearm": (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")),
    "hips": (("left_hip", "right_hip"),),
    "collars": (("left_collar", "left_shoulder"), ("right_collar", "right_shoulder")),
    "waist": (("pelvis", "spine1"),),
    "belly": (("spine1", "spine2"),),
    "neck": (("spine3", "neck"),),
}
# Mass and muscle cannot be seen from joints: they keep their preset. Gender shows in hips beside collars.
SEEN_BETAS = ("height", "gender", "thigh", "shin", "upperarm", "forearm", "torso", "shoulders")
BUILD = ("mass", "gender", "muscle")
NORMAL = 1.4826  # standard deviations in the median distance from the median
LENGTH_SPREAD = 0.004  # metres, how well the length of a bone is known that does not change
WANDERING_SHARE = 0.5  # of what it changes by, slower than from frame to frame, that its median may be wrong by
STATURE_SPREAD = 0.005
SCALE_SPREAD = 0.1  # of the logarithm of how much longer or shorter all measured bones may be than the true ones


def measured_bones(joints: Array, confidence: Array) -> tuple[Array, Array]:
    """Lengths (9,) of the entries of LENGTHS and how well they are known, both in metres; NaN if never seen.

    joints (T, 24, 3) m, confidence (T, 24). Medians over the frames seen best, without what jitter adds to a distance:
    points that are off across a bone make it longer, never shorter. A bone whose length wanders is known badly.
    """
    lengths, changes, jitters = _measured(joints, confidence)
    wandering = np.sqrt(np.maximum(changes**2 - jitters**2, 0.0))
    lengths = np.sqrt(np.maximum(lengths**2 - 2 * jitters**2, 0.5 * lengths**2))
    return lengths, np.hypot(LENGTH_SPREAD, WANDERING_SHARE * wandering)


def measured_lengths(joints: Array, confidence: Array) -> Array:
    """Only the lengths (9,) of measured_bones."""
    return measured_bones(joints, confidence)[0]


def _measured(joints: Array, confidence: Array) -> tuple[Array, Array, Array]:
    """Of each entry of LENGTHS: median, robust spread over the clip, and the part of it that comes frame by frame."""
    result = np.full((3, len(LENGTHS)), np.nan)
    for row, pairs in enumerate(LENGTHS.values()):
        first, second = (np.array([JOINT[name] for name in names]) for names in zip(*pairs, strict=True))
        apart = joints[:, first].astype(np.float64) - joints[:, second]
        lengths = np.sqrt((apart * apart).sum(axis=-1))
        weights = np.minimum(confidence[:, first], confidence[:, second]).astype(np.float64) + 1e-3
        changes = lengths[2:] - 2.0 * lengths[1:-1] + lengths[:-2]
        middle = _weighted_median(lengths, weights)
        spread = _weighted_median(np.abs(lengths - middle), weights)
        jitter = _weighted_median(np.abs(changes), weights[1:-1]) / np.sqrt(6.0)
        result[:, row] = middle, NORMAL * spread, NORMAL * np.nan_to_num(jitter)
    return result[0], result[1], result[2]


def _weighted_median(values: Array, weights: Array) -> float:
    """The middle of ``values`` by weight; those that are not finite do not count, NaN if none is."""
    known = np.isfinite(values)
    values, weights = values[known], weights[known]
    if not len(values):
        return np.nan
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def solve_betas(
    body: Body,
    lengths: Array,
    stature: float | None,
    spread: float | Array = LENGTH_SPREAD,
    fixed: Mapping[str, float] | None = None,
) -> Array:
    """Betas (B,) that give the bone ``lengths`` (9,; NaN where unknown) and the ``stature``, metres.

    spread: metres, how well the lengths are known, one for all or (9,). fixed: betas by name that the user sets, such
    as mass and muscle; those that joints do not show otherwise have the body's neutral preset. Ridge towards the
    model's mean with two standard deviations per beta; bodies without named betas (beta0, beta1, ...) use them all.
    With a stature the lengths tell proportions only: estimated bones are all a little short, since unsure positions
    average out. Raises InputError("unknown_beta") for a name that the body does not have.
    """
    start, free = _preset(body, fixed or {})
    known = np.isfinite(lengths)
    spread = np.broadcast_to(spread, lengths.shape)[known]
    misfit = _Misfit(body, start, free, _lengths_of_betas(body, known), lengths[known], spread, stature)
    solution = least_squares(
        misfit.residuals,
        np.zeros(1 + len(free)),
        misfit.jacobian,  # pyright: ignore[reportArgumentType]
        loss="soft_l1",
    )
    return misfit.betas(solution.x).astype(np.float32)


@dataclass(frozen=True)
class _Misfit:
    """How far betas are from what was measured and from what is usual, in standard deviations.

    Functions of values (1 + F,): the logarithm of how much longer the measured lengths are to be taken, then the betas
    that are ``free`` of ``start`` (B,). lengths_of: betas to lengths (N,) and their derivatives (N, B).
    """

    body: Body
    start: Array
    free: list[int]
    lengths_of: Callable[[Array], tuple[Array, Array]]
    lengths: Array
    spread: Array
    stature: float | None

    def betas(self, values: Array) -> Array:
        """All betas (B,)."""
        betas = self.start.copy()
        betas[self.free] = values[1:]
        return betas

    @cached_property
    def crown_above_sole(self) -> tuple[float, Array]:
        """Metres between the mean body's highest and lowest vertex, and by how much each beta adds (B,)."""
        heights = self.body.v_template[:, 1]
        ends = [int(heights.argmax()), int(heights.argmin())]
        return float(np.subtract(*heights[ends])), np.subtract(*self.body.shapedirs[ends, 1])

    def residuals(self, values: Array) -> Array:
        """(N + 2 + F,): lengths, stature, scale, free betas."""
        betas, scale, height = self.betas(values), 1.0, 0.0
        if self.stature is not None:
            tall, taller = self.crown_above_sole
            scale, height = np.exp(values[0]), (tall + taller @ betas - self.stature) / STATURE_SPREAD
        off = (self.lengths_of(betas)[0] - scale * self.lengths) / self.spread
        return np.concatenate([off, [height, values[0] / SCALE_SPREAD], 0.5 * values[1:]])

    def jacobian(self, values: Array) -> Array:
        """(N + 2 + F, 1 + F): slopes of the residuals."""
        count, free = len(self.spread), self.free
        slopes = np.zeros((count + 2 + len(free), 1 + len(free)))
        slopes[:count, 1:] = self.lengths_of(self.betas(values))[1][:, free] / self.spread[:, None]
        slopes[count + 1, 0] = 1 / SCALE_SPREAD
        slopes[count + 2 :, 1:] = 0.5 * np.eye(len(free))
        if self.stature is not None:
            slopes[:count, 0] = -np.exp(values[0]) * self.lengths / self.spread
            slopes[count, 1:] = self.crown_above_sole[1][free] / STATURE_SPREAD
        return slopes


def betas_of_build(body: Body, build: str | None) -> dict[str, float]:
    """The betas of BUILD by name, as one of the body's presets has them; none for None and "auto".

    Raises InputError("no_build") for a preset that the body does not have.
    """
    if build in (None, "auto"):
        return {}
    presets = dict(body.presets)
    if build not in presets:
        hint = f"Give one of {', '.join(presets)}." if presets else "Only the open body has them."
        raise InputError("no_build", f"The body has no build called {build}.", hint)
    values = dict(zip(body.beta_names, presets[build].tolist(), strict=True))
    return {name: values[name] for name in BUILD}


def _preset(body: Body, fixed: Mapping[str, float]) -> tuple[Array, list[int]]:
    """Betas before solving, as ``fixed`` or preset where joints do not show them, else 0; and which are free."""
    count = body.shapedirs.shape[-1]
    names = body.beta_names or tuple(f"beta{i}" for i in range(count))
    unknown = sorted(set(fixed) - set(names))
    if unknown:
        raise InputError(
            "unknown_beta", f"The body has no {', '.join(unknown)}.", f"Its betas are: {', '.join(names)}."
        )
    neutral = dict(zip(names, np.asarray(dict(body.presets).get("neutral", np.zeros(count)), float), strict=True))
    free = [i for i, name in enumerate(names) if name not in fixed and (not body.beta_names or name in SEEN_BETAS)]
    start = np.array([0.0 if i in free else fixed.get(name, neutral[name]) for i, name in enumerate(names)])
    return start, free


def _lengths_of_betas(body: Body, known: NDArray[np.bool_]) -> Callable[[Array], tuple[Array, Array]]:
    """Betas (B,) -> the ``known`` entries of LENGTHS (n,) in metres, and their derivatives (n, B)."""
    pairs = [LENGTHS[name] for name, is_known in zip(LENGTHS, known, strict=True) if is_known]
    first, second = (np.array([JOINT[pair[end]] for sides in pairs for pair in sides]) for end in (0, 1))
    counts = [len(sides) for sides in pairs]
    mean = np.repeat(np.eye(len(pairs)) / counts, counts, axis=1)  # over the sides
    rest, by_beta = body.joint_template, body.joint_directions
    rest, by_beta = (rest[first] - rest[second]).astype(float), (by_beta[first] - by_beta[second]).astype(float)

    def lengths(betas: Array) -> tuple[Array, Array]:
        bones = rest + by_beta @ betas
        size = np.linalg.norm(bones, axis=-1)
        return mean @ size, mean @ np.einsum("pa,pab->pb", bones / size[:, None], by_beta)

    return lengths
