"""Characters of all kinds export as they move: other skeletons and scales, controls, props, shape keys, any mode."""

from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import pytest
from mathutils import Quaternion, Vector
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.character.rig import edit_mode
from reel2rig.addon.export.export import export_character
from reel2rig.addon.export.export_bones import exported_tree
from reel2rig.addon.export.export_targets import FORMATS, Format
from reel2rig.addon.export.fbx_reader import read_fbx
from reel2rig.addon.export.glb_reader import Glb, read_glb
from reel2rig.lifter.errors import CaptureError
from reel2rig.smpl_assets.body import Body

FRAMES = 12
OTHERS: Final[list[Format]] = [kind for kind in FORMATS if kind != "NPZ"]  # a motion file holds SMPL's skeleton only


@pytest.fixture
def mixamo(scene: Any) -> Any:
    """A character as Mixamo's come: centimetres in an object of scale 0.01 that is turned up, no root bone."""
    rig = _armature("Rig", {"mixamorig:Hips": (100, None), "mixamorig:Leg": (60, 0), "mixamorig:Toe": (10, 1)})
    rig.rotation_euler, rig.scale = (np.pi / 2, 0.0, 0.0), (0.01, 0.01, 0.01)
    mesh = _block("옷", 100.0, list(rig.data.bones.keys()))
    mesh.parent = rig
    mesh.modifiers.new("Armature", "ARMATURE").object = rig
    _wave(rig, 100.0)
    return rig


def _armature(name: str, bones: dict[str, tuple[float, int | None]]) -> Any:
    """Bones one above the other along Y, with their height and the number of their parent."""
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    with edit_mode(rig):
        made = []
        for bone, (height, parent) in bones.items():
            new = rig.data.edit_bones.new(bone)
            new.head, new.tail = (0.0, height, 0.0), (0.0, height - 8.0, 1.0)
            new.parent = None if parent is None else made[parent]
            made.append(new)
    return rig


def _block(name: str, height: float, groups: list[str]) -> Any:
    """A column of squares, one bound to each group, all with one material each."""
    mesh = bpy.data.meshes.new(name)
    rows = np.linspace(height, 0.0, len(groups) + 1)
    vertices = [(x, y, 0.0) for y in rows for x in (-1.0, 1.0)]
    mesh.from_pydata(vertices, [], [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(groups))])
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    for index, group in enumerate(groups):
        item.vertex_groups.new(name=group).add([2 * index, 2 * index + 1], 1.0, "REPLACE")
        mesh.materials.append(bpy.data.materials.new(f"{name} {index}"))
        mesh.polygons[index].material_index = index
    if groups:
        item.vertex_groups[-1].add([2 * len(groups), 2 * len(groups) + 1], 1.0, "REPLACE")
    return item


def _wave(rig: Any, travel: float) -> None:
    """Keys that turn every bone and carry the first one along X."""
    bpy.context.scene.render.fps = 30
    for frame in range(1, FRAMES + 1):
        for number, bone in enumerate(rig.pose.bones):
            bone.rotation_quaternion = Quaternion((0.3, 1.0, 0.2), 0.3 * np.sin(0.5 * frame + number))
            bone.keyframe_insert("rotation_quaternion", frame=frame)
        rig.pose.bones[0].location = (travel * frame / FRAMES, 0.0, 0.0)
        rig.pose.bones[0].keyframe_insert("location", frame=frame)


def vertices_in_blender(items: list[Any], frame: int) -> np.ndarray:
    """World positions of all vertices as Blender shows them, sorted."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    found = []
    for item in items:
        seen = item.evaluated_get(graph)
        found += [tuple(seen.matrix_world @ vertex.co) for vertex in seen.to_mesh().vertices]
    return np.array(sorted({tuple(np.round(place, 3) + 0.0) for place in found}))


def import_again(path: Path) -> list[Any]:
    """The meshes after Blender's own importer read ``path`` into an empty file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 30
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif path.suffix == ".usd":
        bpy.ops.wm.usd_import(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))
    shown = [item for item in bpy.context.scene.objects if item.type == "MESH" and item.modifiers]
    rig = next(item for item in bpy.context.scene.objects if item.type == "ARMATURE")
    bpy.context.scene["first"] = int(rig.animation_data.action.frame_range[0])
    return shown


