"""A character's pose over time while it is retargeted: turns of its driven bones and where their heads are.

A bone's turn takes it from its own rest to the pose, in the world. Bones that are not driven go rigidly with the driven
bone above them. Needs numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...smpl_assets.rotation import Array
from .bone_tree import BoneTree


@dataclass
class RetargetPose:
    """turns: (T, 3, 3) by number of driven bone; joints: which of our joints each moves with.

    travel (T, 3): way in metres of the bone ``carrier`` from rest, world; bones above it stay at rest.
    """

    tree: BoneTree
    turns: dict[int, Array]
    joints: dict[int, str]
    carrier: int
    travel: Array
    _above: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def driven_above(self, bone: int) -> int:
        """The nearest driven bone above ``bone``, -1 without one."""
        return next((other for other in self.tree.ancestors(bone) if other in self.turns), -1)

    def turn_of(self, bone: int) -> Array | None:
        """Turns (T, 3, 3) of any bone, None where it is as at rest."""
        if bone not in self.turns:
            bone = self.driven_above(bone)
        return self.turns.get(bone)

    def head(self, bone: int) -> Array:
        """Places (T, 3) m of a bone's head, world."""
        return self.point(self.driven_above(bone), self.tree.heads[bone])

    def point(self, bone: int, at_rest: Array) -> Array:
        """Places (T, 3) m of what lies at ``at_rest`` (3,) m in the rest pose and moves with driven ``bone``."""
        if bone < 0:
            return at_rest + self.travel
        return self.head(bone) + self.turns[bone] @ (at_rest - self.tree.heads[bone])

    def turn_joint(self, joint: str, turn: Array) -> None:
        """Turn all bones of ``joint`` by ``turn`` (T, 3, 3) in the world."""
        for bone in self._bones_of(joint):
            self.turns[bone] = turn @ self.turns[bone]

    def _bones_of(self, joint: str) -> Sequence[int]:
        return [bone for bone, owner in self.joints.items() if owner == joint]

    def local_turns(self, bone: int) -> Array:
        """What the pose bone is keyed with: rotations (T, 3, 3) in its own rest axes."""
        axes = self.tree.axes[bone]
        inherited = self._inherited(bone)
        turn = self.turns[bone] if inherited is None else np.swapaxes(inherited, -1, -2) @ self.turns[bone]
        return axes.T @ turn @ axes

    def local_way(self, bone: int, way: Array) -> Array:
        """A way (T, 3) m of a bone in the world as the location (T, 3) that its pose bone is keyed with."""
        parent = int(self.tree.parents[bone])
        if self.tree.local_location[bone]:
            axes = self.tree.axes[bone]
        else:
            axes = self.tree.axes[parent] if parent >= 0 else self.tree.object_axes
        inherited = self.turn_of(parent) if parent >= 0 else None
        if inherited is not None:
            way = (np.swapaxes(inherited, -1, -2) @ way[..., None])[..., 0]
        return way @ axes / self.tree.scale

    def _inherited(self, bone: int) -> Array | None:
        """Turns that ``bone`` takes over from above; none where a bone on the way does not inherit rotation."""
        for other in (bone, *self.tree.ancestors(bone)):
            if other != bone and other in self.turns:
                return self.turns[other]
            if not self.tree.inherits_rotation[other]:
                return None
        return None


def middle(points: Sequence[Array]) -> Array:
    """The mean of several points (..., 3)."""
    return np.mean(np.stack(points), axis=0)
