"""Gaps are filled and jitter goes, as much as bone lengths show; motion without jitter stays as it is."""

from collections.abc import Callable

import numpy as np
import pytest
from reel2rig.lifter.fit.skeleton import Pose, RestSkeleton
from reel2rig.lifter.fit.steady_points import interpolated, jitter, steadied, steady_points
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.rotation import Array

FPS = 30.0
Given = Callable[..., Joints3D]


def points(seen: Joints3D) -> Array:
    return np.concatenate([seen.joints, seen.ends], axis=1).T.astype(float)


def test_a_gap_is_a_line_in_time_and_ends_are_kept() -> None:
    line = np.arange(6.0)[None, None] * np.ones((3, 2, 1))
    known = np.array([[False, True, False, False, True, False], [True] * 6])
    found = interpolated(np.where(known, line, np.nan), known)
    np.testing.assert_allclose(found[0, 0], [1, 1, 2, 3, 4, 4])
    np.testing.assert_allclose(found[:, 1], line[:, 1])


def test_what_is_never_known_stays_finite() -> None:
    found = interpolated(np.full((3, 1, 4), np.nan), np.zeros((1, 4), bool))
    np.testing.assert_allclose(found, 0)


@pytest.mark.parametrize("millimetres", [0.0, 5.0, 20.0])
def test_jitter_is_told_by_bone_lengths(rest: RestSkeleton, motion: Pose, given: Given, millimetres: float) -> None:
    per_coordinate = millimetres / 1.596
    found = 1000 * jitter(points(given(rest, motion, millimetres))[:, :24])
    assert found == pytest.approx(per_coordinate, rel=0.25, abs=0.01)


def test_motion_without_jitter_is_left_alone(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    seen = points(given(rest, motion))
    np.testing.assert_allclose(steady_points(seen, np.isfinite(seen[0]), FPS), seen, atol=1e-4)


def test_jitter_is_taken_out(rest: RestSkeleton, motion: Pose, given: Given) -> None:
    truth, seen = points(given(rest, motion)), points(given(rest, motion, 20.0))
    found = steady_points(seen, np.isfinite(seen[0]), FPS)
    before, after = (np.linalg.norm(p - truth, axis=0).mean() for p in (seen, found))
    assert after < 0.75 * before


def test_a_steady_pace_is_no_jitter() -> None:
    pace = np.linspace(0, 1, 50) * np.ones((3, 37, 1))
    np.testing.assert_allclose(steadied(pace, 0.02, FPS), pace, atol=1e-9)


def test_nothing_is_delayed() -> None:
    bump = np.exp(-((np.arange(61) - 30.0) ** 2) / 20) * np.ones((3, 37, 1))
    found = steadied(bump, 0.01, FPS)
    np.testing.assert_allclose(found, found[..., ::-1], atol=1e-9)
    assert found[0, 0].argmax() == 30


def test_a_few_frames_do_not_tell_jitter_from_motion(rest: RestSkeleton, walk: Pose, given: Given) -> None:
    seen = points(given(rest, walk, 20.0))[..., :5]
    np.testing.assert_array_equal(steady_points(seen, np.isfinite(seen[0]), FPS), seen)
