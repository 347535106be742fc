"""The root path, steadied by standing feet: worked by hand on points that walk."""

import numpy as np
import pytest
from reel2rig.lifter.steady_path import settling_shift, smooth_shift, steadying_shift
from reel2rig.smpl_assets.rotation import Array

FPS = 30.0


def walk(seconds: float) -> tuple[Array, Array]:
    """Feet (T, 4, 3) m that stand in turn for half a second each, 0.5 m further every time, and their contact."""
    frames = np.arange(round(seconds * FPS))
    phase = frames[:, None] / FPS + np.array([0.0, 0.5])
    part = np.clip((phase % 1.0 - 0.5) / 0.5, 0.0, 1.0)
    along = np.floor(phase) + 3 * part**2 - 2 * part**3
    feet = np.zeros((len(frames), 4, 3))
    feet[..., 1] = np.repeat(along, 2, axis=1)
    return feet, np.repeat(part == 0, 2, axis=1).astype(float)


def test_feet_that_stand_still_ask_for_nothing() -> None:
    feet, contact = walk(6.0)
    assert np.abs(steadying_shift(feet, contact, FPS)).max() < 0.005


def test_a_standing_body_that_sways_in_depth_is_stilled() -> None:
    sway = 0.1 * np.sin(2 * np.pi * 0.3 * np.arange(180) / FPS)
    feet = np.zeros((180, 4, 3))
    feet[..., 1] = sway[:, None]
    left = sway + steadying_shift(feet, np.ones((180, 4)), FPS)[:, 1]
    assert np.ptp(left) < 0.25 * np.ptp(sway)


def test_a_walk_forwards_and_back_keeps_no_drift() -> None:
    """Depth is seen 0.3 m/s too fast on the way there and too slow on the way back."""
    feet, contact = walk(8.0)
    speed = np.where(np.arange(len(feet)) < len(feet) / 2, 0.3, -0.3)
    drift = np.cumsum(speed) / FPS
    moved = feet.copy()
    moved[..., 1] += drift[:, None]
    left = drift + steadying_shift(moved, contact, FPS)[:, 1]
    assert np.std(left) < 0.4 * np.std(drift)
    standing = contact[1:, 0] * contact[:-1, 0] > 0
    slide = np.abs(np.diff(moved[:, 0, 1] + left - drift))[standing]
    assert slide.mean() < 0.004, "of 10 mm a frame"


def test_a_shift_fades_where_nothing_holds_it() -> None:
    wanted = np.zeros((600, 3))
    wanted[:30] = [0.2, 0.0, 0.0]
    weights = (np.arange(600) < 30).astype(float)
    shift = smooth_shift(FPS, place_weights=weights, places=wanted)[:, 0]
    assert shift[10] == pytest.approx(0.2, abs=0.02)
    assert abs(shift[-1]) < 0.002
    assert shift.max() < 0.25, "and does not overshoot"


def test_heights_are_left_alone() -> None:
    feet, contact = walk(4.0)
    feet[..., 2] = 0.3 * np.sin(np.arange(len(feet)) / 9)[:, None]
    assert np.abs(steadying_shift(feet, contact, FPS)[:, 2]).max() == 0


def climbed(step: float) -> tuple[Array, Array]:
    """Heights (T, 4) m of soles in a walk that comes ``step`` higher with every contact, and the contacts."""
    feet, contact = walk(6.0)
    return step * feet[..., 1], contact


def test_a_floor_that_rises_little_by_little_is_drift() -> None:
    heights, contact = climbed(0.03)
    left = heights + settling_shift(heights, contact, FPS)[:, 2:]
    assert np.ptp(left[contact > 0]) < 0.2 * np.ptp(heights[contact > 0])


@pytest.mark.parametrize("step", [0.17, -0.17])
def test_stairs_are_climbed(step: float) -> None:
    heights, contact = climbed(step)
    assert np.abs(settling_shift(heights, contact, FPS)).max() < 0.01


def test_a_jump_keeps_its_height_above_a_floor_that_drifts() -> None:
    time = np.arange(90) / FPS
    flight = np.maximum(0.45 - 15 * (time - 1.5) ** 2, 0.0)  # 0.45 m high, 0.35 s long
    heights = np.repeat((flight + 0.03 * (time > 1.5))[:, None], 4, axis=1)
    settled = heights + settling_shift(heights, np.repeat(flight[:, None] == 0, 4, axis=1), FPS)[:, 2:]
    assert settled.max() - np.median(settled) == pytest.approx(0.45, abs=0.03)
    assert np.abs(settled[[0, -1]] - settled[0]).max() < 0.005


def test_nobody_who_stands_settles_nothing() -> None:
    assert not settling_shift(np.ones((30, 4)), np.zeros((30, 4)), FPS).any()


@pytest.mark.parametrize("frames", [1, 2])
def test_too_short_to_drift(frames: int) -> None:
    assert not settling_shift(np.zeros((frames, 4)), np.ones((frames, 4)), FPS).any()
    assert not steadying_shift(np.zeros((frames, 4, 3)), np.ones((frames, 4)), FPS).any()


@pytest.mark.parametrize("fps", [10.0, 60.0, 240.0])
def test_a_shift_is_the_same_at_any_frame_rate(fps: float) -> None:
    """Four seconds of standing, of which 0.3 s are wanted 5 cm higher."""

    def shift(fps: float) -> Array:
        time = np.arange(round(4 * fps) + 1) / fps
        places = np.where(np.abs(time - 2) < 0.15, 0.05, 0.0)[:, None] * [0.0, 0.0, 1.0]
        found = smooth_shift(fps, place_weights=np.ones(len(time)), places=places, bending=1.6)[:, 2]
        return np.interp(np.linspace(0, 4, 41), time, found)

    np.testing.assert_allclose(shift(fps), shift(30.0), atol=0.002)
