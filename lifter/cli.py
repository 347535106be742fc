"""The command line: reel2rig capture | detect | lift | fit | info."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from ..smpl_assets.body import OPEN_BODY
from .errors import CancelledError, CaptureError, InputError
from .progress import Reporter


def main(arguments: list[str] | None = None) -> int:
    """Run one verb. Exit status: 0 done, 1 our fault, 2 the input's fault, 3 cancelled."""
    options = _parser().parse_args(arguments)
    reporter = Reporter(as_json=options.progress == "json")
    signal.signal(signal.SIGTERM, _cancel)
    try:
        reporter.result(options.run(options, reporter))
    except KeyboardInterrupt:
        return _failed(reporter, CancelledError())
    except CaptureError as error:
        return _failed(reporter, error)
    except MemoryError:
        return _failed(
            reporter,
            CaptureError("no_memory", "There is not enough memory.", "Capture a shorter part with --start and --end."),
        )
    return 0


def _cancel(_signal: int, _frame: Any) -> None:  # noqa: ANN401
    raise CancelledError


def _failed(reporter: Reporter, error: CaptureError) -> int:
    reporter.error(error.code, error.message, error.hint)
    return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reel2rig", description="From a video to SMPL motion.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _capture_verb(verbs.add_parser("capture", help="video in, motion files and a preview out"))
    detect = verbs.add_parser("detect", help="video to 2D keypoints")
    detect.add_argument("clip", type=Path)
    _detector_options(detect)
    detect.set_defaults(run=_detect)
    lift = verbs.add_parser("lift", help="2D keypoints to 3D joints in a level world")
    lift.add_argument("keypoints", type=Path)
    _world_options(lift)
    lift.set_defaults(run=_lift)
    fit = verbs.add_parser("fit", help="3D joints (ours or another estimator's) to a motion file")
    fit.add_argument("joints", type=Path)
    fit.add_argument("--keypoints", type=Path, help="keypoints.npz of the same capture: the fit explains them too")
    fit.add_argument("--person", default="1", help="track number (default 1)")
    fit.add_argument("--height", type=float, help="metres; default: taken from the joints")
    _fit_options(fit)
    fit.set_defaults(run=_fit)
    info = verbs.add_parser("info", help="say what a file holds")
    info.add_argument("file", type=Path)
    info.set_defaults(run=_info)
    for verb in (detect, lift, fit):
        verb.add_argument("--out", type=Path, required=True, help=".npz to write")
    for verb in (*verbs.choices.values(),):
        verb.add_argument("--progress", choices=("text", "json"), default="text", help="json: one object a line")
    return parser


def _capture_verb(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("clip", type=Path)
    verb.add_argument("--out", type=Path, required=True, help="folder to write")
    verb.add_argument("--person", default="largest", help="largest, all, or a track number")
    _detector_options(verb)
    _world_options(verb)
    _fit_options(verb)
    verb.set_defaults(run=_capture)


def _detector_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--preset", choices=("fast", "balanced", "best"), default="balanced")
    verb.add_argument("--detector", choices=("onnx", "mediapipe"), default="onnx")
    verb.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    verb.add_argument("--start", type=float, help="seconds")
    verb.add_argument("--end", type=float, help="seconds")


def _world_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--height", type=float, help="the person's height in metres (default 1.70)")
    lens = verb.add_mutually_exclusive_group()
    lens.add_argument("--fov", type=float, help="field of view in degrees, across the longer side")
    lens.add_argument("--camera", type=Path, help="calibration file, .toml or .json")


def _fit_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--body", type=Path, default=OPEN_BODY, help="SMPL file of your own; default: the open body")
    verb.add_argument(
        "--refine", choices=("none", "smplx"), default="none", help="smplx: refine through the smplx package"
    )


def _capture(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .pipeline import CaptureOptions, capture

    names = "clip out preset detector device person height camera start end body refine"
    asked = CaptureOptions(field_of_view=options.fov, **{name: getattr(options, name) for name in names.split()})
    record = capture(asked, reporter)
    return {
        "out": str(options.out),
        "people": [person["file"] for person in record["people"]],
        "frames": record["frames"],
        "provider": record["provider"]["name"],
        "licence": record["licence"],
        "warnings": record["warnings"],
    }


def _detect(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .capture_files import write_keypoints
    from .clip_reader import probe, read_frames
    from .detect import detect
    from .track import track

    clip = probe(options.clip)
    frames = read_frames(options.clip, start=options.start, end=options.end)
    progress = reporter.stage("detect", round(clip.duration * clip.default_fps))
    found = detect(
        frames,
        clip.image_size,
        clip.default_fps,
        backend=options.detector,
        preset=options.preset,
        device=options.device,
        progress=progress,
    )
    keypoints = track(found.keypoints)
    write_keypoints(options.out, keypoints)
    return {"out": str(options.out), "rows": len(keypoints.times), "people": len(set(keypoints.track_id.tolist()))}


def _lift(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .camera import intrinsics
    from .capture_files import read_keypoints, write_joints
    from .fit_people import checked_height
    from .lift import LIFTER_MODEL, lift
    from .place import place
    from .providers import choose_provider, open_session

    keypoints = read_keypoints(options.keypoints)
    lens = intrinsics(options.keypoints, keypoints.image_size, field_of_view=options.fov, calibration=options.camera)
    reporter.stage("lift")
    session = open_session(LIFTER_MODEL, choose_provider("cpu"), threads=1)
    lifted = lift(keypoints, lens.camera_K, checked_height(options.height), session)
    reporter.stage("place")
    joints = place(lifted)
    write_joints(options.out, joints)
    return {"out": str(options.out), "rows": len(joints.times), "camera": lens.source}


def _fit(options: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from .capture_files import read_joints, read_keypoints
    from .fit_people import as_motion, body_from, checked_height, fit_people, tracked_rows
    from .motion_file import write_motion

    joints = read_joints(options.joints)
    people = sorted(set(joints.track_id.tolist()))
    person = int(options.person) if options.person.isdecimal() else -1
    if person not in people:
        person = people[0] if len(people) == 1 else person
    if person not in people:
        raise InputError("no_such_person", f"There is no person {options.person}.", f"The file holds: {people}.")
    joints = joints.select(joints.track_id == person)
    keypoints = None if options.keypoints is None else tracked_rows(read_keypoints(options.keypoints), joints)
    body = body_from(options.body)
    stature = None if options.height is None else checked_height(options.height)
    reporter.stage("fit", 1)
    fits, joints = fit_people(joints, keypoints, [person], body, stature, options.refine, reporter)
    write_motion(options.out, as_motion(fits[0], joints, body, keypoints, None))
    return {
        "out": str(options.out),
        "frames": len(joints.times),
        "joint_residual_mm": round(1000 * float(fits[0].joint_residual.mean()), 2),
    }


def _info(options: argparse.Namespace, _reporter: Reporter) -> dict[str, Any]:
    from .file_info import describe

    description = describe(options.file)
    if options.progress != "json":
        for key, value in description.items():
            print(f"{key:<18} {value}", file=sys.stdout)
    return description


if __name__ == "__main__":
    sys.exit(main())
