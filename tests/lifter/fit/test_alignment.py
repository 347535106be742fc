"""The best turn of directions and of rigid parts: what scipy finds, much faster, and sensible where nothing is best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reel2rig.lifter.fit.alignment import aligned, best_rotation, between, correlation, rotated, swing
from reel2rig.lifter.fit.frames_last import matrix_of, quaternion_of, rotation_vector
from reel2rig.smpl_assets.rotation import Array
from scipy.spatial.transform import Rotation

MIRROR = np.diag([-1.0, 1.0, 1.0])
QUARTER = quaternion_of(np.array([[0.0], [0.0], [np.pi / 2]]))  # left about z


def turns_at_random(count: int, seed: int) -> Rotation:
    return Rotation.from_quat(np.random.default_rng(seed).normal(size=(count, 4)))


def turned(points: Array, turns: Rotation) -> Array:
    """Points (P, 3) after each of T turns: (3, P, T)."""
    return np.einsum("tab,pb->apt", turns.as_matrix(), points)


def fitted(rest: Array, target: Array, weights: Array | None = None) -> Array:
    """Rotation matrices (T, 3, 3)."""
    weights = np.ones(target.shape[1:]) if weights is None else weights
    return np.moveaxis(matrix_of(best_rotation(correlation(rest, target, weights))), -1, 0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.3), st.integers(3, 9))
def test_points_are_fitted_as_scipy_fits_them(seed: int, noise: float, count: int) -> None:
    random = np.random.default_rng(seed)
    rest, turn = random.normal(size=(count, 3)), turns_at_random(1, seed)
    target = turned(rest, turn) + noise * random.normal(size=(3, count, 1)) + random.normal(size=(3, 1, 1))
    weights = random.uniform(0.1, 1.0, (count, 1))
    share = weights[:, 0] / weights.sum()
    centred = [points - share @ points for points in (rest, target[..., 0].T)]
    wanted = Rotation.align_vectors(centred[1], centred[0], weights[:, 0])[0].as_matrix()
    gain = [
        np.einsum("pa,ab,pb,p->", centred[1], turns, centred[0], share)
        for turns in (wanted, *fitted(rest, target, weights))
    ]
    assert gain[1] == pytest.approx(gain[0], abs=1e-9)


@pytest.mark.parametrize("degrees", [0, 1e-5, 90, 179.99, 180])
def test_exact_points_give_the_exact_turn(degrees: float) -> None:
    rest = np.array([[0.0, 0, 0], [0.1, 0, 0], [0, 0.2, 0], [0.02, 0, 0.05]])
    turns = Rotation.from_rotvec(np.radians(degrees) * np.eye(3))
    np.testing.assert_allclose(fitted(rest, turned(rest, turns)), turns.as_matrix(), atol=1e-7)


def test_points_in_one_plane_are_enough() -> None:
    flat, turns = np.array([[0.0, 0, 0], [0.1, 0, 0], [0, 0.2, 0]]), turns_at_random(100, 1)
    np.testing.assert_allclose(fitted(flat, turned(flat, turns)), turns.as_matrix(), atol=1e-7)


def test_mirrored_points_are_never_reflected() -> None:
    points, turns = np.random.default_rng(0).normal(size=(5, 3)), turns_at_random(20, 2)
    np.testing.assert_allclose(np.linalg.det(fitted(points, turned(points @ MIRROR, turns))), 1.0, atol=1e-9)


def test_points_without_weight_have_no_say() -> None:
    points, turns = np.random.default_rng(0).normal(size=(5, 3)), turns_at_random(4, 2)
    target, weights = turned(points, turns), np.ones((5, 4))
    target[:, 4, 1:] = 100.0
    weights[4, 1:] = 0.0
    np.testing.assert_allclose(fitted(points, target, weights), turns.as_matrix(), atol=1e-9)


@pytest.mark.parametrize("kinds", [0, 1], ids=["no points", "points on a line"])
def test_open_turns_are_still_turns(kinds: int) -> None:
    correlations = kinds * np.einsum("a,b->ab", [1.0, 2, 3], [3.0, 1, 0])[..., None]
    np.testing.assert_allclose(np.linalg.norm(best_rotation(correlations), axis=0), 1.0)


def test_a_swing_turns_the_short_way_and_does_not_twist() -> None:
    found = swing(np.array([[1.0], [0], [0]]), np.array([[0.0], [5], [0]]))
    np.testing.assert_allclose(found, QUARTER, atol=1e-12)


@pytest.mark.parametrize("direction", np.eye(3))
def test_a_swing_to_the_opposite_is_half_a_turn(direction: Array) -> None:
    found = swing(direction[:, None], -direction[:, None])
    np.testing.assert_allclose(rotated(found, direction[:, None])[:, 0], -direction, atol=1e-9)


def test_a_bone_without_length_is_not_followed() -> None:
    np.testing.assert_allclose(swing(np.ones((3, 1)), np.zeros((3, 1)))[:, 0], [1, 0, 0, 0])


def test_alignment_goes_a_share_of_the_way() -> None:
    still, bone = np.array([[1.0], [0], [0], [0]]), np.array([[1.0], [0], [0]])
    found = aligned(still, bone, np.array([[0.0], [1], [0]]), share=1 / 3)
    np.testing.assert_allclose(rotation_vector(found)[:, 0], [0, 0, np.pi / 6], atol=1e-9)


def test_between_is_a_share_of_the_way() -> None:
    first = np.array([[1.0], [0], [0], [0]])
    np.testing.assert_allclose(rotation_vector(between(first, QUARTER, 1 / 3))[:, 0], [0, 0, np.pi / 6], atol=1e-9)
