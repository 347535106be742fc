"""The verb package: the extension zip, made and judged by Blender's own tools."""

import argparse
import shutil
import tempfile
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
    run_quietly("Validating the extension", [*builder, "validate", *tags, ROOT], cwd=ROOT)
    with tempfile.TemporaryDirectory() as folder:
        run_quietly("Building the zip", [*builder, "build", "--source-dir", ROOT, "--output-dir", folder], cwd=ROOT)
        zips = sorted(Path(folder).glob("*.zip"))
        if not zips:
            raise BuildError("Blender's builder ended without a zip.")
        for path in zips:
            run_quietly(f"Validating {path.name}", [*builder, "validate", *tags, path], cwd=ROOT)
            say(f"{_deliver(path)}  ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _deliver(path: Path) -> Path:
    """Copy a validated zip into dist/, whole or not at all."""
    target = ROOT / "dist" / path.name
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    try:
        shutil.copyfile(path, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def blender_scripts(environment: Environment) -> Path:
    """The scripts folder inside the environment's bpy module. Raises BuildError without one."""
    for builder in environment.folder.glob("[Ll]ib/**/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"):
        return builder.parents[3]
    raise BuildError("Blender's extension builder is not in the environment.", "Delete .venv and run setup again.")
