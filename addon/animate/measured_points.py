"""The points at which a change of an animation is measured: bones' heads, tails, and beside them. Needs numpy only."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ..character.posed_skeleton import Pose, Skeleton

SAME_PLACE: Final = 1e-6
BESIDE: Final = 0.05
"""Points beside the heads stand off by this share of the skeleton's height (8 cm on a person), as flesh does."""


@dataclass(frozen=True)
class MeasuredPoints:
    """owners (P,): the bone that carries each point; offsets (P, 3) m from its head in its own axes.

    The heads of all bones come first. A point beside a bone feels its twist, which head and tail do not.
    """

    owners: NDArray[np.intp]
    offsets: Array

    @staticmethod
    def of(skeleton: Skeleton) -> "MeasuredPoints":
        """Heads, tails that are no child's head, and a point beside each head."""
        bones, ends = np.arange(len(skeleton.names)), _free_tails(skeleton)
        tails = skeleton.lengths[ends, None] * [0.0, 1.0, 0.0]
        height = np.ptp(np.concatenate([skeleton.heads, _rest_tails(skeleton)]), axis=0).max()
        beside = np.full((len(bones), 1), BESIDE * height) * [1.0, 0.0, 0.0]
        offsets = np.concatenate([np.zeros((len(bones), 3)), tails, beside])
        return MeasuredPoints(np.concatenate([bones, ends, bones]), offsets)

    @property
    def off_centre(self) -> NDArray[np.bool_]:
        """Which points (P,) a turn of their own bone moves."""
        return self.offsets.any(axis=1)

    def places(self, pose: Pose) -> Array:
        """Where the points are in ``pose``: (3, T, P) m."""
        places = np.ascontiguousarray(np.moveaxis(pose.heads, -1, 0)[:, :, self.owners])
        for axis in np.flatnonzero(self.offsets.any(axis=0)):
            some = np.flatnonzero(self.offsets[:, axis])
            along = np.moveaxis(pose.axes[..., axis][:, self.owners[some]], -1, 0)
            places[:, :, some] += along * self.offsets[some, axis]
        return places

    def apart(self, first: Pose, second: Pose) -> Array:
        """Distances (T, P) in metres of the points in two poses."""
        off = self.places(first) - self.places(second)
        return np.sqrt(np.einsum("atp,atp->tp", off, off))


def _rest_tails(skeleton: Skeleton) -> Array:
    return skeleton.heads + skeleton.axes[..., 1] * skeleton.lengths[:, None]


def _free_tails(skeleton: Skeleton) -> NDArray[np.intp]:
    """Bones whose tail is no child's head, which would count twice."""
    tails = _rest_tails(skeleton)
    children = [[c for c, parent in enumerate(skeleton.parents) if parent == bone] for bone in range(len(tails))]
    apart = [np.linalg.norm(skeleton.heads[own] - tails[bone], axis=-1) for bone, own in enumerate(children)]
    return np.array([bone for bone, far in enumerate(apart) if not (far < SAME_PLACE).any()], dtype=np.intp)
