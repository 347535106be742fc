"""How fast Blender keys, imports, plays and exports a capture: ``python -m reel2rig.benchmarks.blender``.

Run it under each Blender. Imports and exports go through the extension's operators, as a user's do.
"""

import os
import tempfile

if __name__ == "__main__":  # read when bpy is imported: nobody's own Blender settings
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="reel2rig-benchmark-")

import argparse
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ..addon import registration
from ..addon.character.bone_channels import bone_channels
from ..addon.character.keying import key_bones
from ..addon.character.rig import rest_axes, rest_heads
from ..lifter.motion_file import Motion, write_motion
from ..smpl_assets.body import open_body
from .example_characters import EXAMPLES, build_example

FRAMES: Final = 3000
PLAYED_FRAMES: Final = 300
ROUNDS: Final = 3
EACH_FRAME: Final = ("frame_change_pre", "frame_change_post", "depsgraph_update_pre", "depsgraph_update_post")
Figures = dict[str, float]


def measure(frame_count: int = FRAMES, rounds: int = ROUNDS) -> dict[str, Any]:
    """All of MEASUREMENTS in an empty file each: the median of each figure over ``rounds``."""
    results: dict[str, Any] = {"blender": bpy.app.version_string, "frames": frame_count, "rounds": rounds}
    for name, measurement in MEASUREMENTS.items():
        print(f"  {name} ...", file=sys.stderr, flush=True)
        figures = [_in_empty_file(measurement, frame_count) for _ in range(rounds)]
        results[name] = {key: _median([each[key] for each in figures]) for key in figures[0]}
    return results


def keying(frame_count: int, folder: Path) -> Figures:
    """Rotations to channels of 24 bones, and these keyed, in seconds."""
    _, rig = import_seconds(swinging_motion(1), folder)
    motion, axes, head = swinging_motion(frame_count), rest_axes(rig), rest_heads(rig)[0]
    frames, pelvis = np.arange(1.0, frame_count + 1.0), motion.trans.astype(np.float64)
    began = time.perf_counter()
    channels = bone_channels(motion.poses24, pelvis, axes, head)
    converted = time.perf_counter()
    key_bones(rig, "keyed", frames, channels)
    return {"convert_s": converted - began, "key_s": time.perf_counter() - converted}


def importing(frame_count: int, folder: Path) -> Figures:
    """From a motion file to a character that stands in its first pose, in seconds."""
    return {"import_s": import_seconds(swinging_motion(frame_count), folder)[0]}


def playback(frame_count: int, folder: Path) -> Figures:
    """Frames per second of a scene with one skinned character, with the extension and without it."""
    import_seconds(swinging_motion(min(frame_count, PLAYED_FRAMES)), folder)
    frames_per_second()  # the first time fills caches
    with_extension = frames_per_second()
    registration.unregister()
    try:
        without = frames_per_second()
    finally:
        registration.register()
    return {"frames_per_s": with_extension, "without_extension": without, "ratio": with_extension / without}


def handlers(frame_count: int, folder: Path) -> Figures:
    """How many functions of ours Blender calls at every change of frame or scene, and at any event."""
    import_seconds(swinging_motion(frame_count), folder)
    return {"each_frame": len(our_handlers(EACH_FRAME)), "all": len(our_handlers(dir(bpy.app.handlers)))}


def fbx(frame_count: int, folder: Path) -> Figures:
    """An FBX written, read back and compared with the rig, in seconds, and its size in megabytes."""
    import_seconds(swinging_motion(frame_count), folder)
    path = folder / "benchmark.fbx"
    began = time.perf_counter()
    _finished(bpy.ops.reel2rig.export_game(filepath=str(path), target="generic", file_format="FBX"))
    return {"export_s": time.perf_counter() - began, "megabytes": path.stat().st_size / 1e6}


def retargeting(frame_count: int, folder: Path) -> Figures:
    """A capture moved onto a skinned character of about 60 bones and keyed there, in seconds."""
    _, source = import_seconds(swinging_motion(frame_count), folder)
    scene = bpy.context.scene
    rig = build_example(EXAMPLES["unreal_4"], "character", scene.collection, skin=True)
    for item in scene.objects:
        item.select_set(item == rig)
    bpy.context.view_layer.objects.active = rig
    scene.reel2rig_retarget.source = source
    began = time.perf_counter()
    _finished(bpy.ops.reel2rig.retarget())
    return {"retarget_s": time.perf_counter() - began, "bones": float(len(rig.data.bones))}


