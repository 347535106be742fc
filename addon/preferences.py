"""Add-on preferences: where captures run and which body figures get."""

# Blender reads properties from annotations, which a type checker takes for types.
# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy

from ..lifter.errors import CaptureError
from .capture_environment import check_python, find_python

ADDON: Final = __name__.rsplit(".", 2)[0]


class Reel2RigPreferences(bpy.types.AddonPreferences):
    """Kept by Blender for all files of a user."""

    bl_idname = ADDON

    python: bpy.props.StringProperty(
        name="Capture Python",
        description="Python of the environment that captures run in; left empty, it is found by itself",
        subtype="FILE_PATH",
    )
    body: bpy.props.StringProperty(
        name="Body File",
        description="A licensed SMPL file of your own (.npz, .pkl); left empty, the open body is used",
        subtype="FILE_PATH",
    )

    def draw(self, _context: Any) -> None:
        """Paths, and the button that tries them."""
        column = self.layout.column()
        column.prop(self, "python")
        column.prop(self, "body")
        column.operator(CheckEnvironment.bl_idname, icon="CHECKMARK")


class CheckEnvironment(bpy.types.Operator):
    """Find the environment that captures run in, start it and say what it has"""

    bl_idname = "reel2rig.check_environment"
    bl_label = "Check Capture Environment"

    def execute(self, _context: Any) -> set[str]:
        """Report what was found."""
        try:
            python = capture_python()
            report = check_python(python)
        except CaptureError as error:
            self.report({"ERROR"}, f"{error.message} {error.hint}")
            return {"CANCELLED"}
        self.report({"ERROR"} if report.missing else {"INFO"}, f"{python}: {report.sentence()}")
        return {"CANCELLED"} if report.missing else {"FINISHED"}


def capture_python() -> Path:
    """The Python for captures, from the preferences or found. Raises CaptureError when there is none."""
    return find_python(_preference("python"), user_folder())


def body_file() -> Path | None:
    """The user's own body file, or None for the open body."""
    path = _preference("body")
    return Path(path) if path else None


def user_folder() -> Path | None:
    """The folder Blender keeps for this extension's user data; None when it is not installed as an extension."""
    try:
        return Path(bpy.utils.extension_path_user(ADDON))
    except ValueError:
        return None


def _preference(name: str) -> str:
    addon = bpy.context.preferences.addons.get(ADDON)
    value = getattr(addon.preferences, name, "") if addon is not None else ""
    return bpy.path.abspath(value) if value else ""
