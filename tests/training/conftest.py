"""A small motion set, so that training can be tried in seconds."""

import numpy as np
import pytest
from reel2rig.smpl_assets.rotation import continuous_quaternions, quaternion_from_axis_angle
from reel2rig.training.motion_set import MotionSet


@pytest.fixture(scope="session")
def motions() -> MotionSet:
    """Three clips of smooth random motion at 30 fps: two to train with, one of another person to check with."""
    random = np.random.default_rng(0)
    lengths = np.array([90, 120, 100])
    clips = []
    for length in lengths:
        wave = np.sin(random.uniform(0.5, 3, (24, 3)) * np.arange(length)[:, None, None] / 30 + random.normal(0, 2, 72)
                      .reshape(24, 3))  # fmt: skip
        clips.append(continuous_quaternions(quaternion_from_axis_angle(0.4 * wave)))
    return MotionSet(
        quaternions=np.concatenate(clips).astype(np.float32),
        pelvis=np.tile([0.0, 0.9, 0.0], (lengths.sum(), 1)).astype(np.float32),
        start=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        length=lengths,
        fps=np.full(3, 30.0),
        name=np.array(["walk", "wave", "sit"]),
        subject=np.array(["01", "01", "02"]),
        action=np.array(["walking", "waving", "sitting down"]),
        split=np.array(["train", "train", "val"]),
    )
