"""A walk that is known by construction, as a character, and bones as Blender shows them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES

FPS = 30.0
PERIOD = 31
UPRIGHT_FACING_X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # body's Z to X, Y to Z
Bones = Callable[..., np.ndarray]


@pytest.fixture
def period() -> int:
    """Frames in which the walk repeats."""
    return PERIOD


@pytest.fixture
def walk(body: Body) -> Motion:
    """A smooth walk of 120 frames along x, 1.2 m/s; everything but the travel repeats after PERIOD frames."""
    count = 120
    phase = 2 * np.pi * np.arange(count) / PERIOD
    poses = np.zeros((count, 24, 3))
    poses[:, 0] = axis_angle_from_matrix(UPRIGHT_FACING_X)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        poses[:, JOINT[f"{side}_hip"], 0] = -0.5 * sign * np.sin(phase)
        poses[:, JOINT[f"{side}_knee"], 0] = 0.5 + 0.45 * sign * np.cos(phase)
        poses[:, JOINT[f"{side}_ankle"], 0] = 0.2 * sign * np.cos(phase)
        poses[:, JOINT[f"{side}_shoulder"], 1] = 0.4 * np.sin(phase)
        poses[:, JOINT[f"{side}_shoulder"], 2] = -1.2 * sign
        poses[:, JOINT[f"{side}_elbow"], 1] = -sign * (0.5 + 0.3 * sign * np.sin(phase))
    poses[:, JOINT["spine2"], 1] = 0.1 * np.sin(phase)
    pelvis = np.zeros((count, 3))
    pelvis[:, 0] = 1.2 / FPS * np.arange(count)
    pelvis[:, 2] = 0.9 + 0.02 * np.cos(2 * phase)
    return Motion(
        poses=poses.reshape(count, 72).astype(np.float32),
        trans=(pelvis - body.rest_joints(np.zeros(10))[0]).astype(np.float32),
        betas=np.zeros(10, np.float32),
        fps=FPS,
        body=body.identity(),
        source="walk.mp4 sha256:00",
        licence="open",
    )


@pytest.fixture
def imported(addon: None, tmp_path: Path) -> Callable[[Motion], Any]:
    """A function that imports a motion through the operator and returns the armature, which is active."""

    def imported(motion: Motion) -> Any:
        path = tmp_path / "person_01.npz"
        write_motion(path, motion)
        assert bpy.ops.reel2rig.import_motion(filepath=str(path)) == {"FINISHED"}
        return bpy.context.view_layer.objects.active

    return imported


@pytest.fixture
def walker(imported: Callable[[Motion], Any], walk: Motion) -> Any:
    """The walk as a character."""
    return imported(walk)


@pytest.fixture
def bone_ends() -> Bones:
    """A function: world heads and tails (B, 2, 3) of bones as Blender evaluates them at a frame."""

    def ends(rig: Any, frame: float, names: tuple[str, ...] = ("root", *JOINT_NAMES)) -> np.ndarray:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        bones = [posed.pose.bones[name] for name in names]
        return np.array([[posed.matrix_world @ bone.head, posed.matrix_world @ bone.tail] for bone in bones])

    return ends


@pytest.fixture
def bone_axes() -> Bones:
    """A function: world axes (B, 3, 3) as columns of SMPL's bones as Blender evaluates them at a frame."""

    def axes(rig: Any, frame: float, names: tuple[str, ...] = JOINT_NAMES) -> np.ndarray:
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        return np.array([(posed.matrix_world @ posed.pose.bones[name].matrix).to_3x3() for name in names])

    return axes
