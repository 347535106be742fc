"""Add-on preferences: where captures run and which body figures get."""

# Blender reads properties from annotations, which a type checker takes for types.
# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy

from ..lifter.errors import CaptureError
from .set_up.capture_environment import USER_FOLDER_NAME, check_python, environment_state, find_python
from .set_up.environment_state import State
from .text_lines import explained

ADDON: Final = __name__.rsplit(".", 2)[0]

_state: State | None = None


def forget_state(_owner: Any = None, _context: Any = None) -> None:
    """Look anew the next time: something was set up or chosen."""
    global _state
    _state = None


class Reel2RigPreferences(bpy.types.AddonPreferences):
    """Kept by Blender for all files of a user."""

    bl_idname = ADDON

    python: bpy.props.StringProperty(
        name="Capture Python",
        description="Python of the environment that captures run in; left empty, it is found by itself",
        subtype="FILE_PATH",
        update=forget_state,
    )
    body: bpy.props.StringProperty(
        name="Body File",
        description="A licensed SMPL file of your own (.npz, .pkl); left empty, the open body is used",
        subtype="FILE_PATH",
    )

    def draw(self, _context: Any) -> None:
        """Paths, the button that tries them, and set-up, also anew (for CUDA, say)."""
        column = self.layout.column()
        column.prop(self, "python")
        column.prop(self, "body")
        column.operator(CheckEnvironment.bl_idname, icon="CHECKMARK")
        column.operator("reel2rig.set_up_capture", icon="IMPORT")
        column.operator("reel2rig.set_up_from_wheels", icon="FILE_FOLDER")


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
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        self.report({"ERROR"} if report.missing else {"INFO"}, f"{python}: {report.sentence()}")
        return {"CANCELLED"} if report.missing else {"FINISHED"}


def capture_python() -> Path:
    """The Python for captures, from the preferences or found, after a thorough look at it when set-up made it.

    Raises CaptureError when there is none, or a broken one.
    """
    global _state
    _state = environment_state(_preference("python"), user_folder(), thorough=True)
    if _state.kind == "absent" and user_folder() is not None:
        hint = "Press Set Up Capture in the sidebar of the 3D view (N), tab Reel2Rig."
        raise CaptureError("no_environment", "Captures are not set up yet.", hint)
    if _state.kind == "broken":
        hint = "Press Repair in the sidebar of the 3D view (N), tab Reel2Rig."
        raise CaptureError("broken_environment", f"The packages for captures are broken: {_state.reason}", hint)
    return find_python(_preference("python"), user_folder())


def capture_state() -> State:
    """Whether captures can run, as last looked; cheap enough for drawing."""
    global _state
    if _state is None:
        _state = environment_state(_preference("python"), user_folder())
    return _state


def private_environment() -> Path | None:
    """Where set-up puts the environment; None when this is not installed as an extension."""
    folder = user_folder()
    return None if folder is None else folder / USER_FOLDER_NAME


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
