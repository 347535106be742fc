"""A character takes another motion in place, and leaves nothing behind when it is deleted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from reel2rig.addon.character.capture_collection import camera_of
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.character.delete_character import delete_character
from reel2rig.addon.character.rebuild import rebuild_character
from reel2rig.addon.character.rig import posed_heads
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body, forward

CLIP = Path(__file__).resolve().parents[2] / "examples" / "balancing.mp4"
KINDS = (
    "objects", "armatures", "meshes", "cameras", "actions", "collections", "images", "materials", "movieclips",
    "shape_keys",
)  # fmt: skip


def everything() -> dict[str, list[str]]:
    return {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in KINDS}


def refitted(motion: Motion, count: int) -> Motion:
    """Another pose, shape, place, camera and length for the same person."""
    rng = np.random.default_rng(3)
    moved = np.array(motion.camera_world_from_cam)
    moved[:3, 3] += [0.0, -1.0, 0.5]
    return replace(
        motion,
        poses=rng.normal(0, 0.3, (count, 72)).astype(np.float32),
        trans=rng.normal(0, 0.3, (count, 3)).astype(np.float32),
        betas=rng.normal(0, 1, 10).astype(np.float32),
        confidence=rng.uniform(0.0, 0.2, (count, 24)).astype(np.float32),
        camera_world_from_cam=moved,
    )


def assert_stands_like(scene: Any, rig: Any, figure: Any, motion: Motion, body: Body) -> None:
    vertices, joints = forward(body, motion.poses, motion.trans, motion.betas)
    for index in (0, len(joints) // 2, len(joints) - 1):
        scene.frame_set(1 + index)
        graph = bpy.context.evaluated_depsgraph_get()
        assert np.abs(posed_heads(rig, graph)[1:] - joints[index]).max() < 1e-5
        mesh = figure.evaluated_get(graph).to_mesh()
        flat = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", flat)
        assert np.linalg.norm(flat.reshape(-1, 3) - vertices[index], axis=-1).max() < 1e-4


@pytest.fixture
def made(scene: Any, motion: Motion, motion_path: Path, body: Body) -> Any:
    low = np.full((40, 24), 0.1, np.float32)
    write_motion(motion_path, replace(motion, confidence=low))
    return import_motions(scene, [motion_path], body, CLIP)[0]


@pytest.mark.parametrize("count", [40, 17, 65, 1])
def test_another_motion_of_any_length_takes_the_place_of_the_first(
    scene: Any, made: Any, motion: Motion, body: Body, count: int
) -> None:
    before = everything()
    other = refitted(motion, count)
    again = rebuild_character(scene, made.rig, other, body)
    assert everything() == before
    assert again.rig == made.rig
    assert again.frame_count == count
    assert_stands_like(scene, made.rig, made.figure, other, body)
    assert (scene.frame_start, scene.frame_end) == (1, max(40, count))
    expected = Matrix(other.camera_world_from_cam.tolist()) @ Matrix.Diagonal((1, -1, -1, 1))  # type: ignore[union-attr]
    np.testing.assert_allclose(scene.camera.matrix_world, expected, atol=1e-6)


def test_rebuilding_twice_ends_where_one_import_does(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    before = everything()
    rebuild_character(scene, made.rig, refitted(motion, 30), body)
    rebuild_character(scene, made.rig, motion, body)
    assert everything() == before
    assert_stands_like(scene, made.rig, made.figure, motion, body)
    assert not scene.timeline_markers  # the last motion knows no confidence
    assert "reel2rig_confidence" not in made.rig


def test_what_the_user_did_stays(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    rig, figure = made.rig, made.figure
    gold = bpy.data.materials.new("Gold")
    figure.data.materials[0] = gold
    figure.modifiers.new("Smooth", "SUBSURF")
    hat = bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat"))
    scene.collection.objects.link(hat)
    hat.parent = rig
    group = bpy.data.collections.new("Cast")
    scene.collection.children.link(group)
    group.objects.link(rig)
    rig.name, rig.location, rig["score"] = "민수 🎬", (3.0, 0.0, 0.0), 7
    figure.shape_key_add(name="Basis")
    smile = figure.shape_key_add(name="Smile")
    smile.data[5].co.z += 0.25
    rebuild_character(scene, rig, refitted(motion, 20), body)
    assert figure.data.materials[0] == gold
    assert [modifier.type for modifier in figure.modifiers] == ["ARMATURE", "SUBSURF"]
    assert (hat.parent, rig.name, tuple(rig.location), rig["score"]) == (rig, "민수 🎬", (3.0, 0.0, 0.0), 7)
    assert group in rig.users_collection
    keys = figure.data.shape_keys.key_blocks
    assert keys["Smile"].data[5].co.z - keys["Basis"].data[5].co.z == pytest.approx(0.25, abs=1e-6)
    assert (keys["Smile"].data[9].co - keys["Basis"].data[9].co).length < 1e-6


def test_an_action_that_something_else_uses_stays(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    old = made.rig.animation_data.action
    made.rig.animation_data.nla_tracks.new().strips.new("take", 1, old)
    rebuild_character(scene, made.rig, refitted(motion, 20), body)
    assert made.rig.animation_data.action != old
    assert old.frame_range[1] == 40


def test_an_action_of_the_animators_own_stays_as_it_is(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    idle = bpy.data.actions.new("My idle")
    made.rig.animation_data.action = idle
    made.rig.pose.bones["head"].keyframe_insert("location", frame=5)
    again = rebuild_character(scene, made.rig, refitted(motion, 20), body)
    assert bpy.data.actions["My idle"] == idle
    assert idle.use_fake_user
    assert idle.frame_range[0] == 5
    assert made.rig.animation_data.action.name.startswith("walk_person_01")
    assert again.warnings == ("Your work is kept in the action: My idle",)


@pytest.mark.parametrize("work", ["hand key", "moved key", "reduced keys", "repeating", "smooth keys"])
def test_a_take_that_was_worked_on_is_kept_and_the_next_one_has_its_name(
    scene: Any, made: Any, motion: Motion, body: Body, work: str
) -> None:
    rig, old = made.rig, made.rig.animation_data.action
    curve = old.layers[0].strips[0].channelbags[0].fcurves[0]
    if work == "hand key":
        rig.pose.bones["left_hand"].keyframe_insert("scale", frame=3)
    elif work == "moved key":
        curve.keyframe_points[7].co.y += 0.01
    elif work == "reduced keys":
        curve.keyframe_points.remove(curve.keyframe_points[7])
    elif work == "repeating":
        curve.modifiers.new("CYCLES")
    else:
        curve.keyframe_points[7].interpolation = "BEZIER"
    again = rebuild_character(scene, rig, refitted(motion, 20), body)
    assert (old.name, old.use_fake_user, old.frame_range[1]) == ("walk_person_01 before fit", True, 40)
    assert rig.animation_data.action.name == "walk_person_01"
    assert "walk_person_01 before fit" in again.warnings[-1]
    assert rebuild_character(scene, rig, refitted(motion, 30), body).warnings == ()
    assert len([action for action in bpy.data.actions if action.name.startswith("walk_person_01")]) == 2


def test_a_take_is_known_as_untouched_after_saving_and_loading(
    scene: Any, made: Any, motion: Motion, body: Body, tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    before = everything()
    rig = bpy.data.objects["walk_person_01"]
    assert rebuild_character(bpy.context.scene, rig, refitted(motion, 20), body).warnings == ()
    assert everything() == before


def test_a_rig_in_pose_mode_whose_strip_is_being_edited_is_rebuilt(
    scene: Any, made: Any, motion: Motion, body: Body
) -> None:
    rig = made.rig
    strip = rig.animation_data.nla_tracks.new().strips.new("take", 1, rig.animation_data.action)
    rig.animation_data.action = None
    rig.animation_data.nla_tracks[0].strips[0].select = True
    rig.animation_data.nla_tracks.active = rig.animation_data.nla_tracks[0]
    rig.animation_data.use_tweak_mode = True
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="POSE")
    other = refitted(motion, 25)
    rebuild_character(scene, rig, other, body)
    assert strip.action.frame_range[1] == 40
    assert_stands_like(scene, rig, made.figure, other, body)


@pytest.mark.parametrize("hide", ["viewport", "eye", "collection"])
def test_a_hidden_character_is_rebuilt_and_stays_hidden(
    scene: Any, made: Any, motion: Motion, body: Body, hide: str
) -> None:
    rig = made.rig
    if hide == "viewport":
        rig.hide_viewport = True
    elif hide == "eye":
        rig.hide_set(True)
    else:
        bpy.context.view_layer.layer_collection.children["walk"].exclude = True
    other = refitted(motion, 40)
    rebuild_character(scene, rig, other, body)
    assert not rig.visible_get()
    assert rig.hide_viewport == (hide == "viewport")
    assert rig.name not in scene.collection.objects
    for layer in bpy.context.view_layer.layer_collection.children:
        layer.exclude = False
    rig.hide_viewport = False
    rig.hide_set(False)
    assert_stands_like(scene, rig, made.figure, other, body)


def test_another_body_is_another_mesh_on_the_same_object(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    smaller = replace(body, name="other", licence="smpl-noncommercial")
    other = replace(refitted(motion, 10), body=smaller.identity())
    name, materials = made.figure.data.name, list(made.figure.data.materials)
    rebuild_character(scene, made.rig, other, smaller)
    assert made.figure.data.name == name
    assert list(made.figure.data.materials) == materials
    assert made.rig["reel2rig_licence"] == "smpl-noncommercial"
    assert_stands_like(scene, made.rig, made.figure, other, smaller)
    assert len(bpy.data.meshes) == 1


@pytest.mark.parametrize("bone", ["left_knee", "root"])
def test_bones_that_were_renamed_are_named_and_nothing_changes(
    scene: Any, made: Any, motion: Motion, body: Body, bone: str
) -> None:
    made.rig.data.bones[bone].name = "Knee.L"
    action = made.rig.animation_data.action
    with pytest.raises(InputError, match=bone):
        rebuild_character(scene, made.rig, refitted(motion, 20), body)
    assert made.rig.animation_data.action == action


def test_markers_follow_a_rebuild(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    assert [marker.name for marker in scene.timeline_markers] == ["? 1.3 s walk_person_01"]
    scene.timeline_markers.new("mine", frame=3)
    rebuild_character(scene, made.rig, refitted(motion, 20), body)
    assert sorted(marker.name for marker in scene.timeline_markers) == ["? 0.6 s walk_person_01", "mine"]


def test_a_rebuild_stays_in_time_with_its_clip_when_the_scene_has_another_rate(
    scene: Any, made: Any, motion: Motion, body: Body
) -> None:
    scene.render.fps = 24
    other = refitted(motion, 30)
    rebuild_character(scene, made.rig, other, body)
    assert tuple(made.rig.animation_data.action.frame_range) == (1, 30)
    assert_stands_like(scene, made.rig, made.figure, other, body)
    assert scene.render.fps == 24
    del made.rig["reel2rig_rate"]  # as in files of earlier versions
    rebuild_character(scene, made.rig, other, body)
    assert made.rig.animation_data.action.frame_range[1] == 1 + int(29 / 30 * 24)


def test_a_rebuild_is_about_the_scene_that_the_character_is_in(
    scene: Any, made: Any, motion: Motion, body: Body
) -> None:
    other = bpy.data.scenes.new("Other")
    other.render.fps, other.frame_end = 12, 5
    rebuild_character(other, made.rig, refitted(motion, 60), body)
    assert (scene.frame_end, other.frame_end) == (60, 5)
    assert [marker.name for marker in scene.timeline_markers] == ["? 2.0 s walk_person_01"]
    assert not other.timeline_markers


def test_markers_are_shared_with_a_duplicate(scene: Any, made: Any, motion: Motion, body: Body) -> None:
    duplicate = made.rig.copy()
    scene.collection.objects.link(duplicate)
    delete_character(duplicate)
    assert [marker.name for marker in scene.timeline_markers] == ["? 1.3 s walk_person_01"]
    duplicate = made.rig.copy()
    scene.collection.objects.link(duplicate)
    for rig in (made.rig, duplicate):
        rebuild_character(scene, rig, refitted(motion, 20), body)
    names = sorted(marker.name for marker in scene.timeline_markers)
    assert names == [f"? 0.6 s {rig.name}" for rig in (made.rig, duplicate)]
    delete_character(duplicate)
    delete_character(made.rig)
    assert not scene.timeline_markers


def test_delete_leaves_what_is_on_its_mesh_where_it_stands(scene: Any, made: Any) -> None:
    hat, light = (bpy.data.objects.new(name, None) for name in ("Hat", "Light"))
    for item, parent in ((hat, made.figure), (light, scene.camera)):
        scene.collection.objects.link(item)
        item.parent = parent
    made.rig.location.x = 2.0
    bpy.context.view_layer.update()
    stood = [item.matrix_world.copy() for item in (hat, light)]
    delete_character(made.rig)
    bpy.context.view_layer.update()
    assert [item.matrix_world for item in (hat, light)] == stood
    assert hat.matrix_world.translation.x == pytest.approx(2.0)


def test_delete_leaves_the_file_as_it_was_before_the_import(
    scene: Any, motion: Motion, motion_path: Path, body: Body
) -> None:
    before = everything()
    low = replace(motion, confidence=np.zeros((40, 24), np.float32))
    paths = [motion_path, motion_path.with_name("person_02.npz")]
    for path in paths:
        write_motion(path, low)
    first, second = import_motions(scene, paths, body, CLIP)
    camera = scene.camera
    delete_character(first.rig)
    assert scene.camera == camera  # somebody is left in the capture
    assert [marker.name for marker in scene.timeline_markers] == ["? 1.3 s walk_person_02"]
    assert second.rig.animation_data.action is not None
    delete_character(second.rig)
    assert everything() == before
    assert scene.camera is None
    assert not scene.timeline_markers


def test_deleting_everybody_in_a_copy_of_the_scene_leaves_the_first_scene_alone(scene: Any, made: Any) -> None:
    before, camera = everything(), scene.camera
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.scene.new(type="FULL_COPY")
    copy = next(item for item in bpy.data.scenes if item != scene)
    delete_character(next(item for item in copy.objects if item.type == "ARMATURE"))
    assert not copy.objects
    assert everything() == before
    assert scene.camera == camera
    assert camera_of(made.rig) == camera


def test_delete_leaves_other_captures_and_the_users_own_things(
    scene: Any, made: Any, motion_path: Path, body: Body
) -> None:
    other = import_motions(scene, [motion_path], body, CLIP)[0]
    hat = bpy.data.objects.new("Hat", None)
    made.rig.users_collection[0].objects.link(hat)
    made.rig.location.x = 2.0
    hat.parent = made.rig
    bpy.context.view_layer.update()
    where = hat.matrix_world.copy()
    delete_character(made.rig)
    assert hat.parent is None
    bpy.context.view_layer.update()
    assert hat.matrix_world == where
    assert hat.users_collection
    assert other.rig.animation_data.action is not None
    left = camera_of(other.rig)
    assert left is not None
    assert left.data.background_images[0].image is not None
    assert other.figure.data.materials[0] is not None
