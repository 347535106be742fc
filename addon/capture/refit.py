"""Fit a finished capture again, with other settings or corrections, without looking at its video again."""

# pyright: reportInvalidTypeForm=false

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import bpy

from ...lifter.corrections import Correction, parse_correction
from ...lifter.errors import CaptureError
from ...lifter.motion_file import read_motion
from ..character.animated_character import LINKED, has_control_rig
from ..character.body_choice import body_from
from ..character.capture_report import read_record
from ..character.character import CAPTURE, CORRECTIONS, MOTION, TRACK, active_character, is_character
from ..character.delete_character import is_linked
from ..character.rebuild import rebuild_character
from ..preferences import body_file, capture_python
from ..text_lines import explained, translated
from ..workers.worker_commands import FitRequest, refit_command
from .capture_jobs import JOBS, Job
from .capture_settings import BUILDS, CONTACTS, FIT, FitSettings
from .runs_jobs import RunsJobs

SETTINGS: Final = "reel2rig_settings"
ASKED: Final = ("height", *FIT)


def refused(context: Any) -> str | None:
    """Why the active character cannot be fitted again now; None when it can."""
    rig = active_character(context)
    if rig is None:
        return "Select a character made by Reel2Rig"
    if is_linked(rig):
        return LINKED
    if not rig.get(CAPTURE):
        return "The character comes from a lone motion file, so there is nothing to fit again"
    if not capture_folder(rig).is_dir():
        return f"The folder of the capture is gone: {rig[CAPTURE]}"
    if any(has_control_rig(one) for one in same_capture(rig)):
        return "Press Bake to Deform Bones first: controls hold a character of this capture"
    return "Wait until the running capture has ended" if JOBS.worker is not None else None


def capture_folder(rig: Any) -> Path:
    """The folder of the capture that a character comes from: where it was, or beside the .blend that moved with it."""
    folder = Path(bpy.path.abspath(rig[CAPTURE]))
    moved = Path(bpy.path.abspath("//")) / PureWindowsPath(rig[CAPTURE]).name  # reads the other systems' paths, too
    return moved if bpy.data.filepath and not folder.is_dir() and moved.is_dir() else folder


def corrections_of(rig: Any) -> list[Correction]:
    """What was corrected of a character; a line that a hand has damaged is left out."""
    found = []
    for line in filter(None, rig.get(CORRECTIONS, "").split("\n")):
        try:
            found.append(parse_correction(line))
        except CaptureError:
            continue
    return found


def asked_before(rig: Any) -> dict[str, Any]:
    """The settings (ASKED) that the character was fitted with, those of them that are known."""
    try:
        kept = json.loads(rig.get(SETTINGS, ""))
    except ValueError:
        kept = read_record(capture_folder(rig)).get("options")
    options = kept if isinstance(kept, dict) else {}
    cleaning = options.get("cleaning")
    found = {**options, **cleaning} if isinstance(cleaning, dict) else options
    fits = {"height": _between(0.5, 2.5), "build": _one_of(BUILDS), "contacts": _one_of(CONTACTS)}
    return {name: found[name] for name in ASKED if fits.get(name, _between(0.0, 1.0))(found.get(name))}


def _between(lowest: float, highest: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and lowest <= value <= highest


def _one_of(items: Sequence[tuple[str, str, str]]) -> Callable[[Any], bool]:
    return lambda value: value in [key for key, _, _ in items]


def same_capture(rig: Any) -> list[Any]:
    """All characters of this file that come from the capture of ``rig``; linked ones are another file's."""
    return _characters_of(rig[CAPTURE])


def _characters_of(capture: str) -> list[Any]:
    found = [item for item in bpy.data.objects if is_character(item) and item.get(CAPTURE) == capture]
    return [rig for rig in found if not is_linked(rig)]


class FitsAgain(RunsJobs):
    """Mixin for operators: fit the capture of the active character again."""

    @classmethod
    def poll(cls: Any, context: Any) -> bool:
        """Needs a character of a capture that is still there, and no running job."""
        reason = refused(context)
        if reason is not None:
            cls.poll_message_set(translated(reason))
        return reason is None

    def fit_again(
        self: Any, context: Any, rig: Any, corrections: Sequence[Correction], settings: dict[str, Any] | None = None
    ) -> set[str]:
        """With ``corrections`` of ``rig`` and settings (ASKED), those of before when None."""
        others = {int(other[TRACK]): corrections_of(other) for other in same_capture(rig) if other[TRACK] != rig[TRACK]}
        lines = [str(one) for one in (*corrections, *(one for each in others.values() for one in each))]
        asked = asked_before(rig) if settings is None else settings
        try:
            request = FitRequest(body=body_file(), **asked)
            command = refit_command(capture_python(), capture_folder(rig), request, lines)
        except CaptureError as error:
            return self.fail(error, rig.name)
        take_over = partial(_take_over, rig[CAPTURE], "\n".join(lines), json.dumps(asked))
        return self.run(context, [Job(rig.name, tuple(command), take_over)])


def _take_over(capture: str, corrections: str, settings: str, _result: dict[str, Any]) -> None:
    bpy.ops.reel2rig.update_characters(
        "EXEC_DEFAULT", True, capture=capture, corrections=corrections, settings=settings
    )


class Refit(FitsAgain, FitSettings, bpy.types.Operator):
    """Fit everybody of this capture again with other settings. The video is not looked at again; Undo takes it back"""

    bl_idname = "reel2rig.refit"
    bl_label = "Fit Again"

    def invoke(self, context: Any, _event: Any) -> set[str]:
        """Ask, beginning with the settings of the last time."""
        rig: Any = active_character(context)
        before = asked_before(rig)
        for name in ASKED:
            self.property_unset(name)
            setattr(self, name, before.get(name, getattr(self, name)))
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, _context: Any) -> None:
        """The settings."""
        self.layout.use_property_split = True
        for name in ASKED:
            self.layout.prop(self, name)

    def execute(self, context: Any) -> set[str]:
        """In a window: start and watch. Without one: wait and take over the result."""
        rig: Any = active_character(context)
        return self.fit_again(context, rig, corrections_of(rig), {name: getattr(self, name) for name in ASKED})


class UpdateCharacters(bpy.types.Operator):
    """Show what the folder of a capture holds now"""

    bl_idname = "reel2rig.update_characters"
    bl_label = "Update Characters"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012 - Blender's own way of declaring it

    capture: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    corrections: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    settings: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        """Give every character of the capture its new motion, in one step that can be undone."""
        rigs = _characters_of(self.capture)
        try:
            body = body_from(body_file())
            files = [capture_folder(rig) / Path(rig[MOTION]).name for rig in rigs]
            motions = [read_motion(file) for file in files]
        except CaptureError as error:
            self.report({"ERROR"}, explained(error))
            return {"CANCELLED"}
        corrections = [parse_correction(line) for line in filter(None, self.corrections.split("\n"))]
        warnings: list[str] = []
        for rig, motion, file in zip(rigs, motions, files, strict=True):
            try:
                warnings += rebuild_character(context.scene, rig, motion, body, file).warnings
            except CaptureError as error:  # the others are not held up by it
                self.report({"ERROR"}, explained(error))
                continue
            rig[CORRECTIONS] = "\n".join(str(one) for one in corrections if one.person == rig[TRACK])
            rig[SETTINGS] = self.settings
        for warning in dict.fromkeys(warnings):
            self.report({"WARNING"}, translated(warning))
        self.report({"INFO"}, translated(f"Fitted again: {', '.join(rig.name for rig in rigs) or 'nobody is left'}"))
        return {"FINISHED"}
