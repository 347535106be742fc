"""What points on the body say about its pose: how hard and where each of them pulls at the bones.

Arrays have frames last (frames_last.py) and are in world axes with the pelvis at the origin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES
from ..ground import CONTACT_POINTS, SOLES
from ..keypoint_sets import BLAZEPOSE33
from .frames_last import cross
from .kinematic_tree import Pull
from .skeleton import RestSkeleton
from .targets import Spreads, Targets

JOINTS, ENDS, KEYPOINTS = slice(24), slice(24, 37), slice(37, 70)
STANDING_HEIGHTS = np.zeros((len(END_NAMES), 1))  # metres of ends above the floor
STANDING_HEIGHTS[CONTACT_POINTS, 0] = SOLES
# The detector misplaces a face as a whole, so its eleven points must not count as eleven witnesses.
FACE = ("nose", "eye", "ear", "mouth")
KEYPOINT_SHARES = np.array([[0.3 if any(part in name for part in FACE) else 1.0] for name in BLAZEPOSE33])


@dataclass(frozen=True)
class BodyPoints:
    """P points that bones carry, each a mean of what N attachments make of it.

    bones (N,), offsets (N, 3) m from the bone's joint in its rest axes, points (N,) which point, shares (P, N).
    bone_shares (24, N): the same shares, in the rows of the bones.
    """

    bones: NDArray[np.intp]
    offsets: Array
    points: NDArray[np.intp]
    shares: Array
    bone_shares: Array

    def carried(self, world: Array, joints: Array) -> Array:
        """Where each bone takes what is attached to it: (3, N, T) m."""
        return np.einsum("abnt,nb->ant", world[:, :, self.bones], self.offsets) + joints[:, self.bones]

    def pull(self, carried: Array, weight: Array, force: Array) -> Pull:
        """What ``force`` (3, P, T) at points held with ``weight`` (3, 3, P, T) does to the bones.

        The force is exact. The stiffness of a point that several bones share is that of its attachments, each with
        its share, which is never less than the point's own: steps stay safe and end at the same minimum.
        """
        at = carried[:, None]
        weight, force = weight[:, :, self.points], force[:, self.points]
        lever = cross(at, weight)
        inertia = cross(at, np.swapaxes(lever, 0, 1))
        stiffness = np.empty((6, 6, 24, carried.shape[-1]), carried.dtype)
        stiffness[:3, :3] = self.bone_shares @ inertia
        stiffness[:3, 3:] = self.bone_shares @ lever
        stiffness[3:, :3] = np.swapaxes(stiffness[:3, 3:], 0, 1)
        stiffness[3:, 3:] = self.bone_shares @ weight
        return Pull(stiffness, self.bone_shares @ np.concatenate([cross(carried, force), force]))


def body_points(rest: RestSkeleton, *, with_keypoints: bool) -> BodyPoints:
    """24 joints and 13 ends, then the 33 keypoints if wanted."""
    count = None if with_keypoints else 37
    weights = np.concatenate([np.eye(24), rest.ends.weights, rest.keypoints.weights])[:count]
    offsets = np.concatenate([np.zeros((24, 24, 3)), rest.end_offsets, rest.keypoint_offsets])[:count]
    points, bones = np.nonzero(weights)
    share = weights[points, bones]
    offsets = (offsets[points, bones] / share[:, None]).astype(np.float32)
    return BodyPoints(bones, offsets, points, _spread_out(share, points, len(weights)), _spread_out(share, bones, 24))


def _spread_out(values: Array, rows: NDArray[np.intp], count: int) -> Array:
    """A table (count, N) as float32 with value n in row ``rows[n]`` of column n, else 0."""
    table = np.zeros((count, len(values)), np.float32)
    table[rows, np.arange(len(values))] = values
    return table


def evidence(places: Array, pelvis: Array, targets: Targets, spreads: Spreads) -> tuple[Array, Array]:
    """Weights (3, 3, P, T) and forces (3, P, T) of all points, now at ``places`` (3, P, T) around ``pelvis`` (3, T).

    Frames of ``targets`` are the same. Outliers weigh little (Cauchy's loss).
    """
    weight = np.zeros((3, *places.shape), places.dtype)
    force = np.zeros_like(places)
    _add_places(weight, force, places, pelvis, targets, spreads)
    if targets.support is not None:
        _add_floor(weight, force, places, pelvis, targets.support, spreads)
        if targets.footholds is not None:
            _add_footholds(weight, force, places, pelvis, targets.support, targets.footholds, spreads)
    if targets.rays is not None:
        _add_rays(weight, force, places, pelvis, targets, spreads)
    return weight, force


def misfit(places: Array, pelvis: Array, targets: Targets) -> tuple[float, float, float]:
    """How far joints and ends are from their estimates and keypoints from their rays: medians in metres, 0 for none.

    Arguments as of ``evidence``.
    """
    apart, sure = _from_estimates(places, pelvis, targets)
    joints, ends = (_median_length(apart[:, points], sure[points]) for points in (JOINTS, ENDS))
    if targets.rays is None:
        return joints, ends, 0.0
    beside, seen, _ = _from_rays(places, pelvis, targets)
    return joints, ends, _median_length(beside, seen)


def _median_length(vectors: Array, weights: Array) -> float:
    """Of vectors (C, P, T) where weights (P, T) are not 0."""
    lengths = np.linalg.norm(vectors, axis=0)[weights > 0]
    return float(np.median(lengths)) if lengths.size else 0.0


def _from_estimates(places: Array, pelvis: Array, targets: Targets) -> tuple[Array, Array]:
    """Vectors (3, 37, T) from joints and ends to where they were estimated, and weights (37, T)."""
    goal = np.concatenate([targets.joints, targets.ends], axis=1).T - pelvis[:, None]
    sure = np.concatenate([targets.joint_weights, targets.end_weights], axis=1).T
    residual = np.nan_to_num(goal - places[:, :37]).astype(places.dtype)
    if targets.rays is not None:  # the picture says where the person stands, so only differences count
        share = sure[JOINTS] / np.maximum(sure[JOINTS].sum(axis=0), 1e-9)
        residual -= (residual[:, JOINTS] * share).sum(axis=1, keepdims=True)
    return residual, sure


def _from_rays(places: Array, pelvis: Array, targets: Targets) -> tuple[Array, Array, Array]:
    """How far (2, 33, T) keypoints lie beside their rays, in metres at their depth; weights (33, T).

    And the directions (3, 2, 33, T) of the two in the world: the camera's x and y, tilted by the slope.
    """
    assert targets.rays is not None
    assert targets.ray_weights is not None
    assert targets.world_from_cam is not None
    turn, centre = targets.world_from_cam[:3, :3], targets.world_from_cam[:3, 3:]
    place = (turn.T @ (pelvis - centre)).astype(places.dtype)
    rays, turn = targets.rays.T.astype(places.dtype), turn.astype(places.dtype)
    seen = np.einsum("ba,bpt->apt", turn, places[:, KEYPOINTS]) + place[:, None]
    residual = rays * np.maximum(seen[2], 0.2) - seen[:2]
    return residual, KEYPOINT_SHARES * targets.ray_weights.T, turn[:, :2, None, None] - turn[:, 2:, None, None] * rays


def _add_places(weight: Array, force: Array, places: Array, pelvis: Array, targets: Targets, spreads: Spreads) -> None:
    """Joints and ends are near where they were estimated."""
    residual, sure = _from_estimates(places, pelvis, targets)
    spread = np.repeat([spreads.joints, spreads.ends], [24, 13])[:, None]
    robust = sure / (1.0 + (residual**2).sum(axis=0) / (3 * spread) ** 2) / spread**2
    for axis in range(3):
        weight[axis, axis, :37] = robust
    force[:, :37] = robust * residual


def _add_floor(weight: Array, force: Array, places: Array, pelvis: Array, support: Array, spreads: Spreads) -> None:
    """What stands has its sole on the floor."""
    firm = support.T / spreads.floor**2
    weight[2, 2, ENDS] += firm
    force[2, ENDS] += firm * (STANDING_HEIGHTS - pelvis[2] - places[2, ENDS])


def _add_footholds(
    weight: Array, force: Array, places: Array, pelvis: Array, support: Array, footholds: Array, spreads: Spreads
) -> None:
    """What stands does not slide. A foothold far away, as a shuffling foot has, holds less."""
    residual = np.nan_to_num(footholds.T - pelvis[:2, None] - places[:2, ENDS])
    holds = support.T * np.isfinite(footholds).all(axis=-1).T / spreads.footholds**2
    holds /= 1.0 + (residual**2).sum(axis=0) / (4 * spreads.footholds) ** 2
    for axis in range(2):
        weight[axis, axis, ENDS] += holds
    force[:2, ENDS] += holds * residual


def _add_rays(weight: Array, force: Array, places: Array, pelvis: Array, targets: Targets, spreads: Spreads) -> None:
    """Keypoints lie on their rays."""
    residual, sure, beside = _from_rays(places, pelvis, targets)
    robust = sure / (1.0 + (residual**2).sum(axis=0) / (4 * spreads.keypoints) ** 2)
    robust = (robust / spreads.keypoints**2).astype(places.dtype)
    weight[:, :, KEYPOINTS] = np.einsum("aipt,bipt->abpt", beside * robust, beside)
    force[:, KEYPOINTS] = np.einsum("aipt,ipt->apt", beside, residual * robust)
