"""The chain from pixels to pose on rendered people of known pose: python -m reel2rig.benchmarks.rendered_truth DIR

DIR holds one folder a clip with view0.mp4 and truth.npz (true_render.py says what is in it). The true lens and stature
are given, so that what is measured is the detector, the lifter, the fit and the clean-up. Prints one JSON object: means
over clips, the medians, and ``limbs``: beside MediaPipe's own 3D landmarks on the same frames (limb_errors.py). With
--mediapipe its package is run as well, for landmarks as it smooths them. Render motion that the lifter was not trained
on, if the figures are to speak for people it never saw.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lifter.atomic_file import written_whole
from ..lifter.bone_lengths import with_bone_lengths
from ..lifter.clip_reader import probe, read_frames
from ..lifter.detect import Backend, detect
from ..lifter.elevation import with_full_elevation
from ..lifter.errors import InputError
from ..lifter.fit.skeleton import Posed
from ..lifter.fit_people import FitOptions, fit_people
from ..lifter.lift import LIFTER_MODEL, lift
from ..lifter.place import level_up, place
from ..lifter.progress import Reporter
from ..lifter.providers import choose_provider, open_session
from ..lifter.records import Keypoints
from ..lifter.track import choose_people, track
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import Array, axis_angle_from_matrix, geodesic_degrees
from ..smpl_assets.skeleton import JOINT, PARENTS
from ..training.metrics import mpjpe, pa_mpjpe
from .fit_data import FEET
from .fit_metrics import foot_slide, rotation_columns
from .fit_ours import posed
from .limb_errors import BLAZEPOSE_LIMBS, SMPL_LIMBS, Limbs, compared, limbs_of, with_mixtures
from .true_render import TrueRender, read_true_render

LIMBS = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")]
KNEES = [JOINT["left_knee"], JOINT["right_knee"]]
LEGS = (JOINT["left_ankle"], JOINT["right_ankle"])


def measure_clip(folder: Path, package: bool = False) -> tuple[dict[str, float], Limbs]:
    """Errors of one clip (millimetres, degrees, pixels), and the limbs in it as everybody sees them.

    package: run the mediapipe package too. Raises InputError for a bad truth.npz or clip.
    """
    truth, body = read_true_render(folder), open_body()
    pose, stature = truth.camera, body.stature(truth.betas)
    seen = _detected(truth.clip, "onnx")
    lifted = lift(seen, truth.lens, stature, open_session(LIFTER_MODEL, choose_provider("cpu"), threads=1))
    raw, frames = lifted.joints.joints.astype(np.float64), lifted.joints.frames
    true_joints = (truth.joints - pose[:3, 3]) @ pose[:3, :3]
    lifted = with_full_elevation(lifted)
    up = level_up(lifted.up, lifted.keypoints.keypoints[..., 2].astype(np.float64))
    placed = place(with_bone_lengths(lifted, body, stature))
    people = np.unique(placed.track_id).tolist()
    (found, *_), rows = fit_people(placed, lifted.keypoints, people, body, FitOptions(stature), Reporter(quiet=True))
    camera = rows.camera_world_from_cam
    assert camera is not None
    fitted = (found.joints - camera[:3, 3]) @ camera[:3, :3]
    row = {
        "lifted_mpjpe_mm": 1000 * float(mpjpe(raw, true_joints[frames]).mean()),
        "lifted_pa_mpjpe_mm": 1000 * float(pa_mpjpe(raw, true_joints[frames]).mean()),
        "fitted_mpjpe_mm": 1000 * float(mpjpe(fitted, true_joints[rows.frames]).mean()),
        "fitted_pa_mpjpe_mm": 1000 * float(pa_mpjpe(fitted, true_joints[rows.frames]).mean()),
        "place_mm": 1000 * float(np.linalg.norm(fitted[:, 0] - true_joints[rows.frames, 0], axis=-1).mean()),
        "up_degrees": _angle(up, pose[2, :3]),
        "up_from_body_axis_degrees": _angle(_body_axis(raw), pose[2, :3]),
        "pixels": float(np.nanmean(found.pixel_residual)),
        **rotation_errors(posed(found), camera, truth, rows.frames),
        **slides(posed(found), truth, rows.frames),
    }
    landmarks = {"mediapipe_world": seen}
    if package:
        landmarks["mediapipe_package_world"] = _detected(truth.clip, "mediapipe")
    both = {"truth": true_joints[frames], "lifted": raw, "fitted": fitted[np.isin(rows.frames, frames)]}
    return row, _limbs(frames, both, landmarks)


def _detected(clip: Path, backend: Backend) -> Keypoints:
    """The largest person in a clip."""
    info = probe(clip)
    found = track(detect(read_frames(clip), info.image_size, info.default_fps, backend=backend, device="cpu").keypoints)
    return found.select(np.isin(found.track_id, choose_people(found, "largest")))


def _limbs(frames: NDArray[np.int64], joints: dict[str, Array], landmarks: dict[str, Keypoints]) -> Limbs:
    """The limbs in the frames that everybody has seen; joints (T, 24, 3), all in camera axes."""
    common = frames
    for found in landmarks.values():
        common = np.intersect1d(common, found.frames)
    ours = np.searchsorted(frames, common)
    limbs = {name: limbs_of(points[ours], SMPL_LIMBS) for name, points in joints.items()}
    for name, found in landmarks.items():
        assert found.world is not None
        rows = np.searchsorted(found.frames, common)
        limbs[name] = limbs_of(found.world[rows].astype(np.float64), BLAZEPOSE_LIMBS)
    return with_mixtures(limbs)


def rotation_errors(found: Posed, camera: Array, truth: TrueRender, frames: NDArray[np.int64]) -> dict[str, float]:
    """Errors of rotations as the camera sees them, by part and of limbs; how much too far knees bend. Degrees.

    found: in these frames, in the world in which ``camera`` (4, 4) stands.
    """
    ours, theirs = camera[:3, :3].T @ found.rotations, truth.camera[:3, :3].T @ truth.posed.rotations[frames]
    parts = {name: column.total / column.count for name, column in rotation_columns(ours, theirs).items()}
    bend = [np.degrees(np.linalg.norm(axis_angle_from_matrix(_knees(turns)), axis=-1)) for turns in (ours, theirs)]
    return {
        "limb_degrees": float(geodesic_degrees(ours[:, LIMBS], theirs[:, LIMBS]).mean()),
        **parts,
        "knee_bend_bias_degrees": float((bend[0] - bend[1]).mean()),
    }


def _knees(rotations: Array) -> Array:
    """Local rotations (T, 2, 3, 3) of the knees."""
    return np.swapaxes(rotations[:, [PARENTS[knee] for knee in KNEES]], -1, -2) @ rotations[:, KNEES]


def slides(found: Posed, truth: TrueRender, frames: NDArray[np.int64]) -> dict[str, float]:
    """How far feet slide, millimetres a frame, where the truth's stand on the floor; and how far the truth's do.

    NaN where no foot ever stands. found: in these frames, one after another.
    """
    contact = truth.contact[frames[0] : frames[-1]]
    steps = foot_slide(found.ends[:, FEET], contact), foot_slide(truth.posed.ends[frames][:, FEET], contact)
    ours, theirs = (1000 * float(step.mean()) if step.size else np.nan for step in steps)
    return {"foot_slide_mm_per_frame": ours, "true_foot_slide_mm_per_frame": theirs}


def _body_axis(joints: Array) -> Array:
    """Up as the mean direction from ankles to neck: what the lifter's own estimate has to beat."""
    axis = joints[:, JOINT["neck"]] - joints[:, LEGS].mean(axis=1)
    mean = (axis / np.linalg.norm(axis, axis=1, keepdims=True)).mean(axis=0)
    return mean / np.linalg.norm(mean)


