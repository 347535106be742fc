"""The chain from pixels to pose on rendered people of known pose: python -m reel2rig.benchmarks.rendered_truth DIR

DIR holds one folder a clip with view0.mp4 and truth.npz (training/detector_error.py says what is in it). The true lens
and stature are given, so that what is measured is the detector, the lifter and the fit. Prints one JSON object: means
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

from ..lifter.bone_lengths import with_bone_lengths
from ..lifter.clip_reader import probe, read_frames
from ..lifter.detect import Backend, detect
from ..lifter.fit import fit
from ..lifter.lift import LIFTER_MODEL, lift
from ..lifter.place import level_up, place
from ..lifter.providers import choose_provider, open_session
from ..lifter.records import Fit, Keypoints
from ..lifter.track import choose_people, track
from ..smpl_assets.body import joint_transforms, open_body
from ..smpl_assets.rotation import Array, axis_angle_from_matrix, geodesic_degrees, matrix_from_axis_angle
from ..smpl_assets.skeleton import JOINT
from ..training.metrics import mpjpe, pa_mpjpe
from .limb_errors import BLAZEPOSE_LIMBS, SMPL_LIMBS, Limbs, compared, limbs_of, with_mixtures

LIMBS = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")]
KNEES = [JOINT["left_knee"], JOINT["right_knee"]]
LEGS = (JOINT["left_ankle"], JOINT["right_ankle"])


def measure_clip(folder: Path, package: bool = False) -> tuple[dict[str, float], Limbs]:
    """Errors of one clip (millimetres, degrees, pixels), and the limbs in it as everybody sees them.

    package: run the mediapipe package too.
    """
    with np.load(folder / "truth.npz", allow_pickle=False) as archive:
        truth = {key: archive[key].astype(np.float64) for key in archive.files if archive[key].dtype.kind in "fi"}
    body, lens, pose = open_body(), truth["K"][0], truth["world_from_cam"][0]
    stature = body.stature(truth["betas"])
    seen = _detected(folder / "view0.mp4", "onnx")
    lifted = lift(seen, lens, stature, open_session(LIFTER_MODEL, choose_provider("cpu"), threads=1))
    frames = lifted.joints.frames
    true_joints = (truth["joints"][frames] - pose[:3, 3]) @ pose[:3, :3]
    raw = lifted.joints.joints.astype(np.float64)
    placed = place(with_bone_lengths(lifted, body, stature))
    found = fit(placed, body, fps=lifted.keypoints.fps, stature=stature, keypoints=lifted.keypoints)
    camera = placed.camera_world_from_cam
    assert camera is not None
    fitted = (found.joints - camera[:3, 3]) @ camera[:3, :3]
    up = level_up(lifted.up, lifted.keypoints.keypoints[..., 2].astype(np.float64))
    row = {
        "lifted_mpjpe_mm": 1000 * float(mpjpe(raw, true_joints).mean()),
        "lifted_pa_mpjpe_mm": 1000 * float(pa_mpjpe(raw, true_joints).mean()),
        "fitted_mpjpe_mm": 1000 * float(mpjpe(fitted, true_joints).mean()),
        "fitted_pa_mpjpe_mm": 1000 * float(pa_mpjpe(fitted, true_joints).mean()),
        "place_mm": 1000 * float(np.linalg.norm(fitted[:, 0] - true_joints[:, 0], axis=-1).mean()),
        "up_degrees": _angle(up, pose[2, :3]),
        "up_from_body_axis_degrees": _angle(_body_axis(raw), pose[2, :3]),
        "pixels": float(found.pixel_residual.mean()),
        **rotation_errors(found, camera, truth, frames, pose),
    }
    landmarks = {"mediapipe_world": seen}
    if package:
        landmarks["mediapipe_package_world"] = _detected(folder / "view0.mp4", "mediapipe")
    return row, _limbs(frames, {"truth": true_joints, "lifted": raw, "fitted": fitted}, landmarks)


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


def rotation_errors(
    found: Fit, camera: Array, truth: dict[str, Array], frames: NDArray[np.int64], pose: Array
) -> dict[str, float]:
    """Errors of limb directions as the camera sees them, and how much more the knees bend than in truth, degrees."""
    true_local = matrix_from_axis_angle(truth["poses_body_yup"].reshape(-1, 24, 3))[frames]
    local = matrix_from_axis_angle(found.axis_angle)
    bend = [np.degrees(np.linalg.norm(axis_angle_from_matrix(r[:, KNEES]), axis=-1)) for r in (local, true_local)]
    true_local[:, 0] = truth["global_rotation_world"][frames]
    ours, theirs = (frame[:3, :3].T @ _global(r) for frame, r in ((camera, local), (pose, true_local)))
    return {
        "limb_degrees": float(geodesic_degrees(ours[:, LIMBS], theirs[:, LIMBS]).mean()),
        "knee_bend_bias_degrees": float((bend[0] - bend[1]).mean()),
    }


def _global(local: Array) -> Array:
    body = open_body()
    return joint_transforms(body.joint_template, body.parents, local, np.zeros((len(local), 3)))[0]


def _body_axis(joints: Array) -> Array:
    """Up as the mean direction from ankles to neck: what the lifter's own estimate has to beat."""
    axis = joints[:, JOINT["neck"]] - joints[:, LEGS].mean(axis=1)
    mean = (axis / np.linalg.norm(axis, axis=1, keepdims=True)).mean(axis=0)
    return mean / np.linalg.norm(mean)


def _angle(first: Array, second: Array) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1.0, 1.0))))


def measure(folder: Path, package: bool = False) -> dict[str, Any]:
    """Means and medians over all clips of ``folder``, and the comparison of limbs.

    Exits with a message when it holds none.
    """
    clips = sorted(path.parent for path in folder.glob("*/truth.npz"))
    if not clips:
        sys.exit(f"No renders in {folder}: expected folders with view0.mp4 and truth.npz.")
    rows, limbs = zip(*(measure_clip(clip, package) for clip in clips), strict=True)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        "clips": len(clips),
        "mean": {name: round(float(np.mean(values)), 2) for name, values in columns.items()},
        "median": {name: round(float(np.median(values)), 2) for name, values in columns.items()},
        "limbs": compared(list(limbs)),
    }


def main() -> None:
    """Measure the folder given on the command line and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.benchmarks.rendered_truth", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("renders", type=Path, metavar="DIR", help="a folder of renders with truth.npz")
    parser.add_argument("--mediapipe", action="store_true", help="run the mediapipe package too")
    options = parser.parse_args()
    print(json.dumps(measure(options.renders, options.mediapipe), indent=1))


if __name__ == "__main__":
    main()
