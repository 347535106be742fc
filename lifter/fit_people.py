"""Fit everybody of a capture and make their motion files' contents."""

from pathlib import Path
from typing import Literal

import numpy as np

from ..smpl_assets.body import Body
from ..smpl_assets.errors import BodyFileError
from ..smpl_assets.loader import load_body
from .clip_reader import ClipInfo
from .contact import contacts
from .errors import InputError
from .fit import fit
from .ground import on_the_floor
from .motion_file import Motion
from .progress import Reporter
from .records import Fit, Joints3D, Keypoints

DEFAULT_HEIGHT = 1.70


def fit_people(
    joints: Joints3D,
    keypoints: Keypoints | None,
    people: list[int],
    body: Body,
    stature: float | None,
    refinement: Literal["none", "smplx"],
    reporter: Reporter,
) -> tuple[list[Fit], Joints3D]:
    """Fit each of ``people`` (track ids), then set everybody and the camera on the floor."""
    fits = []
    for count, person in enumerate(people, start=1):
        rows = joints.track_id == person
        seen = None if keypoints is None else keypoints.select(rows)
        fps = keypoints.fps if keypoints is not None else frame_rate(joints.select(rows))
        found = fit(joints.select(rows), body, fps=fps, stature=stature, keypoints=seen)
        if refinement == "smplx":
            from .fit.smplx_refine import refine_with_smplx

            found = refine_with_smplx(found, joints.select(rows), body, fps=fps, keypoints=seen)
        fits.append(found)
        reporter.update(count)
    return on_the_floor(fits, joints)


def frame_rate(joints: Joints3D) -> float:
    """Frames a second of one person's rows."""
    steps = np.diff(joints.times)
    return float(1.0 / np.median(steps)) if len(steps) and np.median(steps) > 0 else 30.0


def as_motion(found: Fit, joints: Joints3D, body: Body, keypoints: Keypoints | None, clip: ClipInfo | None) -> Motion:
    """One person's motion file contents."""
    fps = keypoints.fps if keypoints is not None else frame_rate(joints)
    return Motion(
        poses=found.axis_angle.reshape(len(found.trans), 72).astype("float32"),
        trans=found.trans.astype("float32"),
        betas=found.betas,
        fps=fps,
        body=body.identity(),
        times=joints.times,
        frames=joints.frames,
        joints=found.joints.astype("float32"),
        ends=found.ends.astype("float32"),
        confidence=joints.confidence,
        contacts=contacts(found.ends, fps),
        camera_K=joints.camera_K,
        camera_world_from_cam=joints.camera_world_from_cam,
        image_size=None if keypoints is None else keypoints.image_size,
        track_id=int(joints.track_id[0]),
        source="" if clip is None else f"{clip.path.name} sha256:{clip.sha256}",
        licence=body.licence,
    )


def body_from(path: Path) -> Body:
    """Load a body file. Raises InputError when it is none."""
    try:
        return load_body(path)
    except BodyFileError as error:
        raise InputError("bad_body", error.message, error.hint) from error


def checked_height(height: float | None) -> float:
    """The person's height in metres, DEFAULT_HEIGHT when not given. Raises InputError when impossible."""
    if height is not None and not 0.4 <= height <= 2.6:
        raise InputError(
            "bad_height",
            f"A height of {height:g} m is not possible.",
            "Give the person's height in metres, for example 1.70.",
        )
    return height or DEFAULT_HEIGHT


def tracked_rows(keypoints: Keypoints, joints: Joints3D) -> Keypoints:
    """The keypoints of the same person and frames as ``joints``; frames without any get confidence 0."""
    rows = np.full(len(joints.times), -1)
    where = {
        (t, f): i for i, (t, f) in enumerate(zip(keypoints.track_id.tolist(), keypoints.frames.tolist(), strict=True))
    }
    for i, key in enumerate(zip(joints.track_id.tolist(), joints.frames.tolist(), strict=True)):
        rows[i] = where.get(key, -1)
    found = keypoints.select(np.maximum(rows, 0))
    found.keypoints[rows < 0, :, 2] = 0.0
    return found
