"""Rotations straight from positions: every part that has three points by least squares, limbs by swing and hinge.

Follows HybrIK's swing-twist idea (Li et al., 2021) with twist taken from the limbs' bend, from the ends and from what
motion capture says is usual (twist_prior.py) instead of an image, each as far as it is sure. How unsure the points are
is read off the distances between those that should keep theirs. World frame, vectorised over time.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise

import numpy as np
from scipy.linalg import solveh_banded

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES, JOINT, PARENTS
from .alignment import aligned, best_rotation, between, correlation, rotated, turn_about
from .frames_last import inverse, matrix_of, pieces, quaternion_of, quaternion_product, rotation_vector, unit
from .hinges import Hinge
from .movement import Movement, pose_of
from .skeleton import RestSkeleton
from .steady_points import steady_points
from .twist_prior import Turn, seen_from, turns

SIDES = ("left", "right")
POINT = JOINT | {name: 24 + row for row, name in enumerate(END_NAMES)}
# Points of a rigid part, with how many metres they may be off; 0 for its own.
PELVIS = {"pelvis": 0.0, "left_hip": 0.0, "right_hip": 0.0, "spine1": 0.0}
CHEST = {
    "spine3": 0.0, "neck": 0.0, "left_collar": 0.0, "right_collar": 0.0,
    "left_shoulder": 0.01, "right_shoulder": 0.01, "spine2": 0.005, "spine1": 0.02,
}  # fmt: skip
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
HEAD = {"head": 0.0, "neck": 0.02, **dict.fromkeys(FACE, 0.0)}
ARM = ("shoulder", "elbow", "wrist", "hand")
LEG = ("hip", "knee", "ankle", "foot")
KNUCKLES = ("index_knuckle", "pinky_knuckle")
SOLE = ("heel", "big_toe")
LEAST_NOISE = 0.0005  # metres; nobody's points are better than that
TRUNK_SPREAD = 0.15  # radians by which collars, neck and lower spine point away from where their parent would
LEFT_AND_RIGHT = np.array([[1.0], [-1.0]])  # a twist on the left is the opposite one on the right
UNKNOWN_NOISE = 0.01
BRIDGED = 0.01  # weight of a joint in frames in which it is not known
TIE_BREAK = 0.02  # share of the prior in a part's points, so that turns which they leave open are the usual ones


def initial_rotations(
    rest: RestSkeleton, joints: Array, ends: Array, fps: float, confidence: Array | None = None
) -> Array:
    """Local rotations (T, 24, 3, 3); everything else as for initial_movement."""
    return pose_of(initial_movement(rest, joints, ends, fps, confidence)).local


def initial_movement(
    rest: RestSkeleton, joints: Array, ends: Array, fps: float, confidence: Array | None = None
) -> Movement:
    """Local rotations, and the pelvis where it was given.

    joints (T, 24, 3) and ends (T, 13, 3) in metres, world frame, frames even in time at ``fps``, NaN where unknown:
    such joints are taken along a line in time and say nothing about twist. confidence (T, 24), 0..1; 0 is unknown.
    """
    solver = Solver(rest, joints, ends, fps, turns(), confidence)
    solver.trunk()
    solver.head()
    solver.arms()
    solver.legs()
    return Movement(solver.local(), joints[:, 0].T.astype(np.float64))


def settled(found: Array, precision: Array, turn: Turn, fps: float, unsure: float = 0.0) -> Array:
    """Differences (K, T) from the usual turn as they most likely were, given ``found`` ones with ``precision`` (T,).

    Differences are unit quaternions (K = 4) or cosine and sine (K = 2), 1 0 ... for none; precisions are 1 / radians^2.
    The mean of a process that wanders about the usual turn (first-order autoregression): sure frames keep theirs,
    others take over from their neighbours and, further away from those, go back to what is usual. unsure: radians^2 by
    which what is usual is off at random in each frame.
    """
    if not precision.any():
        return np.eye(len(found))[:, :1].repeat(len(precision), axis=1)
    variance = turn.spread**2 + unsure
    keep = turn.spread**2 / variance * np.exp(-(turn.wander**2) / (2 * turn.spread**2 * fps))
    bands = np.empty((2, len(precision)))
    bands[0], bands[1] = -keep, 1.0 + keep**2
    bands[1, [0, -1]] = 1.0 if len(precision) > 1 else 1.0 - keep**2
    bands /= variance * (1.0 - keep**2)
    wanted = precision * found
    wanted[0] += bands[1] + np.append(bands[0, 1:], 0.0) + np.insert(bands[0, 1:], 0, 0.0)
    bands[1] += precision
    if len(precision) == 1:
        return unit(wanted)
    return unit(solveh_banded(bands, wanted.T, check_finite=False).T)


class Solver:
    """Global rotations ``world`` (4, 24, T), filled part by part from the trunk outwards.

    points (3, 37, T) are the joints and ends, finite; trust (37, T) is 0 where they are not known. Arrays have frames
    last; of limbs (S = 2) the left is before the right.
    """

    def __init__(
        self,
        rest: RestSkeleton,
        joints: Array,
        ends: Array,
        fps: float,
        usual: Mapping[str, Turn],
        confidence: Array | None = None,
    ) -> None:
        self.fps, self.rest, self.usual = fps, rest, usual
        self.rest_points = np.concatenate([rest.joints, rest.end_positions()])
        points = np.ascontiguousarray(np.concatenate([joints, ends], axis=1).T, np.float64)
        self.trust = np.isfinite(points).all(axis=0).astype(float)
        if confidence is not None:
            self.trust[:24] *= confidence.T
        # bridged joints count where there is nothing better
        seen = self.trust[:24].any(axis=1, keepdims=True)
        self.weight = np.concatenate([np.maximum(self.trust[:24], BRIDGED * seen), self.trust[24:]])
        self.points = steady_points(points, self.trust > 0, fps)
        self.world = np.zeros((4, 24, len(joints)))
        self.world[0] = 1.0

    def local(self) -> Array:
        """Local rotations (4, 24, T), in the place of ``world``, which they use up."""
        for part in pieces(self.world.shape[-1]):
            world = self.world[..., part]
            world[:, 1:] = quaternion_product(inverse(world[:, list(PARENTS[1:])]), world[:, 1:])
        return self.world

    def trunk(self) -> None:
        """Pelvis and chest from the points around them, the spine between the two."""
        noise = self.noise(combinations(PELVIS, 2))
        self.set("pelvis", best_rotation(self.correlation(PELVIS, noise)))
        chest = best_rotation(self.correlation(CHEST, noise))
        self.set("spine3", chest)
        lower = between(self.get("pelvis"), chest, 1 / 3)
        lower = self.following(lower, "spine1", "spine2", noise, TRUNK_SPREAD)
        self.set("spine1", lower)
        self.set("spine2", between(lower, chest, 0.5))
        for collar, shoulder in _sided(("collar", "shoulder")):
            self.set(collar, self.following(chest, collar, shoulder, noise, TRUNK_SPREAD))

    def head(self) -> None:
        """Head from the face, as usual for the posture without one; the neck half way from the chest to it."""
        noise = self.noise(combinations(FACE, 2))
        usual = self.usual["head"]
        start = quaternion_product(self.straight_head(), quaternion_of(usual.usual(self.seen_around_head())))
        head = self.by_ends(start, HEAD, ("neck", "head"), noise, usual)
        self.set("head", head)
        half = between(self.get("spine3"), head, 0.5)
        self.set("neck", self.following(half, "neck", "head", noise, TRUNK_SPREAD))

    def arms(self) -> None:
        """Shoulders and elbows by the elbows' hinges, wrists by the knuckles; forearms share in the hands' twist."""
        self.limbs("spine3", ARM, self.usual["upper_arm"])
        self.tips(ARM, KNUCKLES, self.seen_around_hands(), self.usual["hand"])
        # a forearm takes half of the hand's twist, as radius and ulna do
        lower, bone = self.both("elbow"), unit(self.bones("elbow", "wrist"))
        turn = rotation_vector(quaternion_product(self.both("wrist"), inverse(lower)))
        half = turn_about(bone, 0.5 * (turn * bone).sum(axis=0))
        self.world[:, _rows("elbow")] = quaternion_product(half, lower)

    def legs(self) -> None:
        """Hips and knees by the knees' hinges, ankles and feet as one sole from heel and big toe."""
        self.limbs("pelvis", LEG, self.usual["thigh"])
        self.tips(LEG, SOLE, self.seen_around_feet(), self.usual["foot"])

    def limbs(self, parent: str, parts: tuple[str, ...], usual: Turn) -> None:
        """Both arms or legs down to their hinges: swung along bones, turned so that they bend about the hinges."""
        noise = self.noise([pair for names in _sided(parts[:3]) for pair in pairwise(names)])
        hinge = Hinge(self.rest, *parts[:3])
        first, second = self.bones(*parts[:2]), self.bones(*parts[1:3])
        turn = usual.usual(self.seen_around_limbs(parent, parts))[0] * LEFT_AND_RIGHT
        upper = quaternion_product(turn_about(unit(first), turn), self.straight_limbs(parent, parts))
        angle, precision = hinge.twist(upper, first, second, noise)
        precision *= self.trust[[_rows(part) for part in parts[:3]]].min(axis=0)
        found = np.stack([np.cos(angle), np.sin(angle)])
        cosine, sine = np.stack([settled(found[:, s], precision[s], usual, self.fps) for s in (0, 1)], axis=1)
        upper = quaternion_product(turn_about(unit(first), np.arctan2(sine, cosine)), upper)
        bent = rotated(upper, hinge.within_range(rotated(inverse(upper), unit(second))))
        self.world[:, _rows(parts[0])] = upper
        self.world[:, _rows(parts[1])] = aligned(upper, hinge.lower[..., None], bent)

    def tips(self, parts: tuple[str, ...], ends: tuple[str, ...], seen: Array, usual: Turn) -> None:
        """Both hands or feet, rigid with their tips, from the ends; as usual for the posture without any."""
        joint, tip = parts[2:]
        names = _sided((joint, tip, *ends))
        noise = self.noise([pair for side in names for pair in combinations(side, 2)])
        turn = turn_about(unit(self.bones(joint, tip)), usual.usual(seen)[0] * LEFT_AND_RIGHT)
        start = quaternion_product(turn, self.straight_tips(parts))
        for row, side in enumerate(names):
            found = self.by_ends(start[:, row], dict.fromkeys(side, 0.0), side[:2], noise, usual)
            self.set(side[0], found)
            self.set(side[1], found)

    def by_ends(
        self, start: Array, points: dict[str, float], axis: tuple[str, ...], noise: float, usual: Turn
    ) -> Array:
        """A part's rotation (4, T): ``start``, turned as far as its end points are known and sure to tell.

        points: see HEAD; axis: the joints of the bone about which the part is least sure.
        """
        ends = [POINT[name] for name in points if POINT[name] >= 24]
        if not self.trust[ends].any():
            return start
        tie = TIE_BREAK / (2 * usual.spread**2)
        found = best_rotation(self.correlation(points, noise) + tie * matrix_of(start))
        off = quaternion_product(inverse(start), found)
        off *= np.where(off[0] < 0, -1.0, 1.0)
        bone = self.rest_points[POINT[axis[1]]] - self.rest_points[POINT[axis[0]]]
        arms = self.rest_points[ends] - self.rest_points[POINT[axis[1]]]
        precision = (np.cross(arms, unit(bone)) ** 2).sum(axis=-1) @ self.trust[ends] / noise**2
        unsure = 2 * noise**2 / (bone @ bone)
        return quaternion_product(start, settled(off, precision, usual, self.fps, unsure))

    def straight_head(self) -> Array:
        """The chest's rotation (4, T), swung along the neck."""
        return aligned(self.get("spine3"), self.rest.bone("neck", "head"), self.vector("neck", "head"))

    def straight_limbs(self, parent: str, parts: tuple[str, ...]) -> Array:
        """The parent's rotation, swung along both upper arms or thighs: (4, 2, T)."""
        return self.following_both(self.get(parent)[:, None], *parts[:2])

    def seen_around_limbs(self, parent: str, parts: tuple[str, ...]) -> Array:
        """What is known of the usual twist of upper arms or thighs: features (9, 2, T)."""
        return seen_from(self.get(parent)[:, None], *(self.bones(a, b) for a, b in pairwise(parts)))

    def seen_around_feet(self) -> Array:
        """What is known of the usual twist of feet: features (6, 2, T)."""
        return np.concatenate(
            [
                seen_from(self.both("hip"), self.bones("knee", "ankle")),
                seen_from(self.lower_limbs(LEG), self.bones("ankle", "foot")),
            ]
        )

    def seen_around_hands(self) -> Array:
        """What is known of the usual twist of hands: features (15, 2, T)."""
        return np.concatenate(
            [
                self.seen_around_limbs("spine3", ARM),
                seen_from(self.both("shoulder"), self.bones("elbow", "wrist")),
                seen_from(self.lower_limbs(ARM), self.bones("wrist", "hand")),
            ]
        )

    def seen_around_head(self) -> Array:
        """What is known of how a head is usually turned: features (24, T)."""
        chest = self.get("spine3")
        arms = seen_from(chest[:, None], *(self.bones(a, b) for a, b in pairwise(ARM)), mirror=False)
        lean = quaternion_product(inverse(chest), self.get("pelvis"))
        return np.concatenate(
            [seen_from(chest, self.vector("neck", "head")), (lean * np.sign(lean[0]))[1:], *np.swapaxes(arms, 0, 1)]
        )

    def straight_tips(self, parts: tuple[str, ...]) -> Array:
        """The same, swung further along both hands or feet: (4, 2, T)."""
        return self.following_both(self.lower_limbs(parts), *parts[2:])

    def lower_limbs(self, parts: tuple[str, ...]) -> Array:
        """The upper limbs' rotation, swung along forearms or shins: (4, 2, T)."""
        return self.following_both(self.both(parts[0]), *parts[1:3])

    def correlation(self, points: dict[str, float], noise: float) -> Array:
        """How a part's points lie along their rest, each weighed by how unsure it is: (3, 3, T)."""
        rows = [POINT[name] for name in points]
        weights = self.weight[rows] / (noise**2 + np.array([*points.values()])[:, None] ** 2)
        return correlation(self.rest_points[rows], self.points[:, rows], weights)

    def noise(self, pairs: Iterable[tuple[str, str]]) -> float:
        """How far off each coordinate of points is, metres, told by how their rest distances are missed."""
        first, second = (np.array([POINT[name] for name in names]) for names in zip(*pairs, strict=True))
        rest = np.linalg.norm(self.rest_points[first] - self.rest_points[second], axis=-1)
        apart = self.points[:, first] - self.points[:, second]
        missed = np.abs(np.sqrt((apart * apart).sum(axis=0)) - rest[:, None])
        missed = missed[(self.trust[first] > 0) & (self.trust[second] > 0)]
        if not len(missed):
            return UNKNOWN_NOISE
        return max(LEAST_NOISE, 1.4826 / np.sqrt(2) * float(np.median(missed)))

    def following(self, rotations: Array, joint: str, child: str, noise: float, spread: float) -> Array:
        """``rotations`` (4, T) swung towards a bone, the less far the shorter it is beside the ``noise`` of its ends.

        spread: radians by which the bone points away from where ``rotations`` have it.
        """
        bone = self.rest.bone(joint, child)
        share = spread**2 / (spread**2 + 2 * noise**2 / (bone @ bone))
        return aligned(rotations, bone[:, None], self.vector(joint, child), share)

    def following_both(self, rotations: Array, joint: str, child: str) -> Array:
        """Both sides' rotations (4, 2, T) swung along their bones."""
        rest = np.array([self.rest.bone(f"{side}_{joint}", f"{side}_{child}") for side in SIDES]).T
        return aligned(rotations, rest[..., None], self.bones(joint, child))

    def vector(self, start: str, end: str) -> Array:
        """Vectors (3, T) m from one given joint to another."""
        return self.points[:, POINT[end]] - self.points[:, POINT[start]]

    def bones(self, start: str, end: str) -> Array:
        """Vectors (3, 2, T) m between joints of both sides."""
        return self.points[:, _rows(end)] - self.points[:, _rows(start)]

    def set(self, name: str, rotations: Array) -> None:
        """Note the global rotations (4, T) of a joint."""
        self.world[:, JOINT[name]] = rotations

    def get(self, name: str) -> Array:
        """Global rotations (4, T) of a joint that was set before."""
        return self.world[:, JOINT[name]]

    def both(self, part: str) -> Array:
        """Global rotations (4, 2, T) of the left and right joint."""
        return self.world[:, _rows(part)]


def _rows(part: str) -> list[int]:
    return [POINT[f"{side}_{part}"] for side in SIDES]


def _sided(parts: Iterable[str]) -> list[tuple[str, ...]]:
    return [tuple(f"{side}_{part}" for part in parts) for side in SIDES]
