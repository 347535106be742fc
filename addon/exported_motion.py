"""What an exported file really holds, as a game engine would read it. Needs numpy only."""

from dataclasses import dataclass

import numpy as np

from ..smpl_assets.rotation import Array

Y_UP_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True)
class ExportedMotion:
    """One animated skeleton read back from a file.

    take: name of its only animation; times (T,) seconds of its keys. bones: names of the skeleton's bones;
    parents: the bone above each, None for the topmost. positions (T, B, 3): bone heads in metres, Blender's axes
    (Z up). deforming: bones that move some vertex. node_scales (N, 3) of all nodes. licence: the note in the file.
    """

    take: str
    times: Array
    bones: tuple[str, ...]
    parents: tuple[str | None, ...]
    positions: Array
    deforming: frozenset[str]
    node_scales: Array
    vertex_count: int
    licence: str


class WrongExportError(ValueError):
    """The exported file does not hold what it should."""


def world_transforms(local_rotations: list[Array], local_offsets: list[Array], parents: list[int]) -> list[Array]:
    """World positions (T, 3) of nodes from local rotations (T or 1, 3, 3) and offsets (T or 1, 3).

    ``parents`` holds an index, or -1 for a top node, and may come in any order.
    """
    rotations: dict[int, Array] = {}
    positions: dict[int, Array] = {}

    def place(node: int) -> None:
        if node in positions:
            return
        parent = parents[node]
        if parent < 0:
            rotations[node], positions[node] = local_rotations[node], local_offsets[node]
            return
        place(parent)
        rotations[node] = rotations[parent] @ local_rotations[node]
        positions[node] = positions[parent] + (rotations[parent] @ local_offsets[node][..., None])[..., 0]

    for node in range(len(parents)):
        place(node)
    return [positions[node] for node in range(len(parents))]
