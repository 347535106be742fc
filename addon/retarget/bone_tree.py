"""A character's bones as numbers: names, parents and where they lie at rest. Needs numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array


@dataclass(frozen=True)
class BoneTree:
    """Bones at rest, each after its parent (parents (B,), -1 without one).

    heads (B, 3), tails (B, 3): metres, world. axes (B, 3, 3): columns, world, of unit length. object_axes (3, 3) and
    object_origin (3,): the armature object's in the world; scale: metres of one unit of the armature. bounds (2, 3):
    lowest and highest points of the skin at rest along ``object_axes``, metres from the world's origin, None without
    a skin. Flags (B,) as in Blender: connected, inherits_rotation, local_location.
    """

    names: tuple[str, ...]
    parents: NDArray[np.int64]
    heads: Array
    tails: Array
    axes: Array
    object_axes: Array
    object_origin: Array
    scale: float
    connected: NDArray[np.bool_]
    inherits_rotation: NDArray[np.bool_]
    local_location: NDArray[np.bool_]
    bounds: Array | None = None

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each bone by name."""
        return {name: number for number, name in enumerate(self.names)}

    def index(self, name: str) -> int:
        """Number of the bone called ``name``."""
        return self.numbers[name]

    @cached_property
    def _children(self) -> tuple[tuple[int, ...], ...]:
        children: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents.tolist()):
            if parent >= 0:
                children[parent].append(bone)
        return tuple(map(tuple, children))

    def children(self, bone: int) -> tuple[int, ...]:
        """Numbers of the bones right below ``bone``."""
        return self._children[bone]

    def ancestors(self, bone: int) -> list[int]:
        """Numbers of the bones above ``bone``, the nearest first."""
        found = []
        while (bone := int(self.parents[bone])) >= 0:
            found.append(bone)
        return found

    def above(self, name: str) -> list[str]:
        """Names of the bones above, the nearest first."""
        return [self.names[bone] for bone in self.ancestors(self.index(name))]

    def between(self, upper: int, lower: int) -> list[int]:
        """Bones on the way from ``upper`` down to ``lower``, both left out; empty where there is no such way."""
        above = self.ancestors(lower)
        return above[: above.index(upper)][::-1] if upper in above else []

    def below(self, bones: Sequence[int]) -> list[int]:
        """``bones`` and all bones under them, parents first."""
        inside = set(bones)
        for bone, parent in enumerate(self.parents.tolist()):
            if parent in inside:
                inside.add(bone)
        return sorted(inside)
