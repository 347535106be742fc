"""Foot lock: heels and toes stay where they stand, and nobody sees how (Kovar, Schreiner, Gleicher, Footskate cleanup
for motion capture editing, 2002).

Every unbroken contact of a heel or toe gets one place. The root goes first, as far as both feet agree; what is left
the legs do by two-bone inverse kinematics, and the root comes nearer where a leg would not reach. Bones are never
stretched. Corrections fade in and out over BLEND before and after a contact, so that nothing pops.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from ..smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle, rotation_between
from ..smpl_assets.skeleton import JOINT
from .contact import runs
from .fit.skeleton import Posed, RestSkeleton, pose_skeleton
from .ground import CONTACT_POINTS, lowest_height
from .leg_ik import LEGS, furthest, reached
from .steady_path import smooth_shift, steadying_shift

BALLS = (JOINT["left_foot"], JOINT["right_foot"])
BLEND = 0.2  # seconds
ON_THE_FLOOR = 0.03  # metres; nearer places are set on the floor, those twice as far keep their height: tiptoes, steps
HEIGHT_BENDING = 1.6  # seconds; the height of the root is slow to give way, so that jumps stay as high as they were
AS_SEEN = 0.03  # of a standing foot's say in that height: how much the root in the air wants to be where it was seen
GROUNDING = 0.05  # seconds, over which the height of the lowest foot point is averaged
HARDLY_AWAY = 0.002  # metres
LARGEST_BEND = 0.8  # radians that toes bend up by
LARGEST_TURN = 0.5  # radians that a foot is turned by at most, to hold heel and toe, unless it stands firmly


def lock_feet(
    rest: RestSkeleton,
    local: Array,
    pelvis: Array,
    contact: NDArray[np.float32],
    fps: float,
    strength: float = 1.0,
    floor: float = 1.0,
    firm: NDArray[np.bool_] | None = None,
) -> tuple[Array, Array]:
    """Hold heels and toes while they are in ``contact`` (T, 4; l_heel, l_toe, r_heel, r_toe; contact.py).

    local (T, 24, 3, 3), pelvis (T, 3) m, world with Z up, floor z = 0. strength: 0 changes nothing, 1 holds feet
    entirely. floor: how far places near the floor are set on it, and feet kept above it, 0..1. firm: (T, 2) left and
    right feet that stand beyond doubt, heel and toe: they keep still even where they would roll or be turned far.
    Returns new local and pelvis; only the pelvis path and hips, knees, ankles and toes change.
    """
    if strength <= 0 or len(pelvis) < 3 or not contact.any():
        return local, pelvis
    standing = contact > 0
    local = with_bent_toes(rest, local, pelvis, fps, strength * floor)
    largest_turn = np.full((len(pelvis), 2), LARGEST_TURN)
    if firm is not None and firm.any():
        local, claims = with_still_toes(local, firm, fps, strength)
        largest_turn += claims * (np.pi - LARGEST_TURN)
    posed = pose_skeleton(rest, local, pelvis)
    shift = steadying_shift(posed.ends[:, CONTACT_POINTS], contact, fps)
    feet = posed.ends[:, CONTACT_POINTS] + shift[:, None]
    places = standing_places(feet, standing, rest.soles(), floor)
    posed = _moved(posed, strength * (shift + _common_shift(places - feet, standing, fps)))
    moves = faded(places - posed.ends[:, CONTACT_POINTS], standing, fps)
    ankles, turns = _foot_goals(posed, *moves, rest.soles(), largest_turn, strength, floor)
    posed = _moved(posed, reaching_shift(rest, posed, ankles, fps))
    _set_legs(rest, local, posed, ankles, turns)
    return local, posed.joints[:, 0]


def _moved(posed: Posed, shift: Array) -> Posed:
    """The same pose moved by ``shift`` (T, 3) m."""
    return Posed(posed.rotations, posed.joints + shift[:, None], posed.ends + shift[:, None])


def with_bent_toes(rest: RestSkeleton, local: Array, pelvis: Array, fps: float, share: float) -> Array:
    """Local rotations (T, 24, 3, 3) whose toes bend up at the ball where they would go through the floor, as toes do.

    share: of the bend that brings the tip to the floor, 0..1.
    """
    posed, result, soles = pose_skeleton(rest, local, pelvis), local.copy(), rest.soles()
    near = _feet_near_the_floor((posed.ends[:, CONTACT_POINTS, 2] - soles).reshape(-1, 2, 2))
    for side, (tip, ball, sole) in enumerate(zip(CONTACT_POINTS[1::2], BALLS, soles[1::2], strict=True)):
        toes = posed.ends[:, tip] - posed.joints[:, ball]
        length = np.linalg.norm(toes, axis=-1)
        lowest = np.clip((sole - posed.joints[:, ball, 2]) / length, -1.0, 1.0)
        bend = np.arcsin(lowest) - np.arcsin(np.clip(toes[:, 2] / length, -1.0, 1.0))
        bend *= near[:, side]
        axis = np.stack([toes[:, 1], -toes[:, 0], np.zeros(len(toes))], axis=-1)  # level, raises the toes
        axis /= np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
        bend = _eased(np.clip(bend, 0.0, LARGEST_BEND), fps)
        turn = matrix_from_axis_angle(share * bend[:, None] * axis)
        world = posed.rotations[:, ball]
        result[:, ball] = local[:, ball] @ np.swapaxes(world, -1, -2) @ turn @ world
    return result


def with_still_toes(local: Array, firm: NDArray[np.bool_], fps: float, share: float) -> tuple[Array, Array]:
    """Local rotations (T, 24, 3, 3) whose toes keep one bend over each run of ``firm`` (T, 2) feet, and how far these
    count (T, 2), 0..1, since they fade in and out. share: of the way to that bend, 0..1.
    """
    numbers, count = runs(firm)
    bend = axis_angle_from_matrix(local[:, BALLS])
    means = _means(bend, np.ones(firm.shape), numbers, count)[numbers]
    moves, claims = faded(means - bend, firm, fps)
    result = local.copy()
    result[:, BALLS] = matrix_from_axis_angle(bend + share * moves)
    return result, claims


def standing_places(feet: Array, standing: NDArray[np.bool_], soles: Array, floor: float) -> Array:
    """Where each contact of each point stands: (T, 4, 3) m, one place for its whole run over ``feet``, else ``feet``.

    That is the geometric median of the run (Weiszfeld, 1937), which a swing caught at either end does not move. Places
    near the floor are set on it as far as ``floor`` says (0..1); soles (4,) m are that far below the points.
    """
    numbers, count = runs(standing)
    places = _means(feet, np.ones(numbers.shape), numbers, count)[numbers]
    for _ in range(5):
        away = np.linalg.norm(feet - places, axis=-1)
        places = _means(feet, 1.0 / (away + HARDLY_AWAY), numbers, count)[numbers]
    height = places[..., 2] - soles
    places[..., 2] -= floor * height * _near_the_floor(height)
    return np.where(standing[..., None], places, feet)


def _near_the_floor(height: Array) -> Array:
    """How far points at ``height`` m are the floor's, 0..1: wholly near it, not on a step above or below."""
    return np.clip(2.0 - np.abs(height) / ON_THE_FLOOR, 0.0, 1.0)


