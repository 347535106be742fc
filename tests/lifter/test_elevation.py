"""People seen from above are seen more steeply than the lifter says; body and up turn together."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.elevation import with_full_elevation
from reel2rig.lifter.records import Joints3D, Keypoints, Lifted, everybody
from reel2rig.smpl_assets.rotation import Array

K = np.array([[1000.0, 0.0, 500.0], [0.0, 1000.0, 500.0], [0.0, 0.0, 1.0]])
FRAMES = 5
ALONG_THE_AXIS = (500.0, 500.0)


def up_of(elevation: float, roll: float = 0.0) -> Array:
    """The world's up (3,) before a camera that looks ``elevation`` degrees down, turned ``roll`` about its axis."""
    e, r = np.radians(elevation), np.radians(roll)
    return np.array([np.sin(r) * np.cos(e), -np.cos(r) * np.cos(e), -np.sin(e)])


def elevation_of(up: Array) -> float:
    return float(np.degrees(np.arcsin(-up[2] / np.linalg.norm(up))))


def standing(up: Array, track: int = 1, pixel: tuple[float, float] = ALONG_THE_AXIS) -> Lifted:
    """A stick that stands upright: all joints and ends on the line from the pelvis along ``up``."""
    heights = np.linspace(-0.9, 0.8, 24)
    heights[0] = 0.0
    keypoints = np.tile([*pixel, 0.9], (FRAMES, 33, 1)).astype(np.float32)
    rows = np.arange(FRAMES)
    joints = Joints3D(
        joints=np.tile(heights[:, None] * up, (FRAMES, 1, 1)).astype(np.float32),
        ends=np.tile(0.7 * up, (FRAMES, 13, 1)).astype(np.float32),
        frame="camera", track_id=np.full(FRAMES, track), frames=rows, times=rows / 30.0,
        confidence=np.ones((FRAMES, 24), np.float32), camera_K=K,
    )  # fmt: skip
    seen = Keypoints(
        keypoints=keypoints, set="blazepose33", track_id=joints.track_id, view=rows * 0, frames=rows,
        times=joints.times, image_size=(1001, 1001), fps=30.0, clip_frames=FRAMES,
    )  # fmt: skip
    return Lifted(joints, np.tile(up, (FRAMES, 1)), seen)


@pytest.mark.parametrize(("told", "meant"), [(0.0, 0.0), (10.0, 13.0), (20.0, 25.4), (40.0, 40.0), (-5.0, -5.0)])
@pytest.mark.parametrize("roll", [0.0, 20.0])
def test_a_view_from_above_grows_steeper(told: float, meant: float, roll: float) -> None:
    found = with_full_elevation(standing(up_of(told, roll)))
    np.testing.assert_allclose(found.up, np.tile(up_of(meant, roll), (FRAMES, 1)), atol=1e-6)


def test_the_body_turns_with_the_world() -> None:
    found = with_full_elevation(standing(up_of(20.0)))
    axis = found.joints.joints[:, -1] / 0.8
    np.testing.assert_allclose(axis, found.up, atol=1e-6)
    np.testing.assert_allclose(found.joints.ends[:, 0] / 0.7, found.up, atol=1e-6)
    assert elevation_of(found.up[0]) == pytest.approx(25.4, abs=1e-3)


def test_each_person_is_seen_under_an_angle_of_their_own() -> None:
    level, low = (
        standing(up_of(0.0)),
        standing(up_of(0.0), track=2, pixel=(500.0, 500.0 + 1000 * np.tan(np.radians(10.0)))),
    )
    keypoints = replace(
        level.keypoints,
        keypoints=np.concatenate([level.keypoints.keypoints, low.keypoints.keypoints]),
        track_id=np.concatenate([level.keypoints.track_id, low.keypoints.track_id]),
    )
    both = Lifted(everybody([level.joints, low.joints]), np.concatenate([level.up, low.up]), keypoints)
    found = with_full_elevation(both)
    assert elevation_of(found.up[0]) == pytest.approx(0.0, abs=1e-3)
    assert elevation_of(found.up[-1]) == pytest.approx(3.0, abs=1e-3)


def test_a_person_seen_from_straight_above_is_left_as_is() -> None:
    given = standing(up_of(88.0))
    np.testing.assert_array_equal(with_full_elevation(given).joints.joints, given.joints.joints)
