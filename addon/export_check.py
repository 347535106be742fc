"""Is an exported file what it should be? Compares what was read back with the rig in Blender. Needs numpy only."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..smpl_assets.rotation import Array
from ..smpl_assets.skeleton import JOINT_NAMES, PARENTS
from .exported_motion import ExportedMotion, WrongExportError
from .rest_pose import ROOT_BONE

ALLOWED_ERROR_MM: Final = 1.0
ALLOWED_SECONDS: Final = 1e-4
EXPECTED_PARENTS: Final = {ROOT_BONE: None} | {
    name: JOINT_NAMES[parent] if parent >= 0 else ROOT_BONE for name, parent in zip(JOINT_NAMES, PARENTS, strict=True)
}


@dataclass(frozen=True)
class ExportExpectation:
    """What the file must hold: its take, number of frames, rate, licence, and the rig's bone heads at some frames.

    samples (S,): frames counted from the take's first; heads (S, 25, 3) m, root first, then JOINT_NAMES.
    """

    take: str
    frame_count: int
    fps: float
    licence: str
    samples: Array
    heads: Array


@dataclass(frozen=True)
class ExportReport:
    """Figures of a file that passed: largest joint error over all samples in mm, and what was found."""

    take: str
    frame_count: int
    seconds: float
    deform_bones: int
    root_travel_m: float
    max_joint_error_mm: float
    vertex_count: int
    licence: str

    def sentence(self) -> str:
        """The figures for a person."""
        return (
            f"{self.frame_count} frames ({self.seconds:.2f} s), {self.deform_bones} bones and root, root travels "
            f"{self.root_travel_m:.2f} m, read back to {self.max_joint_error_mm:.3f} mm"
        )


def check_export(found: ExportedMotion, expected: ExportExpectation) -> ExportReport:
    """Compare a read-back file with the rig. Raises WrongExportError naming the first thing that is wrong."""
    _check_skeleton(found)
    _check_take(found, expected)
    order = [found.bones.index(name) for name in (ROOT_BONE, *JOINT_NAMES)]
    heads = found.positions[:, order][np.round(expected.samples).astype(int)]
    errors = 1000.0 * np.linalg.norm(heads - expected.heads, axis=-1)
    if not errors.max() < ALLOWED_ERROR_MM:
        what = "the root" if errors[:, 0].max() >= ALLOWED_ERROR_MM else "a joint"
        raise WrongExportError(f"{what} is up to {errors.max():.1f} mm away from the rig")
    return ExportReport(
        take=found.take,
        frame_count=len(found.times),
        seconds=float(found.times[-1] - found.times[0]),
        deform_bones=len(found.deforming),
        root_travel_m=float(np.linalg.norm(np.diff(found.positions[:, order[0]], axis=0), axis=-1).sum()),
        max_joint_error_mm=float(errors.max()),
        vertex_count=found.vertex_count,
        licence=found.licence,
    )


def _check_skeleton(found: ExportedMotion) -> None:
    parents = dict(zip(found.bones, found.parents, strict=True))
    if parents != EXPECTED_PARENTS:
        odd = sorted(set(parents) ^ set(EXPECTED_PARENTS)) or "their order"
        raise WrongExportError(f"its skeleton of {len(found.bones)} bones is not SMPL's under a root: {odd}")
    if found.deforming != set(JOINT_NAMES):
        raise WrongExportError(f"{len(found.deforming)} bones move the mesh instead of {len(JOINT_NAMES)}")
    if np.abs(found.node_scales - 1.0).max() > 1e-4:
        raise WrongExportError(f"a node has scale {found.node_scales.max():g} instead of 1")


def _check_take(found: ExportedMotion, expected: ExportExpectation) -> None:
    if found.take != expected.take:
        raise WrongExportError(f"its take is called {found.take!r} instead of {expected.take!r}")
    if found.licence != expected.licence:
        raise WrongExportError("the note about the body's licence is missing")
    times = np.arange(expected.frame_count) / expected.fps
    if len(found.times) != len(times):
        raise WrongExportError(f"it has {len(found.times)} frames instead of {len(times)}")
    if np.abs(found.times - times).max() > ALLOWED_SECONDS:
        raise WrongExportError(
            f"its frames run from {found.times[0]:.4f} to {found.times[-1]:.4f} s, which is not their time"
        )
