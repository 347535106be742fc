"""Forward kinematics of an armature's bones from what they are keyed with, and back. Needs numpy only.

A bone stands at its parent's pose times its rest offset from the parent times its own channels (Blender's default
inheritance). Everything is in the armature's frame, metres; rotations have bones' axes as columns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_quaternion, quaternion_from_matrix


@dataclass(frozen=True)
class Skeleton:
    """Bones, each after its parent (-1: none): rest axes (B, 3, 3), rest heads (B, 3) m, lengths (B,) m."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    axes: Array
    heads: Array
    lengths: Array

    def index(self, name: str) -> int:
        """Number of the bone called ``name``."""
        return self.names.index(name)

    def part(self, names: tuple[str, ...]) -> "Skeleton":
        """The bones ``names`` alone, in this order; each hangs on the nearest of them above it."""
        rows = [self.index(name) for name in names]
        parents = []
        for row in rows:
            above = self.parents[row]
            while above >= 0 and above not in rows:
                above = self.parents[above]
            parents.append(rows.index(above) if above >= 0 else -1)
        return Skeleton(names, tuple(parents), self.axes[rows], self.heads[rows], self.lengths[rows])

    @cached_property
    def offsets(self) -> tuple[Array, Array]:
        """Axes (B, 3, 3) and heads (B, 3) at rest as the parent sees them."""
        axes, heads = self.axes.copy(), self.heads.copy()
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                axes[bone] = self.axes[parent].T @ self.axes[bone]
                heads[bone] = self.axes[parent].T @ (self.heads[bone] - self.heads[parent])
        return axes, heads


@dataclass(frozen=True)
class PoseChannels:
    """What bones are keyed with: locations (T, B, 3) m, quaternions (T, B, 4) w x y z of any length but 0."""

    locations: Array
    quaternions: Array


@dataclass(frozen=True)
class Pose:
    """Where bones are: axes (T, B, 3, 3) as columns, heads (T, B, 3) m, armature frame."""

    axes: Array
    heads: Array

    def tails(self, skeleton: Skeleton) -> Array:
        """Bone tails (T, B, 3) m: bones point along their Y axes."""
        return self.heads + self.axes[..., 1] * skeleton.lengths[:, None]


def unit(vectors: Array) -> Array:
    """Vectors (..., N) made one long; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def pose_of(skeleton: Skeleton, channels: PoseChannels) -> Pose:
    """The pose that ``channels`` give."""
    own = matrix_from_quaternion(unit(channels.quaternions))
    rest_axes, rest_heads = skeleton.offsets
    axes, heads = np.empty_like(own), np.empty_like(channels.locations)
    for bone, parent in enumerate(skeleton.parents):
        place = channels.locations[:, bone] @ rest_axes[bone].T + rest_heads[bone]
        turned = rest_axes[bone] @ own[:, bone]
        if parent >= 0:
            place = heads[:, parent] + (axes[:, parent] @ place[..., None])[..., 0]
            turned = axes[:, parent] @ turned
        axes[:, bone], heads[:, bone] = turned, place
    return Pose(axes, heads)


def channels_of(skeleton: Skeleton, pose: Pose) -> PoseChannels:
    """The channels that give ``pose``; the inverse of :func:`pose_of`. Neighbours in time are in one hemisphere."""
    rest_axes, rest_heads = skeleton.offsets
    turned, places = pose.axes.copy(), pose.heads.copy()
    for bone, parent in enumerate(skeleton.parents):
        if parent >= 0:
            back = np.swapaxes(pose.axes[:, parent], -1, -2)
            turned[:, bone] = back @ pose.axes[:, bone]
            places[:, bone] = (back @ (pose.heads[:, bone] - pose.heads[:, parent])[..., None])[..., 0]
    quaternions = quaternion_from_matrix(np.swapaxes(rest_axes, -1, -2) @ turned)
    locations = np.einsum("bji,tbj->tbi", rest_axes, places - rest_heads)
    return PoseChannels(locations, one_hemisphere(quaternions))


def one_hemisphere(quaternions: Array) -> Array:
    """Quaternions (T, ..., 4) whose neighbours in time are near each other, the first with w >= 0."""
    first = np.where(quaternions[:1, ..., :1] < 0, -1.0, 1.0)
    dots = np.sum(quaternions[1:] * quaternions[:-1], axis=-1, keepdims=True)
    signs = np.cumprod(np.concatenate([first, np.where(dots < 0, -1.0, 1.0)]), axis=0)
    return quaternions * signs
