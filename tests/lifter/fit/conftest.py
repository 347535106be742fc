"""Short pieces of real motion, posed on a body: the truth that the fitter must find again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton, pose_skeleton, rest_skeleton
from reel2rig.lifter.records import Joints3D, Keypoints
from reel2rig.smpl_assets.body import Body, open_body
from reel2rig.smpl_assets.landmarks import place_landmarks
from reel2rig.smpl_assets.loader import load_body
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import PARENTS
from reel2rig.training.readers.cmu_pack import PACK

CLIPS = {"walk": 0, "dribble sideways": 7, "shoot": 12, "run": 14, "turn around": 24}
FRAMES = 60
FPS = 30.0
Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
CAMERA_K = np.array([[1100.0, 0.0, 639.5], [0.0, 1100.0, 359.5], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="session")
def motions() -> dict[str, Pose]:
    """The middle of some validation clips, Z up, 30 frames a second."""
    with np.load(PACK / "val_00.npz") as pack:
        start, length = pack["start"], pack["length"]
        poses = pack["pose"] * float(pack["pose_scale"])
        pelvis = pack["joints"][:, 0] * float(pack["joint_scale"])
    result = {}
    for name, clip in CLIPS.items():
        count = min(FRAMES, length[clip])
        first = start[clip] + (length[clip] - count) // 2
        local = matrix_from_axis_angle(poses[first : first + count])
        local[:, 0] = Z_UP_FROM_Y_UP @ local[:, 0]
        result[name] = Pose(local, pelvis[first : first + count] @ Z_UP_FROM_Y_UP.T)
    return result


@pytest.fixture(params=CLIPS)
def motion(request: pytest.FixtureRequest, motions: dict[str, Pose]) -> Pose:
    return motions[request.param]


@pytest.fixture
def walk(motions: dict[str, Pose]) -> Pose:
    return motions["walk"]


@pytest.fixture
def betas() -> Array:
    """A tall person with long legs."""
    result = np.array(dict(open_body().presets)["neutral"], float)
    result[open_body().beta_names.index("height")] = 1.0
    result[open_body().beta_names.index("thigh")] = 0.5
    return result


@pytest.fixture
def rest(betas: Array) -> RestSkeleton:
    return rest_skeleton(open_body(), betas)


@pytest.fixture(scope="session")
def walk_points(motions: dict[str, Pose]) -> tuple[RestSkeleton, Array, Array]:
    """The open body, and the joints and ends of the first twenty frames of its walk."""
    rest, walk = rest_skeleton(open_body(), np.zeros(10)), motions["walk"]
    posed = pose_skeleton(rest, walk.local[:20], walk.pelvis[:20])
    return rest, posed.joints, posed.ends


@pytest.fixture
def licensed_body(tmp_path: Path) -> Body:
    """A file as SMPL's are (betas without names), its skeleton 5 mm off the open body's here and there."""
    source, random = open_body(), np.random.default_rng(5)
    skin = slice(None, None, 40)
    joints = source.joint_template + random.normal(0, 0.005, (24, 3))
    mixing = np.linalg.qr(random.normal(size=(10, 10)))[0]
    vertices = np.concatenate([joints, source.v_template[skin]])
    kinds = np.concatenate([source.joint_directions, source.shapedirs[skin]])
    path = tmp_path / "SMPL_NEUTRAL.npz"
    np.savez(
        path,
        v_template=vertices,
        shapedirs=kinds @ mixing[: kinds.shape[-1]],
        posedirs=np.zeros((len(vertices), 3, 207)),
        J_regressor=np.eye(24, len(vertices)),
        weights=np.concatenate([np.eye(24), source.weights[skin]]),
        kintree_table=np.array([(2**32 - 1, *PARENTS[1:]), range(24)]),
        f=np.array([[0, 1, 2]]),
    )
    return load_body(path)


@pytest.fixture
def given() -> Callable[..., Joints3D]:
    """Joints and ends of a posed skeleton as the lifter would hand them over, ``noise`` millimetres off in the mean."""

    def make(rest: RestSkeleton, pose: Pose, noise: float = 0.0) -> Joints3D:
        posed, random = pose_skeleton(rest, pose.local, pose.pelvis), np.random.default_rng(1)
        spread = noise / 1000 / (2 * np.sqrt(2 / np.pi))  # the mean length of a 3D Gaussian of spread 1 is 1.6
        count = len(pose.pelvis)
        return Joints3D(
            joints=(posed.joints + random.normal(0, spread, posed.joints.shape)).astype(np.float32),
            ends=(posed.ends + random.normal(0, spread, posed.ends.shape)).astype(np.float32),
            frame="world",
            track_id=np.zeros(count, np.int64),
            frames=np.arange(count),
            times=np.arange(count) / FPS,
            confidence=np.ones((count, 24), np.float32),
        )

    return make


@pytest.fixture(scope="session")
def descendants() -> Array:
    """(24, 24): row j is 1 at the joints that move when joint j turns, itself among them."""
    table = np.eye(24)
    for joint in range(23, 0, -1):
        table[PARENTS[joint]] += table[joint]
    return table


@pytest.fixture
def world_from_cam(walk: Pose) -> Array:
    """A level camera 1.2 m high that looks along +Y at the walking person, 5 m away."""
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    pose[:3, 3] = [*walk.pelvis[:, :2].mean(axis=0) - [0.0, 5.0], 1.2]
    return pose


@pytest.fixture
def intrinsics() -> Array:
    return CAMERA_K


@pytest.fixture
def seen(world_from_cam: Array) -> Callable[[RestSkeleton, Pose], Keypoints]:
    """The exact 2D keypoints of a posed skeleton in the picture of that camera."""

    def make(rest: RestSkeleton, pose: Pose) -> Keypoints:
        posed = pose_skeleton(rest, pose.local, pose.pelvis)
        points = place_landmarks(rest.keypoints, rest.keypoint_offsets, posed.rotations, posed.joints)
        local = (points - world_from_cam[:3, 3]) @ world_from_cam[:3, :3]
        pixels = local @ CAMERA_K.T
        pixels = pixels[..., :2] / pixels[..., 2:]
        count = len(points)
        return Keypoints(
            keypoints=np.concatenate([pixels, np.ones((count, 33, 1))], axis=-1).astype(np.float32),
            set="blazepose33",
            track_id=np.zeros(count, np.int64),
            view=np.zeros(count, np.int64),
            frames=np.arange(count),
            times=np.arange(count) / FPS,
            image_size=(1280, 720),
            fps=FPS,
            clip_frames=count,
        )

    return make
