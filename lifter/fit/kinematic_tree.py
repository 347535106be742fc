"""Least squares on a kinematic tree in time linear in its joints, without Jacobians.

A small motion of a bone is a twist (6,): its turn, and the shift of that point of it which lies at the origin. What
pulls at a bone is quadratic in its twist: a stiffness (6, 6) and a wrench (6,) of torque and force. Bones are taken
away from the tips to the root, each leaving its parent what is left of the pull once its own joint has given way; then
the turns are found from the root to the tips (the articulated-body algorithm: Featherstone, Rigid Body Dynamics
Algorithms, 2008, chapter 7). The result is that of the dense normal system of all joints.

Arrays have frames last (frames_last.py) and are in world axes with the pelvis at the origin.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import PARENTS
from .frames_last import cross


def _levels() -> list[tuple[slice, NDArray[np.intp]]]:
    """Joints of one depth, which are neighbours in SMPL's order, and their parents; the nearest to the pelvis first."""
    depth = [0] * len(PARENTS)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        depth[joint] = depth[parent] + 1
    borders = [*np.flatnonzero(np.diff(depth)) + 1, len(PARENTS)]
    return [(slice(first, last), np.array(PARENTS[first:last])) for first, last in pairwise(borders)]


LEVELS = _levels()


@dataclass(frozen=True)
class Pull:
    """What pulls at bones, or holds joints, quadratic in their motion: stiffness (C, C, ..., T), force (C, ..., T)."""

    stiffness: Array
    force: Array


def pose_tree(rest_joints: Array, local: Array) -> tuple[Array, Array]:
    """Global rotations (3, 3, 24, T) and joints (3, 24, T) m, the pelvis at the origin, of rotations (3, 3, 24, T).

    rest_joints: (24, 3) m.
    """
    world, joints = np.empty_like(local), np.zeros((3, *local.shape[2:]), local.dtype)
    bones = (rest_joints - rest_joints[list(PARENTS)]).astype(local.dtype)
    world[:, :, 0] = local[:, :, 0]
    for rows, parents in LEVELS:
        above = world[:, :, parents]
        world[:, :, rows] = np.einsum("abjt,bcjt->acjt", above, local[:, :, rows])
        joints[:, rows] = joints[:, parents] + np.einsum("abjt,jb->ajt", above, bones[rows])
    return world, joints


def carried_points(weights: Array, offsets: Array, world: Array, joints: Array) -> Array:
    """Points (3, P, T) m on a posed tree: weighted offsets (P, 24, 3) and weights (P, 24) of landmarks.py."""
    table = np.swapaxes(offsets, 1, 2).reshape(len(offsets), -1)
    return table @ world.reshape(3, -1, world.shape[-1]) + weights @ joints


def solve_tree(joints: Array, bones: Pull, held: Pull, shift: Pull) -> tuple[Array, Array]:
    """Turns (3, 24, T) of all joints in radians and the pelvis' shift (3, T) m that give way to everything at once.

    joints: (3, 24, T) m. bones: (6, 6, 24, T), (6, 24, T), is used up. held: what holds and turns each joint against
    its parent, (3, 3, 24, T), (3, 24, T). shift: what holds and moves the pelvis, (3, 3), (3, T).
    """
    gains, free = {}, {}
    for level in range(len(LEVELS) - 1, -1, -1):
        rows, parents = LEVELS[level]
        stiffness, force, at = bones.stiffness[:, :, rows], bones.force[:, rows], joints[:, rows]
        lever = _about(stiffness, at[:, None])
        inverse = _inverse(_about(np.swapaxes(lever, 0, 1), at[:, None]) + held.stiffness[:, :, rows])
        torque = _about(force, at) + held.force[:, rows]
        gain = np.einsum("abjt,bcjt->acjt", inverse, lever)
        stiffness -= np.einsum("bajt,bcjt->acjt", lever, gain)
        force -= np.einsum("bajt,bjt->ajt", gain, torque)
        for row, parent in enumerate(parents):
            bones.stiffness[:, :, parent] += stiffness[:, :, row]
            bones.force[:, parent] += force[:, row]
        gains[level], free[level] = gain, np.einsum("abjt,bjt->ajt", inverse, torque)
    twists = np.empty_like(bones.force)
    twists[:, 0] = _pelvis_twist(bones, held, shift)
    turns = np.empty_like(joints)
    turns[:, 0] = twists[:3, 0]
    for level, (rows, parents) in enumerate(LEVELS):
        above = twists[:, parents]
        turn = free[level] - np.einsum("abjt,bjt->ajt", gains[level], above)
        turns[:, rows] = turn
        twists[:, rows] = above + np.concatenate([turn, cross(joints[:, rows], turn)])
    return turns, twists[3:, 0]


def _pelvis_twist(bones: Pull, held: Pull, shift: Pull) -> Array:
    """Turn and shift (6, T) of the pelvis under what all bones left it."""
    stiffness, force = bones.stiffness[:, :, 0].copy(), bones.force[:, 0].copy()
    stiffness[:3, :3] += held.stiffness[:, :, 0]
    stiffness[3:, 3:] += shift.stiffness[..., None]
    force[:3] += held.force[:, 0]
    force[3:] += shift.force
    return np.linalg.solve(np.moveaxis(stiffness, -1, 0), force.T[..., None])[..., 0].T


def _about(wrench: Array, at: Array) -> Array:
    """Torques (3, ...) about the points ``at`` (3, ...) of wrenches (6, ...) about the origin."""
    return wrench[:3] + cross(wrench[3:], at)


def _inverse(matrix: Array) -> Array:
    """Inverse of symmetric matrices (3, 3, ...)."""
    a, b, c = matrix
    inverse = np.stack([cross(b, c), cross(c, a), cross(a, b)])
    inverse /= (a * inverse[0]).sum(axis=0)
    return inverse
