"""The whole way of a capture: video in, motion files and preview out. Each stage is one call."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..smpl_assets.body import OPEN_BODY
from .bone_lengths import with_bone_lengths
from .camera import Intrinsics, intrinsics
from .capture_files import write_joints, write_keypoints
from .capture_folder import check_place, published_whole, write_record
from .capture_record import capture_record
from .checked_options import check_range, check_refinement, checked_height, checked_person
from .clean_up import CleanUp
from .clip_reader import ClipInfo, probe, read_frames
from .detect import Backend, Detections, PresetName, detect
from .elevation import with_full_elevation
from .fit.shape import betas_of_build
from .fit_people import FitOptions, as_motion, body_from, fit_people
from .lift import LIFTER_MODEL, lift
from .motion_file import Motion, write_motion
from .place import place
from .preview import HEIGHT, person_drawn, write_preview
from .progress import Reporter
from .providers import Device, open_session
from .records import Lifted
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


def capture(options: CaptureOptions, reporter: Reporter) -> dict[str, Any]:
    """Capture a clip into the folder ``options.out`` and return what its capture.json holds.

    The folder's files appear together at the end, or not at all. Raises InputError, CaptureError, CancelledError.
    """
    reporter.stage("open")
    check_place(options.out)
    check_refinement(options.refine)
    stature, person = checked_height(options.height), checked_person(options.person)
    body = body_from(options.body)
    asked = FitOptions(stature, options.refine, options.cleaning, betas_of_build(body, options.build))
    clip = probe(options.clip)
    lens = lens_of(options, clip)
    warnings = list(clip.warnings)
    detections = detections_of(options, clip, warnings, reporter)
    reporter.stage("track")
    keypoints = replace(track(detections.keypoints), camera_K=lens.camera_K)
    people = choose_people(keypoints, person)
    reporter.stage("lift")
    session = open_session(LIFTER_MODEL, detections.provider, threads=1)
    lifted = with_full_elevation(lift(keypoints, lens.camera_K, stature, session, people))
    lifted = with_bone_lengths(lifted, body, stature)
    reporter.stage("place")
    placed = place(lifted)
    fits, joints = fit_people(placed, lifted.keypoints, people, body, asked, reporter)
    motions = [
        as_motion(found, joints.select(joints.track_id == person), body, options.refine, keypoints, clip)
        for found, person in zip(fits, people, strict=True)
    ]
    with published_whole(options.out) as folder:
        reporter.stage("write")
        write_keypoints(folder / "keypoints.npz", keypoints)
        write_joints(folder / "joints.npz", placed)
        for number, motion in enumerate(motions, start=1):
            write_motion(folder / f"person_{number:02d}.npz", motion)
        _preview(folder / "preview.mp4", options, clip, motions, lifted, lens, reporter)
        reporter.end()
        record = capture_record(options, clip, lens, detections, reporter, warnings, motions, fits)
        write_record(folder / "capture.json", record)
    return record


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


def _preview(
    path: Path,
    options: CaptureOptions,
    clip: ClipInfo,
    motions: list[Motion],
    lifted: Lifted,
    lens: Intrinsics,
    reporter: Reporter,
) -> None:
    progress = reporter.stage("preview", lifted.keypoints.clip_frames)
    frames = read_frames(options.clip, start=options.start, end=options.end, height=HEIGHT)
    world_from_cam = motions[0].camera_world_from_cam
    assert world_from_cam is not None
    people = [person_drawn(motion) for motion in motions]
    write_preview(path, frames, clip.default_fps, people, lifted.keypoints, lens.camera_K, world_from_cam, progress)
