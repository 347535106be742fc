"""The verb package: the extension zip, made and judged by Blender's own tools."""

import argparse
from pathlib import Path

from . import setup
from .console import BuildError, run_quietly, say
from .environments import Environment
from .pins import ROOT


def run(arguments: list[str]) -> int:
    """python build.py package: build the Blender extension into dist/, validated before and after."""
    argparse.ArgumentParser("build.py package", description=run.__doc__).parse_args(arguments)
    if not (ROOT / "blender_manifest.toml").is_file():
        raise BuildError("blender_manifest.toml is missing.", "Run this in a complete copy of the project.")
    environment = setup.ensure()
    scripts = blender_scripts(environment)
    builder = [environment.python, scripts / "addons_core/bl_pkg/cli/blender_ext.py"]
    tags = ["--valid-tags", scripts / "modules/_bpy_internal/extensions/tags.py"]
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    run_quietly("Validating the extension", [*builder, "validate", *tags, ROOT], cwd=ROOT)
    for old in dist.glob("reel2rig-*.zip"):
        old.unlink()
    run_quietly("Building the zip", [*builder, "build", "--source-dir", ROOT, "--output-dir", dist], cwd=ROOT)
    zips = sorted(dist.glob("reel2rig-*.zip"))
    if not zips:
        raise BuildError(f"Blender's builder ended without a zip in {dist}.")
    for path in zips:
        run_quietly(f"Validating {path.name}", [*builder, "validate", *tags, path], cwd=ROOT)
        say(f"{path}  ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def blender_scripts(environment: Environment) -> Path:
    """The scripts folder inside the environment's bpy module. Raises BuildError without one."""
    for builder in environment.folder.glob("[Ll]ib/**/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"):
        return builder.parents[3]
    raise BuildError("Blender's extension builder is not in the environment.", "Delete .venv and run setup again.")
