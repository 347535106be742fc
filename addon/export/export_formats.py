"""Each file format: which bones it gets, how it is written, and how it is read back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import CaptureError
from ...lifter.motion_file import write_motion
from ...smpl_assets.body import Body, open_body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.body_choice import body_from
from ..character.character import BODY, LICENCE, SOURCE
from ..character.posed_skeleton import Pose, Skeleton
from ..preferences import body_file
from .bvh_file import read_bvh, spelt_in_bvh, write_bvh
from .export_motion_file import motion_of, own_body, read_motion_file, require_smpl
from .export_sampling import SampledMotion
from .export_stage import staged
from .export_targets import FBX_IN_CENTIMETRES, FBX_OPTIONS, GLB_OPTIONS, USD_OPTIONS, ExportTarget, Format
from .exported_motion import Y_UP_TO_Z_UP, ExportedMotion
from .fbx_reader import read_fbx
from .glb_reader import read_glb
from .usd_reader import read_usd, spelt_in_usd


@dataclass(frozen=True)
class Taken:
    """What is exported: the armature, its meshes, what the armature does, and for which engine."""

    rig: Any
    meshes: list[Any]
    motion: SampledMotion
    target: ExportTarget


@dataclass(frozen=True)
class FileFormat:
    """write: makes the file and returns the bones that move a vertex of it. read: what the file holds.

    takes: the part of a sampled motion that the format has room for. spelt: how it spells a bone's name.
    """

    write: Callable[[Path, Taken], frozenset[str]]
    read: Callable[[Path, Taken], ExportedMotion]
    takes: Callable[[Any, SampledMotion], SampledMotion] = lambda _rig, motion: motion
    spelt: Callable[[str], str] = str


@dataclass(frozen=True)
class BlenderExporter:
    """One of Blender's exporters: operator, options, and the axes (3, 3) and unit that its stage is in.

    plays_meshes: whether it has to see the meshes move; otherwise that time is saved.
    """

    module: str
    operator: str
    options: dict[str, Any]
    axes: Array
    plays_meshes: bool = False
    unit_metres: float = 1.0

    def __call__(self, part: Path, taken: Taken) -> frozenset[str]:
        """Let Blender write ``part`` from a clean copy of the character. Raises CaptureError when it fails."""
        motion = in_units(taken.motion, self.unit_metres)
        name = taken.target.armature_name or taken.rig.name
        with staged(taken.rig, taken.meshes, motion, self.axes, name) as stage:
            if not self.plays_meshes:
                for mesh in stage.meshes:
                    mesh.modifiers[-1].show_viewport = False
            self._run(part)
            return frozenset(stage.deforming)

    def _run(self, part: Path) -> None:
        operator = getattr(getattr(bpy.ops, self.module), self.operator)
        try:
            done = operator(filepath=str(part), check_existing=False, **self.options)
            reason = "" if done == {"FINISHED"} and part.stat().st_size > 0 else "it gave no reason"
        except AttributeError:
            reason = "this Blender has no exporter for it, or its add-on is off"
        except RuntimeError as error:
            reason = _reason(error)
        if reason:
            raise CaptureError(
                "export_failed",
                f"Blender could not write the {part.suffix[1:].upper()}: {reason}",
                "Check that the disk has room and Blender's own add-on is on, or choose another format.",
            )


def _reason(error: Exception) -> str:
    """The line of Blender's report that says what went wrong; around it are a traceback and a location."""
    says = [line.strip() for line in str(error).splitlines() if "Error: " in line and "Traceback" not in line]
    return says[-1] if says else "it gave no reason"


def in_units(motion: SampledMotion, metres: float) -> SampledMotion:
    """The same motion measured in units of so many ``metres``."""
    skeleton, pose = motion.skeleton, motion.pose
    to_rest = motion.to_rest.copy()
    to_rest[:3] /= metres
    return replace(
        motion,
        skeleton=replace(skeleton, heads=skeleton.heads / metres, lengths=skeleton.lengths / metres),
        pose=replace(pose, heads=pose.heads / metres),
        to_rest=to_rest,
    )


def only_bones(motion: SampledMotion, names: list[str]) -> SampledMotion:
    """The same motion without the other bones; each bone hangs on the nearest of ``names`` above it."""
    old = motion.skeleton
    order = [old.index(name) for name in names]

    def above(bone: int) -> int:
        parent = old.parents[bone]
        while parent >= 0 and parent not in order:
            parent = old.parents[parent]
        return -1 if parent < 0 else order.index(parent)

    skeleton = Skeleton(tuple(names), tuple(map(above, order)), old.axes[order], old.heads[order], old.lengths[order])
    return replace(motion, skeleton=skeleton, pose=Pose(motion.pose.axes[:, order], motion.pose.heads[:, order]))


def _from_the_hips(rig: Any, motion: SampledMotion) -> SampledMotion:
    """Without a top bone that only carries the others, so that the hips have the travel, as is usual in BVH."""
    skeleton = motion.skeleton
    carries_one = skeleton.parents.count(-1) == 1 and skeleton.parents.count(0) == 1
    if carries_one and not rig.data.bones[skeleton.names[0]].use_deform:
        return only_bones(motion, list(skeleton.names[1:]))
    return motion


def _smpl_only(_rig: Any, motion: SampledMotion) -> SampledMotion:
    require_smpl(motion.skeleton.names)
    return only_bones(motion, list(JOINT_NAMES))


def _write_bvh(part: Path, taken: Taken) -> frozenset[str]:
    write_bvh(part, taken.motion.skeleton, taken.motion.pose, taken.motion.fps)
    return frozenset()


def _write_npz(part: Path, taken: Taken) -> frozenset[str]:
    notes = taken.motion.notes
    motion = motion_of(taken.motion, _body_of(taken.rig), notes.get(SOURCE, ""), notes.get(LICENCE, "unknown"))
    write_motion(part, motion)
    return frozenset()


def _body_of(rig: Any) -> Body:
    return own_body(rig, [open_body(), body_from(body_file())], BODY)


def _write_fbx(part: Path, taken: Taken) -> frozenset[str]:
    unit = taken.target.fbx_unit_metres
    options = FBX_OPTIONS if unit == 1.0 else FBX_IN_CENTIMETRES
    write = BlenderExporter("export_scene", "fbx", options, Y_UP_TO_Z_UP.T, unit_metres=unit)
    return write(part, taken)


AS_IN_BLENDER: Final = np.eye(3)
FILE_FORMATS: Final[dict[Format, FileFormat]] = {
    "FBX": FileFormat(_write_fbx, lambda part, _: read_fbx(part)),
    "GLB": FileFormat(
        BlenderExporter("export_scene", "gltf", GLB_OPTIONS, AS_IN_BLENDER), lambda part, _: read_glb(part)
    ),
    "BVH": FileFormat(_write_bvh, lambda part, _: read_bvh(part), _from_the_hips, spelt_in_bvh),
    "USD": FileFormat(
        BlenderExporter("wm", "usd_export", USD_OPTIONS, AS_IN_BLENDER, plays_meshes=True),
        lambda part, _: read_usd(part),
        spelt=spelt_in_usd,
    ),
    "NPZ": FileFormat(_write_npz, lambda part, taken: read_motion_file(part, _body_of(taken.rig)), _smpl_only),
}
