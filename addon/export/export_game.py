"""Operators Export for Games and Export All: characters to files that engines take, read back and checked."""

# pyright: reportInvalidTypeForm=false

from pathlib import Path
from typing import Any, Final

import bpy
from bpy_extras.io_utils import ExportHelper

from ...lifter.errors import CaptureError
from ..character.character import EXPORT, active_character, is_character
from ..text_lines import explained, translated
from .export import export_character
from .export_names import safe_file_name, safe_file_names
from .export_targets import FORMATS, TARGETS, Format

TARGET_ITEMS: Final = [(key, target.label, target.description) for key, target in TARGETS.items()]
FORMAT_ITEMS: Final = [
    ("AUTO", "As the Engine Likes", "The engine's usual format"),
    ("FBX", "FBX", "Autodesk FBX, binary"),
    ("GLB", "glTF Binary", "One .glb file"),
    ("BVH", "BVH", "Skeleton and motion as text, without the mesh"),
    ("USD", "USD", "Universal Scene Description, binary"),
    ("NPZ", "Motion File", "SMPL's rotations as they are now, for programs that read AMASS"),
]

TARGET: Final = bpy.props.EnumProperty(
    name="Engine", description="What the file is for", items=TARGET_ITEMS, default="unity"
)
FORMAT: Final = bpy.props.EnumProperty(
    name="Format", description="Which kind of file to write", items=FORMAT_ITEMS, default="AUTO"
)


def chosen_format(target: str, file_format: str) -> Format:
    """The format to write: the one asked for, or the engine's usual one for "AUTO"."""
    by_name: dict[str, Format] = {kind: kind for kind in FORMATS}
    return by_name.get(file_format, TARGETS[target].default_format)


def suffix_of(target: str, file_format: str) -> str:
    """The ending of the file to write, with its dot."""
    return f".{chosen_format(target, file_format).lower()}"


def exported_armature(context: Any) -> Any | None:
    """What would be exported: the active armature or the active mesh's, else the only character.

    None where that armature is not animated: nobody wants another character's file then.
    """
    active = context.view_layer.objects.active
    behind = () if active is None else (active, active.find_armature(), active.parent)
    for item in behind:
        if item is not None and item.type == "ARMATURE":
            return item if is_animated(item) else None
    return active_character(context)


def is_animated(rig: Any) -> bool:
    """Whether an object has an action or NLA strips."""
    animation = rig.animation_data
    return animation is not None and (animation.action is not None or len(animation.nla_tracks) > 0)


class ExportGame(bpy.types.Operator, ExportHelper):
    """Write the character for a game engine, read the file back and compare it with the rig"""

    bl_idname = "reel2rig.export_game"
    bl_label = "Export for Games"
    bl_options = {"REGISTER"}  # noqa: RUF012 - the file is its only effect

    filename_ext = ""
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default="*.fbx;*.glb;*.bvh;*.usd;*.npz", options={"HIDDEN"})
    target: TARGET
    file_format: FORMAT

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs an animated armature: a character of ours or any other."""
        if exported_armature(context) is None:
            cls.poll_message_set(translated("Select an animated armature"))
            return False
        return True

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for a file named after the character."""
        if not self.filepath:
            name = safe_file_name(_armature(context).name)
            self.filepath = f"{name}{suffix_of(self.target, self.file_format)}"
        return ExportHelper.invoke(self, context, event)

    def check(self, _context: Any) -> bool:
        """Keep the ending in step with engine and format while the file browser is open."""
        path = str(_with_suffix(self.filepath, suffix_of(self.target, self.file_format)))
        changed, self.filepath = path != self.filepath, path
        return changed

    def execute(self, context: Any) -> set[str]:
        """Export and check; the figures stay with the character for the panel."""
        path = _with_suffix(bpy.path.abspath(self.filepath), suffix_of(self.target, self.file_format))
        try:
            says = export_and_note(_armature(context), path, self.target, self.file_format, context.scene)
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        self.report({"INFO"}, says)
        return {"FINISHED"}


class ExportAll(bpy.types.Operator):
    """Write every character of this file for a game engine, a file each, and check them all"""

    bl_idname = "reel2rig.export_all"
    bl_label = "Export All"
    bl_options = {"REGISTER"}  # noqa: RUF012 - the files are its only effect

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    target: TARGET
    file_format: FORMAT
    only_selected: bpy.props.BoolProperty(
        name="Only Selected",
        description="Write the selected armatures, also those not made by Reel2Rig",
        default=False,
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs characters, or animated armatures that are selected."""
        if not _all_armatures(context, only_selected=False) and not _all_armatures(context, only_selected=True):
            cls.poll_message_set("There is no animated character")
            return False
        return True

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask for a folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        """Export one after the other; one that fails does not keep the others from being written."""
        rigs = _all_armatures(context, self.only_selected)
        folder, suffix = Path(bpy.path.abspath(self.directory)), suffix_of(self.target, self.file_format)
        written = 0
        context.window_manager.progress_begin(0, len(rigs))
        for number, (rig, name) in enumerate(zip(rigs, safe_file_names(rig.name for rig in rigs), strict=True)):
            context.window_manager.progress_update(number)
            try:
                path = folder / f"{name}{suffix}"
                self.report({"INFO"}, export_and_note(rig, path, self.target, self.file_format, context.scene))
                written += 1
            except CaptureError as error:
                self.report({"WARNING"}, f"{rig.name}: {explained(error)}")
        context.window_manager.progress_end()
        says = f"{written} of {len(rigs)} characters were written to {folder} and checked"
        self.report({"INFO"} if written == len(rigs) > 0 else {"ERROR"}, says)
        return {"FINISHED"} if written else {"CANCELLED"}


def export_and_note(rig: Any, path: Path, target: str, file_format: str, scene: Any) -> str:
    """Export and check ``rig``; returns the figures, which stay with it for the panel. Raises CaptureError."""
    report = export_character(rig, path, target, chosen_format(target, file_format), scene)
    says = f"{path.name}: {report.sentence()}"
    if rig.is_editable:
        rig[EXPORT] = says
    return says


def _all_armatures(context: Any, only_selected: bool) -> list[Any]:
    """Animated armatures: those selected, or all characters of ours in the file."""
    if only_selected:
        found = [item for item in context.view_layer.objects if item.select_get() and item.type == "ARMATURE"]
    else:
        found = [item for item in bpy.data.objects if item.users_scene and is_character(item)]
    return [item for item in found if is_animated(item)]


def _armature(context: Any) -> Any:
    """The armature to export; poll has seen that there is one."""
    return exported_armature(context)


def _with_suffix(path: str, suffix: str) -> Path:
    """``path`` with ``suffix`` in place of another format's; a dot in a name is no ending."""
    found = Path(path) if Path(path).name else Path(path) / "export"
    ours = found.suffix.lower() in {f".{kind.lower()}" for kind in FORMATS}
    return found.with_suffix(suffix) if ours else found.with_name(found.name + suffix)
