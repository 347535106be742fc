"""How a 2D detector errs: a random model with the figures fitted to it on rendered people of known pose.

noise_fit.py fits the table, detector_noise.json holds it (``python -m reel2rig.training measure`` writes it). Lengths
are shares of the person's box, along the picture's axes. What the renders cannot show is chosen by hand and named as
such in DetectorNoise.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import JOINT, mirrored

TABLE = Path(__file__).parent / "detector_noise.json"

FACE = tuple(range(11))
EARS = (7, 8)
LIMBS = {
    "left_arm": ("left_elbow", "left_wrist", "left_pinky", "left_index", "left_thumb"),
    "right_arm": ("right_elbow", "right_wrist", "right_pinky", "right_index", "right_thumb"),
    "left_leg": ("left_knee", "left_ankle", "left_heel", "left_foot_index"),
    "right_leg": ("right_knee", "right_ankle", "right_heel", "right_foot_index"),
}
LIMB_POINTS = tuple(tuple(BLAZEPOSE33.index(name) for name in names) for names in LIMBS.values())

# Points of one group share their figures. An error hands itself on: a point follows that of its leader in part.
GROUPS: dict[str, tuple[str, ...]] = {
    "nose": ("nose",),
    "face": tuple(BLAZEPOSE33[index] for index in FACE[1:]),
    **{f"{part}s": (f"left_{part}", f"right_{part}") for part in ("hip", "shoulder", "elbow", "wrist")},
    "fingers": tuple(f"{side}_{part}" for side in ("left", "right") for part in ("pinky", "index", "thumb")),
    **{f"{part}s": (f"left_{part}", f"right_{part}") for part in ("knee", "ankle", "heel")},
    "toes": ("left_foot_index", "right_foot_index"),
}
LEADERS = {
    "shoulder": "hip", "elbow": "shoulder", "wrist": "elbow", "pinky": "wrist", "index": "wrist", "thumb": "wrist",
    "knee": "hip", "ankle": "knee", "heel": "ankle", "foot_index": "ankle",
}  # fmt: skip
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
# Which points change places in a swap: all of the body, the arms, the legs.
SWAPS: dict[str, tuple[int, ...]] = {
    "body": tuple(range(11, 33)),
    "arms": LIMB_POINTS[0] + LIMB_POINTS[1],
    "legs": LIMB_POINTS[2] + LIMB_POINTS[3],
}

LEVELS = 21  # quantiles of a confidence
CURVES = 21  # from a free limb to a hidden one

Points = TypeVar("Points", Tensor, NDArray[np.float64])
Uniform = Callable[..., Tensor]  # random numbers 0..1 of a shape


def leader_of(point: str) -> str | None:
    """The point whose error ``point`` follows: the next one up its limb, the nose for the face."""
    side, _, part = point.partition("_")
    if part in LEADERS:
        return f"{side}_{LEADERS[part]}"
    return "nose" if GROUP_OF[point] == "face" else None


def _sides(part: str) -> slice:
    left = BLAZEPOSE33.index(f"left_{part}")
    return slice(left, left + 2)  # the right one comes next


# Points and their leaders, leaders first.
CHAIN = (
    (slice(1, len(FACE)), slice(0, 1)),
    *((_sides(part), _sides(leader)) for part, leader in LEADERS.items()),
)


def hidden_limbs(joints: Tensor) -> Tensor:
    """How much each limb (B, T, 4) is hidden, 0..1, from camera-frame joints (B, T, 24, 3): arms by the trunk (pelvis
    to neck), legs by the other leg, told by the wrist and the ankle."""
    limbs = []
    for side, other in (("left", "right"), ("right", "left")):
        limbs.append(_behind(joints, f"{side}_wrist", "pelvis", "neck", 0.02, 0.2))
        limbs.append(_behind(joints, f"{side}_ankle", f"{other}_hip", f"{other}_ankle", 0.05, 0.1))
    return torch.stack([limbs[index] for index in (0, 2, 1, 3)], 2)


def _behind(joints: Tensor, end: str, first: str, last: str, depth: float, reach: float) -> Tensor:
    """How much a joint lies ``depth`` metres behind the line between two others and within ``reach`` metres of it as
    seen by the camera."""
    start = joints[:, :, JOINT[first]]
    line, away = joints[:, :, JOINT[last]] - start, joints[:, :, JOINT[end]] - start
    along = (line * away)[..., :2].sum(-1) / line[..., :2].square().sum(-1).clamp_min(1e-6)
    gap = away - along.clamp(0, 1)[..., None] * line
    return torch.sigmoid((gap[..., 2] - depth) / 0.04) * torch.exp(-0.5 * gap[..., :2].square().sum(-1) / reach**2)


@lru_cache(maxsize=1)
def fitted_figures() -> Mapping[str, Any]:
    """The figures that ship, as noise_fit.py makes them."""
    return json.loads(TABLE.read_text(encoding="utf-8"))["fitted"]


@dataclass(frozen=True)
class DetectorNoise:
    """Errors as measured, times ``strength``; 0 gives exact points. What follows ``figures`` is chosen, not measured.

    figures: see noise_fit.py. sharp_faces: share of windows whose face shrinks less than on renders (as with people of
    flesh and blood, whose features stand out). hide_at_random, drop_points, drop_frames, scatter: chance that a window
    has a limb hidden by a thing, points or frames or scattered points missing. missing: share of points missing.
    """

    strength: float = 1.0
    figures: Mapping[str, Any] = field(default_factory=fitted_figures, repr=False, hash=False)
    sharp_faces: float = 0.3
    hide_at_random: float = 0.06
    drop_points: float = 0.12
    drop_frames: float = 0.12
    scatter: float = 0.15
    missing: float = 0.0

    @classmethod
    def as_measured(cls, figures: Mapping[str, Any]) -> "DetectorNoise":
        """Nothing but what the renders showed."""
        return cls(figures=figures, sharp_faces=0, hide_at_random=0, drop_points=0, drop_frames=0, scatter=0)

    def seen(
        self, rays: Tensor, hidden: Tensor, image: Tensor, fps: Tensor, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Noisy rays (B, T, 33, 2) and confidence (B, T, 33).

        rays: exact slopes. hidden: (B, T, 4) limbs, 0..1. image: (B, 2) half picture in slopes. fps: (B,).
        """
        count, frames = rays.shape[:2]
        uniform = lambda *shape: torch.rand(*shape, generator=random, device=rays.device)  # noqa: E731
        normal = lambda *shape: torch.randn(*shape, generator=random, device=rays.device)  # noqa: E731
        table = _Table.of(self.figures, rays.device)
        box = (rays.amax(2) - rays.amin(2)).amax(-1).mean(1)[:, None, None, None]
        outside = (rays.abs() > image[:, None, None]).any(-1)
        stretch = _Stretches(fps, frames, uniform)
        double = torch.cat([stretch(*table.doubled[limb], 2, self.strength) for limb in ("arm", "leg")], 2)
        hidden = torch.maximum(hidden, double)
        at_random = stretch.within_window(self.hide_at_random * self.strength, 4)
        doubt, tail = table.doubt_and_tail(torch.maximum(hidden, at_random), fps, normal)
        confidence = torch.where(outside, 0.05 + 0.6 * uniform(count, frames, 1) ** 2, doubt)
        error = table.errors(confidence, tail, fps, normal)
        placed = self._shrunk_face(rays, table, uniform, normal)
        placed = table.on_other_side(placed, double) + self.strength * box * error
        swaps = [stretch(*table.swapped[name], 1, self.strength) for name in SWAPS]
        placed = table.exchanged(placed, torch.cat(swaps, 2))
        sure = 1 - (1 - confidence) * torch.where(outside, 1.0, min(self.strength, 1.0))
        return placed, sure * self._kept(count, frames, uniform, stretch)

    def _shrunk_face(self, rays: Tensor, table: "_Table", uniform: Uniform, normal: Uniform) -> Tensor:
        """Detectors pull the face's points together."""
        mean, spread = table.face_shrink
        count = len(rays)
        size = mean + spread * normal(count, 1, 1, 1)
        sharp = (uniform(count, 1, 1, 1) < self.sharp_faces) * uniform(count, 1, 1, 1)
        growth = self.strength * (1 - sharp) * (size - 1)
        face = rays[:, :, : len(FACE)]
        return torch.cat([face + (face - face_middle(face)) * growth, rays[:, :, len(FACE) :]], 2)

    def _kept(self, count: int, frames: int, uniform: Uniform, stretch: "_Stretches") -> Tensor:
        """1 where a point is given, 0 where it is missing."""
        whole = (uniform(count, 1, 33) > 0.3) | (uniform(count, 1, 1) > self.drop_points * self.strength)
        gaps = stretch.within_window(self.drop_frames * self.strength, 1) < 0.5
        # some windows lose points here and there, up to 40 % of them
        scattered = (uniform(count, 1, 1) < self.scatter * self.strength) * 0.4 * uniform(count, 1, 1)
        missing = uniform(count, frames, 33) >= scattered.clamp_min(self.missing)
        return (whole & gaps & missing).float()


