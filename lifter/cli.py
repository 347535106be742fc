"""The command line: reel2rig capture | refit | detect | lift | fit | info."""

import argparse
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..smpl_assets.body import OPEN_BODY
from . import cancellation
from .atomic_file import DISK_FULL, cannot_write
from .errors import CancelledError, CaptureError
from .progress import Reporter
from .summary import summary

if TYPE_CHECKING:
    from .clean_up import CleanUp


class _AsBefore:
    """Stands for an option of refit that is not given."""

    def __str__(self) -> str:
        return "as before"


AS_BEFORE = _AsBefore()
# What refit may change: fields of CaptureOptions and CleanUp.
CHANGES = (
    "height", "field_of_view", "camera", "body", "build", "refine", "contacts", "smoothing", "foot_lock", "floor",
    "device",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run one verb. Exit status: 0 done, 1 our fault, 2 the input's fault, 3 cancelled."""
    options = _parser().parse_args(arguments)
    reporter = Reporter(as_json=options.progress == "json")
    with cancellation.listening():
        try:
            result = options.run(options, reporter)
        except (Exception, KeyboardInterrupt) as caught:
            error = _as_capture_error(caught)
            cancellation.stop_listening()
            reporter.error(error.code, error.message, error.hint)
            return error.exit_status
        cancellation.stop_listening()
        reporter.result(result, options.words(result))
        return 0


def _as_capture_error(error: BaseException) -> CaptureError:
    """What ``error`` means to the user; the traceback of one that nobody expected goes to standard error."""
    if cancellation.requested() or isinstance(error, KeyboardInterrupt | BrokenPipeError):
        return CancelledError()
    if isinstance(error, CaptureError):
        return error
    if isinstance(error, MemoryError):
        hint = "Capture a shorter part with --start and --end, or fit fewer frames."
        return CaptureError("no_memory", "There is not enough memory.", hint)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return cannot_write(None, error)
    traceback.print_exception(error)
    hint = "This is a fault of Reel2Rig: please copy the report and send it in."
    return CaptureError("internal", f"{type(error).__name__}: {error}", hint)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reel2rig", description="From a video to SMPL motion.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _capture_verb(verbs.add_parser("capture", help="video in, motion files and a preview out"))
    again = "lift and fit a finished capture again, without detecting again"
    _refit_verb(verbs.add_parser("refit", help=again, description=f"{again}; what is not given stays as it was"))
    detect = verbs.add_parser("detect", help="video to 2D keypoints")
    detect.add_argument("clip", type=Path)
    _detector_options(detect)
    detect.set_defaults(run=_detect, words=summary)
    lift = verbs.add_parser("lift", help="2D keypoints to 3D joints in a level world")
    lift.add_argument("keypoints", type=Path)
    lift.add_argument("--person", default="all", help="all (default), largest, or a track number")
    _world_options(lift)
    _device_option(lift)
    lift.set_defaults(run=_lift, words=summary)
    fit = verbs.add_parser("fit", help="3D joints (ours or another estimator's) to a motion file")
    fit.add_argument("joints", type=Path)
    fit.add_argument("--keypoints", type=Path, help="keypoints.npz of the same capture: the fit explains them too")
    fit.add_argument("--person", help="track number (default: the first; a lone person is taken anyhow)")
    fit.add_argument("--height", type=float, help="metres; default: taken from the joints")
    _fit_options(fit)
    fit.set_defaults(run=_fit, words=summary)
    info = verbs.add_parser("info", help="say what a file holds")
    info.add_argument("file", type=Path)
    info.set_defaults(run=_info, words=_facts)
    for verb in (detect, lift, fit):
        verb.add_argument("--out", type=Path, required=True, help=".npz to write")
    for verb in verbs.choices.values():
        verb.add_argument("--progress", choices=("text", "json"), default="text", help="json: one object a line")
    return parser


def _capture_verb(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("clip", type=Path)
    verb.add_argument("--out", type=Path, required=True, help="folder to write")
    verb.add_argument("--person", default="largest", help="largest, all, or a track number")
    _detector_options(verb)
    _world_options(verb)
    _fit_options(verb)
    verb.set_defaults(run=_capture, words=summary)


def _refit_verb(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", type=Path, help="folder of the capture; its results are replaced")
    kinds = (
        "swap (left and right), unseen, stand, stand_left, stand_right, free, free_left, free_right; person by track "
        "number, seconds of the clip, both included; may be given again"
    )
    verb.add_argument("--correct", action="append", default=[], metavar="KIND:PERSON:START:END", help=kinds)
    verb.add_argument("--no-preview", action="store_true", help="write no preview.mp4, which takes the most time")
    _device_option(verb)
    _world_options(verb)
    _fit_options(verb)
    verb.set_defaults(run=_refit, words=summary, **dict.fromkeys(CHANGES, AS_BEFORE))


def _detector_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--preset", choices=("fast", "balanced", "best"), default="balanced")
    verb.add_argument("--detector", choices=("onnx", "mediapipe"), default="onnx")
    _device_option(verb)
    verb.add_argument("--start", type=float, help="seconds")
    verb.add_argument("--end", type=float, help="seconds")


def _device_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the networks run")


def _world_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--height", type=float, help="the person's height in metres (default 1.70)")
    lens = verb.add_mutually_exclusive_group()
    lens.add_argument(
        "--fov",
        dest="field_of_view",
        metavar="DEG",
        type=float,
        help="field of view in degrees, across the longer side",
    )
    lens.add_argument("--camera", type=Path, help="calibration file, .toml or .json")


def _fit_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--body", type=Path, default=OPEN_BODY, help="SMPL file of your own; default: the open body")
    verb.add_argument(
        "--build", help="mass, muscle and gender, which joints hardly show: auto, male, female_heavy, thin, ..."
    )
    verb.add_argument(
        "--refine", choices=("none", "smplx"), default="none", help="smplx: refine through the smplx package"
    )
    modes = "auto: found; always: never off the floor; never: no foot is held; grounding: the lower foot on the floor"
    verb.add_argument("--contacts", choices=("auto", "always", "never", "grounding"), default="auto", help=modes)
    for name, default, about in (
        ("smoothing", 0.5, "how calm, 0 (as fitted) to 1"),
        ("foot-lock", 1.0, "how firmly standing feet are held, 0 to 1"),
        ("floor", 1.0, "how firmly people are set on the floor, 0 to 1"),
    ):
        verb.add_argument(
            f"--{name}", type=_share, default=default, metavar="0..1", help=f"{about}; default %(default)s"
        )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def _cleaning(options: argparse.Namespace) -> "CleanUp":
    from .clean_up import CleanUp

    return CleanUp(options.smoothing, options.contacts, options.foot_lock, options.floor)


def _capture(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .pipeline import CaptureOptions, capture

    names = "clip out preset detector device person height field_of_view camera start end body build refine"
    chosen = {name: getattr(options, name) for name in names.split()}
    asked = CaptureOptions(cleaning=_cleaning(options), **chosen)
    return _captured(options.out, capture(asked, reporter))


def _refit(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .corrections import parse_correction
    from .refit import RefitOptions, refit

    changes = {name: value for name in CHANGES if (value := getattr(options, name)) is not AS_BEFORE}
    corrections = tuple(parse_correction(text) for text in options.correct)
    asked = RefitOptions(options.folder, changes, corrections, preview=not options.no_preview)
    return _captured(options.folder, refit(asked, reporter))


def _captured(out: Path, record: dict[str, Any]) -> dict[str, Any]:
    """What is said of the capture in ``out`` that ``record`` is the capture.json of."""
    people = {one["file"]: f"motion of person {one['track_id']}, {one['frames']} frames" for one in record["people"]}
    others = {
        "preview.mp4": "the clip with the skeleton on it, and a side view",
        "keypoints.npz": "2D keypoints of everybody in view",
        "joints.npz": "3D joints",
        "capture.json": "what was asked and done",
    }
    return {
        "out": str(out),
        "files": people | {name: about for name, about in others.items() if (out / name).exists()},
        "people": list(people),
        "frames": record["frames"],
        "provider": record["provider"]["name"],
        "licence": record["licence"],
        "warnings": record["warnings"],
    }


def _detect(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .capture_files import write_keypoints
    from .clip_reader import probe
    from .pipeline import CaptureOptions, detections_of, lens_of
    from .track import track

    names = "clip out preset detector device start end"
    asked = CaptureOptions(**{name: getattr(options, name) for name in names.split()})
    reporter.stage("open")
    clip = probe(asked.clip)
    warnings = list(clip.warnings)
    found = detections_of(asked, clip, warnings, reporter)
    keypoints = replace(track(found.keypoints), camera_K=lens_of(asked, clip).camera_K)
    write_keypoints(options.out, keypoints)
    return {
        "out": str(options.out),
        "rows": len(keypoints.times),
        "people": len(set(keypoints.track_id.tolist())),
        "provider": found.provider.name,
        "warnings": warnings,
    }


def _lift(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from ..smpl_assets.body import open_body
    from .bone_lengths import with_bone_lengths
    from .camera import Intrinsics, intrinsics
    from .capture_files import read_keypoints, write_joints
    from .checked_options import checked_height, checked_person
    from .elevation import with_full_elevation
    from .lift import LIFTER_MODEL, lift
    from .place import place
    from .providers import choose_provider, open_session
    from .track import choose_people

    stature, person = checked_height(options.height), checked_person(options.person)
    keypoints = read_keypoints(options.keypoints)
    if options.field_of_view is None and options.camera is None and keypoints.camera_K is not None:
        lens = Intrinsics(keypoints.camera_K, f"told by {options.keypoints.name}")
    else:
        size = keypoints.image_size
        lens = intrinsics(options.keypoints, size, field_of_view=options.field_of_view, calibration=options.camera)
    reporter.stage("lift")
    session = open_session(LIFTER_MODEL, choose_provider(options.device), threads=1)
    lifted = with_full_elevation(lift(keypoints, lens.camera_K, stature, session, choose_people(keypoints, person)))
    lifted = with_bone_lengths(lifted, open_body(), stature)
    reporter.stage("place")
    joints = place(lifted)
    write_joints(options.out, joints)
    return {"out": str(options.out), "rows": len(joints.times), "camera": lens.source}


def _fit(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .capture_files import read_joints, read_keypoints
    from .checked_options import check_refinement, checked_height
    from .fit.shape import betas_of_build
    from .fit_people import FitOptions, as_motion, body_from, fit_people, keypoints_of
    from .given_joints import check_joints, chosen_rows, in_world, told_doubts, told_others
    from .missing_frames import mended, told_gaps
    from .motion_file import write_motion

    check_refinement(options.refine)
    stature = None if options.height is None else checked_height(options.height)
    body = body_from(options.body)
    everybody = in_world(read_joints(options.joints))
    given = chosen_rows(everybody, options.person)
    check_joints(given)
    joints = mended(given)
    keypoints = None if options.keypoints is None else keypoints_of(joints, read_keypoints(options.keypoints))
    asked = FitOptions(stature, options.refine, _cleaning(options), betas_of_build(body, options.build))
    (found,), rows = fit_people(joints, keypoints, [int(joints.track_id[0])], body, asked, reporter)
    motion = as_motion(found, rows, body, options.refine, keypoints)
    write_motion(options.out, motion)
    notes = [*told_others(everybody, options.person), *told_doubts(joints, found)]
    return {
        "out": str(options.out),
        "frames": len(rows.times),
        "joint_residual_mm": round(1000 * float(np.nanmean(found.joint_residual)), 2),
        "licence": motion.licence,
        "warnings": [*notes, *told_gaps("The person", rows.times, rows.confidence, given.times)],
    }


def _info(options: argparse.Namespace, _reporter: Reporter) -> dict[str, Any]:
    from .file_info import describe

    return describe(options.file)


def _facts(description: dict[str, Any]) -> str:
    return "\n".join(f"{name:<18} {fact}" for name, fact in description.items())


if __name__ == "__main__":
    sys.exit(main())
