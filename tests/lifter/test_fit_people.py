"""The world that people are fitted in: floor and gravity as they were given, or found where they are a guess."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.lifter.clean_up import CleanUp
from reel2rig.lifter.fit_people import FitOptions, fit_people
from reel2rig.lifter.progress import Reporter
from reel2rig.lifter.records import Fit, Joints3D
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import Array

REST = open_body().joint_template.astype(np.float64)
UPRIGHT = np.stack([REST[:, 0], -REST[:, 2], REST[:, 1] - REST[:, 1].min()], axis=-1)
CORNERS = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0]])


def going_round(slope: float = 0.0, height: float = 0.0) -> Joints3D:
    """Somebody who stands in four corners of a floor that rises along x, and goes quickly from each to the next."""
    corner = np.repeat(np.arange(4), 30)
    share = np.clip((np.arange(120) % 30 - 20) / 10, 0.0, 1.0)[:, None]
    way = CORNERS[corner] * (1 - share) + CORNERS[(corner + 1) % 4] * share
    path = np.concatenate([way, height + slope * way[:, :1]], axis=1)
    return Joints3D(
        joints=(UPRIGHT + path[:, None]).astype(np.float32),
        ends=np.full((120, 13, 3), np.nan, np.float32),
        frame="world",
        track_id=np.zeros(120, np.int64),
        frames=np.arange(120),
        times=np.arange(120) / 30,
        confidence=np.ones((120, 24), np.float32),
    )


def fitted(joints: Joints3D, cleaning: CleanUp) -> Fit:
    (found,), _ = fit_people(joints, None, [0], open_body(), FitOptions(cleaning=cleaning), Reporter(quiet=True))
    return found


def climb(joints: Array) -> float:
    """How much higher the pelvis is on the right than on the left, metres."""
    return float(joints[40:50, 0, 2].mean() - joints[5:15, 0, 2].mean())


def test_a_slope_is_level_only_where_gravity_was_guessed_from_a_picture() -> None:
    seen = replace(going_round(slope=0.06), camera_world_from_cam=np.eye(4))
    assert climb(fitted(seen, CleanUp()).joints) < 0.08
    known = going_round(slope=0.06)
    assert climb(fitted(known, CleanUp(foot_lock=0.0)).joints) == pytest.approx(0.18, abs=0.01)


def test_whoever_shall_not_be_set_on_the_floor_stays_at_their_height() -> None:
    given = going_round(height=2.0)
    kept, floored = (fitted(given, CleanUp(contacts="never", floor=share)).joints for share in (0.0, 1.0))
    assert np.abs(kept - given.joints)[..., 2].mean() < 0.01
    assert np.abs(floored - given.joints)[..., 2].mean() == pytest.approx(2.0, abs=0.1)
