"""From the camera frame to a level world: hand-made people whose place is known."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.lifter.place import MATCHES, level_up, place, steady, translations
from reel2rig.lifter.records import Joints3D, Keypoints, Lifted
from reel2rig.smpl_assets.body import joint_transforms, open_body
from reel2rig.smpl_assets.landmarks import body_landmarks, place_landmarks
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import END, END_NAMES, JOINT, PARENTS

FPS = 30.0
K = np.array([[1000.0, 0.0, 639.5], [0.0, 1000.0, 359.5], [0.0, 0.0, 1.0]])
COUNT = 40
TRUTH = np.linspace([-0.6, 0.3, 4.0], [0.5, 0.3, 4.4], COUNT)  # the pelvis on its level way, as a level camera sees it


def standing(tilt: float = 0.0) -> tuple[Array, Array, Array]:
    """Rooted joints, ends and BlazePose points (COUNT, ..., 3) of a standing person facing a camera that looks
    ``tilt`` degrees down; camera frame."""
    body = open_body()
    rest = body.rest_joints(np.zeros(10)).astype(float)
    local = np.tile(np.eye(3), (COUNT, 24, 1, 1))
    # y up and facing +z becomes y down and facing the camera
    local[:, 0] = matrix_from_axis_angle(np.radians([tilt, 0.0, 0.0])) @ np.diag([1.0, -1.0, -1.0])
    world, joints = joint_transforms(rest, PARENTS, local, -np.tile(rest[0], (COUNT, 1)))
    ends, points = (
        place_landmarks(marks, marks.local_offsets(rest, np.zeros(10)), world, joints)
        for marks in (body_landmarks(body, END_NAMES), body_landmarks(body, BLAZEPOSE33))
    )
    return joints, ends, points


def tilted(vectors: Array, tilt: float) -> Array:
    """Vectors (..., 3) of a level camera as a camera sees them that looks ``tilt`` degrees down."""
    return vectors @ matrix_from_axis_angle(np.radians([tilt, 0.0, 0.0])).T


def up_of(tilt: float) -> Array:
    return tilted(np.array([0.0, -1.0, 0.0]), tilt)


def pixels_of(points: Array) -> Array:
    projected = points @ K.T
    return projected[..., :2] / projected[..., 2:]


def lifted(tilt: float = 0.0) -> Lifted:
    joints, ends, points = standing(tilt)
    times, track = np.arange(COUNT) / FPS, np.ones(COUNT, np.int64)
    pixels = pixels_of(points + tilted(TRUTH, tilt)[:, None])
    keypoints = Keypoints(
        keypoints=np.concatenate([pixels, np.ones((COUNT, 33, 1))], axis=-1).astype(np.float32),
        set="blazepose33",
        track_id=track,
        view=track * 0,
        frames=np.arange(COUNT),
        times=times,
        image_size=(1280, 720),
        fps=FPS,
        clip_frames=COUNT,
    )
    rooted = Joints3D(
        joints=joints.astype(np.float32),
        ends=ends.astype(np.float32),
        frame="camera",
        track_id=track,
        frames=np.arange(COUNT),
        times=times,
        confidence=np.ones((COUNT, 24), np.float32),
        camera_K=K,
    )
    return Lifted(rooted, np.tile(up_of(tilt), (COUNT, 1)), keypoints)


def exact_rays(joints: Array, ends: Array) -> Array:
    """Rays (COUNT, 33, 2) through the very joints that the points are matched with; the others are wrong."""
    rays = np.full((COUNT, 33, 2), 7.0)
    for seen, name in MATCHES.items():
        point = (joints[:, JOINT[name]] if name in JOINT else ends[:, END[name]]) + TRUTH
        rays[:, BLAZEPOSE33.index(seen)] = point[:, :2] / point[:, 2:]
    return rays


def test_exact_rays_give_the_exact_place() -> None:
    sample = lifted()
    rays = exact_rays(sample.joints.joints, sample.joints.ends)
    found = translations(sample.joints, rays, np.ones((COUNT, 33)))
    np.testing.assert_allclose(found, TRUTH, atol=1e-4)


def test_points_that_were_not_seen_hardly_move_the_place() -> None:
    sample = lifted()
    rays = exact_rays(sample.joints.joints, sample.joints.ends)
    weights = np.ones((COUNT, 33))
    rays[:, BLAZEPOSE33.index("left_wrist")] += 0.5
    weights[:, BLAZEPOSE33.index("left_wrist")] = 0.0
    assert np.linalg.norm(translations(sample.joints, rays, weights) - TRUTH, axis=1).max() < 0.01


def test_a_place_behind_the_camera_is_not_believed() -> None:
    sample = lifted()
    rays = -exact_rays(sample.joints.joints, sample.joints.ends)
    assert (translations(sample.joints, rays, np.ones((COUNT, 33)))[:, 2] > 0).all()


def test_a_steady_walk_stays_what_it_is() -> None:
    middle = slice(8, -8)
    found = steady(TRUTH, np.ones((COUNT, 33)), FPS)
    np.testing.assert_allclose(found[middle], TRUTH[middle], atol=0.03)


def test_shaking_depth_is_steadied_and_outliers_go() -> None:
    shaken = TRUTH * (1 + np.random.default_rng(0).normal(0, 0.03, (COUNT, 1)))
    shaken[20] *= 1.8
    found = steady(shaken, np.ones((COUNT, 33)), FPS)
    off = np.linalg.norm(found - TRUTH, axis=1) / 4
    assert off.mean() < 0.02
    assert off[20] < 0.05


def test_up_ignores_outliers() -> None:
    random = np.random.default_rng(0)
    truth = np.array([0.1, -0.9, -0.3]) / np.linalg.norm([0.1, -0.9, -0.3])
    rows = truth + random.normal(0, 0.03, (100, 3))
    rows[::4] = [1.0, 0.2, 0.5]  # lying or bent over
    found = level_up(rows, np.ones((100, 33)))
    assert np.linalg.norm(found) == pytest.approx(1)
    assert np.degrees(np.arccos(found @ truth)) < 2


def test_up_listens_to_those_who_are_seen() -> None:
    rows = np.array([[0.0, -1.0, 0.0]] * 3 + [[1.0, 0.0, 0.0]] * 4)
    weights = np.repeat([[1.0]] * 3 + [[0.0]] * 4, 33, axis=1)
    assert level_up(rows, weights)[1] < -0.99


@pytest.mark.parametrize("tilt", [0.0, 15.0, -20.0, 60.0])
def test_the_world_is_level_and_the_camera_sees_what_it_saw(tilt: float) -> None:
    sample = lifted(tilt)
    found = place(sample)
    camera = found.camera_world_from_cam
    assert camera is not None
    assert found.frame == "world"
    turn, centre = camera[:3, :3], camera[:3, 3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(turn @ up_of(tilt), [0.0, 0.0, 1.0], atol=1e-6)
    assert abs(turn[0, 2]) < 1e-6  # the camera looks along +Y, however far down
    assert turn[1, 2] > 0
    both = np.concatenate([found.joints, found.ends], axis=1)
    rooted = np.concatenate([sample.joints.joints, sample.joints.ends], axis=1)
    seen, wanted = pixels_of((both - centre) @ turn), pixels_of(rooted + tilted(TRUTH, tilt)[:, None])
    # the path is smoothed, most at both ends of the clip
    assert np.linalg.norm(seen - wanted, axis=-1)[8:-8].mean() < 4


def test_people_stand_on_the_floor_above_the_origin() -> None:
    found = place(lifted(15.0))
    np.testing.assert_allclose(found.joints[0, 0, :2], [0.0, 0.0], atol=1e-5)
    assert abs(found.ends[..., 2].min(axis=1)).max() < 0.05
    assert found.joints[:, JOINT["head"], 2].min() > 1.2  # heads are up


def test_a_camera_that_looks_straight_down_has_a_world_too() -> None:
    sample = lifted()
    found = place(replace(sample, up=np.tile([0.0, 0.0, -1.0], (COUNT, 1))))
    assert np.isfinite(found.joints).all()
    assert found.camera_world_from_cam is not None
    np.testing.assert_allclose(found.camera_world_from_cam[:3, :3] @ [0.0, 0.0, 1.0], [0.0, 0.0, -1.0], atol=1e-6)


def test_one_frame_can_be_placed() -> None:
    sample = lifted()
    rows = np.array([0])
    one = Lifted(sample.joints.select(rows), sample.up[rows], sample.keypoints.select(rows))
    assert np.isfinite(place(one).joints).all()
