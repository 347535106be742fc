"""Elbows and knees: what two bones say about a hinge."""

import numpy as np
import pytest
from reel2rig.lifter.fit.alignment import rotated, turn_about
from reel2rig.lifter.fit.frames_last import quaternion_of, quaternion_product, unit
from reel2rig.lifter.fit.hinges import HINGES, Hinge, hinge_bends
from reel2rig.lifter.fit.limits import HINGE_RANGE
from reel2rig.lifter.fit.skeleton import RestSkeleton
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

LIMBS = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")]
TURN = quaternion_of(np.array([[[0.4], [0.4]], [[-1.1], [-1.1]], [[2.0], [2.0]]]))


@pytest.fixture(params=LIMBS, ids=["elbows", "knees"])
def hinge(request: pytest.FixtureRequest, rest: RestSkeleton) -> Hinge:
    return Hinge(rest, *request.param)


def bent(hinge: Hinge, degrees: float) -> Array:
    """Lower bones (3, 2, 1) of limbs turned about their hinges from rest."""
    return rotated(turn_about(hinge.axis[..., None], np.full((2, 1), np.radians(degrees))), hinge.lower[..., None])


@pytest.mark.parametrize("degrees", [5, 60, 150])
def test_the_angle_between_bones_tells_the_flexion(hinge: Hinge, degrees: float) -> None:
    upper = rotated(TURN, 0.4 * hinge.upper[..., None])
    lower = rotated(TURN, 0.5 * bent(hinge, degrees))
    np.testing.assert_allclose(np.degrees(hinge.flexion(upper, lower)), degrees, atol=1e-5)


@pytest.mark.parametrize("degrees", [-30, 0, 5, 60, 150])
def test_the_signed_flexion_knows_back_from_forth(hinge: Hinge, degrees: float) -> None:
    np.testing.assert_allclose(np.degrees(hinge.signed_flexion(bent(hinge, degrees))), degrees, atol=1e-5)


def test_the_bend_tells_the_twist_of_the_limb(hinge: Hinge) -> None:
    first = rotated(TURN, hinge.upper[..., None])
    second = rotated(TURN, bent(hinge, 70))
    off = quaternion_product(turn_about(unit(first), np.array([[0.3], [-0.8]])), TURN)
    angle, precision = hinge.twist(off, first, second, noise=0.001)
    np.testing.assert_allclose(angle[:, 0], [-0.3, 0.8], atol=1e-6)
    assert (precision > 1 / np.radians(10) ** 2).all()


@pytest.mark.parametrize(("degrees", "noise"), [(2, 0.0005), (12, 0.04)])
def test_a_straight_limb_does_not_and_neither_does_a_slight_bend_between_unsure_points(
    hinge: Hinge, degrees: float, noise: float
) -> None:
    straight = float(np.degrees(hinge.straightest[0]))
    second = bent(hinge, straight + degrees)
    still = np.array([1.0, 0.0, 0.0, 0.0])[:, None, None] * np.ones((1, 2, 1))
    precision = hinge.twist(still, hinge.upper[..., None], second, noise)[1]
    assert (precision < 1 / np.radians(45) ** 2).all()


@pytest.mark.parametrize("degrees", [-40, 20, 175])
def test_limbs_are_brought_back_into_their_range(hinge: Hinge, degrees: float) -> None:
    low, high = np.degrees(hinge.range)
    straight = np.degrees(hinge.straightest)
    found = np.degrees(hinge.signed_flexion(hinge.within_range(bent(hinge, degrees))))[:, 0]
    np.testing.assert_allclose(found, np.clip(degrees, straight + low, straight + high), atol=1e-5)
    assert (low, high) in HINGE_RANGE.values()


@pytest.mark.parametrize("name", HINGES)
def test_bends_of_a_pose_are_counted_from_straight(rest: RestSkeleton, name: str) -> None:
    local = np.tile(np.eye(3), (2, 24, 1, 1))
    axis = np.array(HINGES[name]) / np.linalg.norm(HINGES[name])
    local[:, JOINT[name]] = matrix_from_axis_angle(np.radians([[40.0], [-20.0]]) * axis)
    bends = hinge_bends(rest, local) - hinge_bends(rest, np.tile(np.eye(3), (1, 24, 1, 1)))
    wanted = np.where(np.array(list(HINGES)) == name, [[40.0], [-20.0]], 0.0)
    np.testing.assert_allclose(bends, wanted, atol=1e-6)