def _feet_near_the_floor(soles: Array) -> Array:
    """How far each foot (T, 2) is the floor's, from soles (T, 2, 2) m high: not with heel and toe both far below."""
    return _near_the_floor(np.minimum(soles.max(axis=2), 0.0))


def _means(points: Array, weights: Array, numbers: NDArray[np.int64], count: int) -> Array:
    """Weighted means (count + 1, 3) of ``points`` (T, P, 3) over each run."""
    labels = numbers.ravel()
    total = np.bincount(labels, weights.ravel(), count + 1)
    sums = [np.bincount(labels, (weights * points[..., axis]).ravel(), count + 1) for axis in range(3)]
    return np.stack(sums, axis=-1) / np.maximum(total, 1e-12)[:, None]


def _common_shift(offsets: Array, standing: NDArray[np.bool_], fps: float) -> Array:
    """The shift (T, 3) of the root that goes with the mean of the standing points' ``offsets`` (T, 4, 3)."""
    count = standing.sum(axis=1)
    mean = (offsets * standing[..., None]).sum(axis=1) / np.maximum(count, 1)[:, None]
    shift = smooth_shift(fps, place_weights=np.minimum(count, 1.0), places=mean)
    weights = np.clip(count, AS_SEEN, 1.0)
    shift[:, 2] = smooth_shift(fps, place_weights=weights, places=mean, bending=HEIGHT_BENDING)[:, 2]
    return shift