@pytest.mark.parametrize("kind", OTHERS)
def test_a_character_of_scale_001_is_written_in_metres_with_scale_1(
    mixamo: Any, scene: Any, tmp_path: Path, kind: Any
) -> None:
    expected = vertices_in_blender(mixamo.children, 5)
    path = tmp_path / f"a.{kind.lower()}"
    report = export_character(mixamo, path, "generic", kind, scene)
    assert (report.frame_count, report.bones) == (FRAMES, 3)
    assert report.root_travel_m == pytest.approx(1.0 - 1.0 / FRAMES, rel=1e-3)
    if kind != "BVH":
        meshes = import_again(path)
        found = vertices_in_blender(meshes, 4 + bpy.context.scene["first"])
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_no_node_of_an_fbx_is_turned_or_scaled_and_without_the_take_it_stands_at_rest(
    mixamo: Any, scene: Any, tmp_path: Path
) -> None:
    export_character(mixamo, tmp_path / "a.fbx", "unreal", "FBX", scene)
    found = read_fbx(tmp_path / "a.fbx")
    assert np.abs(found.node_scales - 1.0).max() < 1e-4
    assert found.rest_heads is not None
    np.testing.assert_allclose(found.rest_heads[:, 2], [1.0, 0.6, 0.1], atol=1e-5)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(tmp_path / "a.fbx"), use_anim=False)
    turned = {tuple(np.round(item.matrix_local.to_euler(), 4)) for item in bpy.data.objects if item.type == "MESH"}
    assert turned == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize("kind", ["FBX", "GLB", "USD", "BVH"])
def test_a_scene_in_centimetres_is_written_in_metres(mixamo: Any, scene: Any, tmp_path: Path, kind: Any) -> None:
    mixamo.scale = (1.0, 1.0, 1.0)
    scene.unit_settings.scale_length = 0.01
    report = export_character(mixamo, tmp_path / f"a.{kind.lower()}", "unity", kind, scene)
    assert report.root_travel_m == pytest.approx(1.0 - 1.0 / FRAMES, rel=1e-3)


@pytest.mark.parametrize("scale", [(1.0, 2.0, 1.0), (-0.01, -0.01, -0.01)])
def test_a_stretched_or_mirrored_object_is_refused_with_what_to_do(
    mixamo: Any, scene: Any, tmp_path: Path, scale: tuple[float, float, float]
) -> None:
    mixamo.scale = scale
    with pytest.raises(CaptureError, match="scale of Rig") as caught:
        export_character(mixamo, tmp_path / "a.fbx", "unity", "FBX", scene)
    assert "Apply" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_bone_that_grows_is_refused_by_name(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    mixamo.pose.bones["mixamorig:Toe"].scale = (1.5, 1.5, 1.5)
    with pytest.raises(CaptureError, match="mixamorig:Toe is scaled"):
        export_character(mixamo, tmp_path / "a.glb", "godot", "GLB", scene)


def test_no_deforming_bone_is_said(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    for bone in mixamo.data.bones:
        bone.use_deform = False
    with pytest.raises(CaptureError, match="No bone of Rig deforms"):
        export_character(mixamo, tmp_path / "a.glb", "godot", "GLB", scene)


@pytest.mark.parametrize("kind", OTHERS)
def test_control_bones_stay_behind_and_what_they_do_is_in_the_file(
    mixamo: Any, scene: Any, tmp_path: Path, kind: Any
) -> None:
    with edit_mode(mixamo):
        control = mixamo.data.edit_bones.new("IK")
        control.head, control.tail = (0.0, 10.0, 20.0), (0.0, 10.0, 30.0)
        between = mixamo.data.edit_bones.new("between")
        between.head, between.tail = (0.0, 80.0, 0.0), (0.0, 70.0, 0.0)
        between.parent = mixamo.data.edit_bones["mixamorig:Hips"]
        mixamo.data.edit_bones["mixamorig:Leg"].parent = between
    for name in ("IK", "between"):
        mixamo.data.bones[name].use_deform = False
    follow = mixamo.pose.bones["mixamorig:Leg"].constraints.new("DAMPED_TRACK")
    follow.target, follow.subtarget = mixamo, "IK"
    report = export_character(mixamo, tmp_path / f"a.{kind.lower()}", "generic", kind, scene)
    assert report.bones == 3


def test_shape_keys_their_motion_and_all_materials_survive(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    mesh = mixamo.children[0]
    mesh.shape_key_add(name="Basis")
    smile = mesh.shape_key_add(name="웃음")
    smile.data[0].co.x -= 20.0
    driven = mesh.shape_key_add(name="driven")
    driven.data[1].co.x += 20.0
    curve = driven.driver_add("value")
    curve.driver.expression = "frame / 24"
    for frame, value in ((1, 0.0), (FRAMES, 1.0)):
        smile.value = value
        smile.keyframe_insert("value", frame=frame)
    expected = vertices_in_blender([mesh], 8)
    for kind in ("FBX", "GLB", "USD"):
        path = tmp_path / f"a.{kind.lower()}"
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "keep.blend"), copy=True)
        export_character(bpy.data.objects["Rig"], path, "generic", kind, bpy.context.scene)  # type: ignore[arg-type]
        meshes = import_again(path)
        found = vertices_in_blender(meshes, 7 + bpy.context.scene["first"])
        assert {"웃음", "driven"} <= {
            key.name for item in meshes for key in item.data.shape_keys.key_blocks
        } or kind == "USD"
        assert sum(len(item.data.materials) for item in meshes) == 3
        np.testing.assert_allclose(found, expected, atol=2e-3)
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "keep.blend"))


