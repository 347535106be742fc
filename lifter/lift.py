"""2D keypoints to 3D joints: the temporal lifter in ONNX Runtime."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..smpl_assets.skeleton import END_NAMES, JOINT, JOINT_NAMES, mirrored
from .errors import InputError
from .keypoint_sets import BLAZEPOSE33
from .records import Joints3D, Keypoints, Lifted
from .stretches import Stretch, lifter_positions, stretches
from .virtual_camera import rays_from_pixels, virtual_view

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LIFTER_MODEL = Path(__file__).parent / "models" / "lifter.onnx"
CHUNK = 2000  # frames in one run; keeps memory bounded for clips of any length
REACH = 31  # frames to either side that an output depends on
UP = 24 + 13  # row of the output that holds the world's up

# How sure we are of a joint: the detector's confidence in these points.
JOINT_EVIDENCE: dict[str, tuple[str, ...]] = {
    "left_hip": ("left_hip",), "right_hip": ("right_hip",), "left_knee": ("left_knee",), "right_knee": ("right_knee",),
    "left_ankle": ("left_ankle",), "right_ankle": ("right_ankle",), "left_foot": ("left_foot_index",),
    "right_foot": ("right_foot_index",), "neck": ("left_shoulder", "right_shoulder"),
    "head": ("nose", "left_ear", "right_ear"), "left_collar": ("left_shoulder",), "right_collar": ("right_shoulder",),
    "left_shoulder": ("left_shoulder",), "right_shoulder": ("right_shoulder",), "left_elbow": ("left_elbow",),
    "right_elbow": ("right_elbow",),
    "left_wrist": ("left_wrist",), "right_wrist": ("right_wrist",), "left_hand": ("left_index", "left_pinky"),
    "right_hand": ("right_index", "right_pinky"),
}  # fmt: skip
TRUNK = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


def lift(
    keypoints: Keypoints,
    camera_K: NDArray[np.float64],
    stature: float,
    session: "InferenceSession",
    track_ids: list[int] | None = None,
) -> Lifted:
    """Lift every person (or ``track_ids``) to 24 joints and 13 ends in metres, camera frame, pelvis at the origin.

    camera_K: (3, 3) px. stature: metres; the lifter works in units of it.
    Raises InputError when the keypoint set is not BlazePose's or nobody is in it.
    """
    if keypoints.set != "blazepose33":
        raise InputError(
            "keypoint_set", f"The lifter takes blazepose33 keypoints, not {keypoints.set}.", "Detect again."
        )
    ids = track_ids if track_ids is not None else sorted(set(keypoints.track_id.tolist()))
    pieces = [(track, piece) for track in ids for piece in stretches(keypoints, track)]
    if not pieces:
        raise InputError("nobody_found", "There is no person in the keypoints.", "Choose a clip that shows a person.")
    points = np.concatenate([_lift_stretch(piece, camera_K, keypoints.fps, session) for _, piece in pieces])
    tracks = np.concatenate([np.full(len(piece.times), track) for track, piece in pieces])
    rows = _rows(keypoints, pieces, tracks)
    joints = Joints3D(
        joints=(points[:, :24] * stature).astype(np.float32),
        ends=(points[:, 24:UP] * stature).astype(np.float32),
        frame="camera",
        track_id=tracks,
        frames=rows.frames,
        times=rows.times,
        confidence=joint_confidence(rows.keypoints[..., 2]),
        camera_K=camera_K,
    )
    return Lifted(joints, points[:, UP], rows)


def _rows(keypoints: Keypoints, pieces: list[tuple[int, Stretch]], tracks: NDArray[np.int64]) -> Keypoints:
    points = np.concatenate([np.concatenate([p.points, p.confidence[..., None]], -1) for _, p in pieces])
    return Keypoints(
        keypoints=points.astype(np.float32),
        set=keypoints.set,
        track_id=tracks,
        view=np.zeros(len(tracks), np.int64),
        frames=np.concatenate([piece.frames for _, piece in pieces]),
        times=np.concatenate([piece.times for _, piece in pieces]),
        image_size=keypoints.image_size,
        fps=keypoints.fps,
        clip_frames=keypoints.clip_frames,
    )


def joint_confidence(confidence: NDArray[np.floating]) -> NDArray[np.float32]:
    """Confidence (T, 24) of joints from that of BlazePose's points (T, 33); the trunk takes the mean of its corners."""
    result = np.empty((len(confidence), 24), np.float32)
    for name in JOINT_NAMES:
        points = [BLAZEPOSE33.index(point) for point in JOINT_EVIDENCE.get(name, TRUNK)]
        result[:, JOINT[name]] = confidence[:, points].mean(axis=1)
    return result


def _lift_stretch(
    stretch: Stretch, camera_K: NDArray[np.float64], fps: float, session: "InferenceSession"
) -> NDArray[np.float64]:
    """Points (T, 37, 3) in statures, pelvis at the origin, and up: (T, 38, 3) in camera axes."""
    count = len(stretch.times)
    positions, rate = lifter_positions(count, fps)
    points = _sampled(stretch.points, positions)
    # a sample between frames is as sure as the surer of its neighbours
    confidence = np.maximum(
        stretch.confidence[np.floor(positions).astype(int)], stretch.confidence[np.ceil(positions).astype(int)]
    )
    view = virtual_view(rays_from_pixels(points, camera_K), confidence, rate)
    both = (_run(session, view.features) + _mirrored_points(_run(session, mirrored_features(view.features)))) / 2
    lifted = both @ np.swapaxes(view.camera_from_virtual, -1, -2)
    return _resampled(lifted, positions, count)


def _run(session: "InferenceSession", features: NDArray[np.float32]) -> NDArray[np.float64]:
    """The network over a clip of any length, in overlapping chunks: exact, without seams."""
    pieces = []
    for first in range(0, len(features), CHUNK):
        low, high = max(0, first - REACH), min(len(features), first + CHUNK + REACH)
        result = np.asarray(session.run(None, {"features": features[None, low:high]})[0])[0]
        pieces.append(result[first - low : first - low + CHUNK])
    return np.concatenate(pieces).astype(np.float64)


def mirrored_features(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same person in a mirror: x negated, left and right exchanged. features (T, 100)."""
    swap = list(mirrored(BLAZEPOSE33))
    points = features[:, :66].reshape(-1, 33, 2)[:, swap] * np.array([-1.0, 1.0], np.float32)
    return np.concatenate([points.reshape(-1, 66), features[:, 66:99][:, swap], features[:, 99:]], axis=1)


def _mirrored_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    swap = [*mirrored(JOINT_NAMES), *(24 + i for i in mirrored(END_NAMES)), UP]
    return points[:, swap] * np.array([-1.0, 1.0, 1.0])


def _sampled(values: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (T, ...) linearly interpolated at fractional frame positions."""
    below = np.minimum(np.floor(positions).astype(int), len(values) - 1)
    above = np.minimum(below + 1, len(values) - 1)
    share = (positions - below).reshape(-1, *[1] * (values.ndim - 1))
    return values[below] * (1 - share) + values[above] * share


def _resampled(values: NDArray[np.float64], positions: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Values at fractional ``positions`` brought back to the frames 0..count-1."""
    where = np.interp(np.arange(count), positions, np.arange(len(positions)))
    return _sampled(values, where)
