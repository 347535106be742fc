"""``python -m reel2rig.addon``: Blender's steps without a window."""

import json
import os
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest
from reel2rig.lifter.motion_file import Motion, write_motion

REPOSITORY = Path(__file__).resolve().parents[2]
START = f"""
import sys; sys.path.insert(0, {str(REPOSITORY / "addon" / "workers")!r})
from pathlib import Path
from start_module import load_package
load_package(Path({str(REPOSITORY)!r}))
import runpy; runpy.run_module("reel2rig.addon", run_name="__main__", alter_sys=True)
"""


def addon_command(*words: object) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "BLENDER_USER_RESOURCES"}
    command = [sys.executable, "-X", "utf8", "-c", START, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=120, check=False
    )


def test_motions_become_blend_fbx_and_glb(motion: Motion, tmp_path: Path) -> None:
    folder = tmp_path / "한글 🎬"
    folder.mkdir()
    for name in ("person_01.npz", "person_02.npz"):
        write_motion(folder / name, motion)
    done = addon_command(
        folder / "person_01.npz", folder / "person_02.npz", "--blend", folder / "o.blend", "--fbx", folder / "o.fbx",
        "--glb", folder / "o.glb", "--target", "unreal", "--progress", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))["result"]
    names = [Path(item["file"]).name for item in result["written"]]
    assert names == ["o_01.fbx", "o_02.fbx", "o_01.glb", "o_02.glb", "o.blend"]
    assert all(item.get("max_joint_error_mm", 0) < 0.01 for item in result["written"])
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "person_01.npz", "person_02.npz"])
    bpy.ops.wm.open_mainfile(filepath=str(folder / "o.blend"))
    assert "walk_person_02" in bpy.data.objects
    assert bpy.context.scene.camera is not None
    assert bpy.context.scene.frame_end == 40


def test_an_export_names_its_engine_and_its_ending_the_format(motion_path: Path, tmp_path: Path) -> None:
    files = [
        ("unity", "u/춤.fbx"),
        ("godot", "춤.glb"),
        ("generic", "춤.bvh"),
        ("unreal", "춤.usd"),
        ("generic", "춤.npz"),
    ]
    asked = [part for target, name in files for part in ("--export", target, tmp_path / name)]
    done = addon_command(motion_path, *asked, "--progress", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))["result"]
    assert [(item["target"], item["file"]) for item in result["written"]] == [
        (target, str(tmp_path / name)) for target, name in files
    ]
    assert all(item["max_turn_error_degrees"] < 0.01 for item in result["written"])


@pytest.mark.parametrize(("target", "name"), [("cryengine", "a.fbx"), ("unity", "a.obj"), ("unity", "a")])
def test_an_unknown_engine_or_ending_is_said_before_any_work(
    target: str, name: str, motion_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from reel2rig.addon.__main__ import main

    assert main([str(motion_path), "--export", target, name]) == 2
    assert f"--export {target} {name} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--npz", "person_01.npz"], "another file of this work"),
        (["--retarget", "hero.blend", "--blend", "hero.blend"], "another file of this work"),
        (["--export", "unity", "a.fbx", "--export", "unreal", "a.fbx"], "another file of this work"),
        (["person_02.npz", "--npz", "person.npz"], "person_01.npz would take the place"),
        (["--fbx", "a.glb"], "does not end in .fbx"),
        (["--glb", "a.gltf"], "does not end in .glb"),
    ],
)
def test_no_result_takes_the_place_of_a_file_that_is_read_or_of_another_result(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from reel2rig.addon.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(["person_01.npz", *words]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_bad_file_ends_with_status_2_and_writes_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", something=np.zeros(3))
    done = addon_command(tmp_path / "odd.npz", "--fbx", tmp_path / "o.fbx")
    assert done.returncode == 2
    assert "has no poses and trans" in done.stderr
    assert not (tmp_path / "o.fbx").exists()


def test_arguments_stand_behind_two_dashes_inside_blender(
    motion_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reel2rig.addon.__main__ import main

    words = ["blender", "-b", "--python-expr", "...", "--", str(motion_path), "--glb", str(tmp_path / "o.glb")]
    monkeypatch.setattr(sys, "argv", words)
    assert main() == 0
    assert (tmp_path / "o.glb").exists()
