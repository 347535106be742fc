"""The peers are treated fairly: what they are given is right, and what they can know comes out."""

import numpy as np
import pytest
from reel2rig.benchmarks.fit_clean_up import one_euro, savitzky_golay
from reel2rig.benchmarks.fit_data import CASES, TruthClip, given_points, truth_clips
from reel2rig.benchmarks.fit_peers import best_turns, mesh_points, skinned, stand_in_points, swing_only
from reel2rig.smpl_assets.body import forward, open_body
from reel2rig.smpl_assets.rotation import axis_angle_from_matrix, matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT

FPS = 30.0


@pytest.fixture(scope="module")
def run() -> TruthClip:
    return truth_clips(("cmu_09_02",))[0]


def test_swing_only_points_every_limb_where_it_belongs(run: TruthClip) -> None:
    found = swing_only(given_points(run, CASES["exact"]))
    for upper, lower in (("left_elbow", "left_wrist"), ("right_hip", "right_knee"), ("left_ankle", "left_foot")):
        ours, theirs = (
            joints[:, JOINT[lower]] - joints[:, JOINT[upper]] for joints in (found.joints, run.posed.joints)
        )
        cosine = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
        assert cosine.min() > 0.9999


def test_best_turns_are_found() -> None:
    random = np.random.default_rng(0)
    turns, rest = matrix_from_axis_angle(random.normal(size=(6, 3))), random.normal(size=(4, 3))
    np.testing.assert_allclose(best_turns(rest, rest @ np.swapaxes(turns, -1, -2)), turns, atol=1e-9)


def test_vertices_handed_to_smplfitter_are_those_of_the_body(run: TruthClip) -> None:
    local = np.stack([run.posed.rotations[0, 0], *np.tile(np.eye(3), (23, 1, 1))])
    poses = axis_angle_from_matrix(local).reshape(1, 72)
    vertices, joints = forward(open_body(), poses, np.zeros((1, 3)), run.betas)
    stiff = np.tile(local[0], (1, 24, 1, 1))
    posed = type(run.posed)(stiff, joints, np.zeros((1, 13, 3)))
    np.testing.assert_allclose(skinned(mesh_points(), run.betas, posed), vertices[:, ::13], atol=1e-5)


def test_ends_handed_to_smplfitter_are_the_ends(run: TruthClip) -> None:
    found = skinned(stand_in_points(), run.betas, run.posed)[:, :13]
    assert np.linalg.norm(found - run.posed.ends, axis=-1).mean() < 0.003, "landmarks are linear in more than one joint"


def test_savitzky_golay_keeps_parabolas_and_short_clips() -> None:
    parabola = np.arange(20.0)[:, None] ** 2
    np.testing.assert_allclose(savitzky_golay(parabola, FPS, 7), parabola, atol=1e-9)
    assert savitzky_golay(parabola[:4], FPS, 7).shape == (4, 1)


def test_one_euro_keeps_what_stands_still_and_follows_what_moves() -> None:
    still = np.full((10, 2), 3.0)
    np.testing.assert_array_equal(one_euro(still, FPS, 1.0, 1.0), still)
    step = np.repeat([0.0, 1.0], 10)[:, None]
    slow, fast = (one_euro(step, FPS, 1.0, slope)[10, 0] for slope in (0.0, 5.0))
    assert slow == pytest.approx(1 / (1 + FPS / (2 * np.pi))), "a first-order low-pass at 1 Hz"
    assert slow < fast < 1.0
