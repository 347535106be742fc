"""The skinned mesh: the person's shape, SMPL's weights, smooth shading, one material a zone."""

from typing import Any

import bpy
import numpy as np

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from .materials import zone_materials

SMALLEST_WEIGHT = 1e-6


def build_mesh(name: str, body: Body, vertices: Array, rig: Any, collection: Any) -> Any:
    """Mesh object of ``body`` with rest ``vertices`` (V, 3) m in Blender's rest frame, deformed by ``rig``."""
    faces = body.faces if body.quads is None else body.quads
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    for material in (zones := zone_materials(body)).materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", zones.index.astype(np.int32))
    mesh.update()
    figure = bpy.data.objects.new(name, mesh)
    collection.objects.link(figure)
    _add_weights(figure, body.weights)
    figure.parent = rig
    modifier = figure.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    modifier.use_deform_preserve_volume = False  # SMPL is defined by linear blend skinning
    return figure


def _add_weights(figure: Any, weights: Array) -> None:
    for joint, name in enumerate(JOINT_NAMES):
        group = figure.vertex_groups.new(name=name)
        rows = np.flatnonzero(weights[:, joint] > SMALLEST_WEIGHT)
        for vertex, weight in zip(rows.tolist(), weights[rows, joint].tolist(), strict=True):
            group.add((vertex,), weight, "REPLACE")
