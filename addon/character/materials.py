"""Materials of the figure: one for each zone of the body."""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.body import Body
from ...smpl_assets.material_zones import material_zones


@dataclass(frozen=True)
class ZoneMaterials:
    """materials: one a zone; index (F,): the zone of each face (of each quad where the body has quads)."""

    materials: tuple[Any, ...]
    index: NDArray[np.int64]


def zone_materials(body: Body) -> ZoneMaterials:
    """The suit, skin, hair, ... of ``body``, shared by all characters of the file."""
    table = material_zones(body)
    materials = tuple(_material(name, colour.tolist()) for name, colour in zip(table.names, table.colours, strict=True))
    return ZoneMaterials(materials, table.faces if table.quads is None else table.quads)


def _material(zone: str, colour: list[float]) -> Any:
    """The material of a zone in linear RGB; made when the file has none yet."""
    name = f"Reel2Rig {zone}"
    material = bpy.data.materials.get(name)
    if material is not None:
        return material
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*colour, 1.0)
    material.roughness = 0.7
    if material.node_tree is None:
        material.use_nodes = True  # always on from Blender 5.0, where setting it warns
    shader = principled_shader(material.node_tree)
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = 0.7
    return material


def principled_shader(tree: Any) -> Any:
    """The node that Blender gives every new material; its name is in the user's language."""
    return next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