def _angle(first: Array, second: Array) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1.0, 1.0))))


def measure(folder: Path, package: bool = False) -> dict[str, Any]:
    """Means and medians over all clips of ``folder``, and the comparison of limbs.

    Exits with a message when it holds none, or one that cannot be read.
    """
    clips = sorted(path.parent for path in folder.glob("*/truth.npz"))
    if not clips:
        sys.exit(f"No renders in {folder}: expected folders with view0.mp4 and truth.npz.")
    try:
        rows, limbs = zip(*(measure_clip(clip, package) for clip in clips), strict=True)
    except InputError as error:
        sys.exit(f"{error.message} {error.hint}")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        "clips": len(clips),
        "mean": {name: _rounded(np.nanmean(values)) for name, values in columns.items()},
        "median": {name: _rounded(np.nanmedian(values)) for name, values in columns.items()},
        "limbs": compared(list(limbs)),
    }


def _rounded(value: np.floating) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def main() -> None:
    """Measure the folder given on the command line and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.benchmarks.rendered_truth", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("renders", type=Path, metavar="DIR", help="a folder of renders with truth.npz")
    parser.add_argument("--mediapipe", action="store_true", help="run the mediapipe package too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the object there as well")
    options = parser.parse_args()
    text = json.dumps(measure(options.renders, options.mediapipe), indent=1) + "\n"
    print(text, end="")
    if options.out:
        with written_whole(options.out) as part:
            part.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
