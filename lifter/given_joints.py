"""Joints as a file gives them, ours or any estimator's: one person of them, in a world with Z up, checked."""

from dataclasses import replace

import numpy as np

from ..smpl_assets.skeleton import JOINT
from .errors import InputError
from .fit.shape import LENGTHS, measured_lengths
from .records import Fit, Joints3D
from .stretches import frame_rate

LEGS = (0.25, 1.4)  # metres of thigh and shin together, from small children to the tallest
FARTHEST = 1e4  # metres from the origin; single precision still tells a millimetre there
FRAME_RATES = (2.0, 1000.0)
LYING = 0.3  # of the leg's length: a head that is no higher above the ankles is that of somebody who lies down
MISFIT = 0.07  # metres; noise that a body can be fitted to stays below
# Axes of an OpenCV camera that is held level, in a world with Z up: what is assumed where no camera is known.
LEVEL_CAMERA = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def in_world(joints: Joints3D) -> Joints3D:
    """The joints in a world with Z up; those of a camera whose pose is not known are taken as seen by a level one."""
    if joints.frame == "world":
        return joints
    pose = LEVEL_CAMERA if joints.camera_world_from_cam is None else joints.camera_world_from_cam
    turn, place = pose[:3, :3].astype(np.float32), pose[:3, 3].astype(np.float32)
    return replace(
        joints,
        joints=joints.joints @ turn.T + place,
        ends=joints.ends @ turn.T + place,
        frame="world",
        camera_world_from_cam=pose,
    )


def chosen_rows(joints: Joints3D, person: str | None) -> Joints3D:
    """The rows of one person in the order of time: a track number, None for the first one.

    A lone person is taken whatever the number. Raises InputError("no_such_person").
    """
    known = sorted(set(joints.track_id.tolist()))
    number = known[0] if len(known) == 1 or person is None else int(person) if person.isdecimal() else None
    if number not in known:
        hint = f"The file holds: {', '.join(map(str, known))}."
        raise InputError("no_such_person", f"There is no person {person}.", hint)
    rows = np.flatnonzero(joints.track_id == number)
    return joints.select(rows[np.argsort(joints.times[rows], kind="stable")])


def check_joints(joints: Joints3D) -> None:
    """One person's rows, times ascending: a track of their own at a rate that can be, seen, in metres, near the origin.

    Raises InputError that says which of these it is not and what to do.
    """
    if (np.diff(joints.times) <= 0).any():
        hint = "Give each person's rows a number of their own in track_id (N,), and each frame its time."
        raise InputError("bad_times", "Several rows of one person have the same time.", hint)
    fps = frame_rate(joints.times)
    if not FRAME_RATES[0] <= fps <= FRAME_RATES[1]:
        hint = f"Give fps or times in seconds; {FRAME_RATES[0]:g} to {FRAME_RATES[1]:g} frames a second are taken."
        raise InputError("bad_fps", f"The times make {fps:.4g} frames a second.", hint)
    if not (np.isfinite(joints.joints).all(axis=-1) & (joints.confidence > 0)).any():
        hint = "Give positions that are not NaN, and a confidence above 0 (or none at all) where they are known."
        raise InputError("nobody", "No joint is known in any frame.", hint)
    leg = _leg(joints)
    if leg < LEGS[0] or leg > LEGS[1]:
        hint = "Joints are in metres: divide millimetres by 1000, centimetres by 100. Their order is SMPL's."
        raise InputError("bad_units", f"The legs of these joints are {leg:.3g} m long.", hint)
    away = float(np.nanmedian(np.linalg.norm(joints.joints.astype(np.float64), axis=-1)))
    if away > FARTHEST:
        hint = "Subtract the first frame's pelvis from all joints: numbers of this size hold no millimetres."
        raise InputError("too_far", f"The person is {away / 1000:.0f} km from the origin.", hint)


def told_others(joints: Joints3D, person: str | None) -> list[str]:
    """Words about the people in ``joints`` whom chosen_rows left out although nobody said which ``person``."""
    first, *others = sorted(set(joints.track_id.tolist()))
    if person is not None or not others:
        return []
    return [f"Person {first} is taken. Give --person for another: the file also holds {', '.join(map(str, others))}."]


def told_doubts(joints: Joints3D, found: Fit) -> list[str]:
    """What a user should know of joints (one person's rows, world) that make no upright person, or none at all."""
    doubts = []
    ankles = joints.joints[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 2].mean(axis=1)
    if np.nanmedian(joints.joints[:, JOINT["head"], 2] - ankles) < LYING * _leg(joints):
        doubts.append(
            "The head is not above the feet in most frames. If nobody lies down or is upside down there, the axes are "
            'wrong: Z is up, or the file says frame "y_up" or "camera".'
        )
    misfit = float(np.nanmean(found.joint_residual))
    if misfit > MISFIT:
        doubts.append(
            f"The body is {1000 * misfit:.0f} mm from the joints on average: check their units, axes and order, left "
            "and right, and --height."
        )
    return doubts


def _leg(joints: Joints3D) -> float:
    """Thigh and shin together in metres, NaN where they are not known."""
    lengths = dict(zip(LENGTHS, measured_lengths(joints.joints, joints.confidence), strict=True))
    return float(lengths["thigh"] + lengths["shin"])