def face_middle(face: Points) -> Points:
    """What the face's points (..., 11, 2) shrink to: between their mean and the ears'. Tensors or arrays alike."""
    middle = (face.mean(-2) + (face[..., EARS[0], :] + face[..., EARS[1], :]) / 2) / 2
    return middle[..., None, :]  # pyright: ignore[reportReturnType]


def confidence_curves(free: Sequence[float], hidden: Sequence[float]) -> NDArray[np.float64]:
    """Quantiles (CURVES, LEVELS) of confidence, from those (LEVELS,) of a limb in the open to those of a hidden one: in
    between it is either the one or the other, with a growing chance."""
    fine = np.linspace(0, 1, 201)
    values = np.concatenate([np.interp(fine, np.linspace(0, 1, LEVELS), curve) for curve in (free, hidden)])
    order = np.argsort(values)
    curves = []
    for share in np.linspace(0, 1, CURVES):
        weight = np.repeat([1 - share, share], len(fine))[order]
        known = weight > 0
        rank = (np.cumsum(weight) - weight / 2)[known] / weight.sum()
        curves.append(np.interp(np.linspace(0, 1, LEVELS), rank, values[order][known]))
    return np.array(curves)


class _Table:
    """The figures as tensors on a device, a row for each of the 33 points."""

    kept: ClassVar[dict[tuple[int, str], "_Table"]] = {}

    def __init__(self, figures: Mapping[str, Any], device: torch.device) -> None:
        self.figures = figures  # also keeps its id from being given to another
        self.face_shrink: tuple[float, float] = tuple(figures["face_shrink"])
        self.doubled: dict[str, tuple[float, float]] = {name: tuple(row) for name, row in figures["doubled"].items()}
        self.swapped: dict[str, tuple[float, float]] = {name: tuple(row) for name, row in figures["swapped"].items()}
        rows = [figures["groups"][GROUP_OF[name]] for name in BLAZEPOSE33]
        column = lambda key: torch.tensor([row[key] for row in rows], device=device)  # noqa: E731
        self.sure, self.growth = column("sure"), (column("hidden") / column("sure")).log().mean(1)
        self.tail, self.follow_sure, self.follow_hidden = (column(k) for k in ("tail", "follow_sure", "follow_hidden"))
        self.bias, self.drift = column("bias").sqrt()[:, None], (1 - column("bias")).sqrt()[:, None]
        angle = column("paired").asin() / 2  # mixes two independent errors to the wanted correlation
        self.own, self.other = angle.cos(), angle.sin()
        self.shared, self.burst = column("doubt_shared"), column("burst")
        curves = [confidence_curves(row["confidence_free"], row["confidence_hidden"]) for row in rows]
        self.curves = torch.tensor(np.array(curves), dtype=torch.float32, device=device).flatten()
        self.row = torch.arange(33, device=device) * CURVES * LEVELS
        limb = {point: index for index, points in enumerate(LIMB_POINTS) for point in points}
        self.limb = torch.zeros(5, 33, device=device)  # a product with it is quicker than an index
        for point in range(33):
            self.limb[limb.get(point, 4), point] = 1
        self.mirror = torch.tensor(mirrored(BLAZEPOSE33), device=device)
        self.moved = torch.zeros(len(SWAPS), 33, device=device)
        for row, points in zip(self.moved, SWAPS.values(), strict=True):
            row[list(points)] = 1

    @classmethod
    def of(cls, figures: Mapping[str, Any], device: torch.device) -> "_Table":
        key = (id(figures), str(device))
        if key not in cls.kept:
            cls.kept[key] = cls(figures, device)
        return cls.kept[key]

    def doubt_and_tail(self, hidden: Tensor, fps: Tensor, normal: Uniform) -> tuple[Tensor, Tensor]:
        """Confidence (B, T, 33) of limbs hidden (B, T, 4), and how much larger than usual errors are (B, T, 33)."""
        count, frames = hidden.shape[:2]
        limbs = torch.nn.functional.pad(hidden, (0, 1))
        own = self._lasting("doubt", normal(count, frames, 33 + 5), fps, normal)
        tail = self._lasting("tail", normal(count, frames, 5), fps, normal)
        common, single = self._of_limbs(own[..., 33:]), own[..., :33]
        u = self.shared * common + (1 - self.shared**2).sqrt() * single
        return self._confidence(u, self._of_limbs(limbs)), self.tail * self._of_limbs(tail)

    def _of_limbs(self, values: Tensor) -> Tensor:
        """Values (B, T, 5) of the limbs and the rest, for each of the 33 points."""
        return values @ self.limb

    def _confidence(self, u: Tensor, hidden: Tensor) -> Tensor:
        """Confidence (B, T, 33) of normal numbers ``u`` for points ``hidden`` 0..1."""
        along = torch.special.ndtr(u) * (LEVELS - 1)
        level = along.floor().clamp_max(LEVELS - 2)
        index = self.row + ((hidden * (CURVES - 1)).round() * LEVELS + level).long()
        return torch.lerp(self.curves.take(index), self.curves.take(index + 1), along - level)

    def on_other_side(self, rays: Tensor, limbs: Tensor) -> Tensor:
        """Put ``limbs`` (B, T, 4) where the other side's limb is."""
        return self._moved(rays, self._of_limbs(torch.nn.functional.pad(limbs, (0, 1))))

    def exchanged(self, rays: Tensor, swaps: Tensor) -> Tensor:
        """Exchange left and right of the body, the arms or the legs, SWAPS (B, T, 3); two exchanges undo each other."""
        return self._moved(rays, (swaps @ self.moved) % 2)

    def _moved(self, rays: Tensor, points: Tensor) -> Tensor:
        return torch.where(points[..., None] > 0.5, rays.index_select(2, self.mirror), rays)

    def _lasting(self, name: str, white: Tensor, fps: Tensor, normal: Uniform) -> Tensor:
        constant, seconds = self.figures[name]["constant"], self.figures[name]["seconds"]
        fixed = normal(len(white), 1, white.shape[2])
        return constant**0.5 * fixed + (1 - constant) ** 0.5 * fading_noise(white, seconds * fps)

    def errors(self, confidence: Tensor, tail: Tensor, fps: Tensor, normal: Uniform) -> Tensor:
        """Errors (B, T, 33, 2) in shares of the box: larger the less sure, each point following its leader."""
        count, frames = confidence.shape[:2]
        doubt = 1 - confidence
        burst = self.burst * self._of_limbs(normal(count, frames, 5))
        push = normal(count, frames, 33, 2) * torch.exp(burst - self.burst**2)[..., None]
        drift = fading_noise(push.flatten(2), self.figures["drift_seconds"] * fps).unflatten(2, (33, 2))
        noise = self.bias * normal(count, 1, 33, 2) + self.drift * drift
        noise = self.own * noise + self.other * noise.index_select(2, self.mirror)
        error = noise * torch.exp(self.growth * doubt + tail)[..., None] * self.sure
        follow = (self.follow_sure + doubt * (self.follow_hidden - self.follow_sure))[..., None]
        for points, leaders in CHAIN:
            error[:, :, points] += follow[:, :, points] * error[:, :, leaders]
        return error


