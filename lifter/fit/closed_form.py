"""Rotations straight from positions: Kabsch where a part has three points, swing and bend about a hinge where two.

Follows HybrIK's swing-twist idea (Li et al., 2021) with twist taken from the limbs' bend and from the ends
instead of an image. All in the world frame, vectorised over time.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ...smpl_assets.rotation import (
    Array,
    axis_angle_from_matrix,
    matrix_from_axis_angle,
    rotation_between,
)
from ...smpl_assets.skeleton import END_NAMES, JOINT
from .skeleton import RestSkeleton, local_from_global

# Flexion axes in the rest pose (body frame): turning by a positive angle bends the joint the natural way.
# Directions are the means over the motion-capture set that the lifter is trained on.
HINGES = {
    "left_elbow": (0.0, -0.89, 0.46),
    "right_elbow": (0.0, 0.89, -0.46),
    "left_knee": (0.99, 0.0, 0.14),
    "right_knee": (0.99, 0.0, -0.14),
}
# Bent less than the first, a limb tells nothing of its twist, from the second on it is believed. The widest fade that
# costs nothing on exact joints is the steadiest on noisy ones.
BEND_FADE = (np.sin(np.radians(8.0)), np.sin(np.radians(50.0)))
TWIST_MEMORY = 0.25  # seconds over which a straight limb keeps its twist
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def kabsch(rest: Array, target: Array, weights: Array | None = None) -> Array:
    """Rotations (T, 3, 3) that best turn rest vectors (P, 3) into targets (T, P, 3) (Kabsch, 1976)."""
    scaled = rest if weights is None else rest * weights[:, None]
    u, _, vt = np.linalg.svd(np.einsum("tpa,pb->tab", target, scaled))
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., :, 2] *= sign[..., None]
    return u @ vt


def initial_rotations(rest: RestSkeleton, joints: Array, ends: Array, fps: float) -> Array:
    """Local rotations (T, 24, 3, 3) for joints (T, 24, 3) and ends (T, 13, 3; NaN where unknown) in the world frame."""
    solver = _Solver(rest, joints, ends, fps)
    solver.trunk()
    solver.head()
    for side in ("left", "right"):
        solver.limb(f"{side}_collar", f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        solver.hand(side)
        solver.limb("pelvis", f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        solver.foot(side)
    return local_from_global(solver.world)


class _Solver:
    """Global rotations ``world`` (T, 24, 3, 3), filled part by part from the trunk outwards."""

    def __init__(self, rest: RestSkeleton, joints: Array, ends: Array, fps: float) -> None:
        self.rest, self.joints, self.ends, self.fps = rest, joints, ends, fps
        self.world = np.tile(np.eye(3), (len(joints), 24, 1, 1))

    def vector(self, start: str, end: str) -> Array:
        """Vectors (T, 3) m from one given joint to another, world frame."""
        return self.joints[:, JOINT[end]] - self.joints[:, JOINT[start]]

    def set(self, name: str, rotations: Array) -> None:
        """Note the global rotations (T, 3, 3) of a joint."""
        self.world[:, JOINT[name]] = rotations

    def get(self, name: str) -> Array:
        """Global rotations (T, 3, 3) of a joint that was set before."""
        return self.world[:, JOINT[name]]

    def from_points(self, joint: str, children: tuple[str, ...], ends: tuple[str, ...], fallback: Array) -> Array:
        """Rotation of a part from child joints and ends; ``fallback`` in frames where no end is known."""
        rest = [self.rest.bone(joint, child) for child in children]
        target = [self.vector(joint, child) for child in children]
        rows = [END_NAMES.index(name) for name in ends]
        here = self.ends[:, rows] - self.joints[:, JOINT[joint], None]
        known = np.isfinite(here).all(axis=(1, 2))
        rest_all = np.concatenate([np.reshape(rest, (-1, 3)), self.rest.end_vectors(joint, ends)])
        target_all = np.concatenate([*[t[:, None] for t in target], np.where(known[:, None, None], here, 0.0)], axis=1)
        if not known.any():
            return fallback
        return np.where(known[:, None, None], kabsch(rest_all, target_all), fallback)

    def trunk(self) -> None:
        """Pelvis and chest from the joints around them, the spine between the two."""
        hips = ("left_hip", "right_hip", "spine1")
        pelvis = kabsch(self._rest("pelvis", hips), self._target("pelvis", hips))
        top = ("neck", "left_collar", "right_collar", "left_shoulder", "right_shoulder")
        chest = kabsch(self._rest("spine3", top), self._target("spine3", top), np.array([1.0, 0.7, 0.7, 0.7, 0.7]))
        self.set("pelvis", pelvis)
        self.set("spine3", chest)
        lower = aligned(
            between(pelvis, chest, 1 / 3), self.rest.bone("spine1", "spine2"), self.vector("spine1", "spine2")
        )
        self.set("spine1", lower)
        self.set("spine2", between(lower, chest, 0.5))

    def head(self) -> None:
        """Head from the face, neck half way from the chest to it; the head follows the neck where no face is known."""
        chest, bone = self.get("spine3"), self.rest.bone("neck", "head")
        neck = aligned(chest, bone, self.vector("neck", "head"))
        head = self.from_points("head", (), FACE, neck)
        self.set("head", head)
        self.set("neck", aligned(between(chest, head, 0.5), bone, self.vector("neck", "head")))

    def limb(self, parent: str, upper: str, middle: str, end: str) -> None:
        """Arm or leg down to its hinge: swung along its bones, twisted so that it bends about the hinge's axis."""
        if parent.endswith("collar"):
            self.set(parent, aligned(self.get("spine3"), self.rest.bone(parent, upper), self.vector(parent, upper)))
        first, second = self.vector(upper, middle), self.vector(middle, end)
        rest_first, rest_second, axis = self.rest.bone(upper, middle), self.rest.bone(middle, end), HINGES[middle]
        swung = aligned(self.get(parent), rest_first, first)
        flexion, straightest = hinge_flexion(np.array(axis), rest_first, rest_second, first, second)
        bent = matrix_from_axis_angle(flexion[:, None] * _unit(np.array(axis))) @ rest_second
        phase = bend_phase((swung @ bent[..., None])[..., 0], first, second, flexion - straightest)
        memory = _smoothed(phase, TWIST_MEMORY * self.fps)
        twist = np.angle(phase + 0.3 * memory + 0.03)
        turned = matrix_from_axis_angle(_unit(first) * twist[:, None]) @ swung
        self.set(upper, turned)
        self.set(middle, aligned(turned, rest_second, second))

    def hand(self, side: str) -> None:
        """Wrist and hand from the knuckles; the forearm takes part in their twist."""
        elbow, wrist, hand = f"{side}_elbow", f"{side}_wrist", f"{side}_hand"
        straight = aligned(self.get(elbow), self.rest.bone(wrist, hand), self.vector(wrist, hand))
        palm = self.from_points(wrist, (hand,), (f"{side}_index_knuckle", f"{side}_pinky_knuckle"), straight)
        # a forearm takes half of the hand's twist, as radius and ulna do
        bone = _unit(self.vector(elbow, wrist))
        turn = (axis_angle_from_matrix(palm @ np.swapaxes(self.get(elbow), -1, -2)) * bone).sum(-1, keepdims=True)
        self.set(elbow, matrix_from_axis_angle(0.5 * turn * bone) @ self.get(elbow))
        self.set(wrist, palm)
        self.set(hand, palm)

    def foot(self, side: str) -> None:
        """Ankle and foot as one rigid sole from heel and big toe."""
        knee, ankle, foot = f"{side}_knee", f"{side}_ankle", f"{side}_foot"
        straight = aligned(self.get(knee), self.rest.bone(ankle, foot), self.vector(ankle, foot))
        sole = self.from_points(ankle, (foot,), (f"{side}_heel", f"{side}_big_toe"), straight)
        self.set(ankle, sole)
        self.set(foot, sole)

    def _rest(self, joint: str, children: tuple[str, ...]) -> Array:
        return np.stack([self.rest.bone(joint, child) for child in children])

    def _target(self, joint: str, children: tuple[str, ...]) -> Array:
        return np.stack([self.vector(joint, child) for child in children], axis=1)


