"""What a mesh's modifiers make of it, put into its data: exporters drop them, or turn and scale them wrongly."""

from typing import Any, Final

import bpy
import numpy as np

from ...smpl_assets.rotation import Array

KEPT: Final = ("slider_min", "slider_max", "mute", "value")


def apply_modifiers(item: Any) -> None:
    """Give ``item``, a mesh object in the shown scene that no armature moves, data as the viewport shows it.

    Each shape key goes through the modifiers by itself; where they then differ in vertices, the shape keys are kept
    and the modifiers are not. Afterwards ``item`` has none.
    """
    if any(modifier.show_viewport for modifier in item.modifiers):
        keys = item.data.shape_keys
        if keys is None:
            item.data = _shown(item)
        elif keys.use_relative:
            _apply_to_shapes(item, keys)
    item.modifiers.clear()


def _shown(item: Any) -> Any:
    """New mesh data as the viewport shows ``item``."""
    graph = bpy.context.evaluated_depsgraph_get()
    return bpy.data.meshes.new_from_object(item.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)


def _apply_to_shapes(item: Any, keys: Any) -> None:
    keys.animation_data_clear()  # drivers would move the sliders
    facts = [{name: getattr(block, name) for name in KEPT} for block in keys.key_blocks]
    names = keys.key_blocks.keys()
    base = _shape(item, -1)
    shapes = [_vertices(_shape(item, number)) for number in range(len(names))]
    if len({len(shape) for shape in shapes}) > 1:
        _set(keys, facts)
        return
    item.data = base
    for name, shape in zip(names, shapes, strict=True):
        item.shape_key_add(name=name, from_mix=False).points.foreach_set("co", shape.ravel())
    _set(item.data.shape_keys, facts)


def _shape(item: Any, shown: int) -> Any:
    """New mesh data with one shape key at 1, or none."""
    for number, block in enumerate(item.data.shape_keys.key_blocks):
        block.mute, block.slider_min, block.slider_max = False, 0.0, 1.0
        block.value = float(number == shown)
    return _shown(item)


def _vertices(mesh: Any) -> Array:
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def _set(keys: Any, facts: list[dict[str, Any]]) -> None:
    for block, values in zip(keys.key_blocks, facts, strict=True):
        for name, value in values.items():
            setattr(block, name, value)
