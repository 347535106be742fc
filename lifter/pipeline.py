"""The whole way of a capture: video in, motion files and preview out. Each stage is one call.

Lifting and fitting again what was detected before (refit.py) goes the same way from the keypoints on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..smpl_assets.body import OPEN_BODY, Body
from .bone_lengths import with_bone_lengths
from .camera import Intrinsics, intrinsics
from .capture_files import write_joints, write_keypoints
from .capture_folder import check_place, published_whole, write_record
from .capture_record import capture_record
from .checked_options import check_range, check_refinement, checked_height, checked_person
from .clean_up import CleanUp
from .clip_reader import ClipInfo, probe, read_frames
from .corrections import Correction, corrected_keypoints
from .detect import Backend, Detections, PresetName, detect
from .elevation import with_full_elevation
from .fit.shape import betas_of_build
from .fit_people import FitOptions, as_motion, body_from, fit_people
from .lift import LIFTER_MODEL, lift
from .motion_file import Motion, write_motion
from .place import place
from .preview import HEIGHT, person_drawn, write_preview
from .progress import Reporter
from .providers import Device, Provider, open_session
from .records import Fit, Joints3D, Keypoints, Lifted
from .track import choose_people, track


@dataclass(frozen=True)
class CaptureOptions:
    """What is asked for.

    height in metres, field_of_view in degrees across the longer side, start and end in seconds.
    """

    clip: Path
    out: Path
    preset: PresetName = "balanced"
    detector: Backend = "onnx"
    device: Device = "auto"
    person: str = "largest"
    height: float | None = None
    field_of_view: float | None = None
    camera: Path | None = None
    start: float | None = None
    end: float | None = None
    body: Path = OPEN_BODY
    build: str | None = None
    refine: Literal["none", "smplx"] = "none"
    cleaning: CleanUp = field(default_factory=CleanUp)


@dataclass(frozen=True)
class Seen:
    """What was detected and tracked in a clip: all that is needed to lift and fit it, again and again.

    keypoints: everybody's, with the lens. people: track ids of whom to fit. provider, warnings and seconds are those of
    the detection.
    """

    clip: ClipInfo
    lens: Intrinsics
    keypoints: Keypoints
    people: list[int]
    provider: Provider
    warnings: list[str]
    seconds: dict[str, float]


@dataclass(frozen=True)
class FitRequest:
    """What of the options the way from the keypoints on needs, checked. stature in metres."""

    stature: float
    body: Body
    fitting: FitOptions


@dataclass(frozen=True)
class Fitted:
    """What was made of the keypoints: every stage's result. fits and motions are in the order of the people."""

    lifted: Lifted
    placed: Joints3D
    fits: list[Fit]
    motions: list[Motion]


def capture(options: CaptureOptions, reporter: Reporter) -> dict[str, Any]:
    """Capture a clip into the folder ``options.out`` and return what its capture.json holds.

    The folder's files appear together at the end, or not at all. Raises InputError, CaptureError, CancelledError.
    """
    reporter.stage("open")
    check_place(options.out)
    person, request = checked_person(options.person), fit_request(options)
    clip = probe(options.clip)
    lens = lens_of(options, clip)
    warnings = list(clip.warnings)
    detections = detections_of(options, clip, warnings, reporter)
    reporter.stage("track")
    keypoints = replace(track(detections.keypoints), camera_K=lens.camera_K)
    people = choose_people(keypoints, person)
    seen = Seen(clip, lens, keypoints, people, detections.provider, warnings, detections.seconds)
    fitted = lift_and_fit(seen, request, detections.provider, reporter)
    with published_whole(options.out) as folder:
        write_results(folder, seen, fitted, reporter)
        write_preview_of(options, clip, fitted, folder, reporter)
        reporter.end()
        record = capture_record(options, seen, fitted, reporter.seconds)
        write_record(folder / "capture.json", record)
    return record


def fit_request(options: CaptureOptions, corrections: Sequence[Correction] = ()) -> FitRequest:
    """What is asked of lift and fit. Raises InputError for what cannot be, before any work is done."""
    check_refinement(options.refine)
    stature, body = checked_height(options.height), body_from(options.body)
    build = betas_of_build(body, options.build)
    return FitRequest(stature, body, FitOptions(stature, options.refine, options.cleaning, build, corrections))


def lens_of(options: CaptureOptions, clip: ClipInfo) -> Intrinsics:
    """The clip's camera, as asked for or as the clip tells."""
    return intrinsics(
        options.clip,
        clip.image_size,
        field_of_view=options.field_of_view,
        calibration=options.camera,
        focal_length_35mm=clip.focal_length_35mm,
    )


def detections_of(options: CaptureOptions, clip: ClipInfo, warnings: list[str], reporter: Reporter) -> Detections:
    """Everybody's 2D keypoints in the asked part of the clip; adds to ``warnings``."""
    check_range(options.start, options.end)
    length = min(options.end or clip.duration, clip.duration) - (options.start or 0.0)
    progress = reporter.stage("detect", max(1, round(length * clip.default_fps)))
    frames = read_frames(options.clip, start=options.start, end=options.end, warnings=warnings)
    detections = detect(
        frames,
        clip.image_size,
        clip.default_fps,
        backend=options.detector,
        preset=options.preset,
        device=options.device,
        progress=progress,
    )
    warnings += detections.warnings
    return detections


def lift_and_fit(seen: Seen, request: FitRequest, provider: Provider, reporter: Reporter) -> Fitted:
    """From what was seen to motions; ``provider`` runs the lifter."""
    reporter.stage("lift")
    body, people = request.body, seen.people
    keypoints = corrected_keypoints(seen.keypoints, request.fitting.corrections)
    session = open_session(LIFTER_MODEL, provider, threads=1)
    lifted = with_full_elevation(lift(keypoints, seen.lens.camera_K, request.stature, session, people))
    lifted = with_bone_lengths(lifted, body, request.stature)
    reporter.stage("place")
    placed = place(lifted)
    fits, joints = fit_people(placed, lifted.keypoints, people, body, request.fitting, reporter, seen.keypoints)
    motions = [
        as_motion(
            found, joints.select(joints.track_id == person), body, request.fitting.refinement, keypoints, seen.clip
        )
        for found, person in zip(fits, people, strict=True)
    ]
    return Fitted(lifted, placed, fits, motions)


def write_results(folder: Path, seen: Seen, fitted: Fitted, reporter: Reporter) -> None:
    """Write everything but the preview and capture.json."""
    reporter.stage("write")
    write_keypoints(folder / "keypoints.npz", seen.keypoints)
    write_joints(folder / "joints.npz", fitted.placed)
    for number, motion in enumerate(fitted.motions, start=1):
        write_motion(folder / f"person_{number:02d}.npz", motion)


def write_preview_of(options: CaptureOptions, clip: ClipInfo, fitted: Fitted, folder: Path, reporter: Reporter) -> None:
    """Write preview.mp4 into ``folder``, of the asked part of the clip."""
    progress = reporter.stage("preview", fitted.lifted.keypoints.clip_frames)
    frames = read_frames(options.clip, start=options.start, end=options.end, height=HEIGHT)
    camera_K, world_from_cam = fitted.placed.camera_K, fitted.motions[0].camera_world_from_cam
    assert camera_K is not None
    assert world_from_cam is not None
    people = [person_drawn(motion) for motion in fitted.motions]
    keypoints = fitted.lifted.keypoints
    write_preview(
        folder / "preview.mp4", frames, clip.default_fps, people, keypoints, camera_K, world_from_cam, progress
    )
