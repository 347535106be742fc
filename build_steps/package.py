"""The verb package: the extension zip, made and judged by Blender's own tool."""

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import setup
from .console import BuildError, run_quietly, say
from .environments import Environment
from .pins import ROOT


@dataclass(frozen=True)
class ExtensionTool:
    """Blender's blender_ext.py: ``scripts`` is the folder of that name in a bpy module, ``python`` any interpreter."""

    python: Path
    scripts: Path

    def run(self, title: str, verb: str, *words: str | Path) -> None:
        """Run one of its verbs behind a progress line. Raises BuildError with its last lines when it fails."""
        program = self.scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
        run_quietly(title, [self.python, program, verb, *words], cwd=ROOT)

    def validate(self, title: str, source: Path) -> None:
        """Judge a source folder or a zip as extensions.blender.org does. Raises BuildError with what is wrong."""
        self.run(title, "validate", "--valid-tags", self.scripts / "modules/_bpy_internal/extensions/tags.py", source)


def run(arguments: list[str]) -> int:
    """python build.py package: build the Blender extension into dist/, validated before and after."""
    argparse.ArgumentParser("build.py package", description=run.__doc__).parse_args(arguments)
    tool = extension_tool(setup.ensure())
    with tempfile.TemporaryDirectory() as folder:
        path = build_zip(tool, Path(folder))
        say(f"{_deliver(path)}  ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def extension_tool(environment: Environment) -> ExtensionTool:
    """The tool inside the environment's bpy module. Raises BuildError without one."""
    for program in environment.folder.glob("[Ll]ib/**/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"):
        return ExtensionTool(environment.python, program.parents[3])
    raise BuildError("Blender's extension builder is not in the environment.", "Delete .venv and run setup again.")


def build_zip(tool: ExtensionTool, folder: Path) -> Path:
    """Write the extension's zip into ``folder``, which has no other, validated before and after.

    Raises BuildError when the project is incomplete or Blender's tool finds fault.
    """
    if not (ROOT / "blender_manifest.toml").is_file():
        raise BuildError("blender_manifest.toml is missing.", "Run this in a complete copy of the project.")
    tool.validate("Validating the extension", ROOT)
    tool.run("Building the zip", "build", "--source-dir", ROOT, "--output-dir", folder)
    for path in folder.glob("*.zip"):
        tool.validate(f"Validating {path.name}", path)
        return path
    raise BuildError("Blender's builder ended without a zip.")


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
