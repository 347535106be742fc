"""Say in a few facts what a file of ours (or an AMASS file) holds."""

from pathlib import Path
from typing import Any

from .errors import InputError
from .motion_file import read_motion, read_npz


def describe(path: Path) -> dict[str, Any]:
    """Facts about a motion, joints or keypoints file, or a clip. Raises InputError when it is none of these."""
    if path.suffix.lower() != ".npz":
        return _clip(path)
    arrays = read_npz(path)
    if "poses" in arrays:
        motion = read_motion(path)
        return {
            "kind": "motion",
            "frames": len(motion.trans),
            "fps": motion.fps,
            "body": motion.body or "unknown",
            "licence": motion.licence,
            "source": motion.source,
            "betas": [round(float(beta), 2) for beta in motion.betas],
        }
    kind = "joints" if "joints" in arrays else "keypoints" if "keypoints" in arrays else None
    if kind is None:
        raise InputError(
            "unknown_file", f"{path.name} is no file of Reel2Rig.", f"It holds: {', '.join(arrays) or 'nothing'}."
        )
    ids = sorted(set(arrays["track_id"].tolist())) if "track_id" in arrays else [0]
    return {
        "kind": kind,
        "rows": len(arrays[kind]),
        "people": ids,
        "arrays": {k: list(v.shape) for k, v in arrays.items()},
    }


def _clip(path: Path) -> dict[str, Any]:
    from .clip_reader import probe

    clip = probe(path)
    return {
        "kind": "clip",
        "size": f"{clip.image_size[0]} x {clip.image_size[1]}",
        "fps": round(clip.fps, 3),
        "seconds": round(clip.duration, 3),
        "rotation": clip.rotation,
        "variable_rate": clip.variable_rate,
    }
