"""Elbows and knees: how far they are bent, and what their bend says about the twist of the limb.

Arrays have frames last (frames_last.py): limbs (S), left before right, then frames (T).
"""

import numpy as np

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT
from .alignment import rotated, turn_about
from .frames_last import cross, quaternion_product, unit
from .limits import HINGE_RANGE
from .skeleton import RestSkeleton

# Flexion axes in the rest pose (body frame): turning by a positive angle bends the joint the natural way.
# Directions are the means over the motion-capture set that the lifter is trained on.
HINGES = {
    "left_elbow": (0.0, -0.89, 0.46),
    "right_elbow": (0.0, 0.89, -0.46),
    "left_knee": (0.99, 0.0, 0.14),
    "right_knee": (0.99, 0.0, -0.14),
}
# How far (radians) the plane in which a limb bends lies off the one its hinge would have it in.
HINGE_SPREAD = {"elbow": 0.05, "knee": 0.07}
FADE = np.radians(25)  # bent less, a limb tells the less of its twist the straighter it is


class Hinge:
    """The elbows or knees of a person at rest: ``axis``, ``upper`` and ``lower`` bone (3, S), body frame."""

    def __init__(self, rest: RestSkeleton, upper: str, middle: str, lower: str) -> None:
        sides = ("left", "right")
        self.spread, self.range = HINGE_SPREAD[middle], np.radians(HINGE_RANGE[middle])
        self.axis = unit(np.array([HINGES[f"{side}_{middle}"] for side in sides]).T)
        self.upper_bone = np.array([rest.bone(f"{side}_{upper}", f"{side}_{middle}") for side in sides]).T
        self.lower_bone = np.array([rest.bone(f"{side}_{middle}", f"{side}_{lower}") for side in sides]).T
        self.upper, self.lower = unit(self.upper_bone), unit(self.lower_bone)
        # turned by an angle, the lower bone has the cosine  across + size * cos(angle - straightest)  with the upper
        self.across = (self.axis * self.upper).sum(0) * (self.axis * self.lower).sum(0)
        cosine = (self.upper * self.lower).sum(0) - self.across
        sine = (self.upper * cross(self.axis, self.lower)).sum(0)
        self.straightest, self.size = np.arctan2(sine, cosine), np.hypot(cosine, sine)

    def flexion(self, first: Array, second: Array) -> Array:
        """How far limbs with bones ``first`` and ``second`` (3, S, T) are turned about their hinges from rest.

        Told by the angle between the bones alone: radians (S, T), never less than at the straightest.
        """
        now = (unit(first) * unit(second)).sum(axis=0)
        cosine = (now - self.across[:, None]) / self.size[:, None]
        return self.straightest[:, None] + np.arccos(np.clip(cosine, -1.0, 1.0))

    def signed_flexion(self, lower: Array) -> Array:
        """The same from the lower bone (3, S, T) seen from the upper one's axes; less than straightest: bent back."""
        axis, start = self.axis[..., None], self.lower[..., None]
        start = start - axis * (axis * start).sum(axis=0)
        return np.arctan2((axis * cross(np.broadcast_to(start, lower.shape), lower)).sum(0), (start * lower).sum(0))

    def twist(self, upper: Array, first: Array, second: Array, noise: float) -> tuple[Array, Array]:
        """How far limbs must turn about their upper bones so that they bend about their hinges, and how sure that is.

        upper: rotations (4, S, T) that already point along ``first``; first, second: bones (3, S, T) m; noise: how far
        off each coordinate of a point is, metres. Returns radians (S, T) and their precisions, 0 where straight.
        """
        bone, flexion = unit(first), self.flexion(first, second)
        turned = turn_about(self.axis[..., None], flexion)
        bent = rotated(quaternion_product(upper, turned), np.broadcast_to(self.lower[..., None], first.shape))
        start, goal = cross(bone, bent), cross(bone, unit(second))
        angle = np.arctan2((cross(start, goal) * bone).sum(axis=0), (start * goal).sum(axis=0))
        square = (goal * goal).sum(axis=0) * (flexion - self.straightest[:, None] > 0)
        square *= np.minimum(1.0, square / np.sin(FADE) ** 2)
        lengths = [(bones * bones).sum(axis=0) for bones in (self.upper_bone, self.lower_bone)]
        variance = self.spread**2 + 2 * noise**2 * (1 / lengths[0] + 1 / lengths[1])
        # a straight limb between unsure points bends about any axis: that much of the bend says nothing
        return angle, np.maximum(square / variance[:, None] - 2.0, 0.0)

    def within_range(self, lower: Array) -> Array:
        """Lower bones (3, S, T), seen from the upper ones' axes, bent no further than the hinge goes either way."""
        flexion = self.signed_flexion(lower)
        nearest = np.clip(flexion, *(self.straightest + self.range[:, None])[..., None])
        return rotated(turn_about(self.axis[..., None], nearest - flexion), lower)


def hinge_bends(rest: RestSkeleton, local: Array) -> Array:
    """How far elbows and knees are bent from straight the natural way, degrees (T, 4), in the order of HINGES.

    local: rotations (T, 24, 3, 3). Below 0 a joint is bent back; the twist of forearm or shin does not count.
    """
    bends = []
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
        hinge = Hinge(rest, *parts)
        turns = local[:, [JOINT[f"{side}_{parts[1]}"] for side in ("left", "right")]]
        lower = np.einsum("tsab,bs->ast", turns, hinge.lower)
        bends.append(hinge.signed_flexion(lower) - hinge.straightest[:, None])
    return np.degrees(np.concatenate(bends)).T
