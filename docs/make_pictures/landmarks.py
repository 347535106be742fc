"""The landmark table drawn on the open body, from the front and from its left."""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...addon.character.materials import zone_materials
from ...lifter.keypoint_sets import BLAZEPOSE33
from ...lifter.preview import Picture
from ...smpl_assets.body import Body, open_body
from ...smpl_assets.landmarks import body_landmarks
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES
from .character import BACKGROUND, over, render
from .sheet import beside

PIXELS_PER_METRE = 470
MARGIN = 0.08  # m around the body
KEYPOINT, END = (70, 230, 100), (255, 150, 30)
# Rows: right, up and towards the viewer, in the body's axes (Y up, facing +Z, its left is +X)
FRONT = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
LEFT = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], float)


def landmark_picture() -> Picture:
    """Keypoints green, ends orange; the view from the left leaves out what belongs to the right side."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    body = open_body()
    _add_figure(body)
    return beside([_view(body, FRONT, hidden=""), _view(body, LEFT, hidden="right")])


def _add_figure(body: Body) -> None:
    """The unposed body in its own axes, coloured by zones."""
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(body.v_template.tolist(), [], (body.faces if body.quads is None else body.quads).tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    zones = zone_materials(body)
    for material in zones.materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", zones.index.astype(np.int32))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("body", mesh))


def _view(body: Body, axes: Array, hidden: str) -> Picture:
    """The body seen along the third row of ``axes``, with all landmarks but those of the ``hidden`` side."""
    seen = body.v_template @ axes.T
    low, high = seen.min(axis=0) - MARGIN, seen.max(axis=0) + MARGIN
    size = np.ceil((high - low)[:2] * PIXELS_PER_METRE / 2).astype(int) * 2
    scene = bpy.context.scene
    scene.camera = _camera(scene, axes, (low + high) / 2, size)
    picture = over(render(scene, 1), BACKGROUND)
    for names, colour, radius in ((BLAZEPOSE33, KEYPOINT, 4.0), (END_NAMES, END, 2.5)):
        shown = tuple(name for name in names if not hidden or hidden not in name)
        points = body_landmarks(body, shown).template.sum(axis=1) @ axes.T
        pixels = (points[:, :2] - low[:2]) * PIXELS_PER_METRE
        for x, y in pixels.tolist():
            _draw_dot(picture, x, size[1] - y, radius, colour)
    return picture


def _draw_dot(picture: Picture, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    """A disc with a smooth edge, px."""
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    cover = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
    picture[:] = picture + cover * (np.array(colour) - picture.astype(float))


def _camera(scene: Any, axes: Array, centre: Array, size: Array) -> Any:
    """A camera without perspective, 10 m away. Sets the render size, px."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.render.resolution_x, scene.render.resolution_y = size.tolist()
    scene.render.resolution_percentage = 100
    camera.data.type, camera.data.sensor_fit = "ORTHO", "VERTICAL"
    camera.data.ortho_scale = size[1] / PIXELS_PER_METRE
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = axes.T, (centre + np.array([0, 0, 10])) @ axes
    camera.matrix_world = Matrix(place.tolist())
    return camera
