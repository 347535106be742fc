"""How fast Blender is keyed and writes an FBX. Run under each Blender: python -m reel2rig.benchmarks.blender_speed."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..lifter.motion_file import Motion
from ..smpl_assets.body import open_body

FRAMES = 3000


def measure(folder: Path) -> dict:
    """A character of 24 bones with 3,000 frames: {"blender", "frames", "bones", "keying_seconds", "fbx_seconds"}."""
    os.environ["BLENDER_USER_RESOURCES"] = str(folder)  # before bpy: nobody's own Blender settings
    import bpy

    from ..addon.bone_channels import bone_channels
    from ..addon.export_targets import FBX_OPTIONS
    from ..addon.keying import key_bones
    from ..addon.rest_pose import rest_pose
    from ..addon.rig import build_armature, rest_axes, rest_heads
    from ..addon.skin import build_mesh

    bpy.ops.wm.read_factory_settings(use_empty=True)
    body, motion = open_body(), swaying()
    rest = rest_pose(body, motion.betas)
    scene = bpy.context.scene
    rig = build_armature("bench", rest, scene.collection)
    figure = build_mesh("bench body", body, rest.vertices, rig, scene.collection)
    frames = np.arange(1.0, FRAMES + 1)
    scene.frame_start, scene.frame_end = 1, FRAMES

    started = time.perf_counter()
    pelvis = motion.trans.astype(np.float64)
    action = key_bones(rig, "bench", frames, bone_channels(motion.poses24, pelvis, rest_axes(rig), rest_heads(rig)[0]))
    keyed = time.perf_counter()
    as_take(rig, action)
    for item in (rig, figure):
        item.select_set(True)
    bpy.ops.export_scene.fbx(filepath=str(folder / "bench.fbx"), **FBX_OPTIONS)
    written = time.perf_counter()
    return {
        "blender": bpy.app.version_string,
        "frames": FRAMES,
        "bones": 24,
        "keying_seconds": round(keyed - started, 3),
        "fbx_seconds": round(written - keyed, 2),
    }


def as_take(rig: Any, action: Any) -> None:
    """Put the action into an NLA strip, which is what an export writes as a take."""
    strip = rig.animation_data.nla_tracks.new().strips.new("bench", 1, action)
    strip.action_slot = action.slots[0]
    rig.animation_data.action = None


def swaying() -> Motion:
    """A motion in which every joint turns smoothly and the body walks; seed 0."""
    rng = np.random.default_rng(0)
    time_axis = np.linspace(0.0, 100.0, FRAMES)[:, None]
    poses = 0.3 * np.sin(rng.uniform(0.5, 2.0, 72) * time_axis + rng.uniform(0.0, 6.0, 72))
    trans = np.concatenate([0.5 * time_axis, 0.0 * time_axis, 0.9 + 0.0 * time_axis], axis=1)
    return Motion(poses.astype(np.float32), trans.astype(np.float32), np.zeros(10, np.float32), fps=30.0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as resources:
        print(json.dumps(measure(Path(resources))))
    sys.stdout.flush()
    os._exit(0)  # Blender 4.5 as a module may wait for ever at exit
