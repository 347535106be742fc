"""Exports hold what the rig does, as read by our reader and by Blender's own importers; anything else is an error."""

import errno
import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.export.export import export_character
from reel2rig.addon.export.export_formats import FILE_FORMATS, BlenderExporter, Taken
from reel2rig.addon.export.export_targets import FBX_OPTIONS, FORMATS, TARGETS
from reel2rig.addon.export.fbx_reader import read_fbx
from reel2rig.addon.export.glb_reader import read_glb
from reel2rig.lifter.errors import CaptureError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body, forward
from reel2rig.smpl_assets.skeleton import JOINT_NAMES


@pytest.fixture
def rig(scene: Any, motion_path: Path, body: Body) -> Any:
    return import_motions(scene, [motion_path], body)[0].rig


def imported_heads(path: Path, frame: int, fps: int) -> dict[str, np.ndarray]:
    """World positions of the bones' heads after Blender's own importer read ``path`` into an empty file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = fps
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))
    found = next(item for item in scene.objects if item.type == "ARMATURE")
    curve_start = found.animation_data.action.frame_range[0]
    scene.frame_set(int(curve_start) + frame)
    posed = found.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: np.array(posed.matrix_world @ bone.head) for bone in posed.pose.bones}


@pytest.mark.parametrize(
    ("target", "file_format"), [("unity", "FBX"), ("unreal", "FBX"), ("generic", "FBX"), ("godot", "GLB")]
)
def test_blenders_own_importer_finds_the_same_motion(
    rig: Any, scene: Any, motion: Motion, body: Body, tmp_path: Path, target: str, file_format: Any
) -> None:
    path = tmp_path / f"옷 🎬 {target}.{file_format.lower()}"
    report = export_character(rig, path, target, file_format, scene)
    assert (report.frame_count, report.deform_bones, report.licence) == (40, 24, "open")
    assert report.max_joint_error_mm < 0.01
    _, joints = forward(body, motion.poses, motion.trans, motion.betas)
    for frame in (0, 17, 39):
        heads = imported_heads(path, frame, 30)
        assert set(heads) == {"root", *JOINT_NAMES}
        error = max(np.linalg.norm(heads[name] - joints[frame, j]) for j, name in enumerate(JOINT_NAMES))
        assert error < 1e-4


def test_root_travels_in_the_file_as_in_the_motion(
    rig: Any, scene: Any, motion: Motion, body: Body, tmp_path: Path
) -> None:
    _, joints = forward(body, motion.poses, motion.trans, motion.betas)
    for read, name, kind in ((read_fbx, "a.fbx", "FBX"), (read_glb, "a.glb", "GLB")):
        export_character(rig, tmp_path / name, "generic", kind, scene)  # type: ignore[arg-type]
        found = read(tmp_path / name)
        root = found.heads[:, found.bones.index("root")]
        np.testing.assert_allclose(root, joints[:, 0] * [1, 1, 0], atol=1e-5)
        np.testing.assert_allclose(found.times, np.arange(40) / 30, atol=1e-6)
        assert found.take == "walk_person_01"


def test_unreal_gets_a_node_called_armature_even_when_the_name_is_taken(rig: Any, scene: Any, tmp_path: Path) -> None:
    other = bpy.data.objects.new("Armature", None)
    export_character(rig, tmp_path / "u.fbx", "unreal", "FBX", scene)
    assert b"Armature\x00\x01Model" in (tmp_path / "u.fbx").read_bytes()
    assert (rig.name, other.name) == ("walk_person_01", "Armature")


def test_exporting_leaves_the_users_scene_as_it_was(rig: Any, scene: Any, tmp_path: Path) -> None:
    cube = bpy.data.objects.new("Cube", None)
    scene.collection.objects.link(cube)
    cube.select_set(True)
    bpy.context.view_layer.objects.active = cube
    scene.frame_set(12)
    before = (
        rig.animation_data.action,
        rig.animation_data.action_slot,
        [tuple(b.matrix_basis[0]) for b in rig.pose.bones],
    )
    for name, kind in (("a.fbx", "FBX"), ("a.glb", "GLB")):
        export_character(rig, tmp_path / name, "generic", kind, scene)  # type: ignore[arg-type]
    assert before == (
        rig.animation_data.action,
        rig.animation_data.action_slot,
        [tuple(b.matrix_basis[0]) for b in rig.pose.bones],
    )
    assert len(rig.animation_data.nla_tracks) == 0
    assert [item.name for item in bpy.data.scenes] == ["Scene"]
    assert bpy.context.window.scene == scene
    assert (scene.frame_current, scene.frame_start, scene.frame_end) == (12, 1, 40)
    assert bpy.context.view_layer.objects.active == cube
    assert bpy.context.selected_objects == [cube]


def test_a_hidden_character_and_a_24_fps_scene_export_too(
    scene: Any, motion_path: Path, body: Body, tmp_path: Path
) -> None:
    scene.render.fps = 24
    rig = import_motions(scene, [motion_path], body, frame_rate="scene")[0].rig
    rig.hide_viewport = rig.hide_select = True
    report = export_character(rig, tmp_path / "a.fbx", "unity", "FBX", scene)
    assert report.frame_count == 1 + np.floor(39 / 30 * 24)
    assert rig.hide_viewport


def test_a_late_take_starts_at_zero(scene: Any, motion: Motion, body: Body, tmp_path: Path) -> None:
    write_motion(tmp_path / "late.npz", replace(motion, times=2.0 + np.arange(40) / 30))
    rig = import_motions(scene, [tmp_path / "late.npz"], body)[0].rig
    assert scene.frame_start == 61
    for name, kind in (("a.fbx", "FBX"), ("a.glb", "GLB")):
        assert export_character(rig, tmp_path / name, "generic", kind, scene).frame_count == 40  # type: ignore[arg-type]


def test_one_frame_exports(scene: Any, motion: Motion, body: Body, tmp_path: Path) -> None:
    write_motion(tmp_path / "one.npz", replace(motion, poses=motion.poses[:1], trans=motion.trans[:1]))
    rig = import_motions(scene, [tmp_path / "one.npz"], body)[0].rig
    for name, kind in (("a.fbx", "FBX"), ("a.glb", "GLB")):
        assert export_character(rig, tmp_path / name, "generic", kind, scene).frame_count >= 1  # type: ignore[arg-type]


def test_a_wrong_file_is_an_error_and_the_old_one_stays(
    rig: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.fbx"
    path.write_text("old")
    monkeypatch.setitem(FBX_OPTIONS, "add_leaf_bones", True)
    with pytest.raises(CaptureError, match="bones are not the armature's 25") as caught:
        export_character(rig, path, "generic", "FBX", scene)
    assert caught.value.code == "wrong_export"
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir() if item.suffix == ".fbx"] == ["a.fbx"]


def test_wrong_scale_is_an_error(rig: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FBX_OPTIONS, "apply_scale_options", "FBX_SCALE_NONE")
    with pytest.raises(CaptureError, match="scale 100"):
        export_character(rig, tmp_path / "a.fbx", "generic", "FBX", scene)
    assert not (tmp_path / "a.fbx").exists()


def test_a_character_without_animation_is_refused(rig: Any, scene: Any, tmp_path: Path) -> None:
    rig.animation_data.action = None
    with pytest.raises(CaptureError, match="has no animation"):
        export_character(rig, tmp_path / "a.fbx", "generic", "FBX", scene)


def test_every_target_names_a_known_format() -> None:
    assert set(TARGETS) == {"unity", "unreal", "godot", "generic"}
    assert all(target.default_format in target.reads for target in TARGETS.values())
    assert {kind for target in TARGETS.values() for kind in target.reads} == set(FORMATS)


def no_room(*_args: Any, **_options: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("kind", "writer"),
    [
        ("FBX", "io_scene_fbx.encode_bin.write"),
        ("GLB", "io_scene_gltf2.io.exp.export.save_gltf"),
        ("BVH", "numpy.savetxt"),
        ("NPZ", "numpy.savez_compressed"),
    ],
)
def test_a_full_disk_keeps_the_old_file_and_leaves_nothing_behind(
    rig: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, writer: str
) -> None:
    module, _, function = writer.rpartition(".")
    monkeypatch.setattr(importlib.import_module(module), function, no_room)
    path = tmp_path / f"a.{kind.lower()}"
    path.write_text("old")
    with pytest.raises(CaptureError, match=r"could not write|Could not write") as caught:
        export_character(rig, path, "generic", kind, scene)
    assert "room" in caught.value.hint or "space" in caught.value.hint
    assert path.read_text() == "old"
    assert not list(tmp_path.glob(".part*"))
    assert len(bpy.data.scenes) == len(bpy.data.actions) == 1
    assert bpy.context.window.scene == scene


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_file_is_found_out(
    rig: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    whole = FILE_FORMATS[kind]

    def half(part: Path, taken: Taken) -> frozenset[str]:
        deforming = whole.write(part, taken)
        part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
        return deforming

    monkeypatch.setitem(FILE_FORMATS, kind, replace(whole, write=half))
    with pytest.raises(CaptureError) as caught:
        export_character(rig, tmp_path / f"a.{kind.lower()}", "generic", kind, scene)
    assert caught.value.code == "wrong_export"
    assert not [path for path in tmp_path.iterdir() if path.suffix == f".{kind.lower()}" and path.stem != "person_01"]


def test_a_blender_without_an_exporter_says_so(
    rig: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = BlenderExporter("export_scene", "no_such_format", {}, np.eye(3))
    monkeypatch.setitem(FILE_FORMATS, "USD", replace(FILE_FORMATS["USD"], write=without))
    with pytest.raises(CaptureError, match="could not write the USD: this Blender has no exporter") as caught:
        export_character(rig, tmp_path / "a.usd", "generic", "USD", scene)
    assert "another format" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_said(rig: Any, scene: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CaptureError, match="Could not write") as caught:
        export_character(rig, tmp_path / "file" / "a.fbx", "generic", "FBX", scene)
    assert "folder" in caught.value.hint
