"""The operators Export for Games and Export All, and their panel, as a user's script calls them."""

from pathlib import Path
from typing import Any

import bpy
import pytest
from reel2rig.addon.export import export_panel
from reel2rig.addon.export.export_game import exported_armature
from reel2rig.addon.export.export_names import safe_file_name, safe_file_names
from reel2rig.lifter.motion_file import Motion, read_motion, write_motion

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture
def two_people(motion: Motion, tmp_path: Path) -> list[Any]:
    """Two characters whose names no Windows folder could hold as they are."""
    for name in ("a.npz", "b.npz"):
        write_motion(tmp_path / name, motion)
        bpy.ops.reel2rig.import_motion(filepath=str(tmp_path / name))
    rigs = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    rigs[0].name, rigs[1].name = "춤: 민수 🕺", "춤? 민수 🕺"
    return rigs


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("walk", "walk"),
        ("춤 🎬", "춤 🎬"),
        ("a/b\\c:d*e?f", "a_b_c_d_e_f"),
        ("ends. ", "ends"),
        ("CON", "_CON"),
        ("nul.v2", "_nul.v2"),
        ("console", "console"),
        ("", "_"),
        ("..", "_"),
        ("가" * 80, "가" * 40),
    ],
)
def test_a_file_name_is_safe_everywhere_and_keeps_its_letters(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


def test_files_of_a_batch_never_meet_also_where_case_does_not_count() -> None:
    assert safe_file_names(["Walk", "walk", "walk?", "walk_2", "other"]) == [
        "Walk",
        "walk_2",
        "walk_",
        "walk_2_2",
        "other",
    ]


def test_export_all_writes_a_file_a_character_and_notes_the_figures(two_people: list[Any], tmp_path: Path) -> None:
    folder = tmp_path / "내보내기"
    assert bpy.ops.reel2rig.export_all(directory=str(folder), target="unity") == {"FINISHED"}
    assert sorted(path.name for path in folder.iterdir()) == ["춤_ 민수 🕺.fbx", "춤_ 민수 🕺_2.fbx"]
    assert all("40 frames" in rig["reel2rig_export"] for rig in two_people)


def test_one_that_fails_does_not_keep_the_others_from_being_written(two_people: list[Any], tmp_path: Path) -> None:
    two_people[0].scale = (1.0, 2.0, 1.0)
    with pytest.raises(RuntimeError, match="1 of 2 characters"):
        bpy.ops.reel2rig.export_all(directory=str(tmp_path / "out"), target="godot")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["춤_ 민수 🕺_2.glb"]


def test_only_the_selected_ones_where_asked_for(two_people: list[Any], tmp_path: Path) -> None:
    for rig in two_people:
        rig.select_set(rig == two_people[1])
    bpy.ops.reel2rig.export_all(directory=str(tmp_path / "out"), file_format="BVH", only_selected=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["춤_ 민수 🕺.bvh"]


def test_nothing_to_export_is_said() -> None:
    assert not bpy.ops.reel2rig.export_all.poll()
    assert not bpy.ops.reel2rig.export_game.poll()
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Still", bpy.data.armatures.new("Still")))
    assert not bpy.ops.reel2rig.export_game.poll()


@pytest.mark.parametrize("kind", ["FBX", "GLB", "BVH", "USD", "NPZ"])
def test_the_format_decides_the_ending_and_a_dot_in_a_name_is_none(
    kind: str, motion_path: Path, tmp_path: Path
) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "take v1.2"), file_format=kind)
    bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "other.fbx"), file_format=kind)
    ending = kind.lower()
    assert {f"take v1.2.{ending}", f"other.{ending}"} <= {path.name for path in tmp_path.iterdir()}


def test_the_motion_file_is_the_captured_motion_again(motion: Motion, motion_path: Path, tmp_path: Path) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "again.npz"), file_format="NPZ")
    again = read_motion(tmp_path / "again.npz")
    assert again.body == motion.body
    assert again.licence == "open"
    assert again.betas == pytest.approx(motion.betas, abs=1e-3)
    assert again.trans == pytest.approx(motion.trans, abs=1e-4)


def test_the_panel_shows_engine_buttons_and_figures(motion_path: Path, tmp_path: Path, drawn: Any) -> None:
    panel = export_panel.REEL2RIG_PT_export
    assert not panel.poll(bpy.context)
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a"), target="godot")
    said = drawn(panel)
    assert {"target", "file_format", "reel2rig.export_game", "reel2rig.export_all"} <= set(said)
    assert "a.glb: 40 frames (1.30 s)" in said


@pytest.mark.parametrize("kind", ["FBX", "GLB", "BVH", "USD", "NPZ"])
def test_a_control_rig_stays_in_blender_and_what_it_does_is_in_the_file(
    kind: str, motion_path: Path, tmp_path: Path
) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    rig = bpy.context.view_layer.objects.active
    bpy.ops.reel2rig.add_control_rig()
    assert len(rig.data.bones) > 25
    assert bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a"), file_format=kind) == {"FINISHED"}
    bones = 24 if kind in ("BVH", "NPZ") else 25
    assert f"40 frames (1.30 s), {bones} bones" in rig["reel2rig_export"]


def test_who_selects_a_character_of_their_own_never_gets_the_capture_instead(motion_path: Path) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    capture = bpy.context.view_layer.objects.active
    hero = bpy.data.objects.new("hero", bpy.data.armatures.new("hero"))
    skin = bpy.data.objects.new("skin", bpy.data.meshes.new("skin"))
    skin.modifiers.new("Armature", "ARMATURE").object = hero
    for item in (hero, skin):
        bpy.context.scene.collection.objects.link(item)
    bpy.context.view_layer.update()
    bpy.context.view_layer.objects.active = bpy.context.scene.camera
    assert exported_armature(bpy.context) == capture
    for item in (hero, skin):
        bpy.context.view_layer.objects.active = item
        assert exported_armature(bpy.context) is None
    hero.keyframe_insert("location", frame=1)
    for item in (hero, skin):
        bpy.context.view_layer.objects.active = item
        assert exported_armature(bpy.context) == hero
