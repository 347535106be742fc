"""Legs that reach: exact where they can, straight where they cannot, the knee where it was."""

import numpy as np
import pytest
from reel2rig.lifter.fit.skeleton import RestSkeleton, pose_skeleton, rest_skeleton
from reel2rig.lifter.leg_ik import LEGS, REACH, Leg, furthest, reached
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

SAME = np.tile(np.eye(3), (1, 1, 1))


@pytest.fixture(scope="module")
def rest() -> RestSkeleton:
    return rest_skeleton(open_body(), np.array(dict(open_body().presets)["neutral"], float))


def bent(degrees: float) -> Array:
    """Local rotations (1, 24, 3, 3), body frame, of somebody whose knees are bent and whose hips turn out a little."""
    turns = np.zeros((1, 24, 3))
    for side, out in (("left", 0.2), ("right", -0.2)):
        turns[:, JOINT[f"{side}_hip"]] = [-np.radians(degrees) / 2, out, out]
        turns[:, JOINT[f"{side}_knee"]] = [np.radians(degrees), 0.0, 0.0]
    return matrix_from_axis_angle(turns)


def after(rest: RestSkeleton, local: Array, leg: Leg, move: list[float]) -> tuple[Array, Array, Array]:
    """The new local rotations, where the ankle got, and where it should have gone."""
    posed = pose_skeleton(rest, local, np.zeros((1, 3)))
    goal = posed.joints[:, leg.ankle] + move
    result = local.copy()
    result[:, [leg.hip, leg.knee, leg.ankle]] = np.stack(reached(rest, posed, leg, goal, SAME), axis=1)
    return result, pose_skeleton(rest, result, np.zeros((1, 3))).joints[:, leg.ankle], goal


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("degrees", [5.0, 40.0, 100.0])
@pytest.mark.parametrize("move", [[0.0, 0.05, 0.0], [0.03, 0.1, -0.05], [0.0, 0.2, 0.1]])
def test_the_ankle_goes_where_it_should(rest: RestSkeleton, leg: Leg, degrees: float, move: list[float]) -> None:
    _, ankle, goal = after(rest, bent(degrees), leg, move)
    np.testing.assert_allclose(ankle, goal, atol=1e-9)


@pytest.mark.parametrize("leg", LEGS)
def test_where_the_ankle_is_already_nothing_changes(rest: RestSkeleton, leg: Leg) -> None:
    result, _, _ = after(rest, bent(30.0), leg, [0.0, 0.0, 0.0])
    np.testing.assert_allclose(result, bent(30.0), atol=1e-9)


@pytest.mark.parametrize("leg", LEGS)
def test_a_straight_knee_bends_forwards(rest: RestSkeleton, leg: Leg) -> None:
    result, _, _ = after(rest, bent(0.0), leg, [0.0, 0.1, 0.0])
    posed = pose_skeleton(rest, result, np.zeros((1, 3)))
    hip, knee, ankle = (posed.joints[0, joint] for joint in (leg.hip, leg.knee, leg.ankle))
    assert (knee - (hip + ankle) / 2)[2] > 0.05, "the body frame's front is +Z"


@pytest.mark.parametrize("leg", LEGS)
def test_the_foot_keeps_its_place_in_the_world(rest: RestSkeleton, leg: Leg) -> None:
    before = pose_skeleton(rest, bent(40.0), np.zeros((1, 3)))
    result, _, _ = after(rest, bent(40.0), leg, [0.1, 0.1, 0.1])
    posed = pose_skeleton(rest, result, np.zeros((1, 3)))
    assert geodesic_degrees(posed.rotations[:, leg.ankle], before.rotations[:, leg.ankle]).max() < 1e-5


@pytest.mark.parametrize("leg", LEGS)
def test_out_of_reach_the_leg_points_there_and_is_not_stretched(rest: RestSkeleton, leg: Leg) -> None:
    result, ankle, goal = after(rest, bent(40.0), leg, [0.0, -0.5, 0.3])
    posed = pose_skeleton(rest, result, np.zeros((1, 3)))
    hip = posed.joints[:, leg.hip]
    length = np.linalg.norm(posed.joints[:, leg.knee] - hip) + np.linalg.norm(ankle - posed.joints[:, leg.knee])
    assert np.linalg.norm(ankle - hip) == pytest.approx(REACH * length)
    assert np.cross(ankle - hip, goal - hip) == pytest.approx(0.0, abs=1e-9)
    assert furthest(rest, posed, leg) == pytest.approx(REACH * length)
