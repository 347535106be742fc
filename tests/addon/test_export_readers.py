"""FBX and BVH as readers see them that are neither Blender's nor ours: ufbx, which Godot imports with, and pymotion."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.export.export import export_character
from reel2rig.addon.export.export_targets import TARGETS
from reel2rig.lifter.motion_file import Motion
from reel2rig.smpl_assets.body import Body, forward
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, PARENTS

Y_UP = 2  # ufbx.CoordinateAxis.POSITIVE_Y
TO_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


@pytest.fixture
def rig(scene: Any, motion_path: Path, body: Body) -> Any:
    return import_motions(scene, [motion_path], body)[0].rig


@pytest.fixture
def joints(motion: Motion, body: Body) -> np.ndarray:
    """Where the body model itself has the joints (T, 24, 3), metres, Y up."""
    return forward(body, motion.poses, motion.trans, motion.betas)[1] @ TO_Y_UP.T


def read_with(reader: str, path: Path, *words: object) -> dict[str, Any]:
    """What another reader finds, in a process of its own."""
    script = Path(__file__).with_name(f"read_with_{reader}.py")
    command = [sys.executable, "-X", "utf8", str(script), str(path), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("target", TARGETS)
def test_ufbx_sees_metres_y_up_untouched_nodes_the_take_and_the_motion(
    rig: Any, scene: Any, joints: np.ndarray, tmp_path: Path, target: str
) -> None:
    export_character(rig, tmp_path / "춤 🎬.fbx", target, "FBX", scene)
    frames = (0, 17, 39)
    found = read_with("ufbx", tmp_path / "춤 🎬.fbx", "walk_person_01", *(frame / 30 for frame in frames))
    assert (found["unit_metres"], found["up"], found["fps"]) == (TARGETS[target].fbx_unit_metres, Y_UP, 30.0)
    assert found["has_take"]
    assert found["times"] == pytest.approx([0.0, 39 / 30])
    nodes = found["nodes"]
    armature = TARGETS[target].armature_name or "walk_person_01"
    assert set(nodes) == {"", armature, "walk_person_01 body", "root", *JOINT_NAMES}
    for name in (armature, "walk_person_01 body"):
        assert nodes[name]["scale"] == [1.0, 1.0, 1.0]
        assert np.abs(nodes[name]["rotation"]).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert np.array([node["scale"] for node in nodes.values()]) == pytest.approx(1.0, abs=1e-4)
    for frame, heads in zip(frames, found["heads"], strict=True):
        metres = np.array([heads[name] for name in JOINT_NAMES]) * found["unit_metres"]
        np.testing.assert_allclose(metres, joints[frame], atol=1e-4)


def test_pymotion_sees_smpls_tree_the_rate_and_the_motion(
    rig: Any, scene: Any, joints: np.ndarray, tmp_path: Path
) -> None:
    export_character(rig, tmp_path / "춤 🎬.bvh", "generic", "BVH", scene)
    found = read_with("pymotion", tmp_path / "춤 🎬.bvh")
    assert found["frame_time"] == pytest.approx(1 / 30, abs=1e-7)
    names = found["names"]
    tree = {name: names[parent] for name, parent in zip(names, found["parents"], strict=True)}
    assert tree == {name: JOINT_NAMES[max(parent, 0)] for name, parent in zip(JOINT_NAMES, PARENTS, strict=True)}
    assert found["channels"] == [6] + [3] * 23
    heads = np.array(found["heads"])[:, [names.index(name) for name in JOINT_NAMES]]
    np.testing.assert_allclose(heads, joints, atol=1e-4)
