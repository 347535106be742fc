"""lifter/virtual_camera.py in torch, for batches on any device. A test holds the two together."""

import torch
from torch import Tensor

from ..lifter.virtual_camera import (
    CENTRE_SMOOTHING,
    CORE_POINTS,
    LIMB_SHARE,
    MISSING_WEIGHT,
    SIZE_SMOOTHING,
    SMALLEST_SIZE,
)


def virtual_views(rays: Tensor, confidence: Tensor, fps: Tensor) -> tuple[Tensor, Tensor]:
    """Features (B, T, 100) and camera_from_virtual (B, T, 3, 3).

    rays: (B, T, 33, 2) slopes. confidence: (B, T, 33) 0..1, 0 = missing. fps: (B,).
    """
    share = torch.full((33,), LIMB_SHARE, device=rays.device)
    share[list(CORE_POINTS)] = 1.0
    weights = confidence + MISSING_WEIGHT
    centre = _smoothed_mean(rays, weights * share, CENTRE_SMOOTHING * fps)
    rotation = _turn_from_z(torch.cat([centre, torch.ones_like(centre[..., :1])], -1))
    turned = torch.cat([rays, torch.ones_like(rays[..., :1])], -1) @ rotation
    flat = turned[..., :2] / turned[..., 2:].clamp_min(0.1)
    size = _smoothed_mean((flat**2).sum(-1, keepdim=True), weights, SIZE_SMOOTHING * fps).sqrt().clamp_min(1e-4)
    seen = flat / size[:, :, None] * (confidence > 0)[..., None]
    return torch.cat([seen.flatten(2), confidence, size.clamp_min(SMALLEST_SIZE).log()], -1), rotation


def _smoothed_mean(values: Tensor, weights: Tensor, sigma: Tensor) -> Tensor:
    times = torch.arange(values.shape[1], device=values.device, dtype=values.dtype)
    distance = (times[:, None] - times).abs()[None]
    radius = (4.0 * sigma + 0.5).floor()[:, None, None]  # where scipy's gaussian_filter1d cuts the kernel
    kernel = torch.exp(-0.5 * (distance / sigma[:, None, None]) ** 2) * (distance <= radius)
    total = kernel @ weights.sum(2, keepdim=True)
    return (kernel @ (values * weights[..., None]).sum(2)) / total.clamp_min(1e-12)


def _turn_from_z(axis: Tensor) -> Tensor:
    x, y, z = (axis / axis.norm(dim=-1, keepdim=True)).unbind(-1)
    k = 1.0 / (1.0 + z)
    rows = [1 - k * x * x, -k * x * y, x, -k * x * y, 1 - k * y * y, y, -x, -y, z]
    return torch.stack(rows, -1).reshape(*axis.shape[:-1], 3, 3)
