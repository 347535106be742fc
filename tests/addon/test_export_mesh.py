"""Meshes with modifiers, constraints and delta transforms arrive as Blender shows them, in every format."""

from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from reel2rig.addon.export.export import export_character

from .test_export_rigs import import_again, mixamo, vertices_in_blender

KINDS: Final = ("FBX", "GLB", "USD")
__all__ = ["mixamo"]


@pytest.fixture
def cloth(mixamo: Any) -> Any:
    """The character's mesh, beside the plane it is mirrored on."""
    mesh = mixamo.children[0]
    mesh.data.transform(Matrix.Translation((0.0, 0.0, 3.0)))
    return mesh


def place_first(mesh: Any, kind: str) -> Any:
    """A new modifier before the armature's."""
    modifier = mesh.modifiers.new("new", kind)
    mesh.modifiers.move(len(mesh.modifiers) - 1, 0)
    return modifier


def exported_vertices(scene: Any, path: Path, kind: Any) -> np.ndarray:
    export_character(bpy.data.objects["Rig"], path, "unity", kind, scene)
    meshes = import_again(path)
    return vertices_in_blender(meshes, 4 + bpy.context.scene["first"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shapes", [False, True])
def test_a_half_that_is_mirrored_and_thickened_arrives_whole_and_as_thick(
    cloth: Any, scene: Any, tmp_path: Path, kind: str, shapes: bool
) -> None:
    place_first(cloth, "SOLIDIFY").thickness = 5.0
    place_first(cloth, "MIRROR").use_axis = (False, False, True)
    if shapes:
        cloth.shape_key_add(name="Basis")
        fat = cloth.shape_key_add(name="fat")
        fat.points[0].co.x -= 20.0
        fat.value = 0.5
    expected = vertices_in_blender([cloth], 5)
    found = exported_vertices(scene, tmp_path / f"a.{kind.lower()}", kind)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    if shapes:
        keys = [item.data.shape_keys for item in bpy.data.objects if item.type == "MESH"]
        assert [len(key.key_blocks) for key in keys if key is not None] == [2]


def test_shape_keys_outlast_a_modifier_that_makes_other_vertices_of_each(
    cloth: Any, scene: Any, tmp_path: Path
) -> None:
    cloth.shape_key_add(name="Basis")
    cloth.shape_key_add(name="one point").points.foreach_set("co", [0.0] * 24)
    place_first(cloth, "WELD")
    exported_vertices(scene, tmp_path / "a.glb", "GLB")
    assert "one point" in next(iter(bpy.data.shape_keys)).key_blocks


def test_a_constraint_of_a_mesh_counts_once(cloth: Any, scene: Any, tmp_path: Path) -> None:
    cloth.delta_location = (0.0, 0.0, 50.0)
    follow = cloth.constraints.new("COPY_LOCATION")
    follow.target = bpy.data.objects.new("at", None)
    follow.target.location = (0.5, 0.0, 0.0)
    scene.collection.objects.link(follow.target)
    expected = vertices_in_blender([cloth], 5)
    found = exported_vertices(scene, tmp_path / "a.fbx", "FBX")
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_character_that_the_scene_does_not_show_is_exported_where_it_is(
    cloth: Any, scene: Any, tmp_path: Path
) -> None:
    rig = cloth.parent
    rig.location, cloth.location = (4.0, 0.0, 0.0), (0.0, 10.0, 0.0)
    hidden = bpy.data.collections.new("hidden")
    scene.collection.children.link(hidden)
    for item in (rig, cloth):
        scene.collection.objects.unlink(item)
        hidden.objects.link(item)
    expected = vertices_in_blender([cloth], 5)
    bpy.context.view_layer.layer_collection.children["hidden"].exclude = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))  # objects not shown are nowhere yet
    found = exported_vertices(bpy.context.scene, tmp_path / "a.glb", "GLB")
    np.testing.assert_allclose(found, expected, atol=2e-3)
