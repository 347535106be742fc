"""Biovision Hierarchy (.bvh), written and read as text. Needs numpy only.

What BVH leaves open is done as most readers expect: metres, Y up, facing +Z, in every bone the rotation channels
Z X Y relative to a rest pose with the world's axes, position channels for the top bone, which has offset 0, and for
bones that move in their parent, where they replace the offset. One tree of bones; names without spaces.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_axis_angle
from ..character.posed_skeleton import Pose, Skeleton
from .exported_motion import Y_UP_TO_Z_UP, ExportedMotion, NodeTree, WrongExportError

POSITIONS: Final = ("Xposition", "Yposition", "Zposition")
ROTATIONS: Final = ("Zrotation", "Xrotation", "Yrotation")
MOVES: Final = 1e-5  # metres


def spelt_in_bvh(name: str) -> str:
    """A bone's name as BVH spells it: words are told apart by spaces."""
    return "_".join(name.split())


def write_bvh(path: Path, skeleton: Skeleton, pose: Pose, fps: float) -> None:
    """Write one tree of bones at rest and posed (metres, Z up, world) to ``path``."""
    up = Y_UP_TO_Z_UP.T
    rest, heads = skeleton.heads @ up.T, pose.heads @ up.T
    turns = up @ pose.axes @ np.swapaxes(skeleton.axes, -1, -2) @ up.T
    local, places = turns.copy(), heads.copy()
    offsets = rest.copy()
    for bone, parent in enumerate(skeleton.parents):
        if parent >= 0:
            back = np.swapaxes(turns[:, parent], -1, -2)
            local[:, bone] = back @ turns[:, bone]
            places[:, bone] = (back @ (heads[:, bone] - heads[:, parent])[..., None])[..., 0]
            offsets[bone] = rest[bone] - rest[parent]
    moves = np.abs(places - offsets).max(axis=(0, 2)) > MOVES
    moves[skeleton.parents.index(-1)] = True
    offsets[skeleton.parents.index(-1)] = 0.0
    ends = skeleton.lengths[:, None] * skeleton.axes[..., 1] @ up.T
    lines, order = _hierarchy(skeleton, offsets, ends, moves)
    angles = np.degrees(euler_zxy(local))
    columns = [part for bone in order for part in ([places[:, bone]] if moves[bone] else []) + [angles[:, bone]]]
    lines += ["MOTION", f"Frames: {len(heads)}", f"Frame Time: {1.0 / fps:.8f}"]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
        np.savetxt(file, np.concatenate(columns, axis=1), fmt="%.6f")


def euler_zxy(matrices: Array) -> Array:
    """Angles (T, ..., 3) in radians about Z, X and Y of rotations Rz Rx Ry (T, ..., 3, 3), without jumps in time."""
    z = np.arctan2(-matrices[..., 0, 1], matrices[..., 1, 1])
    cosine, sine = np.cos(z)[..., None], np.sin(z)[..., None]
    first = cosine * matrices[..., 0, :] + sine * matrices[..., 1, :]  # rows of what is left without the turn about Z:
    second = cosine * matrices[..., 1, :] - sine * matrices[..., 0, :]  # right also where Z and Y turn about one axis
    x, y = np.arctan2(matrices[..., 2, 1], second[..., 1]), np.arctan2(first[..., 2], first[..., 0])
    return np.unwrap(np.stack([z, x, y], axis=-1), axis=0)


def _hierarchy(skeleton: Skeleton, offsets: Array, ends: Array, moves: Array) -> tuple[list[str], list[int]]:
    """The lines of the section HIERARCHY, and the order in which bones stand there."""
    lines, order = ["HIERARCHY"], list[int]()

    def add(bone: int, depth: int) -> None:
        tab = "\t" * depth
        channels = (*(POSITIONS if moves[bone] else ()), *ROTATIONS)
        order.append(bone)
        lines.append(f"{tab}{'JOINT' if depth else 'ROOT'} {spelt_in_bvh(skeleton.names[bone])}")
        lines.append(f"{tab}{{")
        lines.append(f"{tab}\tOFFSET {_numbers(offsets[bone])}")
        lines.append(f"{tab}\tCHANNELS {len(channels)} {' '.join(channels)}")
        children = [child for child, parent in enumerate(skeleton.parents) if parent == bone]
        for child in children:
            add(child, depth + 1)
        if not children:
            lines.extend([f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_numbers(ends[bone])}", f"{tab}\t}}"])
        lines.append(f"{tab}}}")

    add(skeleton.parents.index(-1), 0)
    return lines, order


def _numbers(vector: Array) -> str:
    return " ".join(f"{value:.6f}" for value in vector.tolist())


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Array = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()


def read_bvh(path: Path) -> ExportedMotion:
    """Read the skeleton and motion of a BVH in metres, Y up. Raises WrongExportError when it cannot be understood."""
    try:
        head, _, motion = path.read_text("utf-8").partition("MOTION")
        joints = _joints(head.split())
        words = motion.split()
        count, seconds = int(words[1]), float(words[4])
        width = sum(len(joint.channels) for joint in joints)
        values = np.array(words[5:], np.float64).reshape(count, width)
    except (OSError, ValueError, IndexError) as error:
        raise WrongExportError(f"it cannot be read back ({error})") from error
    tree = _tree(joints, values)
    turns, heads = tree.in_world(list(range(len(joints))), count)
    return ExportedMotion(
        times=np.arange(count) * seconds,
        bones=tuple(joint.name for joint in joints),
        parents=tuple(None if joint.parent < 0 else joints[joint.parent].name for joint in joints),
        heads=heads @ Y_UP_TO_Z_UP.T,
        turns=Y_UP_TO_Z_UP @ turns @ Y_UP_TO_Z_UP.T,
        node_scales=np.zeros((0, 3)),
    )


def _joints(words: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints: list[int] = []
    position = 1
    while position < len(words):
        word = words[position]
        if word in ("ROOT", "JOINT", "End"):
            if word != "End":
                joints.append(_Joint(words[position + 1], open_joints[-1] if open_joints else -1))
            open_joints.append(-1 if word == "End" else len(joints) - 1)
            position += 3
        elif word == "OFFSET":
            if open_joints[-1] >= 0:
                joints[open_joints[-1]].offset = np.array(words[position + 1 : position + 4], np.float64)
            position += 4
        elif word == "CHANNELS":
            count = int(words[position + 1])
            joints[open_joints[-1]].channels = tuple(words[position + 2 : position + 2 + count])
            position += 2 + count
        elif word == "}":
            open_joints.pop()
            position += 1
        else:
            raise ValueError(f"unexpected word {word!r}")
    return joints


def _tree(joints: list[_Joint], values: Array) -> NodeTree:
    rotations: list[Any] = []
    offsets: list[Any] = []
    start = 0
    for joint in joints:
        turn, offset = np.eye(3)[None], joint.offset[None]
        for column, channel in enumerate(joint.channels, start=start):
            axis = np.eye(3)["XYZ".index(channel[0])]
            if channel in POSITIONS:
                offset = np.where(axis > 0, values[:, column, None], offset)
            else:
                turn = turn @ matrix_from_axis_angle(np.radians(values[:, column, None]) * axis)
        start += len(joint.channels)
        rotations.append(turn)
        offsets.append(offset)
    return NodeTree(tuple(joint.parent for joint in joints), tuple(rotations), tuple(offsets))
