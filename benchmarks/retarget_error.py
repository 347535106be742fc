"""How far a retargeted character is from its capture, measured on the posed bones: ``python -m
reel2rig.benchmarks.retarget_error`` prints a JSON object with a line for each example character. Needs bpy.
"""

import os
import tempfile

if __name__ == "__main__":  # read when bpy is imported: nobody's own Blender settings
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="reel2rig-benchmark-")

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ..addon.character.character import import_motions
from ..addon.retarget.bone_map import BoneMap
from ..addon.retarget.bone_map_guess import guess_bone_map
from ..addon.retarget.retarget import RetargetOptions
from ..addon.retarget.retarget_characters import RetargetReport, retarget_characters
from ..addon.retarget.retarget_rest import end_of
from ..addon.retarget.retarget_rig import read_tree
from ..lifter.motion_file import Motion, write_motion
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import Array, matrix_from_quaternion
from ..smpl_assets.skeleton import JOINT_NAMES
from .example_characters import EXAMPLES, build_example
from .example_motions import pack_motion

CLIP: Final = "cmu_06_01"
STANDING: Final = (0.008, 0.05)  # metres a frame, and metres above the floor, at most
LONGER: Final = {"left_knee": 1.2, "right_knee": 1.2, "left_elbow": 0.9, "right_elbow": 0.9}
CAPTURED_FEET: Final = (("left_ankle", "left_foot"), ("right_ankle", "right_foot"))


def import_capture(scene: Any, motion: Motion) -> Any:  # noqa: ANN401
    """The armature of a captured character that does ``motion``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.npz"
        write_motion(path, motion)
        return import_motions(scene, [path], open_body())[0].rig


def retarget_to(scene: Any, source: Any, rig: Any, **options: Any) -> tuple[BoneMap, RetargetReport]:  # noqa: ANN401
    """Move ``rig`` as ``source`` moves, by a guessed bone map; ``options`` as in RetargetOptions."""
    bone_map = guess_bone_map(read_tree(rig))
    return bone_map, retarget_characters(scene, source, [(rig, bone_map)], RetargetOptions(**options))[0]


def heads_at(scene: Any, rig: Any, names: Sequence[str], frame: int) -> Array:  # noqa: ANN401
    """Heads (N, 3) m of bones in the world at ``frame``."""
    scene.frame_set(frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([posed.matrix_world @ posed.pose.bones[name].head for name in names])


def turned_at(scene: Any, rig: Any, name: str, frame: int) -> Array:  # noqa: ANN401
    """How a bone is turned from rest (3, 3) at ``frame``, armature frame."""
    scene.frame_set(frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    now, rest = posed.pose.bones[name].matrix.to_quaternion(), rig.data.bones[name].matrix_local.to_quaternion()
    return matrix_from_quaternion(np.array(now @ rest.inverted()))


def degrees_between(first: Array, second: Array) -> float:
    """Angle between two directions."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))


def direction_errors(
    scene: Any,  # noqa: ANN401
    source: Any,  # noqa: ANN401
    rig: Any,  # noqa: ANN401
    joints: Mapping[str, str],
    frames: Iterable[int],
) -> dict[str, float]:
    """Largest angle in degrees between each bone of ``rig``, by joint, and the capture's on some ``frames``."""
    found: dict[str, float] = {}
    for frame in frames:
        theirs: dict[str, Array] = dict(zip(JOINT_NAMES, heads_at(scene, source, JOINT_NAMES, frame), strict=True))
        own = dict(zip(joints, heads_at(scene, rig, list(joints.values()), frame), strict=True))
        for joint in joints:
            if end := end_of(joint, joints):
                error = degrees_between(own[end] - own[joint], theirs[end] - theirs[joint])
                found[joint] = max(found.get(joint, 0.0), error)
    return found


def sole_tracks(scene: Any, rig: Any, feet: Iterable[tuple[str, str]], frames: Iterable[int]) -> Array:  # noqa: ANN401
    """What is on the floor at rest right under ankle and toe joints: (T, 2 * feet, 3) m, world. feet: their bones."""
    bones = [bone for foot in feet for bone in foot]
    axes = np.array(rig.matrix_world.to_3x3().normalized())
    at_rest = {bone: np.array(rig.matrix_world @ rig.data.bones[bone].head_local) for bone in bones}
    tracks = []
    for frame in frames:
        heads = dict(zip(bones, heads_at(scene, rig, bones, frame), strict=True))
        turns = {bone: axes @ turned_at(scene, rig, bone, frame) @ axes.T for bone in bones}
        tracks.append([heads[bone] - turns[bone] @ (at_rest[bone] * [0.0, 0.0, 1.0]) for bone in bones])
    return np.array(tracks)


def standing_points(tracks: Array) -> NDArray[np.bool_]:
    """From which frame to the next (T - 1, P) points of ``tracks`` (T, P, 3) stand on the floor."""
    step = np.linalg.norm(np.diff(tracks, axis=0), axis=-1)
    return (step < STANDING[0]) & (tracks[1:, :, 2] < STANDING[1])


def mean_slide(tracks: Array, standing: NDArray[np.bool_]) -> float:
    """Metres a frame over the floor, while ``standing``."""
    return float(np.linalg.norm(np.diff(tracks, axis=0)[..., :2], axis=-1)[standing].mean())


def measure(name: str) -> dict[str, float | str]:
    """Direction errors of the example ``name`` with the capture's proportions, and foot slide with its own."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene, motion = bpy.context.scene, pack_motion(CLIP)
    source, frames = import_capture(scene, motion), range(1, len(motion.poses) + 1)
    same = build_example(EXAMPLES[name], "same", scene.collection, skin=True)
    bone_map, _ = retarget_to(scene, source, same)
    errors = direction_errors(scene, source, same, bone_map.joints, frames[::10])
    other = replace(EXAMPLES[name], turned=(0.0, 0.0, 0.0), stretched=LONGER)
    rig = build_example(other, "other", scene.collection, skin=True)
    _, report = retarget_to(scene, source, rig)
    bones = [bone_map.joints[f"{side}_ankle"] for side in ("left", "right")]
    ankles = [(bone, bone) for bone in bones]
    theirs, own = sole_tracks(scene, source, CAPTURED_FEET, frames), sole_tracks(scene, rig, ankles, frames)
    heels = np.array([0, 2])  # a character's toes may have no bone
    standing = standing_points(theirs[:, heels])
    return {
        "bone_map": bone_map.label,
        "bones": float(len(errors)),
        "direction_degrees": max(errors.values()),
        "size": report.ratio,
        "slide_mm": 1000.0 * mean_slide(own[:, heels], standing),
        "captured_slide_mm": 1000.0 * mean_slide(theirs[:, heels], standing),
    }


def main() -> None:
    """Print the figures of all example characters."""
    try:
        print(json.dumps({"blender": bpy.app.version_string} | {name: measure(name) for name in EXAMPLES}, indent=2))
    finally:
        shutil.rmtree(os.environ["BLENDER_USER_RESOURCES"], ignore_errors=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
