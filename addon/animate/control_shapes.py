"""Wire shapes of the controls, in a hidden collection."""

from typing import Any, Final

import bpy
import numpy as np

from ...smpl_assets.rotation import Array
from .control_rig_table import Shape

COLLECTION: Final = "Reel2Rig Control Shapes"
CIRCLE_POINTS: Final = 32


def control_shape(scene: Any, shape: Shape) -> Any:
    """The wire object for ``shape``, one metre in radius; made where the file has none."""
    name = f"Reel2Rig {shape}"
    found = bpy.data.objects.get(name)
    if found is not None:
        return found
    vertices, edges = SHAPES[shape]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), edges, [])
    made = bpy.data.objects.new(name, mesh)
    _hidden_collection(scene).objects.link(made)
    return made


def remove_unused_shapes() -> None:
    """Remove the shapes when no control uses them any more."""
    collection = bpy.data.collections.get(COLLECTION)
    used = {bone.custom_shape for item in bpy.data.objects if item.pose for bone in item.pose.bones}
    if collection is None or any(item in used for item in collection.objects):
        return
    for item in list(collection.objects):
        mesh = item.data
        bpy.data.objects.remove(item)
        bpy.data.meshes.remove(mesh)
    bpy.data.collections.remove(collection)


def _hidden_collection(scene: Any) -> Any:
    collection = bpy.data.collections.get(COLLECTION)
    if collection is None:
        collection = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(collection)
        collection.hide_viewport = collection.hide_render = True
    return collection


def _ring(*axes: int) -> Array:
    angles = np.linspace(0.0, 2.0 * np.pi, CIRCLE_POINTS, endpoint=False)
    points = np.zeros((CIRCLE_POINTS, 3))
    points[:, axes[0]], points[:, axes[1]] = np.cos(angles), np.sin(angles)
    return points


def _closed(first: int) -> list[tuple[int, int]]:
    return [(first + point, first + (point + 1) % CIRCLE_POINTS) for point in range(CIRCLE_POINTS)]


def _cube() -> tuple[Array, list[tuple[int, int]]]:
    corners = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
    edges = [(a, b) for a in range(8) for b in range(a + 1, 8) if np.count_nonzero(corners[a] != corners[b]) == 1]
    return corners * 0.6, edges


SHAPES: Final[dict[Shape, tuple[Array, list[tuple[int, int]]]]] = {
    "circle": (_ring(0, 2), _closed(0)),
    "cube": _cube(),
    "diamond": (
        np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0], [0, 0, 1.0], [0, 0, -1.0]]),
        [(a, b) for a in range(6) for b in range(a + 1, 6) if a // 2 != b // 2],
    ),
}
