"""Operator Fit Sliders: shape keys from an FBX play as far as they are keyed.

Blender's importer gives shape keys sliders from 0 to 1, and a slider holds back what is keyed beyond it.
"""

from collections.abc import Iterator
from typing import Any, Final

import bpy

from ..character.action_curves import key_points
from ..text_lines import filled, translated

SLIDER_LIMIT: Final = 10.0


class FitSliders(bpy.types.Operator):
    """Widen the sliders of shape keys to what they are keyed with, which importing an FBX cuts off at 0 and 1"""

    bl_idname = "reel2rig.fit_sliders"
    bl_label = "Fit Sliders to Keys"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's own way of declaring it

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Needs keyed shape keys on the active object or its meshes."""
        if next(keyed_shapes(context.view_layer.objects.active), None) is None:
            cls.poll_message_set(translated("Select a mesh with keyed shape keys, or its armature"))
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Widen what is too narrow."""
        count = sum(fit_sliders(keys) for keys in keyed_shapes(context.view_layer.objects.active))
        self.report({"INFO"}, filled("{count} sliders widened", count=count))
        return {"FINISHED"}


def keyed_shapes(item: Any) -> Iterator[Any]:
    """Shape keys with an action, of an object and of the meshes parented to it."""
    for figure in (item, *item.children) if item is not None else ():
        keys = figure.data.shape_keys if figure.type == "MESH" else None
        animation = keys.animation_data if keys is not None else None
        if animation is not None and animation.action is not None and animation.action_slot is not None:
            yield keys


def fit_sliders(keys: Any) -> int:
    """Widen the sliders of the shape keys ``keys`` to the values they are keyed with; returns how many were."""
    widened, animation = 0, keys.animation_data
    blocks = {f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value': block for block in keys.key_blocks}
    for layer in animation.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot)
            for curve in bag.fcurves if bag is not None else ():
                block = blocks.get(curve.data_path)
                widened += block is not None and _widen(block, key_points(curve)[:, 1].tolist())
    return widened


def _widen(block: Any, values: list[float]) -> bool:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if block.slider_min <= low and high <= block.slider_max:
        return False
    block.slider_min = max(min(block.slider_min, low), -SLIDER_LIMIT)
    block.slider_max = min(max(block.slider_max, high), SLIDER_LIMIT)
    return True
