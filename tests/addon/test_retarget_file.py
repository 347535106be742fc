"""A capture onto a character of another file or convention, and out into a game."""

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.__main__ import main
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.export.export import export_character
from reel2rig.addon.export.export_stage import meshes_of
from reel2rig.addon.export.fbx_reader import read_fbx
from reel2rig.addon.retarget.retarget_file import load_character, retargeted
from reel2rig.benchmarks.example_characters import EXAMPLES, build_example
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body


def character_file(convention: str, path: Path) -> Path:
    """A file with a skinned character of that convention in it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    build_example(EXAMPLES[convention], "영희", bpy.context.scene.collection, skin=True)
    if path.suffix == ".blend":
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    elif path.suffix == ".glb":
        bpy.ops.export_scene.gltf(filepath=str(path))
    else:
        bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return path


@pytest.mark.parametrize("convention", sorted(EXAMPLES))
def test_every_convention_goes_from_capture_to_engine(
    motion_path: Path, body: Body, tmp_path: Path, convention: str
) -> None:
    path = character_file(convention, tmp_path / "a.blend")
    scene = bpy.context.scene
    source = import_motions(scene, [motion_path], body)[0].rig
    performance = retargeted(scene, [source], path, "auto")[0]
    assert performance.rig.name == "영희"
    for target, kind in (("unity", "FBX"), ("unreal", "FBX"), ("godot", "GLB")):
        report = export_character(performance.rig, tmp_path / f"a.{kind}", target, kind, scene)  # type: ignore[arg-type]
        assert (report.frame_count, report.licence) == (40, "open")
        assert report.max_joint_error_mm < 0.1


def test_the_command_line_lets_a_character_play_each_motion(
    motion: Motion, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hero = character_file("mixamo", tmp_path / "영희.blend")
    for name in ("a.npz", "b.npz"):
        write_motion(tmp_path / name, motion)
    out = tmp_path / "춤.fbx"
    words = ["a.npz", "b.npz", "--retarget", hero, "--map", "mixamo", "--export", "unreal", out, "--progress", "json"]
    assert main([str(tmp_path / word) if str(word).endswith("npz") else str(word) for word in words]) == 0
    line = next(line for line in capfd.readouterr().out.splitlines() if line.startswith('{"result"'))
    written = json.loads(line)["result"]["written"]
    assert [Path(item["file"]).name for item in written] == ["춤_01.fbx", "춤_02.fbx"]
    assert read_fbx(tmp_path / "춤_02.fbx").take == "walk_b 영희"
    assert "mixamorig:Hips" in read_fbx(tmp_path / "춤_02.fbx").bones


def test_the_command_line_says_what_carries_the_travel(motion: Motion, tmp_path: Path) -> None:
    hero = character_file("mixamo", tmp_path / "hero.blend")
    write_motion(tmp_path / "a.npz", motion)
    travelled = {}
    for travel in ("hips", "in_place"):
        out = tmp_path / f"{travel}.fbx"
        words = [tmp_path / "a.npz", "--retarget", hero, "--map", "Mixamo", "--travel", travel, "--fbx", out]
        assert main([str(word) for word in words]) == 0
        found = read_fbx(out)
        hips = found.heads[:, found.bones.index("mixamorig:Hips"), :2]
        travelled[travel] = float(np.linalg.norm(hips[-1] - hips[0]))
    assert travelled["hips"] > 0.3
    assert travelled["in_place"] < 0.01


@pytest.mark.parametrize("ending", [".fbx", ".glb", ".blend"])
def test_a_character_comes_from_any_of_these_files(tmp_path: Path, ending: str) -> None:
    path = character_file("unity", tmp_path / f"영희{ending}")
    rig = load_character(bpy.context.scene, path)
    assert rig.type == "ARMATURE"
    assert len(meshes_of(rig)) == 1


def test_what_cannot_be_a_character_is_said(scene: Any, tmp_path: Path) -> None:
    (tmp_path / "text.blend").write_text("no Blender file")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "empty.blend"), copy=True)
    for name, says in (("none.blend", "no character"), ("a.obj", "no character"), ("text.blend", "cannot be read")):
        with pytest.raises(InputError, match=says):
            load_character(scene, tmp_path / name)
    with pytest.raises(InputError, match="no armature in empty"):
        load_character(scene, tmp_path / "empty.blend")
