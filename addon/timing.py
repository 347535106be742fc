"""How long keying and export take, for the benchmarks. Needs bpy."""

import tempfile
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..lifter.motion_file import Motion
from ..smpl_assets.body import open_body
from .body_choice import choose_body
from .bone_channels import bone_channels
from .character import build_character
from .export import export_character
from .keying import key_bones
from .rig import rest_axes, rest_heads


def measure_blender(frame_count: int = 3000) -> dict[str, Any]:
    """Seconds for keying 24 bones on ``frame_count`` frames, and for writing and checking the FBX of it."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene, body = bpy.context.scene, open_body()
    motion = swinging_motion(frame_count)
    chosen = choose_body(motion, body)
    pose = swinging_motion(1)
    frames = np.arange(1.0, frame_count + 1.0)
    rig = build_character(scene, "timing", pose, choose_body(pose, body), frames[:1]).rig
    axes, head = rest_axes(rig), rest_heads(rig)[0]

    began = time.perf_counter()
    channels = bone_channels(motion.poses24, chosen.pelvis, axes, head)
    converted = time.perf_counter()
    key_bones(rig, "keyed", frames, channels)
    keyed = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        exporting = time.perf_counter()
        report = export_character(rig, Path(folder) / "timing.fbx", "generic", "FBX", scene)
        exported = time.perf_counter()
    return {
        "blender": bpy.app.version_string,
        "frames": frame_count,
        "convert_s": converted - began,
        "key_s": keyed - converted,
        "fbx_s": exported - exporting,
        "fbx_max_joint_error_mm": report.max_joint_error_mm,
    }


def swinging_motion(frame_count: int, fps: float = 30.0) -> Motion:
    """A motion that turns every joint and travels one metre a second."""
    body = open_body()
    seconds = np.arange(frame_count) / fps
    phases = np.linspace(0.0, 6.0, 72)
    poses = 0.3 * np.sin(2.0 * seconds[:, None] + phases)
    trans = np.stack([seconds, 0.1 * np.sin(seconds), np.full(frame_count, 1.0)], axis=1)
    return Motion(
        poses=poses.astype(np.float32),
        trans=trans.astype(np.float32),
        betas=np.zeros(10, np.float32),
        fps=fps,
        body=body.identity(),
        licence=body.licence,
    )
