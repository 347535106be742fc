"""The verbs capture and demo: worker, then headless Blender, then a look whether every promised file is there."""

import argparse
import json
import time
from pathlib import Path

from . import setup
from .children import run_child
from .console import BuildError, say
from .environments import Environment
from .pins import ROOT

DEMO_CLIP = ROOT / "examples" / "balancing.mp4"
KINDS = ("fbx", "glb", "bvh", "usd")
CLOCK_SLACK = 2.0  # seconds: coarsest file times in use


def demo(arguments: list[str]) -> int:
    """python build.py demo: the bundled clip into demo/ as .blend, .fbx (or as --target asks), motion, preview."""
    parser = argparse.ArgumentParser("build.py demo", description=demo.__doc__)
    parser.add_argument("--out", default=str(ROOT / "demo"), metavar="FOLDER", help="where to (default: demo)")
    options, rest = parser.parse_known_args(arguments)
    asked = any(word.split("=")[0] in {"--target", *(f"--{kind}" for kind in KINDS)} for word in rest)
    return run([str(DEMO_CLIP), "--out", options.out, *([] if asked else ["--fbx"]), *rest])


def run(arguments: list[str]) -> int:
    """python build.py capture CLIP --out FOLDER [--target T ...] [--fbx] [--glb] [--bvh] [--usd] [capture options]."""
    options, lifter_options = _parse(arguments)
    clip, out = Path(options.clip), Path(options.out)
    if not clip.is_file():
        raise BuildError(f"There is no clip {clip}.", "Give the path of a video file.", 2)
    environment = setup.ensure()
    started = time.time()
    status = run_child([environment.python, "-m", "reel2rig.lifter", "capture", clip, "--out", out, *lifter_options])
    if status != 0:
        return status
    motions = sorted(path for path in out.glob("person_*.npz") if _is_new(path, started))
    if not motions:
        raise BuildError(f"The capture ended without a motion file in {out}.", "Please report this clip.")
    promised = [out / "capture.json", *motions, out / "preview.mp4"]
    results = _results(out, clip, options)
    status = _build_character(environment, clip, motions, results, options)
    if status != 0:
        return status
    promised += [file for _, path in results for file in _files_of(path, len(motions))]
    _require_files(promised, started)
    say("\nWritten:")
    for path in promised:
        say(f"  {path}  ({max(1, path.stat().st_size // 1000):,} kB)")
    return 0


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        "build.py capture",
        description="Video in; .blend, motion file, preview and, if asked for, files for game engines out.",
        epilog="Every other option goes to the capture: python build.py capture CLIP --out FOLDER --preset best ...",
    )
    parser.add_argument("clip", help="the video (give it first)")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder for the results")
    parser.add_argument(
        "--target",
        action="append",
        choices=[*usual_formats(), "all"],
        help="an engine to write for, in its usual format; may be given several times",
    )
    for kind in KINDS:
        parser.add_argument(f"--{kind}", action="store_true", help=f"write this format: {kind}")
    parser.add_argument("--body", metavar="FILE", help="a licensed SMPL file in place of the open body")
    options, rest = parser.parse_known_args(arguments)
    return options, rest + _body_option(options)


def _body_option(options: argparse.Namespace) -> list[str]:
    """The body file concerns both the capture and the character that is built on it."""
    return ["--body", options.body] if options.body else []


def usual_formats() -> dict[str, str]:
    """The ending of the usual file of each target, from the add-on's table."""
    table = json.loads((ROOT / "addon" / "export" / "export_targets.json").read_text("utf-8"))
    return {target: facts["default_format"].lower() for target, facts in table.items()}


def _results(out: Path, clip: Path, options: argparse.Namespace) -> list[tuple[str, Path]]:
    """The files to build, with the target of each ("blend": everything). Several targets have a folder each."""
    usual = usual_formats()
    targets = list(usual) if "all" in (options.target or []) else list(dict.fromkeys(options.target or ["generic"]))
    asked = [kind for kind in KINDS if getattr(options, kind)]
    results = [("blend", out / f"{clip.stem}.blend")]
    for target in targets:
        folder = out / target if len(targets) > 1 else out
        kinds = asked or ([usual[target]] if options.target else [])
        results += [(target, folder / f"{clip.stem}.{kind}") for kind in kinds]
    return results


def _files_of(path: Path, people: int) -> list[Path]:
    """What becomes of ``path``: the .blend holds everybody, exports are one file a person, numbered when several."""
    if people == 1 or path.suffix == ".blend":
        return [path]
    return [path.with_name(f"{path.stem}_{number:02d}{path.suffix}") for number in range(1, people + 1)]


def _build_character(
    environment: Environment,
    clip: Path,
    motions: list[Path],
    results: list[tuple[str, Path]],
    options: argparse.Namespace,
) -> int:
    files: list[str | Path] = []
    for target, path in results:
        files += ["--blend", path] if target == "blend" else ["--export", target, path]
    command = [environment.python, "-m", "reel2rig.addon", *motions, *files]
    return run_child([*command, "--clip", clip, *_body_option(options)])


def _require_files(paths: list[Path], started: float) -> None:
    """Raise BuildError unless each file was written by this run and holds something."""
    missing = [str(path) for path in paths if not _is_new(path, started) or path.stat().st_size == 0]
    if missing:
        raise BuildError(
            f"The work ended, but these files were not written: {', '.join(missing)}.",
            "Run the same command again; if they stay away, please report the clip and the lines above.",
        )


def _is_new(path: Path, started: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= started - CLOCK_SLACK
