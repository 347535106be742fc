"""What the body shows for the keys of its controls: the control rig once more, in numpy, with IK switched on."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ...smpl_assets.rotation import Array, matrix_from_quaternion
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.posed_skeleton import Pose, PoseChannels, Skeleton, pose_of, unit
from ..character.rest_pose import ROOT_BONE
from .control_rig import tweak_offsets
from .control_rig_pose import solved_limb
from .control_rig_table import BODY_CONTROLS, LIMBS, Limb, fk, tweak
from .key_reduction import Indices
from .measured_points import MeasuredPoints


class ShownBody:
    """SMPL's bones as they follow the keyed controls; what they showed at first is the measure of errors."""

    def __init__(self, full: Skeleton, controls: Skeleton, channels: PoseChannels) -> None:
        """``full`` has all bones of the rig, ``controls`` those that ``channels`` key."""
        self._controls, self._body = controls, full.part(JOINT_NAMES)
        self._measured = MeasuredPoints.of(self._body)
        self._first = self.pose(channels)

    def pose(self, channels: PoseChannels) -> Pose:
        """The pose of SMPL's bones, in their order, for channels (T, B) of the controls."""
        posed, axes = pose_of(self._controls, channels), np.empty((len(channels.locations), len(JOINT_NAMES), 3, 3))
        for control in BODY_CONTROLS:
            axes[:, self._body.index(control.bone)] = posed.axes[:, self._controls.index(control.name)]
        for limb in LIMBS:
            self._pose_limb(limb, posed, channels, axes)
        for control in BODY_CONTROLS:
            if control.parent in JOINT_NAMES:  # hangs on the limb's end and not on another control
                bone, parent = self._body.index(control.bone), self._body.index(control.parent)
                own = matrix_from_quaternion(unit(channels.quaternions[:, self._controls.index(control.name)]))
                axes[:, bone] = axes[:, parent] @ self._body.offsets[0][bone] @ own
        return Pose(axes, self._heads(axes, posed.heads[:, self._controls.index("pelvis_ctrl")]))

    def errors(self, channels: PoseChannels) -> Array:
        """Distances (T, P) in metres of the body's measured points from where they were at first."""
        return self._measured.apart(self._first, self.pose(channels))

    def moved_by(self, bone: int, at_all: bool) -> Indices:
        """Measured points that the control ``bone`` moves: those of its limb, or all that it may move ``at_all``."""
        name = self._controls.names[bone]
        limb = [limb for limb in LIMBS if name in (limb.target, limb.pole, tweak(limb.upper), tweak(limb.lower))]
        if limb:
            ends = [item.bone for item in BODY_CONTROLS if item.parent == limb[0].end]
            return self._points((*limb[0].bones, *ends))
        bones = [item.bone for item in BODY_CONTROLS if item.name == name]
        if at_all:
            bones = JOINT_NAMES if name == ROOT_BONE else [other for bone in bones for other in self._below(bone)]
        return self._points(bones)

    def _below(self, name: str) -> list[str]:
        """The bone ``name`` and all that hang on it."""
        found = [self._body.index(name)]
        for bone, parent in enumerate(self._body.parents):
            if parent in found:
                found.append(bone)
        return [self._body.names[bone] for bone in found]

    def _points(self, names: Sequence[str]) -> Indices:
        return np.flatnonzero(np.isin(self._measured.owners, [self._body.index(name) for name in names]))

    def _pose_limb(self, limb: Limb, posed: Pose, channels: PoseChannels, axes: Array) -> None:
        controls, body = self._controls, self._body
        upper, lower, end = (body.index(name) for name in limb.bones)
        begin, target, pole = (
            posed.heads[:, controls.index(name)] for name in (fk(limb.upper), limb.target, limb.pole)
        )
        lengths = (np.full(len(begin), body.lengths[upper]), np.full(len(begin), body.lengths[lower]))
        found = solved_limb(begin, target, pole, lengths)
        for bone, turned, offset in zip((upper, lower), (found.upper, found.lower), self._offsets[limb], strict=True):
            twist = channels.quaternions[:, controls.index(tweak(body.names[bone]))]
            axes[:, bone] = turned @ offset @ matrix_from_quaternion(unit(twist))
        axes[:, end] = posed.axes[:, controls.index(limb.target)]

    @cached_property
    def _offsets(self) -> dict[Limb, tuple[Array, Array]]:
        return {limb: tweak_offsets(self._body, limb) for limb in LIMBS}

    def _heads(self, axes: Array, pelvis: Array) -> Array:
        heads = np.empty((*axes.shape[:2], 3))
        for bone, parent in enumerate(self._body.parents):
            if parent < 0:
                heads[:, bone] = pelvis
            else:
                heads[:, bone] = heads[:, parent] + axes[:, parent] @ self._body.offsets[1][bone]
        return heads