def fading_noise(white: Tensor, frames: Tensor) -> Tensor:
    """Unit noise whose memory fades exponentially over ``frames`` (B,), from white noise (B, T, C) (a first-order
    autoregression, written as the product with its Cholesky factor)."""
    times = torch.arange(white.shape[1], device=white.device, dtype=white.dtype)
    apart = times[:, None] - times
    step = 1 / frames[:, None, None].clamp_min(0.05)
    kernel = torch.exp(-apart.clamp_min(0) * step) * (apart >= 0)
    innovation = (1 - torch.exp(-2 * step)).sqrt()
    return (kernel * torch.where(times > 0, innovation, 1.0)) @ white


class _Stretches:
    """Random stretches of frames, as (B, T, tracks) of 1 inside and 0 outside."""

    def __init__(self, fps: Tensor, frames: int, uniform: Uniform) -> None:
        self.fps, self.frames, self.uniform = fps[:, None, None], frames, uniform
        self.times = torch.arange(frames, device=fps.device)[None, :, None]

    def __call__(self, share: float, seconds: float, tracks: int, strength: float) -> Tensor:
        """Stretches of ``seconds`` on average that take up ``share`` of all frames."""
        count = len(self.fps)
        mean = seconds * self.fps
        length = -mean * torch.log(self.uniform(count, 1, tracks).clamp_min(1e-6)) + 0.5
        first = self.uniform(count, 1, tracks) * (self.frames + length) - length
        chance = strength * share * (self.frames + length) / (mean + 0.5)
        return self._inside(first, length, chance)

    def within_window(self, chance: float, tracks: int) -> Tensor:
        """A stretch of up to half the window, present with ``chance``."""
        count = len(self.fps)
        first = self.uniform(count, 1, tracks) * self.frames
        return self._inside(first, self.uniform(count, 1, tracks) * self.frames / 2, chance)

    def _inside(self, first: Tensor, length: Tensor, chance: Tensor | float) -> Tensor:
        inside = (self.times >= first) & (self.times < first + length)
        return (inside & (self.uniform(*first.shape) < chance)).float()
