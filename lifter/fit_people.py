"""Fit everybody of a capture and make their motion files' contents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.body import Body
from ..smpl_assets.errors import BodyFileError, SmplxMissingError
from ..smpl_assets.loader import load_body
from ..smpl_assets.rotation import matrix_from_axis_angle
from .clean_up import CleanUp, as_told, clean_up
from .clip_reader import ClipInfo
from .corrections import Correction, told_contacts
from .errors import InputError
from .fit import as_fit, fit, stand
from .fit.skeleton import Pose, rest_skeleton
from .ground import on_the_floor, support
from .level_floor import on_level_floor
from .missing_frames import filled, held
from .motion_file import Motion
from .progress import Reporter
from .records import Fit, Joints3D, Keypoints, everybody
from .stretches import frame_rate


@dataclass(frozen=True)
class FitOptions:
    """What is asked of the fit.

    stature in metres, None takes it from the joints. fixed_betas: see betas_of_build in fit/shape.py. corrections:
    those that say what feet do are followed here; others change the keypoints before they are lifted.
    """

    stature: float | None = None
    refinement: Literal["none", "smplx"] = "none"
    cleaning: CleanUp = field(default_factory=CleanUp)
    fixed_betas: Mapping[str, float] = field(default_factory=dict)
    corrections: Sequence[Correction] = ()


def fit_people(
    joints: Joints3D,
    keypoints: Keypoints | None,
    people: list[int],
    body: Body,
    options: FitOptions,
    reporter: Reporter,
    tracked: Keypoints | None = None,
) -> tuple[list[Fit], Joints3D]:
    """Fit each of ``people`` (track ids), set everybody and the camera on the floor, and clean their motion up.

    joints: world frame, the people in this order. keypoints: the same rows. The stage "fit" counts finished frames.
    Returns the fits and their rows, which have every frame from a person's first to the last (missing_frames.py), and
    all of ``tracked``: everybody's rows before any was taken out.
    Raises InputError("no_smplx") when the refinement needs smplx.
    """
    progress = reporter.stage("fit", len(joints.times))
    first, fps = [], 30.0
    for person in people:
        rows, seen, fps = _of(person, joints, keypoints, tracked)
        first.append(fit(rows, body, fps=fps, stature=options.stature, keypoints=seen, fixed_betas=options.fixed_betas))
        progress(0)
    first, joints = on_the_floor(first, joints, options.cleaning.floor)
    if options.cleaning.contacts != "never" and joints.camera_world_from_cam is not None:  # gravity is a guess then
        first, joints = on_level_floor(first, joints, fps)
    fits, rows = [], []
    for person in people:
        finished, here = _finished(first.pop(0), person, joints, keypoints, body, options, tracked)
        fits.append(finished)
        rows.append(here)
        progress(int(np.isin(joints.track_id, people[: len(rows)]).sum()))
    return fits, everybody(rows)


def _of(
    person: int, joints: Joints3D, keypoints: Keypoints | None, tracked: Keypoints | None
) -> tuple[Joints3D, Keypoints | None, float]:
    """One person's rows in 3D and 2D, and their frames a second."""
    mask = joints.track_id == person
    rows = joints.select(mask)
    fps = frame_rate(rows.times) if tracked is None else tracked.fps
    return rows, None if keypoints is None else keypoints.select(mask), fps


def _finished(
    found: Fit,
    person: int,
    joints: Joints3D,
    keypoints: Keypoints | None,
    body: Body,
    options: FitOptions,
    tracked: Keypoints | None,
) -> tuple[Fit, Joints3D]:
    """A person on the floor, refined as asked, on every frame, cleaned up; and the rows that this has."""
    rows, seen, fps = _of(person, joints, keypoints, tracked)
    if seen is not None and rows.camera_K is not None and rows.camera_world_from_cam is not None:
        found = stand(found, rows, body, fps=fps, keypoints=seen, support=support(found.ends, rows.confidence, fps))
    if options.refinement == "smplx":
        shift = (found.joints[:, :1] - rows.joints[:, :1]).astype(np.float32)
        there = replace(rows, joints=rows.joints + shift, ends=rows.ends + shift)
        found = _refined(found, there, body, fps, seen)
    found, rows = filled(found, rows, body, fps)
    if tracked is not None:
        whole = tracked.track_id == person
        found, rows = held(found, rows, tracked.frames[whole], tracked.times[whole], fps)
    return _cleaned(found, rows, None if seen is None else tracked_rows(seen, rows), body, fps, options), rows


