"""Motion files to .blend and files for games without a window: ``python -m reel2rig.addon MOTION.npz --fbx OUT.fbx``.

Works with the bpy module and inside ``blender -b``, where the arguments stand behind ``--``. Exit status: 0 done, 1
our fault, 2 the input's fault. With several motions each is exported to its own file, OUT_01.fbx, OUT_02.fbx, ...
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lifter.atomic_file import written_whole
from ..lifter.errors import CaptureError, InputError
from .export.export_targets import FORMATS, TARGETS, Format

if TYPE_CHECKING:
    from .character.character import ImportedCharacter
    from .retarget.retarget_file import Performance


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    arguments = argparse.ArgumentParser(prog="python -m reel2rig.addon", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("motions", nargs="+", type=Path, metavar="MOTION.npz")
    arguments.add_argument("--blend", type=Path, help="Blender file to write")
    for kind in FORMATS:
        arguments.add_argument(f"--{kind.lower()}", type=Path, metavar="OUT", help=f"{kind} to write and check")
    arguments.add_argument("--target", choices=TARGETS, default="generic", help="the engine these are for")
    arguments.add_argument(
        "--export",
        nargs=2,
        action="append",
        default=[],
        metavar=("TARGET", "OUT"),
        help="a file for an engine, in the format of its ending; may be given several times",
    )
    arguments.add_argument(
        "--retarget", type=Path, metavar="CHARACTER", help="let the character in this .blend, .fbx or .glb play it"
    )
    arguments.add_argument(
        "--map", default="auto", help="with --retarget: names of its bones (mixamo, ...), or a saved map (.json)"
    )
    arguments.add_argument(
        "--travel",
        choices=("hips", "root", "in_place"),
        default="hips",
        help="with --retarget: what carries the way over the floor",
    )
    arguments.add_argument(
        "--hands", action="store_true", help="with --retarget: wrists where they were relative to the body"
    )
    arguments.add_argument("--clip", type=Path, help="video to show behind the camera")
    arguments.add_argument("--body", type=Path, help="body file the motion was made on; default: the open body")
    arguments.add_argument("--progress", choices=("text", "json"), default="text", help="json: one object a line")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    if argv is None:
        argv = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    options = parser().parse_args(argv)
    settings = _keep_users_settings_out()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the exporters print; stdout is for the result
            result = run(options)
    except CaptureError as error:
        _say_error(error, options.progress)
        return error.exit_status
    finally:
        if settings is not None:
            shutil.rmtree(settings, ignore_errors=True)
    _say_result(result, options.progress)
    return 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Build, save and export; returns what was written. Raises CaptureError or InputError."""
    _asked_for(options)  # an odd wish is said before the work begins
    import bpy

    from .character.body_choice import body_from
    from .character.character import import_motions

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    characters = import_motions(scene, options.motions, body_from(options.body), options.clip)
    written: list[dict[str, Any]] = []
    played = _performances(scene, characters, options)
    for target, file_format, path in _asked_for(options):
        written += _export(played, path, target, file_format, scene)
    if options.blend is not None:
        _save(options.blend)
        written.append({"file": str(options.blend)})
    warnings = dict.fromkeys(text for item in (*characters, *played) for text in item.warnings)
    return {"written": written, "warnings": list(warnings)}


def _asked_for(options: argparse.Namespace) -> list[tuple[str, Format, Path]]:
    """Target, format and file of each export. Raises InputError for an unknown target or ending, and for a file that
    would take another's place."""
    asked: list[tuple[str, Format, Path]] = []
    for kind in FORMATS:
        path, option = getattr(options, kind.lower()), kind.lower()
        if path is None:
            continue
        if path.suffix.lower() != f".{option}":
            message = f"--{option} {path} does not end in .{option}."
            raise InputError("bad_export", message, "Other programs know the format by the ending: give it that.")
        asked.append((options.target, kind, path))
    by_ending: dict[str, Format] = {f".{kind.lower()}": kind for kind in FORMATS}
    for target, name in options.export:
        found = by_ending.get(Path(name).suffix.lower())
        if target not in TARGETS or found is None:
            known = f"Targets: {', '.join(TARGETS)}. Endings: {', '.join(by_ending)}."
            raise InputError("bad_export", f"--export {target} {name} cannot be written.", known)
        asked.append((target, found, Path(name)))
    _require_own_places(options, [path for _, _, path in asked])
    return asked


