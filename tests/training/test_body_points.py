"""Bodies of the training pairs: bones may be longer than the betas say, and stature follows."""

import numpy as np
import torch
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.body_points import body_points

USUAL = torch.ones(1, 24)
NO_BETAS = torch.zeros(1, 10)
AT_REST = torch.eye(3).expand(1, 1, 24, 3, 3)


def joints_with(bone_scale: torch.Tensor) -> torch.Tensor:
    return body_points().posed(AT_REST, NO_BETAS, bone_scale)[0][0, 0]


def test_usual_bones_are_those_of_the_open_body() -> None:
    body = open_body()
    rest = torch.as_tensor(body.joint_template - body.joint_template[0], dtype=torch.float32)
    assert torch.allclose(joints_with(USUAL), rest, atol=1e-6)
    assert torch.isclose(body_points().stature(NO_BETAS, USUAL), torch.tensor([body.stature(np.zeros(10))]).float())


def test_a_longer_shin_moves_the_foot_and_leaves_the_rest() -> None:
    longer = USUAL.clone()
    longer[:, JOINT["left_ankle"]] = 1.1
    before, after = joints_with(USUAL), joints_with(longer)
    shin = before[JOINT["left_ankle"]] - before[JOINT["left_knee"]]
    moved = after - before
    for foot in ("left_ankle", "left_foot"):
        assert torch.allclose(moved[JOINT[foot]], 0.1 * shin, atol=1e-6)
        moved[JOINT[foot]] = 0
    assert moved.abs().max() < 1e-6


def test_stature_grows_by_what_the_upright_bones_grow() -> None:
    longer = USUAL.clone()
    for bone in ("left_ankle", "right_ankle", "neck", "left_elbow"):
        longer[:, JOINT[bone]] = 1.2
    moved = joints_with(longer) - joints_with(USUAL)
    taller = moved[JOINT["head"], 1] - moved[JOINT["left_ankle"], 1]  # an arm makes nobody taller
    grown = body_points().stature(NO_BETAS, longer) - body_points().stature(NO_BETAS, USUAL)
    assert torch.allclose(grown, taller, atol=1e-6)
    assert grown > 0.05
