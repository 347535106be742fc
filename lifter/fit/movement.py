"""A motion in the layout of the solver: quaternions and the pelvis' path with frames last."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array, quaternion_from_matrix
from .frames_last import matrix_of, pieces, quaternion_of, unit
from .skeleton import Pose


@dataclass(frozen=True)
class Movement:
    """Local rotations (4, 24, T) as unit quaternions w, x, y, z, and the pelvis (3, T) m, world."""

    quaternions: Array
    pelvis: Array

    def cut(self, frames: slice | NDArray[np.int64]) -> "Movement":
        """Only these frames."""
        return Movement(self.quaternions[..., frames], self.pelvis[:, frames])


def movement_of(pose: Pose) -> Movement:
    """The same with frames last."""
    quaternions = np.empty((4, 24, len(pose.pelvis)))
    for part in pieces(len(pose.pelvis)):
        quaternions[..., part] = quaternion_from_matrix(pose.local[part]).T
    return Movement(quaternions, np.ascontiguousarray(pose.pelvis.T))


def pose_of(movement: Movement) -> Pose:
    """The same with frames first."""
    local = np.empty((movement.pelvis.shape[1], 24, 3, 3))
    for part in pieces(len(local)):
        quaternions = unit(movement.quaternions[..., part].astype(np.float64))
        local[part] = matrix_of(quaternions).transpose(3, 2, 0, 1)
    return Pose(local, np.ascontiguousarray(movement.pelvis.T))


def movement_of_turns(axis_angle: Array, pelvis: Array) -> Movement:
    """Local axis-angles (T, 24, 3) in radians and pelvis (T, 3) m with frames last."""
    quaternions = np.empty((4, 24, len(pelvis)))
    for part in pieces(len(pelvis)):
        quaternions[..., part] = quaternion_of(np.ascontiguousarray(axis_angle[part].T))
    return Movement(quaternions, np.ascontiguousarray(pelvis.T))


def joined(parts: list[Movement]) -> Movement:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    return Movement(
        np.concatenate([part.quaternions for part in parts], axis=-1),
        np.concatenate([part.pelvis for part in parts], axis=-1),
    )
