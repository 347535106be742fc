"""Smoothing, on motion made by hand: jitter goes, punches stay, and nothing lags."""

import numpy as np
import pytest
from reel2rig.lifter.smooth import smooth_motion, smoothed_below, without_jitter
from reel2rig.smpl_assets.rotation import Array, geodesic_degrees, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

FPS = 30.0
TIME = np.arange(150) / FPS
ELBOW = JOINT["right_elbow"]


def punch() -> Array:
    """Angle in radians (150,) of a calm sway with one punch of 0.2 s in the middle."""
    return 0.2 * np.sin(2 * np.pi * 0.5 * TIME) + 1.5 * np.exp(-(((TIME - 2.5) / 0.08) ** 2))


def motion(angle: Array) -> tuple[Array, Array]:
    """Somebody whose right elbow turns by ``angle`` (T,) while the pelvis walks along X."""
    local = np.tile(np.eye(3), (len(angle), 24, 1, 1))
    local[:, ELBOW] = matrix_from_axis_angle(angle[:, None] * np.array([0.0, 1.0, 0.0]))
    return local, np.stack([TIME[: len(angle)], 0 * angle, 0 * angle + 0.9], axis=1)


def jittered(local: Array, degrees: float) -> Array:
    random = np.random.default_rng(3)
    return local @ matrix_from_axis_angle(np.radians(degrees) * random.normal(size=local.shape[:3]))


def test_strength_zero_changes_nothing_at_all() -> None:
    local, pelvis = motion(punch())
    smooth, path = smooth_motion(local, pelvis, FPS, 0.0)
    assert smooth is local
    assert path is pelvis


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_the_shortest_clips(frames: int) -> None:
    local, pelvis = motion(punch()[:frames])
    smooth, path = smooth_motion(local, pelvis, FPS, 0.5)
    np.testing.assert_allclose(smooth, local, atol=0.02)
    np.testing.assert_allclose(path, pelvis, atol=0.01)


def test_jitter_goes_and_the_punch_stays() -> None:
    local, pelvis = motion(punch())
    noisy = jittered(local, 2.0)
    smooth, _ = smooth_motion(noisy, pelvis, FPS, 0.5)
    before, after = geodesic_degrees(noisy, local), geodesic_degrees(smooth, local)
    calm = np.abs(TIME - 2.5) > 0.5
    assert after[calm].mean() < 0.6 * before[calm].mean()
    top = np.abs(TIME - 2.5) < 0.1
    assert after[top, ELBOW].max() < 0.12 * 86, "of a punch of 86 degrees in a tenth of a second"
    same_cutoff = smoothed_below(punch()[:, None], FPS, 3.0)[:, 0]
    assert np.degrees(punch() - same_cutoff).max() > 20, "is what smoothing everything alike costs"


def test_a_stronger_setting_leaves_less_jitter() -> None:
    local, pelvis = motion(0 * TIME)
    noisy = jittered(local, 2.0)
    left = [geodesic_degrees(smooth_motion(noisy, pelvis, FPS, s)[0], local).mean() for s in (0.0, 0.25, 0.5, 1.0)]
    assert (np.diff(left) < 0).all()


def test_nothing_lags() -> None:
    """Backwards in time is the same as forwards."""
    local, pelvis = motion(punch())
    noisy = jittered(local, 2.0)
    forwards, path = smooth_motion(noisy, pelvis, FPS, 0.5)
    backwards, way_back = smooth_motion(noisy[::-1], pelvis[::-1], FPS, 0.5)
    np.testing.assert_allclose(backwards[::-1], forwards, atol=1e-9)
    np.testing.assert_allclose(way_back[::-1], path, atol=1e-9)


def test_the_world_may_be_turned_and_shifted() -> None:
    local, pelvis = motion(punch())
    noisy = jittered(local, 2.0)
    turn, shift = matrix_from_axis_angle(np.array([0.0, 0.0, 1.0])), np.array([5.0, -2.0, 0.0])
    turned = noisy.copy()
    turned[:, 0] = turn @ noisy[:, 0]
    smooth, path = smooth_motion(noisy, pelvis, FPS, 0.5)
    smooth_turned, path_turned = smooth_motion(turned, pelvis @ turn.T + shift, FPS, 0.5)
    np.testing.assert_allclose(smooth_turned[:, 1:], smooth[:, 1:], atol=1e-7)
    np.testing.assert_allclose(smooth_turned[:, 0], turn @ smooth[:, 0], atol=1e-7)
    np.testing.assert_allclose(path_turned, path @ turn.T + shift, atol=1e-7)


def test_turning_on_and_on_is_no_jump() -> None:
    """Three full turns about the vertical: quaternions change sign, the motion does not."""
    local, pelvis = motion(0 * TIME)
    local[:, 0] = matrix_from_axis_angle(np.linspace(0, 6 * np.pi, 150)[:, None] * np.array([0.0, 0.0, 1.0]))
    smooth, _ = smooth_motion(local, pelvis, FPS, 0.5)
    assert geodesic_degrees(smooth[:, 0], local[:, 0]).max() < 2.0


def test_results_are_rotations() -> None:
    local, pelvis = motion(punch())
    smooth, _ = smooth_motion(jittered(local, 20.0), pelvis, FPS, 1.0)
    np.testing.assert_allclose(
        smooth @ np.swapaxes(smooth, -1, -2), np.broadcast_to(np.eye(3), smooth.shape), atol=1e-9
    )


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_the_cutoff_is_in_hertz_whatever_the_frame_rate(fps: float) -> None:
    time = np.arange(round(10 * fps)) / fps
    wave = np.cos(2 * np.pi * 3.0 * time)[:, None]
    middle = slice(round(2 * fps), round(8 * fps))
    smooth = smoothed_below(wave, fps, 3.0)[middle]
    assert np.abs(smooth).max() == pytest.approx(0.5, abs=0.04)


def test_a_straight_line_stays_straight_to_its_very_ends() -> None:
    line = np.linspace(0, 3, 50)[:, None]
    np.testing.assert_allclose(without_jitter(line, FPS, 3.0), line, atol=1e-9)
