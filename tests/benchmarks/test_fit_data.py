"""What the fit's benchmark takes for the truth is motion of real people, and is hidden as it says."""

import numpy as np
import pytest
from reel2rig.benchmarks.fit_data import (
    CASES,
    TruthClip,
    given_points,
    long_clip,
    off,
    person,
    soles,
    standing_level,
    truth_clips,
)
from reel2rig.benchmarks.fit_metrics import foot_slide, in_contact
from reel2rig.smpl_assets.skeleton import PARENTS


@pytest.fixture(scope="module")
def walks() -> list[TruthClip]:
    return truth_clips(("cmu_06_01", "cmu_12_01"))


def test_bones_are_those_of_the_person(walks: list[TruthClip]) -> None:
    for clip in walks:
        rest = clip.rest.joints[1:] - clip.rest.joints[list(PARENTS[1:])]
        bones = clip.posed.joints[:, 1:] - clip.posed.joints[:, list(PARENTS[1:])]
        lengths, expected = (np.linalg.norm(vectors, axis=-1) for vectors in (bones, rest))
        np.testing.assert_allclose(lengths, np.broadcast_to(expected, lengths.shape), atol=1e-5)


def test_people_differ_and_stay_themselves(walks: list[TruthClip]) -> None:
    assert not np.allclose(walks[0].betas, walks[1].betas)
    np.testing.assert_array_equal(walks[0].betas, person("cmu_06")[0])


def test_walkers_stand_on_the_floor_and_their_feet_hold(walks: list[TruthClip]) -> None:
    for clip in walks:
        feet = soles(clip.posed.ends)
        contact = in_contact(feet)
        assert standing_level(feet, clip.fps) == pytest.approx(0.0, abs=0.002)
        assert 0.2 < contact.mean() < 0.6
        assert foot_slide(feet, contact).mean() < 0.002


def test_noise_displaces_by_the_millimetres_it_is_called_after() -> None:
    moved = off(np.zeros((20_000, 3)), 20.0, np.random.default_rng(0))
    assert np.linalg.norm(moved, axis=-1).mean() == pytest.approx(0.020, rel=0.02)


def test_noise_of_neighbouring_frames_and_points_is_independent(walks: list[TruthClip]) -> None:
    given = given_points(walks[0], CASES["noisy"]).joints - walks[0].posed.joints
    for first, second in ((given[1:], given[:-1]), (given[:, 1:], given[:, :-1])):
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05


def test_exact_points_are_the_truth_and_ends_can_be_kept_back(walks: list[TruthClip]) -> None:
    exact, blind = (given_points(walks[0], CASES[name]) for name in ("exact", "exact_without_ends"))
    np.testing.assert_allclose(exact.joints, walks[0].posed.joints, atol=1e-5)
    np.testing.assert_allclose(exact.ends, walks[0].posed.ends, atol=1e-5)
    assert np.isnan(blind.ends).all()
    np.testing.assert_array_equal(blind.joints, exact.joints)


def test_a_long_clip_is_one_person_again_and_again(walks: list[TruthClip]) -> None:
    own = len(walks[0].posed.joints)
    given, truth = long_clip(walks, CASES["exact"], 2 * own + 7)
    assert len(given.joints) == len(truth.posed.joints) == 2 * own + 7
    np.testing.assert_array_equal(given.joints[own : 2 * own], given.joints[:own])
    np.testing.assert_allclose(given.joints, truth.posed.joints, atol=1e-5)
    assert (np.diff(given.times) > 0).all()
