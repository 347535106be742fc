"""The mirror image in training is the product's."""

import numpy as np
import torch
from reel2rig.lifter.lift import _mirrored_points
from reel2rig.lifter.lift import mirrored_features as mirrored_in_product
from reel2rig.training.flip import flip_averaged, mirrored_features, mirrored_points


def test_features_and_points_are_mirrored_as_the_product_does() -> None:
    features = torch.randn(2, 5, 100, generator=torch.Generator().manual_seed(0))
    points = torch.randn(2, 5, 38, 3, generator=torch.Generator().manual_seed(1))
    for clip in range(2):
        np.testing.assert_allclose(mirrored_features(features)[clip], mirrored_in_product(features[clip].numpy()))
        np.testing.assert_allclose(mirrored_points(points)[clip], _mirrored_points(points[clip].double().numpy()))


def test_joints_alone_are_mirrored_alike() -> None:
    points = torch.randn(4, 38, 3)
    torch.testing.assert_close(mirrored_points(points[:, :24]), mirrored_points(points)[:, :24])


def test_what_is_averaged_treats_left_and_right_alike() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(100, 114)
    network = lambda features: layer(features).unflatten(-1, (38, 3))  # noqa: E731
    features = torch.randn(1, 3, 100)
    torch.testing.assert_close(
        flip_averaged(network, mirrored_features(features)), mirrored_points(flip_averaged(network, features))
    )
