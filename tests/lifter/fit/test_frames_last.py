"""Rotations with frames last do what their siblings with frames first do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reel2rig.lifter.fit.frames_last import (
    cross,
    inverse,
    matrix_of,
    quaternion_of,
    quaternion_product,
    rotation_vector,
)
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle

VECTOR = st.tuples(*[st.floats(-2.0, 2.0)] * 3).map(np.array)


def column(vector: Array) -> Array:
    return vector[:, None]


@given(VECTOR)
def test_matrices_are_rodrigues(turn: Array) -> None:
    np.testing.assert_allclose(matrix_of(quaternion_of(turn)), matrix_from_axis_angle(turn), atol=1e-9)


@given(VECTOR, VECTOR)
def test_a_product_turns_by_the_second_first(first: Array, second: Array) -> None:
    product = quaternion_product(quaternion_of(column(first)), quaternion_of(column(second)))
    expected = matrix_from_axis_angle(first) @ matrix_from_axis_angle(second)
    np.testing.assert_allclose(matrix_of(product)[..., 0], expected, atol=1e-9)


@given(VECTOR, VECTOR)
def test_cross_is_numpys(first: Array, second: Array) -> None:
    np.testing.assert_allclose(cross(first, second), np.cross(first, second), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(turn=VECTOR.filter(lambda vector: float(np.linalg.norm(vector)) < 3.1))
def test_the_rotation_vector_comes_back_from_either_sign(dtype: type, turn: Array) -> None:
    quaternion = quaternion_of(column(turn.astype(dtype)))
    for same in (quaternion, -quaternion):
        found = rotation_vector(same)
        assert found.dtype == dtype
        np.testing.assert_allclose(found[:, 0], turn, atol=1e-5)


@given(VECTOR)
def test_a_turn_and_its_inverse_are_none(turn: Array) -> None:
    quaternion = quaternion_of(column(turn))
    np.testing.assert_allclose(
        matrix_of(quaternion_product(quaternion, inverse(quaternion)))[..., 0], np.eye(3), atol=1e-9
    )
