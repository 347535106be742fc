"""The whole clean-up on real motion, posed on the bundled body and made to jitter, drift and slide."""

import numpy as np
import pytest
from reel2rig.lifter.clean_up import CleanUp, clean_up
from reel2rig.lifter.contact import ContactMode
from reel2rig.lifter.fit.skeleton import RestSkeleton, pose_skeleton, rest_skeleton
from reel2rig.lifter.ground import CONTACT_POINTS, SOLES, floor_height
from reel2rig.smpl_assets.body import open_body
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle
from reel2rig.training.readers.cmu_pack import PACK

FPS = 30.0
Z_UP_FROM_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
Motion = tuple[Array, Array]


@pytest.fixture(scope="module")
def rest() -> RestSkeleton:
    return rest_skeleton(open_body(), np.array(dict(open_body().presets)["neutral"], float))


@pytest.fixture(scope="module")
def walk(rest: RestSkeleton) -> Motion:
    """Four seconds of a walk, its feet on the floor."""
    with np.load(PACK / "val_00.npz") as pack:
        frames = slice(int(pack["start"][0]), int(pack["start"][0] + pack["length"][0]))
        local = matrix_from_axis_angle(pack["pose"][frames] * float(pack["pose_scale"]))
        pelvis = pack["joints"][frames, 0] * float(pack["joint_scale"]) @ Z_UP_FROM_Y_UP.T
    local[:, 0] = Z_UP_FROM_Y_UP @ local[:, 0]
    posed = pose_skeleton(rest, local, pelvis)
    return local, pelvis - [0.0, 0.0, floor_height(posed.joints, posed.ends, np.ones((len(local), 24)))]


@pytest.fixture(scope="module")
def captured(walk: Motion) -> Motion:
    """The walk as one camera gives it: joints jitter by a degree, the path by a centimetre, and depth (Y) sways."""
    random, (local, pelvis) = np.random.default_rng(4), walk
    sway = 0.05 * np.sin(2 * np.pi * 0.4 * np.arange(len(pelvis)) / FPS)
    jitter = matrix_from_axis_angle(np.radians(1.0) * random.normal(size=local.shape[:3]))
    path = pelvis + random.normal(0, 0.01, pelvis.shape) + sway[:, None] * [0.0, 1.0, 0.0]
    return local @ jitter, path


def slide(rest: RestSkeleton, motion: Motion, contact: np.ndarray) -> float:
    """Mean millimetres a frame that points in contact move over the floor."""
    feet = pose_skeleton(rest, *motion).ends[:, CONTACT_POINTS, :2]
    standing = (contact[1:] > 0) & (contact[:-1] > 0)
    return 1000 * float(np.linalg.norm(np.diff(feet, axis=0), axis=-1)[standing].mean())


def test_feet_of_a_walk_stand(rest: RestSkeleton, captured: Motion) -> None:
    local, pelvis, contact = clean_up(rest, *captured, FPS, CleanUp())
    assert 0.3 < contact.mean() < 0.8
    assert slide(rest, captured, contact) > 10.0
    assert slide(rest, (local, pelvis), contact) < 1.0


def test_the_walk_itself_stays(rest: RestSkeleton, walk: Motion, captured: Motion) -> None:
    def error(motion: Motion) -> float:
        found, truth = pose_skeleton(rest, *motion).joints, pose_skeleton(rest, *walk).joints
        return 1000 * float(np.linalg.norm((found - found[:, :1]) - (truth - truth[:, :1]), axis=-1).mean())

    local, pelvis, _ = clean_up(rest, *captured, FPS, CleanUp())
    assert error((local, pelvis)) < error(captured) + 2.0


def test_jitter_goes(rest: RestSkeleton, walk: Motion, captured: Motion) -> None:
    def error(motion: Motion) -> float:
        found, truth = (np.diff(pose_skeleton(rest, *one).joints, 2, axis=0) for one in (motion, walk))
        return float(np.linalg.norm(found - truth, axis=-1).mean())

    local, pelvis, _ = clean_up(rest, *captured, FPS, CleanUp())
    assert error((local, pelvis)) < 0.25 * error(captured)


