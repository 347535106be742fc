"""Motion in SMPL's parameters (.npz): AMASS (SMPL+H and SMPL-X), our own motion file, and plain SMPL parameters.

AMASS: Mahmood et al., AMASS: Archive of Motion Capture as Surface Shapes, 2019.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...lifter.motion_file import NOT_AN_ARCHIVE
from ...smpl_assets.body import open_body
from ...smpl_assets.rotation import Array, matrix_from_axis_angle
from ..errors import TrainingDataError
from .body_clip import body_clip, files_of
from .clip import Clip, Explain

# SMPL-H and SMPL-X have SMPL's joints 0 to 21; what follows is hands, jaw and eyes
BODY_JOINTS = 22
# A file with the frame rate under one of these names follows AMASS, whose world has Z up
AMASS_RATES = ("mocap_framerate", "mocap_frame_rate")
POSES, ORIENT, BODY, TRANS = (
    ("poses",),
    ("root_orient", "global_orient"),
    ("pose_body", "body_pose"),
    ("trans", "transl"),
)
TO_Y_UP = matrix_from_axis_angle(np.array([-np.pi / 2, 0.0, 0.0]))


class _UnusableError(ValueError):
    """One file cannot be used; the message says why."""


def read_smpl_npz(folder: Path, explain: Explain) -> Iterator[Clip]:
    """Clips of all .npz files in ``folder`` and below, on the open body's bones.

    A file holds poses (T, >= 66) axis-angle, or root_orient / global_orient (T, 3) and pose_body / body_pose
    (T, >= 63); trans / transl (T, 3) m; mocap_framerate, mocap_frame_rate or fps. Which way is up: a file that spells
    its rate as AMASS does (our motion file too) has Z up, any other Y up; the key up ("y" or "z") overrules.
    Hands are straight. betas are not used: those of licensed bodies do not fit the open one, so the clip stands on the
    open body's floor instead. Explains what is left out; raises TrainingDataError when no file can be used.
    """
    used = 0
    for path in files_of(folder, ".npz"):
        root = folder if folder.is_dir() else folder.parent
        try:
            rotations, trans, rate, z_up = _motion(path)
        except _UnusableError as error:
            explain(f"{path.relative_to(root).as_posix()} is left out: {error}.")
            continue
        used += 1
        pelvis = trans + open_body().joint_template[0]
        if z_up:
            rotations[:, 0] = TO_Y_UP @ rotations[:, 0]
            pelvis = pelvis @ TO_Y_UP.T
        yield body_clip(path, root, "smpl_npz", 1.0 / rate, rotations, pelvis)
    if not used:
        raise TrainingDataError(f"No .npz file with SMPL motion in {folder} can be used.")


def _motion(path: Path) -> tuple[Array, Array, float, bool]:
    """Local rotations (T, 24, 3, 3), trans (T, 3), frames per second, whether Z is up."""
    if path.name == "shape.npz":
        raise _UnusableError("it is the shape of a person in AMASS and holds no motion")
    arrays = _arrays(path)
    poses, trans = _poses(arrays), _first(arrays, TRANS)
    if trans is None:
        raise _UnusableError("it has no trans, the way of the body through the room")
    if poses.ndim != 2 or poses.shape[1] < 3 * BODY_JOINTS or trans.shape != (len(poses), 3) or len(poses) < 2:
        raise _UnusableError(f"poses {poses.shape} and trans {trans.shape} are no two frames or more of SMPL")
    broken = ~(np.isfinite(poses).all(axis=1) & np.isfinite(trans).all(axis=1))
    if broken.any():
        raise _UnusableError(f"{int(broken.sum())} of its {len(poses)} frames hold values that are not finite")
    body = matrix_from_axis_angle(poses[:, : 3 * BODY_JOINTS].reshape(-1, BODY_JOINTS, 3))
    hands = np.broadcast_to(np.eye(3), (len(poses), 2, 3, 3))
    return np.concatenate([body, hands], axis=1), trans, *_rate_and_up(arrays)


def _arrays(path: Path) -> dict[str, NDArray]:
    """What of a file is motion, without unpickling anything."""
    wanted = {*POSES, *ORIENT, *BODY, *TRANS, *AMASS_RATES, "fps", "up"}
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in wanted & set(archive.files):
                try:
                    arrays[key] = archive[key]
                except ValueError as error:
                    if "allow_pickle" not in str(error):
                        raise
                    raise _UnusableError(
                        f"{key} is a pickled object, which could run code; save it as a plain array"
                    ) from error
    except _UnusableError:
        raise
    except NOT_AN_ARCHIVE as error:
        raise _UnusableError(f"it is damaged or no .npz file ({error})") from error
    for key, array in arrays.items():
        if key != "up" and array.dtype.kind not in "fiu":
            raise _UnusableError(f"{key} holds {array.dtype} instead of numbers")
    return arrays


def _poses(arrays: dict[str, NDArray]) -> Array:
    whole, orient, body = (_first(arrays, keys) for keys in (POSES, ORIENT, BODY))
    if whole is not None:
        return whole
    if orient is None or body is None:
        raise _UnusableError("it has neither poses nor root_orient and pose_body")
    frames = len(orient) if orient.ndim else 0
    if orient.shape not in ((frames, 3), (frames, 1, 3)) or body.ndim < 2 or len(body) != frames:
        raise _UnusableError(f"global orientation {orient.shape} and body pose {body.shape} do not fit")
    return np.concatenate([orient.reshape(frames, -1), body.reshape(frames, -1)], axis=1)


def _first(arrays: dict[str, NDArray], keys: tuple[str, ...]) -> Array | None:
    found = next((arrays[key] for key in keys if key in arrays), None)
    return None if found is None else found.astype(np.float64)


def _rate_and_up(arrays: dict[str, NDArray]) -> tuple[float, bool]:
    rate = _first(arrays, (*AMASS_RATES, "fps"))
    if rate is None or rate.size != 1:
        raise _UnusableError("it does not say its frame rate; add the key fps")
    value = float(rate.reshape(-1)[0])
    if not np.isfinite(value) or value <= 0:
        raise _UnusableError(f"its frame rate is {value}")
    up = str(arrays["up"].reshape(-1)[0]).lower() if "up" in arrays and arrays["up"].size else ""
    return value, up == "z" if up in ("y", "z") else any(key in arrays for key in AMASS_RATES)
