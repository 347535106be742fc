"""The tree's solver against the plain one: all turns in one vector, all Jacobians written out."""

import numpy as np
from reel2rig.lifter.fit.kinematic_tree import Pull, pose_tree, solve_tree
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton
from reel2rig.smpl_assets.body import joint_transforms
from reel2rig.smpl_assets.rotation import Array, cross_matrix
from reel2rig.smpl_assets.skeleton import PARENTS

FRAMES = 3


def squares(random: np.random.Generator, size: int, shape: tuple[int, ...]) -> Array:
    """Random positive definite matrices (size, size, ...)."""
    roots = random.normal(size=(size, size, *shape))
    return np.einsum("ab...,cb...->ac...", roots, roots)


def twists(joints: Array, descendants: Array) -> Array:
    """How turns of all joints and a shift (75,) move every bone: (24, 6, 75), for joints (24, 3)."""
    result = np.zeros((24, 6, 75))
    for bone, joint in np.argwhere(descendants.T):
        result[bone, :, 3 * joint : 3 * joint + 3] = np.concatenate([np.eye(3), cross_matrix(joints[joint])])
    result[:, 3:, 72:] = np.eye(3)
    return result


def dense(joints: Array, bones: Pull, held: Pull, shift: Pull, frame: int, descendants: Array) -> Array:
    """The same least squares as one system of 75 unknowns."""
    jacobian = twists(joints[..., frame].T, descendants)
    normal = np.einsum("kam,abk,kbn->mn", jacobian, bones.stiffness[..., frame], jacobian)
    right = np.einsum("kam,ak->m", jacobian, bones.force[..., frame])
    for joint in range(24):
        own = slice(3 * joint, 3 * joint + 3)
        normal[own, own] += held.stiffness[:, :, joint, frame]
        right[own] += held.force[:, joint, frame]
    normal[72:, 72:] += shift.stiffness
    right[72:] += shift.force[:, frame]
    return np.linalg.solve(normal, right)


def test_the_tree_gives_the_dense_solution(rest: RestSkeleton, walk: Pose, descendants: Array) -> None:
    random = np.random.default_rng(3)
    _, joints = pose_tree(rest.joints, walk.local[:FRAMES].transpose(2, 3, 1, 0))
    bones = Pull(squares(random, 6, (24, FRAMES)), random.normal(size=(6, 24, FRAMES)))
    held = Pull(squares(random, 3, (24, FRAMES)), random.normal(size=(3, 24, FRAMES)))
    shift = Pull(np.eye(3), random.normal(size=(3, FRAMES)))
    expected = [dense(joints, bones, held, shift, frame, descendants) for frame in range(FRAMES)]
    turns, moved = solve_tree(joints, bones, held, shift)
    found = np.concatenate([turns.transpose(2, 1, 0).reshape(FRAMES, 72), moved.T], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_posing_is_forward_kinematics_around_the_pelvis(rest: RestSkeleton, walk: Pose) -> None:
    world, joints = pose_tree(rest.joints, walk.local.transpose(2, 3, 1, 0))
    rotations, places = joint_transforms(rest.joints, PARENTS, walk.local, walk.pelvis - rest.joints[0])
    np.testing.assert_allclose(world.transpose(3, 2, 0, 1), rotations, atol=1e-6)
    np.testing.assert_allclose(joints.T, places - walk.pelvis[:, None], atol=1e-6)
