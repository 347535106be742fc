"""How a 2D detector errs: a model of bias, drift, jitter, occlusion, swaps and dropouts, fitted to BlazePose.

Spreads are shares of the person's box. The defaults were read off the detector's errors on rendered people with
known pose: slow error about 1.3 % of the box, jitter 0.3 %, hidden limbs off by 4-7 % and admitted by a low confidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import JOINT

FACE = tuple(range(11))
LIMBS = {
    "left_arm": ("left_elbow", "left_wrist", "left_pinky", "left_index", "left_thumb"),
    "right_arm": ("right_elbow", "right_wrist", "right_pinky", "right_index", "right_thumb"),
    "left_leg": ("left_knee", "left_ankle", "left_heel", "left_foot_index"),
    "right_leg": ("right_knee", "right_ankle", "right_heel", "right_foot_index"),
}
LIMB_POINTS = tuple(tuple(BLAZEPOSE33.index(name) for name in names) for names in LIMBS.values())

Uniform = Callable[..., Tensor]  # random numbers 0..1 of a shape


def hidden_limbs(joints: Tensor) -> Tensor:
    """How likely each limb (B, T, 4) is hidden behind the trunk, from camera-frame joints (B, T, 24, 3)."""
    trunk = joints[:, :, [JOINT["pelvis"], JOINT["spine3"], JOINT["neck"]]].mean(2)
    limbs = []
    for side, middle, end in (
        ("left", "elbow", "wrist"),
        ("right", "elbow", "wrist"),
        ("left", "knee", "ankle"),
        ("right", "knee", "ankle"),
    ):
        limb = (joints[:, :, JOINT[f"{side}_{middle}"]] + joints[:, :, JOINT[f"{side}_{end}"]]) / 2
        reach = 0.22 if middle == "elbow" else 0.12
        other = joints[:, :, JOINT[f"{'right' if side == 'left' else 'left'}_{middle}"]]
        before = trunk if middle == "elbow" else other
        behind = (limb[..., 2] - before[..., 2] > 0.05) & ((limb[..., 0] - before[..., 0]).abs() < reach)
        limbs.append(behind.float())
    return torch.stack(limbs, 2)


@dataclass(frozen=True)
class DetectorNoise:
    """Spreads as shares of the person's box, times in seconds, chances per window."""

    strength: float = 1.0
    bias: float = 0.010
    drift: float = 0.010
    drift_time: float = 0.4
    jitter: float = 0.003
    hidden_drift: float = 0.05
    face_shrink: tuple[float, float] = (0.45, 1.0)
    hide_behind: float = 0.8
    hide_at_random: float = 0.06
    swap: float = 0.03
    drop_points: float = 0.12
    drop_frames: float = 0.12
    scatter: float = 0.15
    missing: float = 0.0

    def seen(
        self, rays: Tensor, hidden: Tensor, image: Tensor, fps: Tensor, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Noisy rays (B, T, 33, 2) and confidence (B, T, 33).

        rays: exact slopes. hidden: (B, T, 4) limbs behind the trunk. image: (B, 2) half picture in slopes. fps: (B,).
        """
        count, frames = rays.shape[:2]
        uniform = lambda *shape: torch.rand(*shape, generator=random, device=rays.device)  # noqa: E731
        normal = lambda *shape: torch.randn(*shape, generator=random, device=rays.device)  # noqa: E731
        box = (rays.amax((2,)) - rays.amin((2,))).amax(-1).mean(1)[:, None, None, None]
        rays = _shrunk_face(rays, self.face_shrink, uniform(count, 1, 1, 1), self.strength)
        occluded = self._occluded(hidden, uniform)
        outside = (rays.abs() > image[:, None, None]).any(-1)
        poor = torch.maximum(occluded, outside.float())
        level = self.strength * torch.exp(0.5 * normal(count, 1, 1, 1))
        drift = _slow_noise(normal(count, frames, 33, 2), self.drift_time * fps)
        error = self.bias * normal(count, 1, 33, 2) + self.drift * drift + self.jitter * normal(count, frames, 33, 2)
        lost = self.hidden_drift * _slow_noise(normal(count, frames, 33, 2), 0.3 * fps) * poor[..., None]
        noisy = _swapped(rays + box * (level * error + self.strength * lost), self.swap * self.strength, uniform)
        doubt = torch.where(
            poor > 0.5, 0.05 + 0.6 * uniform(count, frames, 1) ** 2, 1 - 0.3 * uniform(count, frames, 1) ** 3
        )
        confidence = (doubt.expand(-1, -1, 33) * (0.9 + 0.1 * uniform(count, 1, 33))).clamp(0, 1)
        return noisy, confidence * self._kept(count, frames, uniform)

    def _occluded(self, hidden: Tensor, uniform: Uniform) -> Tensor:
        """Which points (B, T, 33) are hidden: limbs behind the trunk, and stretches at random."""
        count, frames = hidden.shape[:2]
        behind = hidden * (uniform(count, 1, 4) < self.hide_behind)
        limb = torch.maximum(behind, _stretches(count, frames, 4, self.hide_at_random * self.strength, uniform))
        points = torch.zeros(count, frames, 33, device=hidden.device)
        for index, names in enumerate(LIMB_POINTS):
            points[:, :, list(names)] = limb[:, :, index : index + 1]
        return points * (self.strength > 0)

    def _kept(self, count: int, frames: int, uniform: Uniform) -> Tensor:
        """1 where a point is given, 0 where it is missing."""
        whole = (uniform(count, 1, 33) > 0.3) | (uniform(count, 1, 1) > self.drop_points * self.strength)
        gaps = _stretches(count, frames, 1, self.drop_frames * self.strength, uniform) < 0.5
        # some windows lose points here and there, up to 40 % of them
        scattered = (uniform(count, 1, 1) < self.scatter * self.strength) * 0.4 * uniform(count, 1, 1)
        missing = uniform(count, frames, 33) >= scattered.clamp_min(self.missing)
        return (whole & gaps & missing).float()


def _shrunk_face(rays: Tensor, limits: tuple[float, float], share: Tensor, strength: float) -> Tensor:
    """Detectors pull the face's points together, most when it is small or turned away."""
    if strength == 0:
        return rays
    face = rays[:, :, list(FACE)]
    middle = face.mean(2, keepdim=True)
    shrunk = middle + (face - middle) * (limits[0] + (limits[1] - limits[0]) * share)
    return torch.cat([shrunk, rays[:, :, len(FACE) :]], 2)


def _slow_noise(white: Tensor, frames: Tensor) -> Tensor:
    """Unit noise with a Gaussian memory of ``frames`` (B,) frames, from white noise (B, T, ...)."""
    times = torch.arange(white.shape[1], device=white.device, dtype=white.dtype)
    kernel = torch.exp(-0.5 * ((times[:, None] - times) / frames[:, None, None].clamp_min(0.1)) ** 2)
    kernel = kernel / kernel.square().sum(-1, keepdim=True).sqrt()
    return torch.einsum("bts,bspc->btpc", kernel, white)


def _stretches(count: int, frames: int, tracks: int, chance: float, uniform: Uniform) -> Tensor:
    """1 inside a random stretch (B, T, tracks) of up to half the window, present with ``chance``."""
    times = torch.arange(frames, device=uniform(1).device)[None, :, None]
    first = uniform(count, 1, tracks) * frames
    length = uniform(count, 1, tracks) * frames / 2
    inside = (times >= first) & (times < first + length)
    return (inside & (uniform(count, 1, tracks) < chance)).float()


def _swapped(rays: Tensor, chance: float, uniform: Uniform) -> Tensor:
    """Exchange left and right arms or legs for a stretch of frames."""
    swapped = rays
    for left, right in ((LIMB_POINTS[0], LIMB_POINTS[1]), (LIMB_POINTS[2], LIMB_POINTS[3])):
        inside = _stretches(len(rays), rays.shape[1], 1, chance, uniform)[..., None] > 0.5
        order = list(range(33))
        for a, b in zip(left, right, strict=True):
            order[a], order[b] = b, a
        swapped = torch.where(inside, swapped[:, :, order], swapped)
    return swapped
