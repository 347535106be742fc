"""SMPL parameters of several makers, all of the same motion."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import forward, open_body
from reel2rig.smpl_assets.rotation import geodesic_degrees, matrix_from_axis_angle, matrix_from_quaternion
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.readers.clip import Clip
from reel2rig.training.readers.smpl_npz import read_smpl_npz
from scipy.spatial.transform import Rotation

FRAMES = 20
Y_TO_Z_UP = Rotation.from_euler("X", 90, degrees=True)


@pytest.fixture
def y_up() -> dict[str, np.ndarray]:
    """poses (T, 72), trans (T, 3): somebody who turns left while walking towards +Z, standing on y = 0."""
    random = np.random.default_rng(2)
    poses = random.normal(0, 0.15, (FRAMES, 72))
    poses[:, :3], poses[:, 66:] = 0.0, 0.0
    poses[:, 1] = np.linspace(0, 1, FRAMES)
    trans = np.stack([np.zeros(FRAMES), np.full(FRAMES, 1.0), np.linspace(0, 1, FRAMES)], axis=1)
    return {"poses": poses, "trans": trans}


@pytest.fixture
def z_up(y_up: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same in AMASS's world."""
    poses = y_up["poses"].copy()
    poses[:, :3] = (Y_TO_Z_UP * Rotation.from_rotvec(poses[:, :3])).as_rotvec()
    return {"poses": poses, "trans": Y_TO_Z_UP.apply(y_up["trans"])}


def read_one(folder: Path) -> Clip:
    (clip,) = read_smpl_npz(folder, lambda line: None)
    return clip


def assert_is_the_motion(clip: Clip, y_up: dict[str, np.ndarray]) -> None:
    _, joints = forward(open_body(), y_up["poses"], y_up["trans"], np.zeros(1))
    moved = clip["joints"] - joints
    assert np.allclose(moved[..., [0, 2]], 0, atol=1e-4)
    assert np.ptp(moved[..., 1]) < 1e-4, "only the floor may differ"
    assert "rotations" in clip
    assert clip["rotations"].shape == (FRAMES, 24, 4)
    expected = matrix_from_axis_angle(y_up["poses"].reshape(FRAMES, 24, 3))
    assert geodesic_degrees(matrix_from_quaternion(clip["rotations"].astype(np.float64)), expected).max() < 0.1
    assert np.allclose(clip["time"], np.arange(FRAMES) / 60)


def with_fingers(poses: np.ndarray, width: int) -> np.ndarray:
    """poses (T, width) of a model with fingers: SMPL's 22 joints of the body and bent fingers after them."""
    return np.concatenate([poses[:, :66], np.full((len(poses), width - 66), 0.3)], axis=1)


def amass_smplh(poses: np.ndarray, trans: np.ndarray) -> dict[str, Any]:
    rest = {"betas": np.ones(16), "gender": "female", "mocap_framerate": 60.0, "dmpls": np.zeros((FRAMES, 8))}
    return {"poses": with_fingers(poses, 156), "trans": trans} | rest


def amass_smplx(poses: np.ndarray, trans: np.ndarray) -> dict[str, Any]:
    parts = {"root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "pose_hand": np.zeros((FRAMES, 90))}
    return parts | {"trans": trans, "mocap_frame_rate": 60, "surface_model_type": "smplx", "gender": "neutral"}


@pytest.mark.parametrize("spell", [amass_smplh, amass_smplx])
def test_amass_is_turned_from_z_up(
    spell: Any, y_up: dict[str, np.ndarray], z_up: dict[str, np.ndarray], tmp_path: Path
) -> None:
    folder = tmp_path / "CMU" / "01"
    folder.mkdir(parents=True)
    np.savez(folder / "01_01_poses.npz", **spell(**z_up))
    clip = read_one(tmp_path)
    assert_is_the_motion(clip, y_up)
    assert (clip["name"], clip["actor"], clip["action"]) == ("CMU/01/01_01_poses", "01", "01_01")


def test_our_own_motion_file_is_read(y_up: dict[str, np.ndarray], z_up: dict[str, np.ndarray], tmp_path: Path) -> None:
    poses, trans = (z_up[key].astype(np.float32) for key in ("poses", "trans"))
    (tmp_path / "김민수").mkdir()
    write_motion(tmp_path / "김민수" / "person_01.npz", Motion(poses, trans, np.zeros(10, np.float32), fps=60.0))
    clip = read_one(tmp_path)
    assert_is_the_motion(clip, y_up)
    assert clip["actor"] == "김민수"


def test_plain_parameters_are_y_up(y_up: dict[str, np.ndarray], tmp_path: Path) -> None:
    parts = {"global_orient": y_up["poses"][:, None, :3], "body_pose": y_up["poses"][:, 3:].reshape(FRAMES, 23, 3)}
    np.savez(tmp_path / "dance.npz", transl=y_up["trans"], fps=np.array([60]), **parts)
    assert_is_the_motion(read_one(tmp_path), y_up)


def test_a_file_may_say_its_axis(y_up: dict[str, np.ndarray], z_up: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", fps=60, up="z", **z_up)
    np.savez(tmp_path / "b.npz", mocap_framerate=60, up="y", **y_up)
    for clip in read_smpl_npz(tmp_path, print):
        assert_is_the_motion(clip, y_up)


def test_the_feet_stand_on_the_floor_whatever_the_height_of_the_body(tmp_path: Path) -> None:
    """A tall person's pelvis is at 1.2 m; on the open body's legs the soles still touch y = 0."""
    np.savez(tmp_path / "tall.npz", poses=np.zeros((2, 72)), trans=np.full((2, 3), 1.2), fps=30)
    clip = read_one(tmp_path)
    sole = open_body().v_template[:, 1].min()
    assert np.allclose(clip["joints"], open_body().joint_template + np.array([1.2, -sole, 1.2]), atol=1e-5)


def changed(**keys: Any) -> Any:
    return lambda good: {key: value for key, value in (good | keys).items() if value is not None}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("shape.npz", changed(), "shape of a person"),
        ("bad.npz", changed(poses=np.array([{"a": 1}], dtype=object)), "pickled"),
        ("bad.npz", changed(poses=None), "neither poses nor root_orient"),
        ("bad.npz", changed(trans=None), "no trans"),
        ("bad.npz", changed(poses=np.zeros((FRAMES, 63))), r"\(20, 63\)"),
        ("bad.npz", changed(trans=np.zeros((3, 3))), r"\(3, 3\)"),
        ("bad.npz", changed(trans=np.full((FRAMES, 3), np.nan)), "20 of its 20 frames"),
        ("bad.npz", changed(fps=None), "frame rate"),
        ("bad.npz", changed(fps=0), "frame rate"),
        ("bad.npz", changed(poses=np.full((FRAMES, 72), "x")), "instead of numbers"),
        ("bad.npz", b"PK\x03\x04 cut off", "damaged"),
        ("bad.npz", b"", "damaged"),
    ],
)
def test_what_cannot_be_used_is_explained_and_the_rest_read(
    name: str, content: Any, reason: str, y_up: dict[str, np.ndarray], tmp_path: Path
) -> None:
    good = y_up | {"fps": 60}
    np.savez(tmp_path / "good.npz", **good)
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.savez(tmp_path / name, **content(good))
    told: list[str] = []
    clips = list(read_smpl_npz(tmp_path, told.append))
    assert [clip["name"] for clip in clips] == ["good"]
    assert len(told) == 1
    assert re.match(f"{name} is left out: .*{reason}", told[0])


def test_a_folder_without_motion_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="SMPL motion"):
        list(read_smpl_npz(tmp_path, print))
