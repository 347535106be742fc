"""Averaging a lifter with its mirror image, as lifter/lift.py does. A test holds the two together."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import END_NAMES, JOINT_NAMES, mirrored

POINT_SWAP = list(mirrored(BLAZEPOSE33))
OUTPUT_SWAP = [*mirrored(JOINT_NAMES), *(24 + index for index in mirrored(END_NAMES)), 37]


def mirrored_features(features: Tensor) -> Tensor:
    """The same person in a mirror: x negated, left and right exchanged. features (..., 100)."""
    points = features[..., :66].unflatten(-1, (33, 2))[..., POINT_SWAP, :] * features.new_tensor([-1.0, 1.0])
    return torch.cat([points.flatten(-2), features[..., 66:99][..., POINT_SWAP], features[..., 99:]], -1)


def mirrored_points(points: Tensor) -> Tensor:
    """Output of a lifter (..., 24 or 38, 3) in a mirror."""
    return points[..., OUTPUT_SWAP[: points.shape[-2]], :] * points.new_tensor([-1.0, 1.0, 1.0])


def flip_averaged(network: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """The mean of what the network says of a person and of the mirror image."""
    return (network(features) + mirrored_points(network(mirrored_features(features)))) / 2