def _require_own_places(options: argparse.Namespace, exports: list[Path]) -> None:
    """Raise InputError where a result would take the place of a file that is read, or of another result."""
    read = [*options.motions, options.retarget, options.clip, options.body, Path(options.map)]
    taken = {path.resolve() for path in read if path is not None}
    written = [file for path in exports for file in _files_of(path, len(options.motions))]
    for path in [*written, *([] if options.blend is None else [options.blend])]:
        if path.resolve() in taken:
            message = f"{path} would take the place of another file of this work."
            raise InputError("same_file", message, "Give each result a name of its own.")
        taken.add(path.resolve())


def _files_of(path: Path, count: int) -> list[Path]:
    """Where each of ``count`` characters is exported to."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{number:02d}{path.suffix}") for number in range(1, count + 1)]


def _performances(
    scene: Any, characters: "list[ImportedCharacter]", options: argparse.Namespace
) -> "list[Performance]":
    """Who plays each motion: the captured character itself, or the one to retarget to."""
    from .retarget.retarget import RetargetOptions
    from .retarget.retarget_file import Performance, retargeted

    rigs = [character.rig for character in characters]
    if options.retarget is not None:
        wanted = RetargetOptions(hands=options.hands, travel=options.travel)
        return retargeted(scene, rigs, options.retarget, options.map, wanted)
    return [Performance(rig, rig.animation_data.action) for rig in rigs]


def _export(
    played: "list[Performance]", path: Path, target: str, file_format: Format, scene: Any
) -> list[dict[str, Any]]:
    from .export.export import export_character

    reports = []
    for file, performance in zip(_files_of(path, len(played)), played, strict=True):
        performance.begin()
        report = export_character(performance.rig, file, target, file_format, scene)
        reports.append({"file": str(file), "target": target, "says": report.sentence(), **asdict(report)})
    return reports


def _save(path: Path) -> None:
    import bpy

    try:
        with written_whole(path) as part:
            part.unlink(missing_ok=True)  # Blender would keep what it overwrites as a .blend1 beside it
            bpy.ops.wm.save_as_mainfile(filepath=str(part), copy=True, check_existing=False)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise CaptureError("cannot_write", f"Could not write {path}: {reason}", "Choose another folder.") from error


def _keep_users_settings_out() -> str | None:
    """Point the bpy module at empty settings before it is imported; Blender itself has read its own already."""
    if "bpy" in sys.modules or "BLENDER_USER_RESOURCES" in os.environ:
        return None
    folder = tempfile.mkdtemp(prefix="reel2rig-blender-")
    os.environ["BLENDER_USER_RESOURCES"] = folder
    return folder


def _say_error(error: CaptureError, style: str) -> None:
    if style == "json":
        print(json.dumps({"error": {"code": error.code, "message": error.message, "hint": error.hint}}), flush=True)
    else:
        print(f"error: {error.message}\n{error.hint}", file=sys.stderr)


def _say_result(result: dict[str, Any], style: str) -> None:
    if style == "json":
        print(json.dumps({"result": result}), flush=True)
        return
    for warning in result["warnings"]:
        print(f"warning: {warning}")
    for item in result["written"]:
        print(f"{item['file']}: {item.get('says', 'saved')}")


def _end(status: int) -> None:
    """End at once: Blender 4.5 as a module may wait for ever when Python ends in the usual way."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    try:
        _end(main())
    except SystemExit as error:  # the command line was not understood, or help was asked for
        _end(error.code if isinstance(error.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        _end(1)