def _cleaned(
    found: Fit, joints: Joints3D, keypoints: Keypoints | None, body: Body, fps: float, options: FitOptions
) -> Fit:
    """The fit after clean-up; frames that nobody saw have no residual, and no contact but what was told."""
    told = told_contacts(options.corrections, int(joints.track_id[0]), joints.times)
    rest, unseen = rest_skeleton(body, found.betas), joints.confidence.max(axis=1) == 0
    one_camera = joints.camera_world_from_cam is not None
    # handed over and not kept, since an hour's rotations are 190 MB
    local, pelvis, touching = clean_up(
        rest,
        matrix_from_axis_angle(found.axis_angle),
        found.trans + rest.joints[0],
        fps,
        options.cleaning,
        one_camera,
        told,
    )
    clean = as_fit(rest, Pose(local, pelvis), found.betas, joints, keypoints)
    return replace(
        clean,
        joint_residual=np.where(unseen, np.nan, clean.joint_residual),
        pixel_residual=np.where(unseen, np.nan, clean.pixel_residual),
        contacts=as_told(np.where(unseen[:, None], 0, touching).astype(np.float32), told),
        before_refinement=found.before_refinement,
    )


def _refined(found: Fit, joints: Joints3D, body: Body, fps: float, keypoints: Keypoints | None) -> Fit:
    from .fit.smplx_refine import refine_with_smplx

    try:
        refined = refine_with_smplx(found, joints, body, fps=fps, keypoints=keypoints)
    except SmplxMissingError as error:
        raise InputError("no_smplx", error.message, error.hint) from error
    before = float(np.nanmean(found.joint_residual)), float(np.mean(found.pixel_residual))
    return replace(refined, before_refinement=before)


def as_motion(
    found: Fit,
    joints: Joints3D,
    body: Body,
    refinement: Literal["none", "smplx"],
    keypoints: Keypoints | None = None,
    clip: ClipInfo | None = None,
) -> Motion:
    """One person's motion file contents. The smplx package's terms bind what it helped to make."""
    fps = keypoints.fps if keypoints is not None else frame_rate(joints.times)
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
        contacts=found.contacts,
        camera_K=joints.camera_K,
        camera_world_from_cam=joints.camera_world_from_cam,
        image_size=None if keypoints is None else keypoints.image_size,
        track_id=int(joints.track_id[0]),
        source="" if clip is None else f"{clip.path.name} sha256:{clip.sha256}",
        licence="smpl-noncommercial" if refinement == "smplx" else body.licence,
    )


def body_from(path: Path) -> Body:
    """Load a body file. Raises InputError("bad_body") when it is none."""
    try:
        return load_body(path)
    except BodyFileError as error:
        raise InputError("bad_body", error.message, error.hint) from error


def keypoints_of(joints: Joints3D, keypoints: Keypoints) -> Keypoints:
    """The keypoints of the rows of ``joints`` (one person), from a file that must be of the same capture.

    Raises InputError("bad_keypoints") when it is not, or when the joints have no camera that saw them.
    """
    if joints.camera_K is None or joints.camera_world_from_cam is None:
        hint = "Leave --keypoints out, or give the joints' camera_K and camera_world_from_cam."
        raise InputError("bad_keypoints", "Without a camera the joints cannot explain keypoints.", hint)
    rows = _same_rows(keypoints, joints)
    here = rows[rows >= 0]
    if not (np.abs(keypoints.times[here] - joints.times[rows >= 0]) < 0.5 / keypoints.fps).any():
        hint = "Give the keypoints.npz of the same capture: track_id, frames and times must be the same."
        raise InputError("bad_keypoints", "The keypoints are of other people or frames than the joints.", hint)
    return _rows_of(keypoints, rows)


def tracked_rows(keypoints: Keypoints, joints: Joints3D) -> Keypoints:
    """The keypoints of the same person and frames as ``joints``; frames without any get confidence 0."""
    return _rows_of(keypoints, _same_rows(keypoints, joints))


def _rows_of(keypoints: Keypoints, rows: NDArray[np.int64]) -> Keypoints:
    """These rows; those that are -1 have confidence 0."""
    found = keypoints.select(np.maximum(rows, 0))
    found.keypoints[rows < 0, :, 2] = 0.0
    return found


def _same_rows(keypoints: Keypoints, joints: Joints3D) -> NDArray[np.int64]:
    """Which row of ``keypoints`` is the same person and frame as each row of ``joints``; -1 for none."""
    ours, theirs = (zip(one.track_id.tolist(), one.frames.tolist(), strict=True) for one in (joints, keypoints))
    where = {key: row for row, key in enumerate(theirs)}
    return np.array([where.get(key, -1) for key in ours])
