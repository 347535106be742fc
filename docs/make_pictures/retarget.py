"""A capture and the characters it was retargeted onto: ``python -m reel2rig.docs.make_pictures.retarget``.

One cell for each naming convention: the character (blue) at rest, and at three moments of a clip the captured body
(grey) and the character beside it. It wears the same skin on longer shins and forearms, on a skeleton of its own rest
pose, rolls and scale.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Euler, Matrix

from ...addon.character.character import import_motions
from ...addon.retarget.bone_map_guess import guess_bone_map
from ...addon.retarget.retarget_characters import retarget_characters
from ...addon.retarget.retarget_rest import nearest_mapped
from ...addon.retarget.retarget_rig import read_tree
from ...benchmarks.example_characters import EXAMPLES, POSES, Character, build_example, example_joints
from ...benchmarks.example_motions import pack_motion
from ...lifter.motion_file import write_motion
from ...lifter.preview import Picture
from ...smpl_assets.body import joint_transforms, open_body
from ...smpl_assets.rotation import Array, matrix_from_axis_angle
from ...smpl_assets.skeleton import JOINT_NAMES
from .character import over, paint, render
from .sheet import beside, save, stack

PICTURES: Final = Path(__file__).resolve().parent.parent / "pictures"
TO_BLENDER: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
SIZE: Final = (390, 240)  # px of one moment
METRES: Final = 2.2  # from the lower to the upper edge
APART: Final = 1.75  # metres between capture and character
COLUMNS: Final = 2
REST_WIDTH: Final = 190  # px of the rest pose
BACKGROUND: Final = (238, 240, 243)
CAPTURED_SUIT, CHARACTER_SUIT = (0.45, 0.45, 0.45), (0.1, 0.3, 0.7)
LONGER: Final = {"left_knee": 1.1, "right_knee": 1.1, "left_elbow": 1.1, "right_elbow": 1.1}


def cell(name: str, clip: str, moments: list[float], side: float) -> Picture:
    """The character ``name`` at rest, and three moments of it beside the capture, ``side`` degrees from ahead."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    motion = pack_motion(clip)
    with tempfile.TemporaryDirectory() as folder:
        write_motion(Path(folder) / "capture.npz", replace(motion, body=open_body().identity()))
        captured = import_motions(scene, [Path(folder) / "capture.npz"], open_body())[0]
    _colour(captured.figure, CAPTURED_SUIT)
    character = replace(EXAMPLES[name], stretched=LONGER, place=(0.0, 0.0, 0.0))
    rig = build_example(character, name, scene.collection)
    dress(rig, character, scene.collection)
    bone_map = guess_bone_map(read_tree(rig))
    retarget_characters(scene, captured.rig, [(rig, bone_map)])
    frames = [1 + round(moment * (len(motion.poses) - 1)) for moment in moments]
    camera = _camera(scene)
    label = _label(scene, camera, bone_map.label)
    pictures = [_at_rest(scene, rig, captured.figure, camera, np.radians(side - 90.0))]
    label.hide_render = True
    for frame in frames:
        right = _look_at(scene, captured.rig, camera, frame, side)
        rig.location = (APART * right).tolist()
        pictures.append(over(render(scene, frame), BACKGROUND))
    return np.concatenate(pictures, axis=1)


def _at_rest(scene: Any, rig: Any, other: Any, camera: Any, direction: float) -> Picture:
    """The character's rest pose, without the ``other`` body, from ``direction`` in radians."""
    rig.data.pose_position, other.hide_render = "REST", True
    _place(camera, np.zeros(3), direction)
    whole = over(render(scene, scene.frame_start), BACKGROUND)
    rig.data.pose_position, other.hide_render = "POSE", False
    margin = (SIZE[0] - REST_WIDTH) // 2
    return whole[:, margin : margin + REST_WIDTH]


def dress(rig: Any, character: Character, collection: Any) -> None:
    """Give ``rig`` the open body's skin in the character's rest pose; every joint's bone carries its weights."""
    body = open_body()
    mesh = bpy.data.meshes.new(f"{rig.name} skin")
    assert body.quads is not None
    mesh.from_pydata(
        _rest_vertices(character).tolist(), [], [list(dict.fromkeys(quad)) for quad in body.quads.tolist()]
    )
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    figure = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(figure)
    bones = {place: bone for bone, _, place in character.rows}
    for number, joint in enumerate(JOINT_NAMES):
        bone = bones[joint] if joint in bones else bones[nearest_mapped(joint, bones)]
        group = figure.vertex_groups.get(bone) or figure.vertex_groups.new(name=bone)
        rows = np.flatnonzero(body.weights[:, number] > 1e-4)
        for vertex, weight in zip(rows.tolist(), body.weights[rows, number].tolist(), strict=True):
            group.add((vertex,), weight, "ADD")
    figure.modifiers.new("Armature", "ARMATURE").object = rig
    _, _, z = np.radians(character.turned).tolist()
    figure.matrix_world = Euler((0.0, 0.0, z)).to_matrix().to_4x4()
    figure.parent = rig
    figure.matrix_parent_inverse = rig.matrix_world.inverted()
    paint(mesh, CHARACTER_SUIT)


