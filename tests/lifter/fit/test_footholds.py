"""Where standing feet stay, and that the refinement keeps them there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.fit import targets_for
from reel2rig.lifter.fit.footholds import footholds
from reel2rig.lifter.fit.gauss_newton import refine
from reel2rig.lifter.fit.movement import movement_of, pose_of
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, pose_skeleton
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.rotation import Array
from reel2rig.smpl_assets.skeleton import END

FPS = 30.0
HEEL, TOE = END["left_heel"], END["left_big_toe"]


def test_each_contact_has_its_mean_place() -> None:
    ends, support = np.zeros((6, 13, 3)), np.zeros((6, 13))
    ends[:, HEEL, :2] = [[0, 1], [2, 1], [9, 9], [5, 5], [6, 5], [8, 5]]
    support[:, HEEL] = [1, 1, 0, 1, 0.5, 0.1]  # so the third and the last are in the air
    found = footholds(ends, support)[:, HEEL]
    nan = [np.nan, np.nan]
    np.testing.assert_allclose(found, [[1, 1], [1, 1], nan, [16 / 3, 5], [16 / 3, 5], nan])


def test_points_stand_apart_even_if_one_ends_as_the_next_begins() -> None:
    ends, support = np.zeros((4, 13, 3)), np.zeros((4, 13))
    ends[:, 0, 0], ends[:, 1, 0] = 1.0, 2.0
    support[2:, 0], support[:2, 1] = 1.0, 1.0
    found = footholds(ends, support)[..., 0]
    np.testing.assert_allclose(found[2:, 0], 1.0)
    np.testing.assert_allclose(found[:2, 1], 2.0)
    assert np.isnan(found[:2, 0]).all()


def test_nothing_stands_in_the_air() -> None:
    assert np.isnan(footholds(np.zeros((3, 13, 3)), np.zeros((3, 13)))).all()


@pytest.fixture
def standing(motions: dict[str, Pose]) -> Pose:
    """Somebody who stays where they are, half a second; the arms may do what they like."""
    shoot = motions["shoot"]
    return Pose(np.repeat(shoot.local[:1], 15, axis=0), np.repeat(shoot.pelvis[:1], 15, axis=0))


def slide(rest: RestSkeleton, pose: Pose) -> float:
    """Millimetres a frame that the left foot slides."""
    feet = pose_skeleton(rest, pose.local, pose.pelvis).ends[:, [HEEL, TOE], :2]
    return 1000 * float(np.linalg.norm(np.diff(feet, axis=0), axis=-1).mean())


def error(rest: RestSkeleton, found: Pose, truth: Pose) -> float:
    joints: list[Array] = [pose_skeleton(rest, pose.local, pose.pelvis).joints for pose in (found, truth)]
    return 1000 * float(np.linalg.norm(joints[0] - joints[1], axis=-1).mean())


def test_feet_with_a_foothold_slide_far_less_and_joints_stay_as_good(
    rest: RestSkeleton, standing: Pose, given: Callable[..., Joints3D]
) -> None:
    floor = pose_skeleton(rest, standing.local, standing.pelvis).ends[0, [HEEL, TOE], 2].min()
    truth = Pose(standing.local, standing.pelvis - [0.0, 0.0, floor])
    joints = given(rest, truth, noise=20.0)
    support = np.zeros((15, 13))
    support[:, [HEEL, TOE]] = 1.0
    free = replace(targets_for(joints, None), support=support)
    held = replace(free, footholds=footholds(joints.ends, support))
    start = movement_of(Pose(truth.local, joints.joints[:, 0].astype(float)))
    loose, firm = (pose_of(refine(rest, start, targets, FPS)) for targets in (free, held))
    assert slide(rest, firm) < slide(rest, loose) / 2
    assert error(rest, firm, truth) < error(rest, loose, truth) + 1
