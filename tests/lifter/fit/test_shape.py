from collections.abc import Callable

import numpy as np
import pytest
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.fit.shape import (
    LENGTH_SPREAD,
    LENGTHS,
    SEEN_BETAS,
    betas_of_build,
    measured_bones,
    measured_lengths,
    solve_betas,
)
from reel2rig.lifter.fit.skeleton import Pose, rest_skeleton
from reel2rig.lifter.records import Joints3D
from reel2rig.smpl_assets.body import Body, open_body
from reel2rig.smpl_assets.rotation import Array
from reel2rig.smpl_assets.skeleton import JOINT

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


@pytest.mark.parametrize("seed", range(2))
def test_bodies_are_found_again_from_a_moving_person(seed: int, motion: Pose, given: Callable[..., Joints3D]) -> None:
    """Exact joints: rest joints within a millimetre; with 20 mm of noise: within a centimetre."""
    body, truth = open_body(), random_betas(seed)
    for noise, allowed in ((0.0, 0.001), (20.0, 0.01)):
        seen = given(rest_skeleton(body, truth), motion, noise)
        lengths, spread = measured_bones(seen.joints.astype(float), seen.confidence.astype(float))
        joints = [body.rest_joints(betas) for betas in (truth, solve_betas(body, lengths, None, spread))]
        off = (joints[1] - joints[1][0]) - (joints[0] - joints[0][0])
        assert np.linalg.norm(off, axis=-1).mean() < allowed


def test_a_bone_whose_length_wanders_is_known_badly() -> None:
    joints = np.repeat(open_body().rest_joints(np.zeros(10))[None].astype(float), 90, axis=0)
    joints[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 1] += 0.03 * np.sin(np.arange(90) / 10)[:, None]
    spread = dict(zip(LENGTHS, measured_bones(joints, np.ones((90, 24)))[1], strict=True))
    assert spread["thigh"] == pytest.approx(LENGTH_SPREAD)
    assert spread["shin"] > 2 * LENGTH_SPREAD


def test_jitter_does_not_make_bones_longer(given: Callable[..., Joints3D], walk: Pose) -> None:
    body = open_body()
    exact, jittery = (given(rest_skeleton(body, np.zeros(10)), walk, noise).joints.astype(float) for noise in (0, 30))
    lengths = [measured_lengths(joints, np.ones(joints.shape[:2])) for joints in (exact, jittery)]
    assert abs((lengths[1] - lengths[0]).mean()) < 0.003  # it would be 8 mm


@pytest.mark.parametrize("name", ["mass", "muscle", "height"])
def test_the_user_sets_what_joints_do_not_show(name: str) -> None:
    body = open_body()
    found = solve_betas(body, lengths_of(body, random_betas(0)), None, fixed={name: 1.5})
    assert found[body.beta_names.index(name)] == pytest.approx(1.5)


def test_a_build_sets_mass_muscle_and_gender_as_a_preset_has_them() -> None:
    body = open_body()
    found = betas_of_build(body, "female_heavy")
    assert found.keys() == {"mass", "muscle", "gender"}
    assert found["mass"] > 2
    assert found["gender"] > 1
    assert betas_of_build(body, None) == {}


def test_an_unknown_build_is_told_with_those_there_are(licensed_body: Body) -> None:
    with pytest.raises(InputError, match="giant") as told:
        betas_of_build(open_body(), "giant")
    assert "male_heavy" in told.value.hint
    with pytest.raises(InputError) as told:
        betas_of_build(licensed_body, "male")
    assert told.value.hint == "Only the open body has them."


@pytest.mark.parametrize("build", ["male", "female"])
def test_gender_shows_in_the_bones_of_hips_and_shoulders(build: str) -> None:
    body = open_body()
    truth = dict(body.presets)[build]
    found = solve_betas(body, lengths_of(body, truth), None)
    gender = body.beta_names.index("gender")
    assert found[gender] == pytest.approx(truth[gender], abs=0.7)


def test_unknown_betas_are_told() -> None:
    with pytest.raises(InputError, match="shoe_size"):
        solve_betas(open_body(), lengths_of(open_body(), np.zeros(10)), None, fixed={"shoe_size": 44.0})


def test_joints_that_are_not_known_have_no_say() -> None:
    joints = np.repeat(open_body().rest_joints(np.zeros(10))[None].astype(float), 5, axis=0)
    wanted = measured_lengths(joints, np.ones((5, 24)))
    joints[:2, JOINT["left_knee"]] = np.nan
    np.testing.assert_allclose(measured_lengths(joints, np.ones((5, 24))), wanted)
    joints[:, [JOINT["left_wrist"], JOINT["right_wrist"]]] = np.nan
    lengths, spread = measured_bones(joints, np.ones((5, 24)))
    found = lengths_of(open_body(), solve_betas(open_body(), lengths, None, spread))
    assert np.isnan(lengths).sum() == 1
    np.testing.assert_allclose(found[np.isfinite(lengths)], wanted[np.isfinite(lengths)], atol=0.005)


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
