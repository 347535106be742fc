"""capture.json: what was asked, what was seen, what was made, how long it took, what to watch out for."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .camera import Intrinsics
from .capture_folder import plain_options, versions
from .checked_options import DEFAULT_HEIGHT
from .clip_reader import ClipInfo
from .detect import Detections
from .missing_frames import told_gaps
from .motion_file import Motion
from .progress import Reporter
from .records import Fit

if TYPE_CHECKING:
    from .pipeline import CaptureOptions

DOUBTFUL = 0.3  # a person seen worse than this on average is worth a warning


def capture_record(
    options: "CaptureOptions",
    clip: ClipInfo,
    lens: Intrinsics,
    detections: Detections,
    reporter: Reporter,
    warnings: list[str],
    motions: list[Motion],
    fits: list[Fit],
) -> dict[str, Any]:
    """What capture.json holds; ``warnings`` so far, and what the result makes doubtful."""
    return {
        "format": "reel2rig-capture/1",
        "options": plain_options(options),
        "versions": versions(),
        "clip": plain_options(clip),
        "frames": detections.keypoints.clip_frames,
        "fps": detections.keypoints.fps,
        "camera": {"K": lens.camera_K.tolist(), "source": lens.source},
        "provider": {"name": detections.provider.name, "reason": detections.provider.reason},
        "licence": motions[0].licence,
        "people": [_person(*one) for one in enumerate(zip(motions, fits, strict=True), start=1)],
        "seconds": {name: round(value, 3) for name, value in reporter.seconds.items()},
        "seconds_inside_detect": {name: round(value, 3) for name, value in detections.seconds.items()},
        "warnings": [*warnings, *_doubts(motions, options.height)],
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
