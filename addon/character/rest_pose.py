"""The body's rest pose in Blender's axes and the rest axes of its bones. Needs numpy only.

Body frame: Y up, facing +Z. Blender rest frame: Z up, facing -Y, soles at z = 0, pelvis above the origin. Metres.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES

ROOT_BONE: Final = "root"
ROOT_LENGTH: Final = 0.25
TO_BLENDER: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
FORWARD: Final = np.array([0.0, -1.0, 0.0])
UP: Final = np.array([0.0, 0.0, 1.0])

# Where each bone points: at a child joint, or on from its parent, or along a fixed direction.
CHILD_AIMED_AT: Final = {
    "pelvis": "spine1", "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    "left_hip": "left_knee", "left_knee": "left_ankle", "left_ankle": "left_foot",
    "right_hip": "right_knee", "right_knee": "right_ankle", "right_ankle": "right_foot",
    "left_collar": "left_shoulder", "left_shoulder": "left_elbow", "left_elbow": "left_wrist",
    "left_wrist": "left_hand", "right_collar": "right_shoulder", "right_shoulder": "right_elbow",
    "right_elbow": "right_wrist", "right_wrist": "right_hand",
}  # fmt: skip
PARENT_CONTINUED: Final = {"left_hand": "left_wrist", "right_hand": "right_wrist"}
FIXED_DIRECTION: Final = {"head": UP, "left_foot": FORWARD, "right_foot": FORWARD}
END_LENGTH: Final = {"head": 0.18, "left_foot": 0.07, "right_foot": 0.07, "left_hand": 0.08, "right_hand": 0.08}
Z_UP_BONES: Final = ("left_ankle", "right_ankle", "left_foot", "right_foot")


@dataclass(frozen=True)
class RestPose:
    """vertices (V, 3), heads (24, 3), tails (24, 3) in metres and bone_z (24, 3) directions, Blender rest frame."""

    vertices: Array
    heads: Array
    tails: Array
    bone_z: Array


def rest_pose(body: Body, betas: Array) -> RestPose:
    """Rest pose of ``body`` with ``betas`` (<= B,) standing on the floor with its pelvis above the origin.

    Every bone's Z axis faces forward (up for the feet), so knees and elbows turn about their bones' X axes, with one
    sign on both sides. Left and right bones are mirror images as Blender counts it (X axes opposite, Z axes alike), so
    poses can be pasted flipped. Bones point at the joint they turn; heads, hands and feet point along themselves.
    """
    vertices = body.rest_vertices(betas).astype(np.float64) @ TO_BLENDER.T
    heads = body.rest_joints(betas).astype(np.float64) @ TO_BLENDER.T
    origin = np.array([heads[0, 0], heads[0, 1], vertices[:, 2].min()])
    vertices, heads = vertices - origin, heads - origin
    bone_z = np.array([UP if name in Z_UP_BONES else FORWARD for name in JOINT_NAMES])
    return RestPose(vertices, heads, np.array([_tail(name, heads) for name in JOINT_NAMES]), bone_z)


def _tail(name: str, heads: Array) -> Array:
    head = heads[JOINT[name]]
    if name in CHILD_AIMED_AT:
        return heads[JOINT[CHILD_AIMED_AT[name]]]
    if name in PARENT_CONTINUED:
        direction = head - heads[JOINT[PARENT_CONTINUED[name]]]
        return head + END_LENGTH[name] * direction / np.linalg.norm(direction)
    return head + END_LENGTH[name] * FIXED_DIRECTION[name]
