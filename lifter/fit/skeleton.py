"""A person's rest skeleton and its forward kinematics, as the fitter needs them."""

from dataclasses import dataclass

import numpy as np

from ...smpl_assets.body import Body
from ...smpl_assets.landmarks import Landmarks, body_landmarks
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES, JOINT, PARENTS
from ..ground import CONTACT_POINTS
from ..keypoint_sets import BLAZEPOSE33
from .frames_last import pieces
from .kinematic_tree import carried_points, pose_tree


@dataclass(frozen=True)
class RestSkeleton:
    """Rest joints (24, 3) m in the body frame, and points that follow them as weighted offsets (P, 24, 3).

    lowest: height (m, body frame) of the soles of the rest pose, whose feet stand flat.
    """

    joints: Array
    ends: Landmarks
    end_offsets: Array
    keypoints: Landmarks
    keypoint_offsets: Array
    lowest: float

    def bone(self, joint: str, child: str) -> Array:
        """Rest vector (3,) from ``joint`` to ``child``."""
        return self.joints[JOINT[child]] - self.joints[JOINT[joint]]

    def end_positions(self) -> Array:
        """Rest ends (13, 3) m in the body frame."""
        return (self.end_offsets + self.ends.weights[..., None] * self.joints).sum(axis=1)

    def soles(self) -> Array:
        """Metres (4,) from CONTACT_POINTS, heels and toes, down to the sole."""
        return self.end_positions()[list(CONTACT_POINTS), 1] - self.lowest


def rest_skeleton(body: Body, betas: Array) -> RestSkeleton:
    """The skeleton of ``body`` with ``betas``."""
    joints = body.rest_joints(betas).astype(np.float64)
    ends, keypoints = body_landmarks(body, END_NAMES), body_landmarks(body, BLAZEPOSE33)
    return RestSkeleton(
        joints,
        ends,
        ends.local_offsets(joints, betas).astype(np.float64),
        keypoints,
        keypoints.local_offsets(joints, betas).astype(np.float64),
        float(body.rest_vertices(betas)[:, 1].min()),
    )


@dataclass(frozen=True)
class Pose:
    """local (T, 24, 3, 3) rotations, pelvis (T, 3) metres, world."""

    local: Array
    pelvis: Array


@dataclass(frozen=True)
class Posed:
    """Global rotations (T, 24, 3, 3), joints (T, 24, 3), ends (T, 13, 3) in metres, world frame."""

    rotations: Array
    joints: Array
    ends: Array


def pose_skeleton(rest: RestSkeleton, local: Array, pelvis: Array) -> Posed:
    """Forward kinematics of local rotations (T, 24, 3, 3) with the pelvis at ``pelvis`` (T, 3)."""
    count = len(local)
    posed = Posed(np.empty((count, 24, 3, 3)), np.empty((count, 24, 3)), np.empty((count, len(rest.end_offsets), 3)))
    for part in pieces(count):
        world, around = pose_tree(rest.joints, np.ascontiguousarray(local[part].transpose(2, 3, 1, 0), np.float64))
        posed.rotations[part] = world.transpose(3, 2, 0, 1)
        posed.joints[part] = around.T + pelvis[part, None]
        ends = carried_points(rest.ends.weights, rest.end_offsets, world, around)
        posed.ends[part] = ends.T + pelvis[part, None]
    return posed


def local_from_global(rotations: Array) -> Array:
    """Local rotations (T, 24, 3, 3) of global ones."""
    local = rotations.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        local[:, joint] = np.swapaxes(rotations[:, parent], -1, -2) @ rotations[:, joint]
    return local
