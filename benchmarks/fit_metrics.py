"""The columns of the fit's benchmark: what an animator would complain about, as numbers. Metres in, Z up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..lifter.fit.skeleton import Posed
from ..smpl_assets.rotation import Array, geodesic_degrees, quaternion_from_matrix
from ..smpl_assets.skeleton import JOINT, PARENTS
from ..training.metrics import acceleration_error, mpjpe
from .fit_data import FEET, soles

# Which joints' rotations turn which part of the skin.
PARTS: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis",),
    "spine": ("spine1", "spine2", "spine3", "neck", "left_collar", "right_collar"),
    "head": ("head",),
    "arms": ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    "hands": ("left_wrist", "right_wrist", "left_hand", "right_hand"),
    "thighs": ("left_hip", "right_hip"),
    "shins": ("left_knee", "right_knee"),
    "feet": ("left_ankle", "right_ankle", "left_foot", "right_foot"),
}
# The axis (body frame, rest pose) about which a positive turn bends the joint as people can.
HINGES = {
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
}
WRONG_WAY = 10.0  # degrees
CONTACT_HEIGHT = 0.05  # metres above the floor
CONTACT_STEP = 0.005  # metres between neighbouring frames: 0.15 m/s at 30 frames a second
PEAK_SPEED = 1.5  # metres a second; slower moments are no peaks
FAST_ENDS = [JOINT[f"{side}_{joint}"] for side in ("left", "right") for joint in ("wrist", "ankle")]


@dataclass(frozen=True)
class Tally:
    """Sums of one column and how many values went into them, so that clips add up by their frames."""

    total: float
    count: int

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.total + other.total, self.count + other.count)

    def mean(self) -> float | None:
        """The mean, or None of nothing."""
        return self.total / self.count if self.count else None


def tally(values: Array) -> Tally:
    """The tally of all entries."""
    return Tally(float(np.sum(values)), int(np.size(values)))


def columns(found: Posed, truth: Posed, fps: float) -> dict[str, Tally]:
    """All columns of one clip (T frames) as tallies; found and truth on their own skeletons, in one world."""
    return {
        "mpjpe_mm": tally(1000 * mpjpe(found.joints, truth.joints)),
        "absolute_mm": tally(1000 * np.linalg.norm(found.joints - truth.joints, axis=-1)),
        **rotation_columns(found.rotations, truth.rotations),
        "acceleration_error_mm_per_frame2": tally(1000 * acceleration_error(found.joints, truth.joints)),
        "jitter_10_m_per_s3": tally(jitter(found.joints, fps) / 10),
        "foot_slide_mm_per_frame": tally(1000 * foot_slide(found.ends[:, FEET], in_contact(soles(truth.ends)))),
        "wrong_way_percent": tally(100.0 * (wrong_way_degrees(found.rotations) > WRONG_WAY)),
        "bone_length_change_mm": tally(np.array([1000 * bone_length_change(found.joints)])),
        "peak_speed_percent": tally(100 * speed_kept(found.joints[:, FAST_ENDS], truth.joints[:, FAST_ENDS], fps)),
    }


def rotation_columns(found: Array, truth: Array) -> dict[str, Tally]:
    """Degrees between global rotations (T, 24, 3, 3), by part."""
    degrees = geodesic_degrees(found, truth)
    return {f"{part}_degrees": tally(degrees[:, [JOINT[name] for name in names]]) for part, names in PARTS.items()}


def jitter(joints: Array, fps: float) -> Array:
    """Size (T - 3, P) of the third derivative of points (T, P, 3), m/s^3 (as in WHAM: Shin et al., 2024)."""
    return np.linalg.norm(np.diff(joints, 3, axis=0), axis=-1) * fps**3


def in_contact(feet: Array) -> NDArray[np.bool_]:
    """Which steps (T - 1, P) of the true soles (T, P, 3) are on the floor: low before and after, and hardly moving."""
    low = feet[..., 2] < CONTACT_HEIGHT
    return low[1:] & low[:-1] & (np.linalg.norm(np.diff(feet, axis=0), axis=-1) < CONTACT_STEP)


def foot_slide(feet: Array, contact: NDArray[np.bool_]) -> Array:
    """Horizontal lengths (N,) of the steps of points (T, P, 3) that are in ``contact`` (T - 1, P); metres."""
    return np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1)[contact]


def wrong_way_degrees(rotations: Array) -> Array:
    """How far elbows and knees (T, 4) are bent against their hinge, from global rotations (T, 24, 3, 3).

    The turn of the joint about its hinge axis, swing taken off (swing-twist decomposition), counted from the rest
    pose, in which the open body's limbs are straight within a few degrees.
    """
    found = []
    for name, axis in HINGES.items():
        joint = JOINT[name]
        local = np.swapaxes(rotations[:, PARENTS[joint]], -1, -2) @ rotations[:, joint]
        quaternion = quaternion_from_matrix(local)
        half = np.arctan2(quaternion[..., 1:] @ np.array(axis), quaternion[..., 0])
        found.append(-np.degrees((2 * half + np.pi) % (2 * np.pi) - np.pi))
    return np.stack(found, axis=-1)


def bone_length_change(joints: Array) -> float:
    """The most that any bone of joints (T, 24, 3) is longer in one frame than in another, metres."""
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS[1:])], axis=-1)
    return float(np.ptp(lengths, axis=0).max())


def speed_kept(found: Array, truth: Array, fps: float) -> Array:
    """Shares (N,) of the true velocity left at each peak of the true speed of points (T, P, 3).

    A peak is faster than its neighbours and than PEAK_SPEED. The found velocity is projected on the true one, so that
    noise, which adds speed in all directions, does not count as speed kept.
    """
    true_velocity, velocity = (np.gradient(points, axis=0) * fps for points in (truth, found))
    speed = np.linalg.norm(true_velocity, axis=-1)
    peak = np.zeros(speed.shape, bool)
    peak[1:-1] = (speed[1:-1] >= speed[:-2]) & (speed[1:-1] > speed[2:]) & (speed[1:-1] > PEAK_SPEED)
    along = (velocity * true_velocity).sum(axis=-1)
    return along[peak] / speed[peak] ** 2


def jump_kept(found: Array, truth: Array) -> float:
    """Share of the true jump's height that the found feet reach; soles (T, 4, 3).

    Height: of the middle of the four points in flight, above where it is while any of them is in contact. In flight:
    the lowest true point is at least half as high as it ever gets.
    """
    lowest = truth[..., 2].min(axis=1)
    flight = lowest >= lowest.max() / 2
    standing = np.zeros(len(truth), bool)
    standing[1:] = in_contact(truth).any(axis=1)
    rise = [points[flight][..., 2].mean() - points[standing][..., 2].mean() for points in (found, truth)]
    return float(rise[0] / rise[1])
