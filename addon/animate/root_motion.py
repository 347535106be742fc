"""Where a character's travel is keyed: on the root bone, on the hips, or nowhere. Needs numpy only."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ...smpl_assets.rotation import Array
from ..character.posed_skeleton import Pose, PoseChannels, Skeleton, channels_of, pose_of

Travel = Literal["root", "hips", "in_place"]
ON_THE_FLOOR: Final = np.array([1.0, 1.0, 0.0])
STILL: Final = 1e-4


@dataclass(frozen=True)
class Travelled:
    """Locations (T, 3) m of root and hips in their own rest axes; path (T, 3) m of the hips over the floor before."""

    root: Array
    hips: Array
    path: Array

    def length(self) -> float:
        """Metres walked along the path."""
        return float(np.linalg.norm(np.diff(self.path, axis=0), axis=-1).sum())


def relocate_travel(skeleton: Skeleton, channels: PoseChannels, travel: Travel) -> Travelled:
    """Move the travel over the floor to where ``travel`` says; ``skeleton`` and ``channels`` are root and hips only.

    "root" puts the root below the hips, "hips" puts it at the armature's origin; both leave the hips where they are.
    "in_place" puts the root at the origin and the hips above it; their height stays.
    """
    pose = pose_of(skeleton, channels)
    path = pose.heads[:, 1] * ON_THE_FLOOR
    heads = pose.heads.copy()
    heads[:, 0] = path if travel == "root" else 0.0
    if travel == "in_place":
        heads[:, 1] -= path
    moved = channels_of(skeleton, Pose(pose.axes, heads))
    return Travelled(moved.locations[:, 0], moved.locations[:, 1], path)


def travel_of(skeleton: Skeleton, channels: PoseChannels) -> Travel:
    """Where the travel is now, for root and hips only: on the root when it moves, else on the hips when they do."""
    heads = pose_of(skeleton, channels).heads * ON_THE_FLOOR
    moving = np.ptp(heads, axis=0).max(axis=-1) > STILL
    return "root" if moving[0] else "hips" if moving[1] else "in_place"