def test_everything_switched_off_changes_nothing(rest: RestSkeleton, captured: Motion) -> None:
    local, pelvis, contact = clean_up(rest, *captured, FPS, CleanUp(smoothing=0.0, foot_lock=0.0, floor=0.0))
    np.testing.assert_array_equal(local, captured[0])
    np.testing.assert_array_equal(pelvis, captured[1])
    assert contact.any(), "but contacts are found all the same"


def test_never_means_that_feet_are_left_alone(rest: RestSkeleton, captured: Motion) -> None:
    local, pelvis, contact = clean_up(rest, *captured, FPS, CleanUp(smoothing=0.0, contacts="never"))
    np.testing.assert_array_equal(local, captured[0])
    np.testing.assert_array_equal(pelvis, captured[1])
    assert not contact.any()


def test_grounding_lets_feet_glide_on_the_floor(rest: RestSkeleton, captured: Motion) -> None:
    floating = captured[0], captured[1] + [0.0, 0.0, 0.3]
    local, pelvis, contact = clean_up(rest, *floating, FPS, CleanUp(contacts="grounding"))
    lowest = (pose_skeleton(rest, local, pelvis).ends[:, CONTACT_POINTS, 2] - SOLES).min(axis=1)
    assert np.abs(lowest).max() < 0.02
    assert contact.any(axis=1).all()
    assert slide(rest, (local, pelvis), contact) > 3.0


def test_always_keeps_a_foot_on_the_floor_at_any_time(rest: RestSkeleton, captured: Motion) -> None:
    floating = captured[0], captured[1] + [0.0, 0.0, 0.3]
    local, pelvis, contact = clean_up(rest, *floating, FPS, CleanUp(contacts="always"))
    assert contact.any(axis=1).mean() > 0.95
    heights = pose_skeleton(rest, local, pelvis).ends[:, CONTACT_POINTS, 2] - SOLES
    assert np.median(heights[contact > 0]) == pytest.approx(0.0, abs=0.01)
    assert slide(rest, (local, pelvis), contact) < 2.0


@pytest.mark.parametrize("mode", ["auto", "always", "grounding"])
def test_on_the_head_feet_carry_nothing(rest: RestSkeleton, walk: Motion, mode: ContactMode) -> None:
    local = np.repeat(walk[0][:1], 60, axis=0)
    local[:, 0] = np.diag([1.0, -1.0, -1.0]) @ local[:, 0]
    lowest = pose_skeleton(rest, local[:1], np.zeros((1, 3))).joints[..., 2].min()
    pelvis = np.tile([0.0, 0.0, 0.1 - lowest], (60, 1))
    same, path, contact = clean_up(rest, local, pelvis, FPS, CleanUp(contacts=mode))
    assert not contact.any()
    np.testing.assert_allclose(same, local, atol=1e-6)
    np.testing.assert_allclose(path, pelvis, atol=0.03)


@pytest.mark.parametrize("rise", [0.17, -0.17])
def test_stairs_keep_their_height(rest: RestSkeleton, walk: Motion, rise: float) -> None:
    """Eight steps, half a second on each and a third of a second between two."""
    step = np.concatenate([np.zeros(15), (1 - np.cos(np.linspace(0, np.pi, 10))) / 2])
    along = np.concatenate([step + number for number in range(8)])
    pelvis = walk[1][:1] + along[:, None] * [0.0, 0.3, rise]
    _, path, contact = clean_up(rest, np.repeat(walk[0][:1], len(along), axis=0), pelvis, FPS, CleanUp())
    assert contact.any(axis=1).mean() > 0.5
    assert path[-1, 2] - path[0, 2] == pytest.approx(8 * rise, rel=0.03)


