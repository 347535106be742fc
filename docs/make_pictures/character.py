"""Render characters without a window: as they stand in a .blend, and as they come back from an FBX."""

import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...addon.character.scene_setup import add_camera, scene_frames, set_frame_rate
from ...lifter.motion_file import Motion
from ...lifter.preview import Picture, SideView, person_drawn
from ...smpl_assets.body import open_body
from ...smpl_assets.material_zones import SUIT, material_zones

FIGURE_HEIGHT = 900  # px of a rendered picture that is laid over the clip
OPACITY = 0.85
BACKGROUND = (60, 63, 70)


def render_character(blend: Path, motion: Motion, rows: list[int]) -> list[NDArray[np.float32]]:
    """The character of a capture's .blend as its own camera sees it, RGBA (H, W, 4) in 0..1, at rows of the motion."""
    bpy.ops.wm.open_mainfile(filepath=str(blend.resolve()))
    scene = bpy.context.scene
    set_height(scene.render, FIGURE_HEIGHT)
    return [render(scene, round(frame)) for frame in scene_frames(motion, scene)[rows]]


def render_export(fbx: Path, motion: Motion, rows: list[int], height: int) -> list[Picture]:
    """An FBX read into an empty Blender file: from the clip's camera, and from the side as in the preview."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    set_frame_rate(scene, motion.fps)
    bpy.ops.import_scene.fbx(filepath=str(fbx))
    rig = next(item for item in scene.objects if item.type == "ARMATURE")
    times = scene_frames(motion, scene)
    frames = np.round(rig.animation_data.action.frame_range[0] + times[rows] - times[0]).astype(int).tolist()
    add_camera(scene, scene.collection, motion, "clip")
    set_height(scene.render, height)
    seen = [over(render(scene, frame), BACKGROUND) for frame in frames]
    side_view = SideView([person_drawn(motion)], height)
    scene.camera = side_camera(scene, side_view)
    from_side = [over(render(scene, frame), side_view.empty) for frame in frames]
    return [np.concatenate(pair, axis=1) for pair in zip(seen, from_side, strict=True)]


def set_height(settings: Any, height: int) -> None:
    """Make rendered pictures ``height`` px high, in proportion."""
    settings.resolution_x = round(settings.resolution_x * height / settings.resolution_y)
    settings.resolution_y = height


def side_camera(scene: Any, view: SideView) -> Any:
    """A camera without perspective that shows what the preview's side view shows. Sets the render size."""
    camera = bpy.data.objects.new("Side", bpy.data.cameras.new("Side"))
    scene.collection.objects.link(camera)
    width, height = view.size
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    camera.data.type, camera.data.sensor_fit = "ORTHO", "VERTICAL"
    camera.data.ortho_scale = height / view.pixels_per_metre
    # Right in the picture is world Y, up is Z; the camera stands 10 m along X
    camera.matrix_world = Matrix(
        ((0, 0, 1, view.centre[0] + 10), (1, 0, 0, view.centre[1]), (0, 1, 0, view.centre[2]), (0, 0, 0, 1))
    )
    return camera


def render(scene: Any, frame: int) -> NDArray[np.float32]:
    """One frame by Workbench, RGBA (H, W, 4) in 0..1, clear where nothing is."""
    scene.render.engine, scene.render.film_transparent = "BLENDER_WORKBENCH", True
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    scene.view_settings.view_transform = "Standard"
    scene.frame_set(frame)
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "frame.png")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty((image.size[1], image.size[0], 4), np.float32)
        image.pixels.foreach_get(pixels.ravel())
        bpy.data.images.remove(image)
    return pixels[::-1]


def over(figure: NDArray[np.float32], background: Picture | tuple[int, int, int], opacity: float = 1.0) -> Picture:
    """Lay ``figure`` (H, W, 4) over a colour or over a picture of the same size."""
    canvas = np.empty((*figure.shape[:2], 3), np.float32)
    canvas[:] = np.asarray(background, np.float32)
    share = figure[..., 3:] * opacity
    return np.asarray(canvas + share * (255 * figure[..., :3] - canvas) + 0.5, np.uint8)


def paint(mesh: Any, suit: tuple[float, float, float]) -> None:
    """Give the open body's mesh the materials of its zones, the suit in the colour ``suit``."""
    zones = material_zones(open_body())
    colours = zones.colours.copy()
    colours[SUIT] = suit
    for name, colour in zip(zones.names, colours, strict=True):
        material = bpy.data.materials.new(name)
        material.diffuse_color = (*colour.tolist(), 1.0)
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.asarray(zones.quads, np.int32))