def aligned(rotations: Array, rest_bone: Array, target: Array) -> Array:
    """``rotations`` (T, 3, 3) swung the short way so that ``rest_bone`` (3,) points along ``target`` (T, 3)."""
    return rotation_between(rotations @ rest_bone, target) @ rotations


def hinge_flexion(
    axis: Array, rest_first: Array, rest_second: Array, first: Array, second: Array
) -> tuple[Array, float]:
    """How far a joint is turned about its hinge ``axis`` from rest, told by the angle between its bones.

    axis, rest_first, rest_second: (3,) at rest; first, second: (T, 3) now. Rest bones need not lie in the hinge's
    plane. Returns radians (T,), and the flexion at which the limb is straightest; 0 in the rest pose.
    """
    axis, rest_first, rest_second = _unit(axis), _unit(rest_first), _unit(rest_second)
    # turned by an angle, the second bone has the cosine  across + size * cos(angle - straightest)  with the first one
    across = (axis @ rest_first) * (axis @ rest_second)
    cosine, sine = rest_first @ rest_second - across, rest_first @ np.cross(axis, rest_second)
    straightest = float(np.arctan2(sine, cosine))
    now = (_unit(first) * _unit(second)).sum(-1)
    return straightest + np.arccos(np.clip((now - across) / np.hypot(cosine, sine), -1.0, 1.0)), straightest


def bend_phase(bent: Array, first: Array, second: Array, bend: Array) -> NDArray[np.complex128]:
    """How far to turn a limb about its upper bone ``first`` so that its lower bone comes from ``bent`` to ``second``.

    All (T, 3); bend (T,): radians from the straightest. Returns (T,) complex: the angle is the turn, the size how sure
    it is, 0 for a straight limb.
    """
    bone = _unit(first)
    start, goal = np.cross(bone, bent), np.cross(bone, _unit(second))
    angle = np.arctan2((np.cross(start, goal) * bone).sum(-1), (start * goal).sum(-1))
    sine = np.sin(np.clip(bend, 0.0, np.pi / 2))
    return np.clip((sine - BEND_FADE[0]) / (BEND_FADE[1] - BEND_FADE[0]), 0.0, 1.0) * np.exp(1j * angle)


def _smoothed(phase: NDArray[np.complex128], sigma: float) -> NDArray[np.complex128]:
    return gaussian_filter1d(phase.real, sigma, mode="nearest") + 1j * gaussian_filter1d(
        phase.imag, sigma, mode="nearest"
    )


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def between(first: Array, second: Array, share: float) -> Array:
    """Rotations a ``share`` of the way from first to second (T, 3, 3)."""
    step = axis_angle_from_matrix(np.swapaxes(first, -1, -2) @ second)
    return first @ matrix_from_axis_angle(step * share)
