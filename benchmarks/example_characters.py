"""Characters of every naming convention, made from a table: own rest pose, bone rolls, scale and axes each.

They stand in for characters of users in tests, pictures and benchmarks. Needs bpy.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

from ..addon.character.rest_pose import rest_pose
from ..addon.character.rig import edit_mode
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import Array, matrix_from_axis_angle
from ..smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS

Rows = tuple[tuple[str, str, str], ...]
"""Bone, parent and where its head is: a joint, or two joints and the share of the way between them (``a b 0.5``)."""

POSES: Final[dict[str, dict[str, tuple[float, float, float]]]] = {
    # Turns in degrees about X (the body's left), Y (back) and Z (up) that limbs rest in; the right side is mirrored.
    "T": {},
    "A": {"shoulder": (0, 45, 0)},
    "bent": {
        "shoulder": (0, 60, 0), "elbow": (0, 0, -25), "hip": (-12, -8, 0), "knee": (20, 0, 0), "ankle": (-8, 8, 0),
        "spine1": (8, 0, 0), "spine2": (6, 0, 0), "spine3": (4, 0, 0),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Character:
    """How to build one. sides: what ``{s}`` in ``limbs`` stands for, left and right.

    scale: of the object, whose bones are larger by as much. turned: the object's Euler angles in degrees. loose: bones
    whose tails and rolls mean nothing, as some importers leave them. size: of the whole body; stretched: joints whose
    bones are longer by a factor.
    """

    convention: str
    sides: tuple[str, str]
    trunk: Rows
    limbs: Rows
    pose: str = "T"
    scale: float = 1.0
    turned: tuple[float, float, float] = (0.0, 0.0, 0.0)
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    loose: bool = False
    size: float = 1.0
    stretched: dict[str, float] = field(default_factory=dict)

    @property
    def rows(self) -> Iterator[tuple[str, str, str]]:
        """All bones, parents first, with sides filled in."""
        yield from self.trunk
        for side, word in zip(("left", "right"), self.sides, strict=True):
            for bone, parent, place in self.limbs:
                yield bone.format(s=word), parent.format(s=word), place.format(s=side)


def _read() -> dict[str, Character]:
    table = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {name: Character(**{key: _frozen(value) for key, value in row.items()}) for name, row in table.items()}


def _frozen(value: Any) -> Any:  # noqa: ANN401
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


EXAMPLES: Final = _read()


def one_spine(character: Character) -> Character:
    """The same with a single spine bone, without collars and toes."""
    kept = tuple(row for row in character.trunk if row[2] not in ("spine2", "spine3"))
    spine = next(row[0] for row in kept if row[2] == "spine1")
    names = {row[0] for row in kept}
    trunk = tuple((bone, parent if parent in names or not parent else spine, place) for bone, parent, place in kept)
    limbs = tuple(row for row in character.limbs if not row[2].endswith(("_collar", "}_foot")))
    left = {row[0] for row in limbs}
    limbs = tuple((bone, parent if parent in left | names else spine, place) for bone, parent, place in limbs)
    return replace(character, trunk=trunk, limbs=limbs)


def example_joints(character: Character) -> Array:
    """Our joints (24, 3) m of the character at rest, before its object is turned or moved; soles at z = 0."""
    rest = rest_pose(open_body(), np.zeros(10)).heads * character.size
    turns = POSES[character.pose]
    world = np.empty((24, 3, 3))
    joints = np.empty((24, 3))
    for number, name in enumerate(JOINT_NAMES):
        side, _, part = name.rpartition("_")
        degrees = np.array(turns.get(part, (0.0, 0.0, 0.0)), np.float64)
        if side == "right":
            degrees = degrees * [1.0, -1.0, -1.0]
        own = matrix_from_axis_angle(np.radians(degrees))
        parent = PARENTS[number]
        if parent < 0:
            world[number], joints[number] = own, rest[number]
            continue
        offset = (rest[number] - rest[parent]) * character.stretched.get(JOINT_NAMES[parent], 1.0)
        world[number] = world[parent] @ own
        joints[number] = joints[parent] + world[parent] @ offset
    ankles = [JOINT["left_ankle"], JOINT["right_ankle"]]
    joints[:, 2] += rest[ankles, 2].mean() - joints[ankles, 2].mean()
    return joints


def build_example(character: Character, name: str, collection: Any, skin: bool = False) -> Any:  # noqa: ANN401
    """The character's armature object, with a mesh of blocks around its bones where ``skin``."""
    joints = example_joints(character)
    places = {bone: _place(spec, joints) for bone, _, spec in character.rows}
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    collection.objects.link(rig)
    turned, upright = _turned(character)
    rig.matrix_world = Matrix.Translation(character.place) @ turned @ Matrix.Scale(character.scale, 4)
    bpy.context.view_layer.update()
    to_armature = rig.matrix_world.inverted() @ Matrix.Translation(character.place) @ upright
    random = np.random.default_rng(len(name))
    with edit_mode(rig):
        for bone, parent, _ in character.rows:
            edit = rig.data.edit_bones.new(bone)
            tail = _tail(character, bone, places, random)
            edit.head, edit.tail = to_armature @ Vector(places[bone]), to_armature @ Vector(tail)
            edit.roll = float(random.uniform(-3.0, 3.0))
            edit.parent = rig.data.edit_bones.get(parent) if parent else None
    if skin:
        _add_blocks(character, rig, places, collection)
    return rig


