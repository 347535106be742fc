"""Rotations: every way of writing one must mean the same turn, as scipy has it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reel2rig.smpl_assets import rotation
from scipy.spatial.transform import Rotation

coordinates = st.floats(-6.0, 6.0, allow_subnormal=False)
vectors = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(3)), elements=coordinates)
directions = vectors.filter(lambda v: (np.linalg.norm(v, axis=-1) > 1e-3).all())


@given(vectors)
def test_matrix_from_axis_angle_agrees_with_scipy(axis_angle: np.ndarray) -> None:
    expected = Rotation.from_rotvec(axis_angle).as_matrix()
    np.testing.assert_allclose(rotation.matrix_from_axis_angle(axis_angle), expected, atol=1e-9)


@given(vectors)
def test_all_representations_round_trip(axis_angle: np.ndarray) -> None:
    matrix = rotation.matrix_from_axis_angle(axis_angle)
    by_quaternion = rotation.matrix_from_quaternion(rotation.quaternion_from_axis_angle(axis_angle))
    np.testing.assert_allclose(by_quaternion, matrix, atol=1e-9)
    again = rotation.matrix_from_axis_angle(rotation.axis_angle_from_matrix(matrix))
    np.testing.assert_allclose(again, matrix, atol=1e-7)


@given(vectors)
def test_axis_angle_from_matrix_is_the_short_way_round(axis_angle: np.ndarray) -> None:
    short = rotation.axis_angle_from_matrix(rotation.matrix_from_axis_angle(axis_angle))
    assert (np.linalg.norm(short, axis=-1) <= np.pi + 1e-9).all()


def test_half_turns_keep_their_axis() -> None:
    half_turns = np.pi * np.eye(3)
    found = rotation.axis_angle_from_matrix(rotation.matrix_from_axis_angle(half_turns))
    np.testing.assert_allclose(np.abs(found), half_turns, atol=1e-6)


@given(directions, st.integers(0, 2**32 - 1))
def test_rotation_between_turns_source_into_target(source: np.ndarray, seed: int) -> None:
    target = np.random.default_rng(seed).normal(size=source.shape)
    turn = rotation.rotation_between(source, target)
    turned = (turn @ source[..., None])[..., 0]
    unit = lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(unit(turned), unit(target), atol=1e-6)
    np.testing.assert_allclose(turn @ np.swapaxes(turn, -1, -2), np.broadcast_to(np.eye(3), turn.shape), atol=1e-9)


def test_rotation_between_opposite_directions_is_a_half_turn() -> None:
    source = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.3, -0.4, 0.5]])
    turn = rotation.rotation_between(source, -source)
    np.testing.assert_allclose((turn @ source[..., None])[..., 0], -source, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(turn), 1.0)


def test_continuous_quaternions_stay_in_one_hemisphere_and_mean_the_same() -> None:
    angles = np.linspace(0, 4 * np.pi, 60)[:, None]
    quaternion = rotation.quaternion_from_matrix(rotation.matrix_from_axis_angle(angles * [0.0, 0.6, 0.8]))
    smooth = rotation.continuous_quaternions(quaternion)
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) > 0.9).all()
    np.testing.assert_allclose(rotation.matrix_from_quaternion(smooth), rotation.matrix_from_quaternion(quaternion))


def test_geodesic_degrees_of_a_quarter_turn() -> None:
    quarter = rotation.matrix_from_axis_angle(np.array([0.0, 0.0, np.pi / 2]))
    assert np.isclose(rotation.geodesic_degrees(np.eye(3), quarter), 90.0)


@given(st.integers(0, 2**32 - 1))
def test_quaternions_of_any_turn_are_exact(seed: int) -> None:
    """Also near half a turn, where the real part says nothing."""
    random = np.random.default_rng(seed)
    quaternion = random.normal(size=(20, 4)) * [0.01, 1.0, 1.0, 1.0]
    quaternion /= np.linalg.norm(quaternion, axis=-1, keepdims=True)
    found = rotation.quaternion_from_matrix(rotation.matrix_from_quaternion(quaternion))
    np.testing.assert_allclose(np.abs((found * quaternion).sum(axis=-1)), 1.0, atol=1e-12)


def test_single_precision_stays_and_whole_numbers_become_real_ones() -> None:
    assert rotation.matrix_from_axis_angle(np.ones((2, 3), np.float32)).dtype == np.float32
    np.testing.assert_allclose(rotation.matrix_from_axis_angle(np.array([0, 0, 0])), np.eye(3))
