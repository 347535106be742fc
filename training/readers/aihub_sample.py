"""A made-up data set in the layout of AI Hub's pose 3D set, whose own files may not be passed on.

    python -m reel2rig.training.readers.aihub_sample FOLDER [--reissue]

Motion of the CMU pack on the open body, seen by two cameras, with what makes the real files awkward: frame numbers
with gaps that do not start at 0 and are not padded, keypoints written as a string, a camera that lacks frames, joints
with and without the homogeneous 1, clips that lack a half, and files that are broken.
"""

import argparse
import itertools
import json
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.body import joint_transforms, open_body
from ...smpl_assets.rotation import matrix_from_quaternion
from ...smpl_assets.skeleton import JOINT_NAMES, PARENTS
from ..errors import TrainingDataError
from .aihub.actor import Actor, parse_actor
from .clip import Clip
from .cmu_pack import PACK, read_cmu_pack

Array = NDArray[np.float64]

IMAGE_SIZE = (1920, 1080)
FPS = 30.0
DESCRIPTION = "Write a made-up data set in the layout of AI Hub's pose 3D set."
CAMERAS = ("1", "2")
# Clip name, clip of the pack, first frame number. The second writes its joints without the homogeneous 1.
CLIPS = (("70_M180D", 0, 0), ("9_F160A", 40, 97))
_GAPS = (5, 6, 14)  # frame numbers, from the first on, that no camera has
_UNSEEN = (3, 10)  # ... that camera 2 has not
# AI Hub's folders are in Korean; unpacked on a Mac, the second of these is spelled in decomposed letters.
_REISSUE_2D = "010.사람인체자세3D/1.Training/라벨링데이터_230714_add/2D_json_train_0714/2D_json"
_REISSUE_3D = unicodedata.normalize("NFD", "사람 인체자세 3D/Training/[라벨]3D_json/3D_json")
_REISSUE_OTHER = "사람 인체자세 3D/Training"


@dataclass(frozen=True)
class Layout:
    """Where the four kinds of labels lie. clip_folders: is there one 2D folder a clip?"""

    keypoints: Path
    joints: Path
    camera: Path
    shape: Path
    clip_folders: bool


def sample_layout(folder: Path) -> Layout:
    """The tree of the sample that AI Hub gives to everybody."""
    label = folder / "label"
    return Layout(label / "2d", label / "3d", label / "camera", label / "shape", clip_folders=True)


def reissue_layout(folder: Path) -> Layout:
    """The tree of the reissue of July 2023."""
    other = folder / _REISSUE_OTHER
    return Layout(
        folder / _REISSUE_2D,
        folder / _REISSUE_3D,
        other / "[라벨]Camera_json" / "Camera_json",
        other / "[라벨]ShapeParam_json" / "ShapeParam_json",
        clip_folders=False,
    )


def write_sample(folder: Path, *, reissue: bool = False, frames: int = 20) -> list[Clip]:
    """Write the data set into ``folder``; ``frames`` is the number of frame numbers a clip spans.

    Returns what a reader must find in it. Raises OSError when the folder cannot be written, TrainingDataError when
    the CMU pack is missing.
    """
    layout = (reissue_layout if reissue else sample_layout)(folder)
    motions = list(itertools.islice(read_cmu_pack(PACK, print), 1 + max(row for _, row, _ in CLIPS)))
    clips = [_sample_clip(motions[row], name, first, frames) for name, row, first in CLIPS]
    for clip, homogeneous in zip(clips, (True, False), strict=True):
        _write_joints(layout, clip, clip["name"], homogeneous)
        _write_keypoints(layout, clip, clip["name"])
        _write_cameras(layout, clip, clip["name"])
    _write_halves(layout, clips[0])
    _write_broken(layout, clips[0])
    return clips


def _sample_clip(motion: Clip, name: str, first: int, frames: int) -> Clip:
    """One action of an actor as tall as the name says, moving as a clip of the pack does."""
    action, actor = name.split("_")
    known = parse_actor(actor)
    assert known is not None
    numbers = np.array([number for number in range(frames) if number not in _GAPS])
    joints = _joints(motion, numbers, known)
    intrinsics = np.array([[[1150.0, 0, 955], [0, 1150, 538], [0, 0, 1]], [[980.0, 0, 965], [0, 982, 541], [0, 0, 1]]])
    extrinsics = np.stack([_looking_at(joints[:, 0].mean(0), place) for place in ([1.5, 1.2, 4.5], [-4.0, 2.2, 1.0])])
    keypoints = np.stack([_projected(joints, *camera) for camera in zip(intrinsics, extrinsics, strict=True)])
    keypoints[1, np.isin(numbers, _UNSEEN)] = np.nan
    return Clip(
        name=name,
        source="aihub",
        actor=actor,
        action=action,
        time=(numbers + first) / FPS,
        joints=joints.astype(np.float32),
        keypoints=keypoints.astype(np.float32),
        camera=np.array(CAMERAS),
        intrinsics=intrinsics,
        extrinsics=extrinsics,
        image_size=np.array([IMAGE_SIZE, IMAGE_SIZE]),
    )


def _joints(motion: Clip, numbers: NDArray[np.int64], actor: Actor) -> Array:
    """World joints (T, 24, 3) m, Y up, of the open body scaled to the actor's height."""
    body = open_body()
    betas = np.zeros(body.shapedirs.shape[2])
    scale = actor.height / body.stature(betas)
    assert "rotations" in motion
    chosen = numbers % len(motion["time"])
    rest = body.rest_joints(betas) * scale
    turns = matrix_from_quaternion(motion["rotations"][chosen].astype(np.float64))
    return joint_transforms(rest, PARENTS, turns, motion["joints"][chosen, 0] * scale - rest[0])[1]


