"""Write one character for a game engine, read the file back, and keep it only when it is right."""

from pathlib import Path
from typing import Any

from ...lifter.atomic_file import written_whole
from ...lifter.errors import CaptureError
from ..character.character import LICENCE
from .export_check import ExportExpectation, ExportReport, check_export
from .export_formats import FILE_FORMATS, Taken
from .export_sampling import SampledMotion, sample_motion
from .export_stage import meshes_of, object_mode
from .export_targets import TARGETS, Format
from .exported_motion import WrongExportError


def export_character(rig: Any, path: Path, target: str, file_format: Format, scene: Any) -> ExportReport:
    """Write the armature ``rig`` with its meshes and take to ``path`` for ``target``, and check the file.

    Any armature with deforming bones and an animation will do; it is played at the rate of ``scene``. The user's
    scene, selection, mode, current frame and animation are left as they were. Raises CaptureError, and leaves no new
    file, when there is nothing to export, the exporter fails or what is read back differs from the armature.
    """
    kind = FILE_FORMATS[file_format]
    with object_mode(), written_whole(path) as part:
        meshes = meshes_of(rig)
        motion = kind.takes(rig, sample_motion(rig, scene, meshes))
        taken = Taken(rig, meshes, motion, TARGETS[target])
        deforming = kind.write(part, taken)
        try:
            report = check_export(kind.read(part, taken), _expectation(motion, deforming), kind.spelt)
        except WrongExportError as error:
            message = f"The exported {path.name} is not right: {error}."
            raise CaptureError(
                "wrong_export", message, "It was removed. Please report this with the motion file."
            ) from error
    return report


def _expectation(motion: SampledMotion, deforming: frozenset[str]) -> ExportExpectation:
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
        licence=motion.notes.get(LICENCE, ""),
    )
