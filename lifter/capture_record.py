"""capture.json: what was asked, what was seen, what was made, how long it took, what to watch out for."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .capture_folder import plain_options, versions
from .checked_options import DEFAULT_HEIGHT
from .missing_frames import told_gaps
from .motion_file import Motion
from .records import Fit

if TYPE_CHECKING:
    from .pipeline import CaptureOptions, Fitted, Seen

DOUBTFUL = 0.3  # a person seen worse than this on average is worth a warning
FORMAT = "reel2rig-capture/1"


def capture_record(
    options: "CaptureOptions", seen: "Seen", fitted: "Fitted", seconds: dict[str, float]
) -> dict[str, Any]:
    """What capture.json holds; ``seconds`` of each stage. Warnings: those of the detection, and the result's doubts."""
    return {
        "format": FORMAT,
        "options": plain_options(replace(options, clip=options.clip.absolute())),
        "versions": versions(),
        "clip": plain_options(seen.clip),
        "frames": seen.keypoints.clip_frames,
        "fps": seen.keypoints.fps,
        "camera": {"K": seen.lens.camera_K.tolist(), "source": seen.lens.source},
        "provider": plain_options(seen.provider),
        "licence": fitted.motions[0].licence,
        "people": [_person(*one) for one in enumerate(zip(fitted.motions, fitted.fits, strict=True), start=1)],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "seconds_inside_detect": {name: round(value, 3) for name, value in seen.seconds.items()},
        "warnings_of_detection": seen.warnings,
        "warnings": [*seen.warnings, *_doubts(fitted.motions, options.height)],
    }


def _person(number: int, made: tuple[Motion, Fit]) -> dict[str, Any]:
    motion, found = made
    facts = {
        "file": f"person_{number:02d}.npz",
        "track_id": motion.track_id,
        "frames": len(motion.trans),
        "mean_confidence": round(float(_confidence(motion).mean()), 3),
        "joint_residual_mm": round(1000 * float(np.nanmean(found.joint_residual)), 2),
        "pixel_residual": round(float(np.nanmean(found.pixel_residual)), 2),
        "betas": [round(float(beta), 4) for beta in motion.betas],
    }
    if found.before_refinement is not None:
        joints, pixels = found.before_refinement
        facts["before_smplx"] = {"joint_residual_mm": round(1000 * joints, 2), "pixel_residual": round(pixels, 2)}
    return facts


def _doubts(motions: list[Motion], height: float | None) -> list[str]:
    doubts = []
    for number, motion in enumerate(motions, start=1):
        sure = _confidence(motion)
        if sure.mean() < DOUBTFUL:
            doubts.append(f"Person {number} is hardly visible (mean confidence {sure.mean():.2f}): check the result.")
        assert motion.times is not None
        doubts += told_gaps(f"Person {number}", motion.times, sure)
    if height is None:
        doubts.append(f"No height was given: {DEFAULT_HEIGHT:.2f} m is assumed. Give --height for true metres.")
    return doubts


def _confidence(motion: Motion) -> np.ndarray:
    assert motion.confidence is not None
    return motion.confidence