def _looking_at(target: Array, offset: list[float]) -> Array:
    """Extrinsics (3, 4) m, camera from world, of an upright camera at ``target`` + ``offset``."""
    place = target + offset
    forward = (target - place) / np.linalg.norm(target - place)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(forward, right), forward])
    return np.column_stack([turn, -turn @ place])


def _projected(joints: Array, intrinsics: Array, extrinsics: Array) -> Array:
    seen = joints @ extrinsics[:, :3].T + extrinsics[:, 3]
    pixels = seen @ intrinsics.T
    return pixels[..., :2] / pixels[..., 2:]


def _frame_numbers(clip: Clip) -> list[int]:
    return np.rint(clip["time"] * FPS).astype(int).tolist()


def _info(name: str) -> dict[str, Any]:
    action, actor = name.split("_")
    return {"supercategory": "Human", "action_category_id": action, "actor_id": actor}


def _write_joints(layout: Layout, clip: Clip, name: str, homogeneous: bool) -> None:
    info = _info(name) | {"3d_pos": JOINT_NAMES, "3d_rot": JOINT_NAMES}
    for number, joints in zip(_frame_numbers(clip), clip["joints"].astype(np.float64) * 1000, strict=True):
        rows = np.column_stack([joints, np.ones(24)]) if homogeneous else joints
        annotations = {
            "obj_path": f"{name}/{name}_{number}.obj",
            "frame_no": number,
            "3d_pos": rows.round(4)[..., None].tolist(),
            "3d_rot": np.zeros((24, 3, 1)).tolist(),  # which Euler angles the real ones are is not known
        }
        _write(layout.joints / name / f"3D_{name}_{number}.json", {"info": info, "annotations": annotations})


def _write_keypoints(layout: Layout, clip: Clip, name: str) -> None:
    """2D labels; those of camera 2 as the older release writes them, the list as a string."""
    assert "keypoints" in clip
    folder = layout.keypoints / name if layout.clip_folders else layout.keypoints
    size = dict(zip(("img_width", "img_height"), IMAGE_SIZE, strict=True))
    for camera, view in zip(CAMERAS, clip["keypoints"].astype(np.float64), strict=True):
        for number, points in zip(_frame_numbers(clip), view, strict=True):
            if np.isnan(points).any():
                continue
            stem = f"{name}_{camera}_{number}"
            rows = points.round(3).tolist()
            annotations = {
                "img_no": number,
                "frame_no": number,
                "img_path": f"{name}_{camera}/{stem}.jpg",
                "2d_pos": rows if camera == "1" else str(rows),
            }
            info = _info(name) | size | {"camera_no": int(camera)}
            _write(folder / f"{stem}.json", {"info": info, "annotations": annotations})


def _write_cameras(layout: Layout, clip: Clip, name: str) -> None:
    assert "intrinsics" in clip
    assert "extrinsics" in clip
    for camera, intrinsics, extrinsics in zip(CAMERAS, clip["intrinsics"], clip["extrinsics"], strict=True):
        divided = np.vstack([intrinsics[:2] / IMAGE_SIZE[0], intrinsics[2:]])
        content = {
            "camera_no": int(camera),
            "intrinsics": divided.tolist(),
            "extrinsics": (extrinsics * [1, 1, 1, 1000]).tolist(),
        }
        _write(layout.camera / f"{name}_{camera}.json", content)
    shape = np.random.default_rng(0).normal(size=100).round(4).tolist()
    _write(layout.shape / f"{name.split('_')[1]}.json", {"shape_param": shape})


def _write_halves(layout: Layout, clip: Clip) -> None:
    """Clips that lack their joints, their keypoints or their cameras."""
    _write_keypoints(layout, clip, "12_F150C")
    _write_cameras(layout, clip, "12_F150C")
    _write_joints(layout, clip, "13_M160B", homogeneous=True)
    _write_cameras(layout, clip, "13_M160B")
    _write_joints(layout, clip, "14_M180D", homogeneous=True)
    _write_keypoints(layout, clip, "14_M180D")


def _write_broken(layout: Layout, clip: Clip) -> None:
    """Files of frames that only they have: an empty one, one cut off, and one of a rig with 25 joints."""
    name, number = clip["name"], _frame_numbers(clip)[-1]
    folder = layout.joints / name
    (folder / f"3D_{name}_{number + 1}.json").write_text("")
    (folder / f"3D_{name}_{number + 2}.json").write_text('{"info": {"supercategory": "Hum')
    _write(folder / f"3D_{name}_{number + 3}.json", {"annotations": {"3d_pos": np.ones((25, 4, 1)).tolist()}})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the sample into the folder that the command line names; 0 done, 2 when it cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.training.readers.aihub_sample", description=DESCRIPTION)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reissue", action="store_true", help="the folders of the reissue of 2023")
    parser.add_argument("--frames", type=int, default=20, help="frame numbers that a clip spans")
    options = parser.parse_args(arguments)
    if options.frames < 1:
        parser.error("--frames must be at least 1")
    try:
        clips = write_sample(options.folder, reissue=options.reissue, frames=options.frames)
    except (OSError, TrainingDataError) as error:
        print(f"reel2rig training: no sample written ({error})", file=sys.stderr)
        return 2
    print(f"{options.folder}: {', '.join(clip['name'] for clip in clips)} and what must be refused")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
