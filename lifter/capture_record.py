"""capture.json: what was asked, what was seen, what was made, how long it took, what to watch out for."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .camera import Intrinsics
from .capture_folder import plain_options, versions
from .clip_reader import ClipInfo
from .detect import Detections
from .fit_people import DEFAULT_HEIGHT
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
    """What capture.json holds; adds to ``warnings`` what the result makes doubtful."""
    people = []
    for number, (motion, found) in enumerate(zip(motions, fits, strict=True), start=1):
        assert motion.confidence is not None
        sure = float(motion.confidence.mean())
        if sure < DOUBTFUL:
            warnings.append(f"Person {number} is hardly visible (mean confidence {sure:.2f}): check the result.")
        unseen = int((motion.confidence.max(axis=1) == 0).sum())
        if unseen:
            warnings.append(f"Person {number}: {unseen} frames without a usable view are interpolated (confidence 0).")
        people.append(
            {
                "file": f"person_{number:02d}.npz",
                "track_id": motion.track_id,
                "frames": len(motion.trans),
                "mean_confidence": round(sure, 3),
                "joint_residual_mm": round(1000 * float(found.joint_residual.mean()), 2),
                "pixel_residual": round(float(np.nanmean(found.pixel_residual)), 2),
                "betas": [round(float(b), 4) for b in motion.betas],
            }
        )
    if options.height is None:
        warnings.append(f"No height was given: {DEFAULT_HEIGHT:.2f} m is assumed. Give --height for true metres.")
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
        "people": people,
        "seconds": {name: round(value, 3) for name, value in reporter.seconds.items()},
        "seconds_inside_detect": {name: round(value, 3) for name, value in detections.seconds.items()},
        "warnings": warnings,
    }
