"""The virtual camera in torch and the one in numpy are the same."""

import numpy as np
import pytest
import torch
from reel2rig.lifter.virtual_camera import virtual_view
from reel2rig.training.views import virtual_views


@pytest.mark.parametrize(("frames", "scale"), [(1, 1.0), (2, 1.0), (49, 1.0), (200, 1.0), (49, 0.05)])
def test_training_and_capture_see_the_same(frames: int, scale: float) -> None:
    random = np.random.default_rng(frames)
    fps = np.array([20.0, 30.0, 60.0])
    path = np.cumsum(random.normal(0, 0.02, (3, frames, 1, 2)), axis=1) + random.uniform(-0.6, 0.6, (3, 1, 1, 2))
    rays = path + scale * random.normal(0, 0.1, (3, frames, 33, 2))
    confidence = random.random((3, frames, 33)) * (random.random((3, frames, 33)) > 0.2)
    tensors = (torch.as_tensor(array) for array in (rays, confidence, fps))
    features, rotation = virtual_views(*tensors)
    for one in range(3):
        view = virtual_view(rays[one], confidence[one], float(fps[one]))
        np.testing.assert_allclose(features[one].numpy(), view.features, atol=1e-5)
        np.testing.assert_allclose(rotation[one].numpy(), view.camera_from_virtual, atol=1e-5)
