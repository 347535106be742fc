"""The noise of synthetic pairs does what its figures say, and fitting finds the figures that made it."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.detector_noise import (
    CHAIN,
    GROUPS,
    LIMBS,
    DetectorNoise,
    confidence_curves,
    fading_noise,
    fitted_figures,
    hidden_limbs,
    leader_of,
)
from reel2rig.training.noise_check import simulated, statistics
from reel2rig.training.noise_fit import Seen, fit_noise

MEASURED = DetectorNoise.as_measured(fitted_figures())


def people(count: int = 300, frames: int = 30, hidden: float = 0.0) -> Seen:
    """People standing still, a box high, with limbs hidden or not, that nobody has looked at yet."""
    random = np.random.default_rng(0)
    pose = random.uniform(-0.3, 0.3, (1, 1, 33, 2)) * np.array([0.6, 1.6])
    pose[..., 0, 1], pose[..., 32, 1] = -0.5, 0.5
    truth = np.tile(pose, (count, frames, 1, 1))
    return Seen(
        truth=truth,
        error=np.zeros_like(truth),
        confidence=np.ones(truth.shape[:3]),
        hidden=np.full((count, frames, 4), hidden),
        picture=np.ones((count, 2)),
        fps=np.full(count, 30.0),
    )


def look(noise: DetectorNoise, seed: int = 0, hidden: float = 0.0, size: float = 1.0) -> tuple[torch.Tensor, ...]:
    """Truth, points seen and confidence of people ``size`` high."""
    scene = people(40, 25, hidden)
    truth, behind, picture, fps = (
        torch.as_tensor(x, dtype=torch.float32) for x in (scene.truth, scene.hidden, scene.picture, scene.fps)
    )
    return size * truth, *noise.seen(size * truth, behind, size * picture, fps, torch.Generator().manual_seed(seed))


def test_without_strength_points_are_exact_and_sure() -> None:
    truth, seen, confidence = look(DetectorNoise(strength=0.0), hidden=1.0)
    assert torch.equal(seen, truth)
    assert (confidence == 1).all()


def test_the_same_seed_gives_the_same_errors() -> None:
    first, again, other = (look(DetectorNoise(), seed) for seed in (1, 1, 2))
    assert torch.equal(first[1], again[1])
    assert torch.equal(first[2], again[2])
    assert not torch.equal(first[1], other[1])


def test_points_are_finite_and_confidence_is_a_share_in_all_circumstances() -> None:
    scene = people(50, 40, hidden=0.6)
    truth = torch.as_tensor(scene.truth, dtype=torch.float32) + 0.7  # partly outside the picture
    fps = torch.linspace(1, 240, 50)
    seen, confidence = DetectorNoise(missing=0.3).seen(
        truth, torch.rand(50, 40, 4), torch.ones(50, 2), fps, torch.Generator().manual_seed(3)
    )
    assert torch.isfinite(seen).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    assert 0.25 < (confidence == 0).float().mean() < 0.6


def test_one_frame_is_enough() -> None:
    truth = torch.as_tensor(people(3, 1).truth, dtype=torch.float32)
    seen, confidence = DetectorNoise().seen(
        truth, torch.zeros(3, 1, 4), torch.ones(3, 2), torch.full((3,), 30.0), torch.Generator().manual_seed(0)
    )
    assert seen.shape == (3, 1, 33, 2)
    assert torch.isfinite(confidence).all()


def test_hidden_limbs_are_less_sure_and_further_off_than_free_ones() -> None:
    free, hidden = (simulated(people(hidden=share), fitted_figures(), 1) for share in (0.0, 1.0))
    for group in ("elbows", "wrists", "fingers", "ankles", "toes"):
        one, two = statistics(free, group), statistics(hidden, group)
        assert two["hidden_share"] > one["hidden_share"] + 0.2
        assert two["error_p50"] > 1.3 * one["error_p50"]
    assert statistics(hidden, "hips")["hidden_share"] == 0


def test_points_outside_the_picture_are_in_doubt() -> None:
    truth = torch.as_tensor(people(40, 25).truth, dtype=torch.float32)
    hidden, picture, fps = torch.zeros(40, 25, 4), torch.full((40, 2), 0.2), torch.full((40,), 30.0)
    _, confidence = MEASURED.seen(truth, hidden, picture, fps, torch.Generator().manual_seed(0))
    outside = (truth.abs() > 0.2).any(-1)
    assert confidence[outside].max() <= 0.65
    assert confidence[~outside].median() > 0.9


def test_errors_grow_with_the_box() -> None:
    truth, seen, _ = look(MEASURED)
    truth_twice, twice, _ = look(MEASURED, size=2.0)
    torch.testing.assert_close(twice - truth_twice, 2 * (seen - truth), atol=1e-5, rtol=1e-4)


def test_fading_noise_has_unit_spread_and_the_memory_it_is_given() -> None:
    white = torch.randn(4000, 40, 1, generator=torch.Generator().manual_seed(0))
    noise = fading_noise(white, torch.full((4000,), 10.0))[..., 0]
    np.testing.assert_allclose(noise.std(0), 1, atol=0.06)
    for lag in (1, 5, 20):
        product = (noise[:, lag:] * noise[:, :-lag]).mean()
        assert product == pytest.approx(np.exp(-lag / 10), abs=0.03)


def test_confidence_goes_from_the_open_curve_to_the_hidden_one() -> None:
    free, hidden = np.linspace(0.8, 1, 21), np.linspace(0, 0.4, 21)
    curves = confidence_curves(free.tolist(), hidden.tolist())
    np.testing.assert_allclose(curves[0], free, atol=0.01)
    np.testing.assert_allclose(curves[-1], hidden, atol=0.01)
    half = curves[len(curves) // 2]  # half of the time the one, half of the time the other
    assert (half < 0.5).mean() == pytest.approx(0.5, abs=0.05)
    assert (np.diff(curves, axis=1) >= 0).all()


def test_every_point_belongs_to_one_group_and_follows_a_point_placed_before_it() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(BLAZEPOSE33)
    placed = {*GROUPS["nose"], *GROUPS["hips"]}
    for points, leaders in CHAIN:
        followed = BLAZEPOSE33[leaders]
        assert set(followed) <= placed
        for index, name in enumerate(BLAZEPOSE33[points]):
            assert leader_of(name) == followed[index % len(followed)]
            placed.add(name)
    assert placed == set(BLAZEPOSE33)
    assert leader_of("left_foot_index") == "left_ankle"


def standing(**moved: tuple[float, float, float]) -> torch.Tensor:
    """A person 3 m before the camera, facing it, arms spread; some joints moved to other places."""
    joints = torch.zeros(1, 1, 24, 3)
    places = {"pelvis": (0, 0, 3), "neck": (0, -0.5, 3), "left_wrist": (0.6, -0.4, 3), "right_wrist": (-0.6, -0.4, 3),
              "left_hip": (0.1, 0, 3), "left_ankle": (0.15, 0.8, 3), "right_hip": (-0.1, 0, 3),
              "right_ankle": (-0.15, 0.8, 3)}  # fmt: skip
    for name, place in (places | moved).items():
        joints[0, 0, JOINT[name]] = torch.tensor(place, dtype=torch.float32)
    return joints


@pytest.mark.parametrize(
    ("moved", "limb"),
    [
        ({"left_wrist": (0.0, -0.2, 3.25)}, "left_arm"),
        ({"right_wrist": (0.05, -0.3, 3.3)}, "right_arm"),
        ({"left_ankle": (-0.13, 0.6, 3.3)}, "left_leg"),
        ({"right_ankle": (0.13, 0.6, 3.3)}, "right_leg"),
    ],
)
def test_limbs_behind_the_body_are_hidden_and_no_others(moved: dict[str, tuple], limb: str) -> None:
    hidden = hidden_limbs(standing(**moved))[0, 0]
    expected = [name == limb for name in LIMBS]
    assert ((hidden > 0.5).tolist()) == expected
    assert hidden_limbs(standing())[0, 0].max() < 0.2


def test_a_hand_before_the_chest_is_seen() -> None:
    assert hidden_limbs(standing(left_wrist=(0.0, -0.2, 2.7)))[0, 0].max() < 0.2


def test_what_is_chosen_by_hand_is_off_when_only_the_measured_is_wanted() -> None:
    chosen = {f.name: getattr(MEASURED, f.name) for f in fields(MEASURED) if f.name not in ("figures", "strength")}
    assert set(chosen.values()) == {0}
    _, _, confidence = look(MEASURED)
    assert (confidence > 0).all()


@pytest.fixture(scope="module")
def made() -> Seen:
    scene = people(500)
    half = np.zeros_like(scene.hidden)
    half[::2] = 1.0
    return simulated(Seen(**{**vars(scene), "hidden": half}), fitted_figures(), 1)


@pytest.fixture(scope="module")
def refitted(made: Seen) -> dict:
    return fit_noise(made)


@pytest.mark.parametrize("group", list(GROUPS))
def test_fitting_simulated_noise_finds_the_figures_that_made_it(group: str, refitted: dict) -> None:
    given, found = fitted_figures()["groups"][group], refitted["groups"][group]
    np.testing.assert_allclose(found["sure"], given["sure"], rtol=0.15)
    np.testing.assert_allclose(found["hidden"], given["hidden"], rtol=0.35)
    np.testing.assert_allclose(found["follow_sure"], given["follow_sure"], atol=0.1)
    np.testing.assert_allclose(found["tail"], given["tail"], atol=0.1)
    np.testing.assert_allclose(found["bias"], given["bias"], atol=0.12)
    np.testing.assert_allclose(found["paired"], given["paired"], atol=0.12)
    np.testing.assert_allclose(found["confidence_free"][3:], given["confidence_free"][3:], atol=0.03)


def test_fitting_finds_times_and_swaps(refitted: dict) -> None:
    given = fitted_figures()
    assert refitted["drift_seconds"] == pytest.approx(given["drift_seconds"], rel=0.3)
    assert refitted["swapped"]["body"][0] == pytest.approx(given["swapped"]["body"][0], rel=0.5)
    assert refitted["doubled"]["arm"][0] == pytest.approx(given["doubled"]["arm"][0], rel=0.35)
    np.testing.assert_allclose(refitted["face_shrink"], given["face_shrink"], atol=0.03)


def test_frames_without_anybody_are_left_out_of_the_fit(made: Seen, refitted: dict) -> None:
    gaps = np.zeros(made.confidence.shape[:2], bool)
    gaps[::3, 10:14] = True
    holes = {"error": np.where(gaps[..., None, None], np.nan, made.error)}
    holes["confidence"] = np.where(gaps[..., None], np.nan, made.confidence)
    found = fit_noise(Seen(**{**vars(made), **holes}))
    for group in GROUPS:
        np.testing.assert_allclose(found["groups"][group]["sure"], refitted["groups"][group]["sure"], rtol=0.05)
