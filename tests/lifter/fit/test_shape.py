import numpy as np
import pytest
from reel2rig.lifter.fit.shape import LENGTHS, SEEN_BETAS, measured_lengths, solve_betas
from reel2rig.smpl_assets.body import Body, open_body
from reel2rig.smpl_assets.rotation import Array

SURE = np.ones((1, 24))


def lengths_of(body: Body, betas: Array) -> Array:
    return measured_lengths(body.rest_joints(betas)[None].astype(float), SURE)


def random_betas(seed: int) -> Array:
    """Somebody whose mass and muscle are as preset and whose lengths are not."""
    body = open_body()
    result = np.array(dict(body.presets)["neutral"], float)
    random = np.random.default_rng(seed)
    for name in SEEN_BETAS:
        result[body.beta_names.index(name)] = random.normal(0, 0.7)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_bone_lengths_are_recovered(seed: int) -> None:
    body, truth = open_body(), random_betas(seed)
    wanted = lengths_of(body, truth)
    for stature in (None, body.stature(truth)):
        found = lengths_of(body, solve_betas(body, wanted, stature))
        assert np.abs(found - wanted).mean() < 0.002
        assert np.abs(found - wanted).max() < 0.008


@pytest.mark.parametrize("stature", [1.55, 1.70, 1.90])
def test_the_given_stature_is_respected(stature: float) -> None:
    body = open_body()
    middle = lengths_of(body, np.zeros(10))
    found = solve_betas(body, middle * stature / body.stature(np.zeros(10)), stature)
    assert body.stature(found) == pytest.approx(stature, abs=0.01)


def test_what_joints_do_not_show_keeps_its_preset() -> None:
    body = open_body()
    found = solve_betas(body, lengths_of(body, random_betas(0)), 1.8)
    preset = np.array(dict(body.presets)["neutral"])
    for index, name in enumerate(body.beta_names):
        if name not in SEEN_BETAS:
            assert found[index] == pytest.approx(preset[index], abs=1e-6)


def test_bodies_without_named_betas_use_them_all(licensed_body: Body) -> None:
    truth = np.random.default_rng(0).normal(0, 0.7, 10)
    wanted = lengths_of(licensed_body, truth)
    found = solve_betas(licensed_body, wanted, None)
    assert np.abs(lengths_of(licensed_body, found) - wanted).mean() < 0.002


def test_lengths_do_not_follow_bad_frames() -> None:
    good = np.repeat(open_body().rest_joints(np.zeros(10))[None].astype(float), 50, axis=0)
    bad = good.copy()
    bad[10:20] *= 3.0
    np.testing.assert_allclose(measured_lengths(bad, np.ones((50, 24))), measured_lengths(good, np.ones((50, 24))))


def test_lengths_come_from_frames_that_are_seen() -> None:
    joints = np.repeat(open_body().rest_joints(np.zeros(10))[None].astype(float), 50, axis=0)
    wanted = measured_lengths(joints[:1], SURE)
    joints[:40] *= 0.5
    confidence = np.ones((50, 24))
    confidence[:40] = 0.0
    np.testing.assert_allclose(measured_lengths(joints, confidence), wanted)
    assert len(wanted) == len(LENGTHS)
