"""What a body's shape keys hold: directions of shape, and how much of each pose corrective a pose shows. Numpy only.

SMPL's pose blend shapes: Loper et al., SMPL: A Skinned Multi-Person Linear Model, 2015.
"""

from typing import Final

import numpy as np

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array, matrix_from_quaternion
from ..character.posed_skeleton import unit
from ..character.rest_pose import TO_BLENDER

SHAPE_RANGE: Final = 5.0
CORRECTIVE_RANGE: Final = 2.0
"""Correctives are entries of a rotation matrix less the unit matrix: from -2 to 1."""


def shape_names(body: Body) -> list[str]:
    """Names of the keys for the body's shape directions."""
    count = body.shapedirs.shape[-1]
    known = dict(enumerate(body.beta_names))
    return [f"shape {beta + 1} {known[beta]}" if beta in known else f"shape {beta + 1}" for beta in range(count)]


def corrective_names(body: Body) -> list[str]:
    """Names of the keys for the body's pose correctives; none where it has none."""
    count = 0 if body.posedirs is None else body.posedirs.shape[-1]
    return [f"corrective {number + 1:03d}" for number in range(count)]


def in_blender(directions: Array) -> Array:
    """Directions (V, 3, N) of a body as N fields (N, V, 3) in Blender's rest frame."""
    return np.einsum("ab,vbn->nva", TO_BLENDER, directions, optimize=True)


def corrective_values(quaternions: Array, rest_axes: Array) -> Array:
    """Values (T, 207) of the correctives for bone channels quaternions (T, 24, 4) on rest axes (24, 3, 3)."""
    change = TO_BLENDER.T @ rest_axes[1:]
    local = change @ matrix_from_quaternion(unit(quaternions[:, 1:])) @ np.swapaxes(change, -1, -2)
    return (local - np.eye(3)).reshape(len(quaternions), -1)