def _rest_vertices(character: Character) -> Array:
    """The skin (V, 3) m in the character's rest pose and proportions, standing upright before its object is turned."""
    body = open_body()
    joints = body.rest_joints(np.zeros(10)).astype(np.float64)
    turns = np.tile(np.eye(3), (1, 24, 1, 1))
    for number, name in enumerate(JOINT_NAMES):
        side, _, part = name.rpartition("_")
        degrees = np.array(POSES[character.pose].get(part, (0.0, 0.0, 0.0)), np.float64)
        own = matrix_from_axis_angle(np.radians(degrees * ([1.0, -1.0, -1.0] if side == "right" else 1.0)))
        turns[0, number] = TO_BLENDER.T @ own @ TO_BLENDER
    rotations, _ = joint_transforms(joints, body.parents, turns, np.zeros((1, 3)))
    placed = example_joints(character)
    offsets = body.rest_vertices(np.zeros(10)).astype(np.float64)[:, None] - joints
    stretched = _stretched(body, joints, offsets, character)
    turned = np.einsum("jab,vjb->vja", TO_BLENDER @ rotations[0][:, :3, :3], stretched)
    return np.einsum("vj,vja->va", body.weights, turned + placed)


def _stretched(body: Any, joints: Array, offsets: Array, character: Character) -> Array:
    """Offsets (V, 24, 3) of vertices from joints, longer along the bones that are stretched."""
    result = offsets.copy()
    children = {JOINT_NAMES[parent]: child for child, parent in enumerate(body.parents) if parent >= 0}
    for name, factor in character.stretched.items():
        joint = JOINT_NAMES.index(name)
        way = joints[children[name]] - joints[joint]
        way /= np.linalg.norm(way)
        result[:, joint] += (factor - 1.0) * (result[:, joint] @ way)[:, None] * way
    return result


def _colour(figure: Any, suit: tuple[float, float, float]) -> None:
    """Show an imported body in a suit of another colour."""
    figure.data.materials.clear()
    paint(figure.data, suit)


def _camera(scene: Any) -> Any:
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.display.shading.show_cavity = True
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    camera.data.type, camera.data.sensor_fit, camera.data.ortho_scale = "ORTHO", "VERTICAL", METRES
    scene.camera = camera
    return camera


def _look_at(scene: Any, rig: Any, camera: Any, frame: int, side: float) -> Array:
    """Point the level camera between capture and character at ``frame``; returns what is right (3,) in the picture."""
    scene.frame_set(frame)
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    pelvis = posed.pose.bones["pelvis"]
    ahead = np.array((posed.matrix_world @ pelvis.matrix).col[2].xyz)
    direction = np.arctan2(ahead[1], ahead[0]) + np.radians(side)
    right = np.array([-np.sin(direction), np.cos(direction), 0.0])
    _place(camera, np.array(posed.matrix_world @ pelvis.head) + APART / 2 * right, direction)
    return right


def _place(camera: Any, middle: Array, direction: float) -> None:
    """Put the level camera 6 m from what stands at ``middle`` (3,), looking from ``direction`` in radians."""
    back = np.array([np.cos(direction), np.sin(direction), 0.0])
    right = np.cross([0.0, 0.0, 1.0], back)
    place = middle * [1, 1, 0] + [0.0, 0.0, METRES / 2 - 0.25] + 6.0 * back
    rows = np.column_stack([right, [0.0, 0.0, 1.0], back, place])
    camera.matrix_world = Matrix(np.vstack([rows, [0.0, 0.0, 0.0, 1.0]]).tolist())


def _label(scene: Any, camera: Any, text: str) -> Any:
    """The convention's name at the picture's lower left, fixed to the camera."""
    label = bpy.data.objects.new("label", bpy.data.curves.new("label", "FONT"))
    label.data.body, label.data.size = text, 0.11
    material = bpy.data.materials.new("label")
    material.diffuse_color = (0.02, 0.02, 0.02, 1.0)
    label.data.materials.append(material)
    scene.collection.objects.link(label)
    label.parent = camera
    label.location = (-METRES / 2 * REST_WIDTH / SIZE[1] + 0.04, -METRES / 2 + 0.06, -1.0)
    return label


def main() -> None:
    """Write retarget.jpg."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.docs.make_pictures.retarget", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES)
    parser.add_argument("--clip", default="cmu_05_03", help="clip of the motion pack")
    parser.add_argument("--moments", type=float, nargs=3, default=[0.3, 0.5, 0.8], help="shares of the clip")
    parser.add_argument("--side", type=float, default=25.0, help="degrees from straight ahead")
    options = parser.parse_args()
    cells = [cell(name, options.clip, options.moments, options.side) for name in EXAMPLES]
    lines = [beside(cells[row : row + COLUMNS]) for row in range(0, len(cells), COLUMNS)]
    save(options.out / "retarget.jpg", stack(lines))


if __name__ == "__main__":
    main()