def faded(offsets: Array, standing: NDArray[np.bool_], fps: float) -> tuple[Array, Array]:
    """Offsets (T, P, 3) that fade in before and out after each run of ``standing``; and how far they count (T, P).

    Between two contacts less than two BLENDs apart one goes over into the other.
    """
    frames = np.arange(len(standing))[:, None]
    before = np.maximum.accumulate(np.where(standing, frames, -len(standing)), axis=0)
    after = np.minimum.accumulate(np.where(standing, frames, 2 * len(standing))[::-1], axis=0)[::-1]
    total, claims = np.zeros_like(offsets), np.zeros(standing.shape)
    for nearest in (before, after):
        part = np.clip(1.0 - np.abs(frames - nearest) / (BLEND * fps + 1.0), 0.0, 1.0)
        weight = part**2 * (3.0 - 2.0 * part)
        rows = np.clip(nearest, 0, len(standing) - 1)
        total += weight[..., None] * np.take_along_axis(offsets, rows[..., None], axis=0)
        claims += weight
    return total / np.maximum(claims, 1.0)[..., None], np.minimum(claims, 1.0)


def _foot_goals(
    posed: Posed, offsets: Array, claims: Array, soles: Array, largest_turn: Array, strength: float, floor: float
) -> tuple[Array, Array]:
    """Where the ankles should be (T, 2, 3) m, and what to turn the feet by (T, 2, 3, 3), so that ends move by offsets.

    An end that nothing holds goes with the other end of its foot; none sinks into the floor. largest_turn: (T, 2).
    """
    ends = posed.ends[:, CONTACT_POINTS].reshape(-1, 2, 2, 3)  # (T, side, heel and toe, 3)
    own, claim = offsets.reshape(ends.shape), claims.reshape(*ends.shape[:3], 1)
    goals = ends + strength * (own + (1.0 - claim) * own[:, :, ::-1])
    height = goals[..., 2] - soles.reshape(2, 2)
    goals[..., 2] += strength * floor * np.maximum(-height, 0.0) * _feet_near_the_floor(height)[..., None]
    turns = rotation_between(ends[:, :, 1] - ends[:, :, 0], goals[:, :, 1] - goals[:, :, 0])
    vectors = axis_angle_from_matrix(turns)
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    turns = matrix_from_axis_angle(vectors * np.minimum(1.0, largest_turn[..., None] / np.maximum(size, 1e-12)))
    ankles = posed.joints[:, [leg.ankle for leg in LEGS]]
    return goals.mean(axis=2) + (turns @ (ankles - ends.mean(axis=2))[..., None])[..., 0], turns


def reaching_shift(rest: RestSkeleton, posed: Posed, ankles: Array, fps: float) -> Array:
    """Shift (T, 3) m of the root that brings both hips within reach of the ``ankles``' goals (T, 2, 3)."""
    shift = np.zeros((len(ankles), 3))
    for _ in range(2):
        for side, leg in enumerate(LEGS):
            away = ankles[:, side] - posed.joints[:, leg.hip] - shift
            distance = np.linalg.norm(away, axis=-1)
            lacking = np.maximum(distance - furthest(rest, posed, leg), 0.0)
            shift += _eased(lacking, fps)[:, None] * away / np.maximum(distance, 1e-9)[:, None]
    return shift


def _eased(values: Array, fps: float) -> Array:
    """Values (T,) >= 0 that come and go smoothly, and nowhere lie much below what they were."""
    early = maximum_filter1d(values, 2 * round(BLEND * fps / 2.0) + 1, mode="nearest")
    return np.asarray(gaussian_filter1d(early, max(BLEND * fps / 2.0, 0.3), mode="nearest"))


def grounding_shift(joints: Array, ends: Array, fps: float) -> Array:
    """Shift (T, 3) m up or down after which the lowest part of joints (T, 24, 3), ends (T, 13, 3) is on the floor."""
    smooth = np.asarray(gaussian_filter1d(-lowest_height(joints, ends), max(GROUNDING * fps, 0.3), mode="nearest"))
    return smooth[:, None] * np.array([0.0, 0.0, 1.0])


def _set_legs(rest: RestSkeleton, local: Array, posed: Posed, ankles: Array, turns: Array) -> None:
    """Make legs reach from their ``posed`` hips to ``ankles`` (T, 2, 3), feet turned by (T, 2, 3, 3), in ``local``."""
    for side, leg in enumerate(LEGS):
        joints = (leg.hip, leg.knee, leg.ankle)
        for joint, turn in zip(joints, reached(rest, posed, leg, ankles[:, side], turns[:, side]), strict=True):
            local[:, joint] = turn
