"""How fast a capture is retargeted and keyed onto a character of 60 bones, through the operator. Needs bpy and the
add-on registered."""

import time
from pathlib import Path

import bpy

from .example_characters import EXAMPLES, build_example

BONES = 60


def retargeting(frame_count: int, folder: Path) -> dict[str, float]:
    """Seconds of one Retarget onto a skinned character, and how many bones it has; in an empty file."""
    from .blender import import_seconds, swinging_motion

    _, source = import_seconds(swinging_motion(frame_count), folder)
    scene = bpy.context.scene
    rig = build_example(EXAMPLES["unreal_4"], "character", scene.collection, skin=True)
    assert len(rig.data.bones) >= BONES
    for item in scene.objects:
        item.select_set(item == rig)
    bpy.context.view_layer.objects.active = rig
    scene.reel2rig_retarget.source = source
    began, worked = time.perf_counter(), time.process_time()
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    return {
        "retarget_s": time.perf_counter() - began,
        "retarget_process_s": time.process_time() - worked,
        "bones": float(len(rig.data.bones)),
    }
