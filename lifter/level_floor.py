"""The floor from where people stood: how high it is, and gravity, since it is level."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import median

from ..smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle, rotation_between
from .contact import contacts, runs
from .ground import CONTACT_POINTS, SOLES, sole_heights
from .records import Fit, Joints3D

# A level is a floor where somebody stood for so long: seconds, heels and toes counted one by one, and a share of all
# standing, since the longer a clip, the lower the lowest of the contacts that are mistakes.
STOOD_FOR, STOOD_SHARE = 0.2, 0.01
SAME_LEVEL = 0.06  # metres between the lowest and the highest contact on one level
ON_THE_SOLE = 20  # percent of the standing on a level: on tiptoe and over rolling heels, points are higher
PLACE_SPREAD = 0.03  # metres, how well the height of one contact is known,
COMMON_SPREAD = 0.1  # and how badly if what is wrong with one, a heel always too high, is wrong with many
TILT_SPREAD = np.tan(np.radians(3.0))  # slope that the world may have before anybody looked at the floor
STEEPEST = np.tan(np.radians(8.0))  # steeper is no floor but stairs, a slope, or a mistake


def on_level_floor(fits: list[Fit], joints: Joints3D, fps: float) -> tuple[list[Fit], Joints3D]:
    """Turn the world so that the floor under everybody's standing feet is level; what the camera sees stays.

    fits: of everybody in ``joints``, in the order of their rows, floor near z = 0. The turn is about the middle of the
    places where people stood; with none, or too few in one spot to tell, it is next to nothing.
    """
    places = np.concatenate([standing_soles(found.ends, contacts(found.ends, fps)) for found in fits])
    if not len(places):
        return fits, joints
    turn, centre = level_turn(places), np.median(places, axis=0)

    def turned(points: Array) -> Array:
        return (points - centre) @ turn.T + centre

    moved = [_turned_fit(found, turn, turned(found.joints), turned(found.ends)) for found in fits]
    camera = joints.camera_world_from_cam
    if camera is not None:
        camera = camera.copy()
        camera[:3, :3], camera[:3, 3] = turn @ camera[:3, :3], turned(camera[:3, 3])
    points, ends = turned(joints.joints).astype(np.float32), turned(joints.ends).astype(np.float32)
    return moved, replace(joints, joints=points, ends=ends, camera_world_from_cam=camera)


def standing_soles(ends: Array, contact: Array) -> Array:
    """One place (N, 3) m under each contact's sole: the mean of its run; ends (T, 13, 3), contact (T, 4)."""
    soles = ends[:, CONTACT_POINTS] - SOLES[:, None] * np.array([0.0, 0.0, 1.0])
    numbers, count = runs(contact > 0)
    labels = numbers.ravel()
    total = np.maximum(np.bincount(labels, minlength=count + 1), 1)
    sums = [np.bincount(labels, soles[..., axis].ravel(), count + 1) for axis in range(3)]
    return (np.stack(sums, axis=-1) / total[:, None])[1:]


def standing_height(ends: Array, contact: Array, fps: float, of_most: float = 0.0) -> float:
    """Height (m) of the lowest level that the feet in ``contact`` (T, 4) stand on, from ends (T, 13, 3).

    Of every contact the median counts, not the frames in which a foot sinks in while it pushes off. The lowest level
    is the floor, not the stool, the first step of stairs that lead up, the last of those that lead down. NaN where
    nobody stood on any for long enough to tell. of_most: share of the standing on the level with most of it that the
    lowest one must have, 0..1.
    """
    numbers, count = runs(contact > 0)
    heights = np.asarray(median(sole_heights(ends), numbers, np.arange(1, count + 1)))
    order = np.argsort(heights)
    heights, frames = heights[order], np.bincount(numbers.ravel(), minlength=count + 1)[1:][order]
    above = np.searchsorted(heights, heights + SAME_LEVEL, side="right")
    total = np.concatenate([[0], np.cumsum(frames)])
    stood = total[above] - total[:-1]
    enough = max(STOOD_FOR * fps, STOOD_SHARE * total[-1], of_most * stood.max(initial=0))
    levels = np.flatnonzero(stood >= enough)
    if not len(levels):
        return float("nan")
    level = slice(levels[0], above[levels[0]])
    return float(np.percentile(np.repeat(heights[level], frames[level]), ON_THE_SOLE))


def level_turn(places: Array) -> Array:
    """The rotation (3, 3) that makes the floor through ``places`` (N, 3) m, world with Z up, level.

    A plane by least squares, reweighted so that stools and steps beside the floor do not count, and expected to be
    level: places in one spot or in a line tilt it only in so far as they tell. The identity where it is too steep.
    """
    around = places - np.median(places, axis=0)
    rows = np.concatenate([around[:, :2], np.ones((len(around), 1))], axis=1)
    expected = np.diag([COMMON_SPREAD / TILT_SPREAD, COMMON_SPREAD / TILT_SPREAD, 1e-6]) ** 2
    plane = np.zeros(3)
    for _ in range(20):
        weights = 1.0 / (1.0 + ((around[:, 2] - rows @ plane) / PLACE_SPREAD) ** 2)
        plane = np.linalg.solve(rows.T * weights @ rows + expected, rows.T * weights @ around[:, 2])
    if np.hypot(plane[0], plane[1]) > STEEPEST:
        return np.eye(3)
    return rotation_between(np.array([-plane[0], -plane[1], 1.0]), np.array([0.0, 0.0, 1.0]))


def _turned_fit(found: Fit, turn: Array, joints: Array, ends: Array) -> Fit:
    axis_angle = found.axis_angle.copy()
    axis_angle[:, 0] = axis_angle_from_matrix(turn @ matrix_from_axis_angle(axis_angle[:, 0]))
    trans = found.trans + joints[:, 0] - found.joints[:, 0]
    return replace(found, axis_angle=axis_angle, trans=trans, joints=joints, ends=ends)