@pytest.mark.parametrize("mode", ["auto", "always", "never", "grounding"])
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_the_shortest_clips(rest: RestSkeleton, captured: Motion, mode: ContactMode, frames: int) -> None:
    cut = captured[0][:frames], captured[1][:frames]
    local, pelvis, contact = clean_up(rest, *cut, FPS, CleanUp(contacts=mode))
    assert (local.shape, pelvis.shape, contact.shape) == ((frames, 24, 3, 3), (frames, 3), (frames, 4))
    assert np.isfinite(local).all()
    assert np.isfinite(pelvis).all()


def test_the_world_may_be_turned(rest: RestSkeleton, captured: Motion) -> None:
    turn = matrix_from_axis_angle(np.array([0.0, 0.0, 2.5]))
    turned = captured[0].copy()
    turned[:, 0] = turn @ turned[:, 0]
    here = clean_up(rest, *captured, FPS, CleanUp())
    there = clean_up(rest, turned, captured[1] @ turn.T, FPS, CleanUp())
    np.testing.assert_array_equal(there[2], here[2])
    np.testing.assert_allclose(there[1], here[1] @ turn.T, atol=1e-5)
    np.testing.assert_allclose(there[0][:, 1:], here[0][:, 1:], atol=1e-4)


def test_a_loop_comes_back_to_where_it_began(rest: RestSkeleton, captured: Motion) -> None:
    """There and back again, four times: the path gathers no drift."""
    there_and_back = [np.concatenate([part, part[::-1]] * 4) for part in captured]
    _, pelvis, _ = clean_up(rest, there_and_back[0], there_and_back[1], FPS, CleanUp())
    length = 2 * len(captured[1])
    shift = np.linalg.norm((pelvis - there_and_back[1])[::length, :2], axis=1)
    assert shift.max() < 0.2, "metres, of 30 walked"


def told(motion: Motion, frames: slice, points: slice, contact: float) -> np.ndarray:
    """What is told of a motion's contacts: ``contact`` of these points in these frames."""
    result = np.full((len(motion[1]), 4), np.nan, np.float32)
    result[frames, points] = contact
    return result


LEFT, RIGHT = slice(0, 2), slice(2, 4)


# a step that slides, a foot that rolls, and one that swings through the air by more than a metre
@pytest.mark.parametrize(("frames", "points"), [((20, 32), LEFT), ((40, 58), RIGHT), ((30, 70), LEFT)])
def test_a_foot_told_to_stand_keeps_still(
    rest: RestSkeleton, captured: Motion, frames: tuple[int, int], points: slice
) -> None:
    here = slice(*frames)
    local, pelvis, contact = clean_up(rest, *captured, FPS, CleanUp(), told=told(captured, here, points, 1.0))
    feet = pose_skeleton(rest, local, pelvis).ends[:, CONTACT_POINTS]
    slides = np.linalg.norm(np.diff(feet[here, points], axis=0), axis=-1)
    assert slides[1:-1].max() < 0.001
    assert slides.max() < 0.003, "in the frames at the border"
    assert contact[here, points].all()


@pytest.mark.parametrize("contact", [0.0, 1.0])
def test_other_frames_decide_as_if_nothing_was_told(rest: RestSkeleton, captured: Motion, contact: float) -> None:
    words = told(captured, slice(40, 70), LEFT, contact)
    found = clean_up(rest, *captured, FPS, CleanUp(), told=words)[2]
    usual = clean_up(rest, *captured, FPS, CleanUp())[2]
    np.testing.assert_array_equal(found, np.where(np.isnan(words), usual, contact))


def test_only_feet_told_to_stand_are_held_where_feet_glide(rest: RestSkeleton, captured: Motion) -> None:
    options = CleanUp(contacts="grounding")
    local, pelvis, contact = clean_up(rest, *captured, FPS, options, told=told(captured, slice(20, 32), LEFT, 1.0))
    feet = pose_skeleton(rest, local, pelvis).ends[:, CONTACT_POINTS]
    assert np.linalg.norm(np.diff(feet[20:32, LEFT], axis=0), axis=-1).max() < 0.001
    assert slide(rest, (local[40:], pelvis[40:]), contact[40:]) > 3.0