def example_in(scene: Any, example: Character | str, skin: bool = False) -> Any:  # noqa: ANN401
    """An example, or the one of that name, in ``scene``."""
    chosen = EXAMPLES[example] if isinstance(example, str) else example
    return build_example(chosen, "character", scene.collection, skin)


def _turned(character: Character) -> tuple[Matrix, Matrix]:
    """How the object is turned, and how the body stands: an object lying on its back holds bones with Y up."""
    x, y, z = np.radians(character.turned).tolist()
    return Euler((x, y, z)).to_matrix().to_4x4(), Euler((0.0, 0.0, z)).to_matrix().to_4x4()


def _place(spec: str, joints: Array) -> Array:
    words = spec.split()
    if spec == "floor":
        return np.zeros(3)
    if len(words) == 1:
        return joints[JOINT[spec]]
    share = float(words[2])
    return (1.0 - share) * joints[JOINT[words[0]]] + share * joints[JOINT[words[1]]]


def _tail(character: Character, bone: str, places: dict[str, Array], random: np.random.Generator) -> Array:
    """Where a bone ends: at its first child, or anywhere for loose bones."""
    head = places[bone]
    if character.loose:
        direction = random.normal(size=3)
        return head + 0.08 * direction / np.linalg.norm(direction)
    children = [other for other, parent, _ in character.rows if parent == bone]
    ends = [places[child] for child in children if np.linalg.norm(places[child] - head) > 0.01]
    if ends:
        return ends[0]
    parent = next(parent for other, parent, _ in character.rows if other == bone)
    way = head - places[parent] if parent else np.array([0.0, 0.0, 0.1])
    length = np.linalg.norm(way)
    return head + 0.08 * (way / length if length > 0.01 else np.array([0.0, 0.0, 1.0]))


def _add_blocks(character: Character, rig: Any, places: dict[str, Array], collection: Any) -> None:  # noqa: ANN401
    """A mesh of blocks, one a bone, from its head to its children's, down to the floor at the feet."""
    corners, faces, groups = [], [], []
    thickness = 0.035 * character.size
    for bone, _, _ in character.rows:
        ends = [places[child] for child, parent, _ in character.rows if parent == bone]
        ends = [end for end in ends if np.linalg.norm(end - places[bone]) > 0.01] or [places[bone] + [0.0, 0.0, 0.02]]
        for end in ends:
            first = len(corners)
            corners += _block(places[bone], end, thickness)
            faces += [[first + corner for corner in face] for face in _BLOCK_FACES]
            groups += [bone] * 8
    lowest = min(corner[2] for corner in corners)
    points = [(x, y, max(z, 0.0) if z < 0.1 else z) for x, y, z in corners] if lowest < 0 else corners
    mesh = bpy.data.meshes.new(rig.name)
    mesh.from_pydata([tuple(point) for point in points], [], faces)
    figure = bpy.data.objects.new(f"{rig.name} skin", mesh)
    collection.objects.link(figure)
    for number, bone in enumerate(groups):
        group = figure.vertex_groups.get(bone) or figure.vertex_groups.new(name=bone)
        group.add((number,), 1.0, "REPLACE")
    figure.modifiers.new("Armature", "ARMATURE").object = rig
    figure.matrix_world = Matrix.Translation(character.place) @ _turned(character)[1]


_BLOCK_FACES: Final = ((0, 1, 2, 3), (7, 6, 5, 4), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0))


def _block(start: Array, end: Array, thickness: float) -> list[tuple[float, float, float]]:
    way = (end - start) / np.linalg.norm(end - start)
    side = np.cross(way, [0.0, 1.0, 0.0] if abs(way[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(way, side)
    corners = [a * side + b * other for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [tuple(point + thickness * corner) for point in (start, end) for corner in corners]
