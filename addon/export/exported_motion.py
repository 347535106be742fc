"""What an exported file really holds, as a game engine would read it. Needs numpy only."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array

Y_UP_TO_Z_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True)
class ExportedMotion:
    """One animated skeleton read back from a file, in metres and Blender's axes (Z up).

    times (T,) seconds of its keys. bones: names of the skeleton's bones; parents: the bone above each, None for the
    topmost. heads (T, B, 3): bone heads; turns (T, B, 3, 3): how far each bone is turned from its rest pose.
    node_scales (N, 3) of all nodes.

    None where a format has no such thing: rest_heads (B, 3), take (name of the animation), deforming (bones that move
    some vertex), vertex_count, licence (the note in the file).
    """

    times: Array
    bones: tuple[str, ...]
    parents: tuple[str | None, ...]
    heads: Array
    turns: Array
    node_scales: Array
    rest_heads: Array | None = None
    take: str | None = None
    deforming: frozenset[str] | None = None
    vertex_count: int | None = None
    licence: str | None = None


class WrongExportError(ValueError):
    """The exported file does not hold what it should."""


@dataclass(frozen=True)
class NodeTree:
    """Nodes of a file: parents by index (-1: a top node, in any order), of each its rotations (T or 1, 3, 3) and offset
    (T or 1, 3) in its parent."""

    parents: tuple[int, ...]
    rotations: tuple[Array, ...]
    offsets: tuple[Array, ...]

    def in_world(self, wanted: list[int], count: int) -> tuple[Array, Array]:
        """Rotations (count, W, 3, 3) and positions (count, W, 3) of the ``wanted`` nodes in the file's axes."""
        rotations: dict[int, Array] = {}
        positions: dict[int, Array] = {}

        def place(node: int) -> None:
            if node in positions:
                return
            parent, offset = self.parents[node], self.offsets[node]
            if parent < 0:
                rotations[node], positions[node] = self.rotations[node], offset
                return
            place(parent)
            rotations[node] = rotations[parent] @ self.rotations[node]
            positions[node] = positions[parent] + (rotations[parent] @ offset[..., None])[..., 0]

        for node in wanted:
            place(node)
        if not wanted:
            return np.zeros((count, 0, 3, 3)), np.zeros((count, 0, 3))
        turned = [np.broadcast_to(rotations[node], (count, 3, 3)) for node in wanted]
        placed = [np.broadcast_to(positions[node], (count, 3)) for node in wanted]
        return np.stack(turned, axis=1), np.stack(placed, axis=1)


def turns_from_rest(rotations: Array, rest: Array, to_z_up: Array = Y_UP_TO_Z_UP) -> Array:
    """Turns (T, B, 3, 3) in Blender's axes of bones with world ``rotations`` (T, B, 3, 3) and ``rest`` (B, 3, 3)."""
    return to_z_up @ rotations @ np.swapaxes(rest, -1, -2) @ to_z_up.T