def reducing(frame_count: int, folder: Path) -> Figures:
    """Keys reduced at 5 mm, in seconds, and the share of keys that is left."""
    _, rig = import_seconds(swinging_motion(frame_count), folder)
    before = _key_count(rig)
    began = time.perf_counter()
    _finished(bpy.ops.reel2rig.reduce_keys())
    return {"reduce_s": time.perf_counter() - began, "keys_left": _key_count(rig) / before}


def controls(frame_count: int, folder: Path) -> Figures:
    """A capture put onto the control rig, and baked back to the bones that deform, in seconds."""
    import_seconds(swinging_motion(frame_count), folder)
    began = time.perf_counter()
    _finished(bpy.ops.reel2rig.add_control_rig())
    added = time.perf_counter()
    _finished(bpy.ops.reel2rig.bake_control_rig())
    return {"add_s": added - began, "bake_s": time.perf_counter() - added}


# A further measurement is a function (frame count, scratch folder) -> figures, and a line here.
MEASUREMENTS: Final[dict[str, Callable[[int, Path], Figures]]] = {
    "keying": keying,
    "importing": importing,
    "playback": playback,
    "handlers": handlers,
    "fbx": fbx,
    "retargeting": retargeting,
    "reducing": reducing,
    "controls": controls,
}


def import_seconds(motion: Motion, folder: Path) -> tuple[float, Any]:
    """Seconds of the import operator with the first evaluation of the scene, and the armature object."""
    path = folder / "benchmark.npz"
    write_motion(path, motion)
    began = time.perf_counter()
    _finished(bpy.ops.reel2rig.import_motion(filepath=str(path)))
    bpy.context.scene.frame_set(bpy.context.scene.frame_start)
    return time.perf_counter() - began, bpy.context.view_layer.objects.active


def frames_per_second() -> float:
    """Step through the scene's range once, as playback does: animation, pose and skinned mesh of every frame."""
    scene = bpy.context.scene
    began = time.perf_counter()
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
    return (scene.frame_end - scene.frame_start + 1) / (time.perf_counter() - began)


def our_handlers(names: tuple[str, ...] | list[str]) -> list[Callable[..., object]]:
    """The functions of this package in the lists ``names`` of bpy.app.handlers."""
    package = registration.__name__.removesuffix("addon.registration")
    lists = [getattr(bpy.app.handlers, name) for name in names]
    functions = [function for each in lists if isinstance(each, list) for function in each]
    return [function for function in functions if getattr(function, "__module__", "").startswith(package)]


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


def _key_count(rig: Any) -> int:
    """How many keys the bones of an armature have."""
    bag = rig.animation_data.action.layers[0].strips[0].channelbags[0]
    return sum(len(curve.keyframe_points) for curve in bag.fcurves if curve.data_path.startswith("pose.bones"))


def _in_empty_file(measurement: Callable[[int, Path], Figures], frame_count: int) -> Figures:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    registration.register()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measurement(frame_count, Path(folder))
    finally:
        registration.unregister()


def _median(values: list[float]) -> float:
    """To four digits: times repeat no better."""
    return float(f"{statistics.median(values):.4g}")


def _finished(result: set[str]) -> None:
    if result != {"FINISHED"}:
        raise RuntimeError(f"The operator ended with {result}.")


def main() -> int:
    """Measure and print one JSON object; what Blender says goes to standard error."""
    argparse.ArgumentParser(prog="python -m reel2rig.benchmarks.blender", description=__doc__).parse_args()
    out = os.dup(1)
    os.dup2(2, 1)  # the exporters print, from C too
    results = measure()
    os.write(out, (json.dumps(results) + "\n").encode())
    return 0


if __name__ == "__main__":
    status = main()
    shutil.rmtree(os.environ["BLENDER_USER_RESOURCES"])
    os._exit(status)  # Blender 4.5 as a module may wait for ever at exit
