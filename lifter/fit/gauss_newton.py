"""Damped Gauss-Newton on all joints of a frame at once: 3D points, 2D keypoints, limits and smoothness together.

Every frame is one small least-squares problem (72 rotations + 3 translation), solved along the kinematic tree; frames
are solved as a batch and talk to each other through a smoothed copy of the motion that is renewed in every round.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ...smpl_assets.rotation import Array
from .evidence import BodyPoints, body_points, evidence, misfit
from .frames_last import inverse, matrix_of, pieces, quaternion_of, quaternion_product, rotation_vector, unit
from .kinematic_tree import Pull, pose_tree, solve_tree
from .limits import excess
from .movement import Movement
from .skeleton import RestSkeleton
from .targets import Spreads, Targets

CHUNK = 256  # frames solved at once; bounds memory
LARGEST_TURN = 0.6  # radians of a joint in one round
SAMPLE = 1000  # frames that tell how noisy a clip is
# Spreads of joints and ends: this many median misfits of the start, within bounds in metres. Less leaves jitter, which
# the clean-up takes away at less cost. On rendered people less costs hands and place, more trunk, feet and slide.
MISFITS = 1.0
SMALLEST_SPREAD = 0.004
REACH = 4.0  # standard deviations after which smoothing does not look on


def refine(
    rest: RestSkeleton,
    start: Movement,
    targets: Targets,
    fps: float,
    *,
    rounds: int = 3,
    spreads: Spreads | None = None,
) -> Movement:
    """Improve ``start``, in single precision. Time and memory are linear in frames.

    spreads: without them joints and ends are trusted by how well ``start`` explains everything, the rest as usual.
    """
    if not rounds:
        return start
    points = body_points(rest, with_keypoints=targets.rays is not None)
    begin = motion = Movement(start.quaternions.astype(np.float32), start.pelvis)
    spreads = spreads or _spreads_for(rest, points, begin, targets)
    count = start.pelvis.shape[1]
    for _ in range(rounds):
        after = _empty(count)
        for part in pieces(count, CHUNK):
            smooth = _smoothed(motion, part, spreads.smoothing * fps)
            now = _step(rest, points, motion.cut(part), begin.cut(part), smooth, targets.cut(part), spreads)
            after.quaternions[..., part], after.pelvis[:, part] = now.quaternions, now.pelvis
        motion = after
    return motion


def _spreads_for(rest: RestSkeleton, points: BodyPoints, start: Movement, targets: Targets) -> Spreads:
    """Joints and ends are trusted as far as the start, a body whose bones keep their length, explains all there is.

    So exact joints are kept to the millimetre, while noisy ones give way to smoothness, limits and picture.
    """
    some = slice(None, None, max(1, start.pelvis.shape[1] // SAMPLE))
    few = start.cut(some)
    places = points.shares @ points.carried(*pose_tree(rest.joints, matrix_of(few.quaternions)))
    off_joints, off_ends, off_rays = misfit(places, few.pelvis, targets.cut(some))
    usual = Spreads()

    def spread(off: float, largest: float) -> float:
        return float(np.clip(MISFITS * np.hypot(off, off_rays), SMALLEST_SPREAD, largest))

    return replace(usual, joints=spread(off_joints, usual.joints), ends=spread(off_ends, usual.ends))


def _smoothed(motion: Movement, part: slice, sigma: float) -> Movement:
    """A zero-phase Gaussian average over ``sigma`` frames of some of them, in quaternion space."""
    count = motion.pelvis.shape[1]
    if sigma < 0.2 or count < 3:
        return motion.cut(part)
    reach = int(REACH * sigma + 0.5)
    first, last = max(part.start - reach, 0), min(part.stop + reach, count)
    around, inner = motion.cut(slice(first, last)), slice(part.start - first, part.stop - first)
    near = _in_one_hemisphere(around.quaternions)
    mean = gaussian_filter1d(near, sigma, axis=-1, mode="nearest", truncate=REACH)[..., inner]
    path = gaussian_filter1d(around.pelvis, sigma, axis=-1, mode="nearest", truncate=REACH)[:, inner]
    return Movement(unit(mean), path)


def _in_one_hemisphere(quaternions: Array) -> Array:
    dots = (quaternions[..., 1:] * quaternions[..., :-1]).sum(axis=0)
    signs = np.cumprod(np.where(dots < 0, -1, 1).astype(quaternions.dtype), axis=-1)
    return np.concatenate([quaternions[..., :1], quaternions[..., 1:] * signs], axis=-1)


def _step(
    rest: RestSkeleton,
    points: BodyPoints,
    now: Movement,
    start: Movement,
    smooth: Movement,
    targets: Targets,
    spreads: Spreads,
) -> Movement:
    world, joints = pose_tree(rest.joints, matrix_of(now.quaternions))
    carried = points.carried(world, joints)
    bones = points.pull(carried, *evidence(points.shares @ carried, now.pelvis, targets, spreads))
    held, shift = _held(now, start, smooth, world, spreads), _shift(now, start, smooth, spreads)
    turns, shift = solve_tree(joints, bones, held, shift)
    turns = np.einsum("bajt,bjt->ajt", world, turns)
    size = np.sqrt((turns * turns).sum(axis=0))
    turns *= np.minimum(1.0, LARGEST_TURN / np.maximum(size, 1e-9))
    return Movement(unit(quaternion_product(now.quaternions, quaternion_of(turns))), now.pelvis + shift)


def _held(now: Movement, start: Movement, smooth: Movement, world: Array, spreads: Spreads) -> Pull:
    """Joints stay near the closed form and the smoothed motion, and inside their limits."""
    back = inverse(now.quaternions)
    torque = np.zeros(now.quaternions[1:].shape, world.dtype)
    for goal, spread in ((start, spreads.start), (smooth, spreads.smooth)):
        torque += rotation_vector(quaternion_product(back, goal.quaternions)) / spread**2
    over = excess(rotation_vector(now.quaternions).T).T.astype(world.dtype)
    torque -= over / spreads.limits**2
    firm = (over != 0) / spreads.limits**2 + (1 / spreads.start**2 + 1 / spreads.smooth**2)
    firm = firm.astype(world.dtype)
    return Pull(np.einsum("abjt,cbjt->acjt", world * firm, world), np.einsum("abjt,bjt->ajt", world, torque))


def _shift(now: Movement, start: Movement, smooth: Movement, spreads: Spreads) -> Pull:
    """The pelvis stays near where it was placed and near its smoothed path."""
    force = (start.pelvis - now.pelvis) / spreads.place**2 + (smooth.pelvis - now.pelvis) / spreads.path**2
    return Pull(np.eye(3) * (1 / spreads.place**2 + 1 / spreads.path**2), force)


def _empty(count: int) -> Movement:
    return Movement(np.empty((4, 24, count), np.float32), np.empty((3, count)))
