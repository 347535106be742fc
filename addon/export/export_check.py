"""Is an exported file what it should be? Compares what was read back with what the armature does. Needs numpy only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...smpl_assets.rotation import Array, geodesic_degrees
from .exported_motion import ExportedMotion, WrongExportError

ALLOWED_ERROR_MM: Final = 1.0
ALLOWED_ERROR_DEGREES: Final = 0.1
ALLOWED_SECONDS: Final = 1e-4


@dataclass(frozen=True)
class ExportExpectation:
    """What the file must hold, in metres and Blender's axes: every frame of its one take, its bones and its licence.

    parents: the bone above each of ``bones``, None for the topmost. rest_heads (B, 3), heads (T, B, 3); turns
    (T, B, 3, 3): how far each bone is turned from rest. deforming: the bones that move some vertex.
    """

    take: str
    fps: float
    bones: tuple[str, ...]
    parents: tuple[str | None, ...]
    rest_heads: Array
    heads: Array
    turns: Array
    deforming: frozenset[str]
    licence: str = ""


@dataclass(frozen=True)
class ExportReport:
    """Figures of a file that passed: the largest errors over all frames and bones, and what was found."""

    take: str
    frame_count: int
    seconds: float
    bones: int
    deform_bones: int | None
    root_travel_m: float
    max_joint_error_mm: float
    max_turn_error_degrees: float
    vertex_count: int | None
    licence: str

    def sentence(self) -> str:
        """The figures for a person."""
        return (
            f"{self.frame_count} frames ({self.seconds:.2f} s), {self.bones} bones, top bone travels "
            f"{self.root_travel_m:.2f} m, read back to {self.max_joint_error_mm:.3f} mm and "
            f"{self.max_turn_error_degrees:.3f} degrees"
        )


def check_export(found: ExportedMotion, expected: ExportExpectation, spelt: Callable[[str], str] = str) -> ExportReport:
    """Compare a read-back file with the armature. Raises WrongExportError naming the first thing that is wrong.

    ``spelt``: how the format spells a bone's name, where it cannot hold every character.
    """
    names = {name: spelt(name) for name in expected.bones}
    _check_skeleton(found, expected, names)
    _check_take(found, expected)
    order = [found.bones.index(names[name]) for name in expected.bones]
    errors = 1000.0 * np.linalg.norm(found.heads[:, order] - expected.heads, axis=-1)
    _require_within(errors, ALLOWED_ERROR_MM, "mm away from where the armature has it", expected.bones)
    turned = geodesic_degrees(found.turns[:, order], expected.turns)
    _require_within(turned, ALLOWED_ERROR_DEGREES, "degrees off", expected.bones)
    return ExportReport(
        take=expected.take,
        frame_count=len(found.times),
        seconds=float(found.times[-1] - found.times[0]),
        bones=len(found.bones),
        deform_bones=None if found.deforming is None else len(found.deforming),
        root_travel_m=float(np.linalg.norm(np.diff(found.heads[:, order[0]], axis=0), axis=-1).sum()),
        max_joint_error_mm=float(errors.max()),
        max_turn_error_degrees=float(turned.max()),
        vertex_count=found.vertex_count,
        licence=expected.licence,
    )


def _require_within(errors: Array, allowed: float, says: str, bones: tuple[str, ...]) -> None:
    """Errors (T, B) must stay within ``allowed``; a NaN does not."""
    if not errors.max() < allowed:
        bone = int(np.argmax(np.nan_to_num(errors.max(axis=0), nan=np.inf)))
        raise WrongExportError(f"{bones[bone]} is up to {errors[:, bone].max():.1f} {says}")


def _check_skeleton(found: ExportedMotion, expected: ExportExpectation, names: dict[str, str]) -> None:
    parents = dict(zip(found.bones, found.parents, strict=True))
    wanted = {
        names[bone]: None if parent is None else names[parent]
        for bone, parent in zip(expected.bones, expected.parents, strict=True)
    }
    if parents != wanted:
        odd = sorted(set(parents) ^ set(wanted)) or "their order"
        raise WrongExportError(f"its {len(found.bones)} bones are not the armature's {len(wanted)}: {odd}")
    deforming = {names[bone] for bone in expected.deforming}
    if found.deforming is not None and found.deforming != deforming:
        raise WrongExportError(f"{len(found.deforming)} bones move the mesh instead of {len(deforming)}")
    if found.node_scales.size and np.abs(found.node_scales - 1.0).max() > 1e-4:
        raise WrongExportError(f"a node has scale {found.node_scales.max():g} instead of 1")
    if found.rest_heads is not None:
        order = [found.bones.index(names[name]) for name in expected.bones]
        errors = 1000.0 * np.linalg.norm(found.rest_heads[order] - expected.rest_heads, axis=-1)
        _require_within(errors[None], ALLOWED_ERROR_MM, "mm away from its place in the rest pose", expected.bones)


def _check_take(found: ExportedMotion, expected: ExportExpectation) -> None:
    if found.take is not None and found.take != expected.take:
        raise WrongExportError(f"its take is called {found.take!r} instead of {expected.take!r}")
    if found.licence is not None and found.licence != expected.licence:
        raise WrongExportError("the note about the body's licence is missing")
    times = np.arange(len(expected.heads)) / expected.fps
    if len(found.times) != len(times):
        raise WrongExportError(f"it has {len(found.times)} frames instead of {len(times)}")
    if np.abs(found.times - times).max() > ALLOWED_SECONDS:
        raise WrongExportError(
            f"its frames run from {found.times[0]:.4f} to {found.times[-1]:.4f} s, which is not their time"
        )
