"""Operators that correct a capture on the marked range: they note what is wrong, and the capture is fitted again."""

# pyright: reportInvalidTypeForm=false

from typing import Any, Final

import bpy

from ...lifter.corrections import ROUNDING, Correction
from ..character.animated_character import LINKED
from ..character.character import TRACK, active_character
from ..character.confidence import DOUBTFUL, doubtful_stretches
from ..character.delete_character import delete_character, is_linked
from ..character.scene_setup import frame_rate, scene_frame, scene_seconds
from ..text_lines import filled, translated
from .refit import FitsAgain, corrections_of, refused

MARK_A_RANGE: Final = "Mark the range first: in the timeline, press P and drag"
KIND_ITEMS: Final = [
    ("swap", "Swap Left and Right", "The left limbs were taken for the right ones in the marked range"),
    ("unseen", "Interpolate", "What was seen in the marked range is wrong: move evenly from its one end to its other"),
    ("stand", "Both Feet Stand", "Hold both feet in their place in the marked range"),
    ("stand_left", "Left Foot Stands", "Hold the left foot in its place in the marked range"),
    ("stand_right", "Right Foot Stands", "Hold the right foot in its place in the marked range"),
    ("free", "Both Feet Free", "Hold neither foot in the marked range"),
    ("free_left", "Left Foot Free", "Do not hold the left foot in the marked range"),
    ("free_right", "Right Foot Free", "Do not hold the right foot in the marked range"),
]
KIND_NAMES: Final = {kind: name for kind, name, _ in KIND_ITEMS}


def marked_range(scene: Any) -> tuple[int, int] | None:
    """First and last frame of the timeline's preview range; None without one."""
    return (scene.frame_preview_start, scene.frame_preview_end) if scene.use_preview_range else None


def marked_seconds(scene: Any, rig: Any) -> tuple[float, float] | None:
    """The marked range in seconds of the clip that ``rig`` was captured from; None without one.

    A frame lasts from half a frame before it to half a frame after it, so that no picture of a faster clip falls
    between two frames; not quite, so that a picture just between them belongs to neither neighbour.
    """
    marked = marked_range(scene)
    if marked is None:
        return None
    half = max(0.0, 0.5 / frame_rate(scene, rig) - 2 * ROUNDING)
    start, end = (scene_seconds(scene, frame, rig) for frame in marked)
    return start - half, end + half


def frames_of(scene: Any, rig: Any, correction: Correction) -> tuple[int, int]:
    """The scene frames of a correction of ``rig``."""
    return round(scene_frame(scene, correction.start, rig)), round(scene_frame(scene, correction.end, rig))


class CorrectRange(FitsAgain, bpy.types.Operator):
    """Correct the marked range of the timeline and fit the capture again"""

    bl_idname = "reel2rig.correct_range"
    bl_label = "Correct Range"

    kind: bpy.props.EnumProperty(name="Correction", items=KIND_ITEMS, default="swap")

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        """The tooltip of each correction."""
        about = next(about for kind, _, about in KIND_ITEMS if kind == properties.kind)
        return bpy.app.translations.pgettext_tip(about)

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a range, too."""
        if not super().poll(context):
            return False
        if marked_range(context.scene) is None:
            cls.poll_message_set(translated(MARK_A_RANGE))
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Add the correction and fit again."""
        rig: Any = active_character(context)
        marked = marked_seconds(context.scene, rig)
        assert marked is not None, "poll has asked"
        added = Correction(self.kind, int(rig[TRACK]), *marked)
        return self.fit_again(context, rig, [*corrections_of(rig), added])


class InterpolateUncertain(FitsAgain, bpy.types.Operator):
    """Interpolate where the person was hardly seen: in the whole clip, or in the marked range of the timeline"""

    bl_idname = "reel2rig.interpolate_uncertain"
    bl_label = "Interpolate Uncertain Stretches"

    threshold: bpy.props.FloatProperty(
        name="Confidence Below",
        description="Stretches less certain than this are interpolated",
        default=DOUBTFUL,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )

    def execute(self, context: Any) -> set[str]:
        """Add a correction for each stretch and fit again."""
        rig: Any = active_character(context)
        scene = context.scene
        first, last = marked_seconds(scene, rig) or (0.0, float("inf"))
        found = [
            Correction("unseen", int(rig[TRACK]), max(start, first), min(end, last))
            for start, end in doubtful_stretches(rig, scene, self.threshold, corrections_of(rig))
            if max(start, first) <= min(end, last)
        ]
        if not found:
            self.report({"INFO"}, translated("Nothing else here is that uncertain"))
            return {"CANCELLED"}
        return self.fit_again(context, rig, [*corrections_of(rig), *found])


class RemoveCorrection(FitsAgain, bpy.types.Operator):
    """Take this correction back and fit the capture again"""

    bl_idname = "reel2rig.remove_correction"
    bl_label = "Remove Correction"

    index: bpy.props.IntProperty(options={"SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        """Fit again without it."""
        rig: Any = active_character(context)
        left = corrections_of(rig)
        if not 0 <= self.index < len(left):
            return {"CANCELLED"}
        del left[self.index]
        return self.fit_again(context, rig, left)


class DeletePerson(bpy.types.Operator):
    """Delete this character with its motion; the files of the capture stay"""

    bl_idname = "reel2rig.delete_person"
    bl_label = "Delete This Person"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs a character of ours that this file holds."""
        rig = active_character(context)
        if rig is None:
            cls.poll_message_set(translated("Select a character made by Reel2Rig"))
        elif is_linked(rig):
            cls.poll_message_set(translated(LINKED))
        return rig is not None and not is_linked(rig)

    def execute(self, context: Any) -> set[str]:
        """Remove everything that belongs to it alone."""
        rig: Any = active_character(context)
        name = rig.name
        delete_character(rig)
        self.report({"INFO"}, filled("Deleted {name}", name=name))
        return {"FINISHED"}


def draw_corrections(column: Any, context: Any, rig: Any) -> None:
    """Buttons for the marked range, and what was corrected so far."""
    scene, marked = context.scene, marked_range(context.scene)
    column.operator(InterpolateUncertain.bl_idname, icon="IPO_EASE_IN_OUT")
    if refused(context) is None and marked is None:
        column.label(text="Mark the range first", icon="INFO")
    elif marked is not None:
        column.label(text=f"{marked[0]} - {marked[1]}", icon="PREVIEW_RANGE")
    row = column.row(align=True)
    for kind in ("swap", "unseen"):
        row.operator(CorrectRange.bl_idname, text=KIND_NAMES[kind]).kind = kind
    column.operator_menu_enum(CorrectRange.bl_idname, "kind", text="Feet and More")
    for number, correction in enumerate(corrections_of(rig)):
        first, last = frames_of(scene, rig, correction)
        row = column.row()
        row.label(text=f"{first} - {last}: {translated(KIND_NAMES[correction.kind])}", translate=False)
        row.operator(RemoveCorrection.bl_idname, text="", icon="X").index = number
    column.operator(DeletePerson.bl_idname, icon="TRASH")