def test_a_prop_on_a_bone_and_a_vertex_without_weight_come_along(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    prop = bpy.data.objects.new("hat", bpy.data.meshes.new("hat"))
    prop.data.from_pydata([(0, 0, 0), (5, 0, 0), (0, 5, 2)], [], [(0, 1, 2)])
    scene.collection.objects.link(prop)
    prop.parent, prop.parent_type, prop.parent_bone = mixamo, "BONE", "mixamorig:Leg"
    bpy.data.objects["옷"].vertex_groups["mixamorig:Toe"].remove([6, 7])
    scene.frame_set(3)
    expected = vertices_in_blender([prop], 9)
    for kind in ("FBX", "GLB"):
        export_character(mixamo, tmp_path / f"a.{kind.lower()}", "generic", kind, scene)  # type: ignore[arg-type]
    for name in ("a.fbx", "a.glb"):
        again = next(item for item in import_again(tmp_path / name) if item.name.startswith("hat"))
        found = vertices_in_blender([again], 8 + bpy.context.scene["first"])
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_an_armature_moved_and_turned_as_an_object_goes_where_blender_shows_it(
    mixamo: Any, scene: Any, tmp_path: Path
) -> None:
    mixamo.location, mixamo.rotation_euler[2] = (2.0, -1.0, 0.5), 0.7
    scene.frame_set(6)
    expected = mixamo.matrix_world @ mixamo.pose.bones[0].matrix.translation
    report = export_character(mixamo, tmp_path / "a.glb", "godot", "GLB", scene)
    assert report.max_joint_error_mm < 0.01
    assert (expected - Vector(read_glb(tmp_path / "a.glb").heads[5, 0])).length < 1e-4


def test_the_motion_is_exported_while_the_rest_position_is_shown(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    mixamo.data.pose_position = "REST"
    export_character(mixamo, tmp_path / "a.fbx", "unity", "FBX", scene)
    assert np.ptp(read_fbx(tmp_path / "a.fbx").heads, axis=0).max() > 0.1
    assert mixamo.data.pose_position == "REST"


def test_a_take_made_of_nla_strips_is_exported_as_it_plays(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    animation = mixamo.animation_data
    strip = animation.nla_tracks.new().strips.new("walk", 11, animation.action)
    strip.action_slot = animation.action_slot
    animation.action = None
    report = export_character(mixamo, tmp_path / "a.fbx", "unity", "FBX", scene)
    assert (report.take, report.frame_count) == ("Rig", FRAMES)


@pytest.mark.parametrize("mode", ["POSE", "EDIT"])
def test_mode_selection_frame_and_data_are_as_before(mixamo: Any, scene: Any, tmp_path: Path, mode: str) -> None:
    bpy.context.view_layer.objects.active = mixamo
    mixamo.select_set(True)
    scene.frame_set(7)
    bpy.ops.object.mode_set(mode=mode)
    kinds = ("objects", "meshes", "armatures", "actions", "scenes", "shape_keys", "materials", "images", "worlds")
    before = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}
    placed = mixamo.pose.bones[1].matrix.copy()
    for kind in OTHERS:
        export_character(mixamo, tmp_path / f"a.{kind.lower()}", "unreal", kind, scene)
    assert before == {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}
    assert (mixamo.mode, scene.frame_current, bpy.context.selected_objects) == (mode, 7, [mixamo])
    assert bpy.context.window.scene == scene
    bpy.ops.object.mode_set(mode="OBJECT")
    assert np.allclose(placed, mixamo.pose.bones[1].matrix, atol=1e-6)


def test_a_motion_file_needs_smpls_skeleton(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"pelvis, left_hip.* are missing") as caught:
        export_character(mixamo, tmp_path / "a.npz", "generic", "NPZ", scene)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("kind", OTHERS)
def test_loose_bones_hang_on_the_top_as_engines_take_one_tree_only(
    mixamo: Any, scene: Any, tmp_path: Path, kind: Any
) -> None:
    with edit_mode(mixamo):
        mixamo.data.edit_bones["mixamorig:Toe"].parent = None
    assert exported_tree(mixamo) == {
        "mixamorig:Hips": None,
        "mixamorig:Leg": "mixamorig:Hips",
        "mixamorig:Toe": "mixamorig:Hips",
    }
    assert export_character(mixamo, tmp_path / f"a.{kind.lower()}", "unreal", kind, scene).bones == 3


def test_a_bone_under_a_helper_hangs_on_the_bone_that_moves_as_the_helper_does(scene: Any) -> None:
    rig = _armature(
        "Rigify",
        {"root": (0, None), "ORG-hips": (9, 0), "DEF-hips": (9, 1), "parentless": (9, None), "ORG-leg": (5, 1),
         "DEF-leg": (5, 4), "DEF-toe": (1, 4), "DEF-hat": (20, 3)},
    )  # fmt: skip
    for bone in rig.data.bones:
        bone.use_deform = bone.name.startswith("DEF-")
    assert exported_tree(rig) == {
        "root": None, "DEF-hips": "root", "DEF-hat": "root", "DEF-leg": "DEF-hips", "DEF-toe": "DEF-leg"
    }  # fmt: skip
    assert next(iter(exported_tree(rig))) == "root"


@pytest.mark.parametrize("where", ["hips", "in place"])
def test_travel_on_the_hips_or_taken_out_is_exported_as_it_is(
    scene: Any, motion_path: Path, body: Body, tmp_path: Path, where: str
) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    bag = rig.animation_data.action.layers[0].strips[0].channelbags[0]
    for curve in list(bag.fcurves):
        if curve.data_path == 'pose.bones["root"].location':
            bag.fcurves.remove(curve)
    if where == "hips":
        for frame in (1, 40):
            rig.pose.bones["pelvis"].location = (0.01 * frame, 0.0, 0.0)
            rig.pose.bones["pelvis"].keyframe_insert("location", frame=frame)
    rig.pose.bones["root"].location = (0.0, 0.0, 0.0)
    for kind in FORMATS:
        report = export_character(rig, tmp_path / f"a.{kind.lower()}", "unity", kind, scene)
        assert report.max_joint_error_mm < 0.1
        assert report.frame_count == 40


def test_meshes_keep_their_names_and_a_glb_has_one_skin(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    export_character(mixamo, tmp_path / "a.glb", "godot", "GLB", scene)
    tree = Glb(tmp_path / "a.glb").tree
    assert [mesh["name"] for mesh in tree["meshes"]] == ["옷"]
    assert {"Rig", "옷"} <= {node["name"] for node in tree["nodes"]}
    assert len(tree["skins"]) == 1


def test_a_mesh_called_like_a_bone_is_told_apart(mixamo: Any, scene: Any, tmp_path: Path) -> None:
    mixamo.children[0].name = "MIXAMORIG:TOE"
    export_character(mixamo, tmp_path / "a.glb", "unreal", "GLB", scene)
    names = [node["name"] for node in Glb(tmp_path / "a.glb").tree["nodes"]]
    assert "MIXAMORIG:TOE mesh" in names
    assert mixamo.children[0].name == "MIXAMORIG:TOE"


@pytest.mark.parametrize("kind", ["FBX", "GLB"])
def test_image_textures_are_inside_the_file_and_a_missing_one_does_no_harm(
    mixamo: Any, scene: Any, tmp_path: Path, kind: Any
) -> None:
    found = bpy.data.images.new("무늬", 4, 4)
    found.filepath_raw, found.file_format = str(tmp_path / "무늬.png"), "PNG"
    found.save()
    lost = bpy.data.images.new("lost", 4, 4)
    lost.source, lost.filepath = "FILE", str(tmp_path / "none" / "lost.png")
    for slot, image in zip(mixamo.children[0].material_slots, (found, lost), strict=False):
        slot.material.use_nodes = True
        tree = slot.material.node_tree
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        tree.links.new(node.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    (tmp_path / "out").mkdir()
    export_character(mixamo, tmp_path / "out" / f"a.{kind.lower()}", "unity", kind, scene)
    (tmp_path / "무늬.png").unlink()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"a.{kind.lower()}"]
    import_again(tmp_path / "out" / f"a.{kind.lower()}")
    packed = [image.name for image in bpy.data.images if image.packed_file is not None]
    assert any(name.startswith("무늬") for name in packed)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_character_linked_from_another_file_is_exported(mixamo: Any, tmp_path: Path, kind: Any) -> None:
    mixamo.hide_viewport = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "there.blend"), copy=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = 30
    with bpy.data.libraries.load(str(tmp_path / "there.blend"), link=True) as (there, here):
        here.objects = there.objects
    for item in here.objects:
        scene.collection.objects.link(item)
    rig = next(item for item in here.objects if item.type == "ARMATURE")
    report = export_character(rig, tmp_path / f"a.{kind.lower()}", "unity", kind, scene)
    assert (report.frame_count, report.bones) == (FRAMES, 3)
    assert rig.name == "Rig"


@pytest.mark.parametrize("kind", ["FBX", "GLB", "USD"])
def test_a_take_named_as_importers_name_it_and_bones_with_korean_names_are_exported(
    mixamo: Any, scene: Any, tmp_path: Path, kind: Any
) -> None:
    mixamo.animation_data.action.name = "Armature|mixamo.com|Layer0"
    for bone, name in zip(mixamo.data.bones, ("골반", "다리é", "발🎉"), strict=True):
        bone.name = name
    report = export_character(mixamo, tmp_path / f"a.{kind.lower()}", "unity", kind, scene)
    assert (report.take, report.bones) == ("Armature_mixamo.com_Layer0", 3)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_body_that_lies_down_exactly_is_exported(mixamo: Any, scene: Any, tmp_path: Path, kind: Any) -> None:
    mixamo.rotation_euler = (0.0, 0.0, 0.0)
    for number, bone in enumerate(mixamo.pose.bones):
        for frame in range(1, FRAMES + 1):
            lying = Quaternion((1, 0, 0), np.pi / 2) if number == 0 else Quaternion()
            bone.rotation_quaternion = Quaternion((0, 0, 1), 0.1 * frame) @ lying @ Quaternion((0, 1, 0), 0.3)
            bone.keyframe_insert("rotation_quaternion", frame=frame)
    assert export_character(mixamo, tmp_path / f"a.{kind.lower()}", "generic", kind, scene).frame_count == FRAMES
