"""Write one character for a game engine, read the file back, and keep it only when it is right."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ..lifter.atomic_file import written_whole
from ..lifter.errors import CaptureError
from ..smpl_assets.rotation import Array
from .character import LICENCE
from .export_check import ExportExpectation, ExportReport, check_export
from .export_sampling import SampledMotion, sample_motion
from .export_stage import meshes_of, object_mode, staged
from .export_targets import FBX_OPTIONS, GLB_OPTIONS, TARGETS, Format
from .exported_motion import Y_UP_TO_Z_UP, ExportedMotion, WrongExportError
from .fbx_reader import read_fbx
from .glb_reader import read_glb


@dataclass(frozen=True)
class BlenderExporter:
    """One of Blender's exporters: operator, options, the axes (3, 3) its stage stands in, and how to read the file.

    plays_meshes: whether it has to see the meshes move; otherwise that time is saved.
    """

    module: str
    operator: str
    options: dict[str, Any]
    read: Callable[[Path], ExportedMotion]
    axes: Array
    plays_meshes: bool = True


AS_IN_BLENDER: Final = np.eye(3)
EXPORTERS: Final[dict[Format, BlenderExporter]] = {
    "FBX": BlenderExporter("export_scene", "fbx", FBX_OPTIONS, read_fbx, Y_UP_TO_Z_UP.T, plays_meshes=False),
    "GLB": BlenderExporter("export_scene", "gltf", GLB_OPTIONS, read_glb, AS_IN_BLENDER),
}


def export_character(rig: Any, path: Path, target: str, file_format: Format, scene: Any) -> ExportReport:
    """Write the armature ``rig`` with its meshes and take to ``path`` for ``target``, and check the file.

    Any armature with deforming bones and an animation will do; it is played at the rate of ``scene``. The user's
    scene, selection, mode, current frame and animation are left as they were. Raises CaptureError, and leaves no new
    file, when there is nothing to export, the exporter fails or what is read back differs from the armature.
    """
    with object_mode(), written_whole(path) as part:
        meshes = meshes_of(rig)
        motion = sample_motion(rig, scene, meshes)
        deforming = _write(part, rig, meshes, motion, target, file_format)
        try:
            report = check_export(EXPORTERS[file_format].read(part), _expectation(rig, motion, deforming))
        except WrongExportError as error:
            message = f"The exported {path.name} is not right: {error}."
            raise CaptureError(
                "wrong_export", message, "It was removed. Please report this with the motion file."
            ) from error
    return report


def _expectation(rig: Any, motion: SampledMotion, deforming: frozenset[str]) -> ExportExpectation:
    skeleton = motion.skeleton
    return ExportExpectation(
        take=motion.take,
        fps=motion.fps,
        bones=skeleton.names,
        parents=tuple(None if parent < 0 else skeleton.names[parent] for parent in skeleton.parents),
        rest_heads=skeleton.heads,
        heads=motion.pose.heads,
        turns=motion.turns,
        deforming=deforming,
        licence=rig.get(LICENCE, ""),
    )


def _write(
    part: Path, rig: Any, meshes: list[Any], motion: SampledMotion, target: str, file_format: Format
) -> frozenset[str]:
    """Let Blender write ``part`` from a clean copy of the character; returns the bones that move some vertex."""
    exporter = EXPORTERS[file_format]
    with staged(rig, meshes, motion, exporter.axes, TARGETS[target].armature_name or rig.name) as stage:
        if not exporter.plays_meshes:
            for mesh in stage.meshes:
                mesh.modifiers[-1].show_viewport = False
        _run(exporter, part, file_format)
        return frozenset(stage.deforming)


def _run(exporter: BlenderExporter, part: Path, file_format: Format) -> None:
    """Run Blender's exporter. Raises CaptureError with its last line when it fails."""
    operator = getattr(getattr(bpy.ops, exporter.module), exporter.operator)
    try:
        operator(filepath=str(part), check_existing=False, **exporter.options)
    except (RuntimeError, AttributeError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no reason given"
        hint = (
            f"Check in the preferences that Blender's own {file_format} add-on is enabled, and that the disk has room."
        )
        raise CaptureError("export_failed", f"Blender could not write the {file_format}: {reason}", hint) from error
