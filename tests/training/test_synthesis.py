"""Synthetic pairs: same seed same pairs, mirrored people are people, what is seen agrees with the truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.lifter.virtual_camera import FEATURES
from reel2rig.smpl_assets.skeleton import JOINT
from reel2rig.training.detector_noise import DetectorNoise
from reel2rig.training.evaluation_cases import AS_RECORDED, CLEAN
from reel2rig.training.motion_set import MotionSet, Shards
from reel2rig.training.synthesis import LIMBS, Augmentation, PairMaker


def maker(
    motions: MotionSet, seed: int = 3, noise: DetectorNoise = CLEAN, how: Augmentation = AS_RECORDED
) -> PairMaker:
    return PairMaker(motions, seed, augmentation=how, noise=noise)


def test_batches_have_the_promised_shapes(motions: MotionSet) -> None:
    batch = PairMaker(motions, 1).batch(5, 17)
    shapes = {key: tuple(value.shape) for key, value in vars(batch).items()}
    assert shapes == {
        "features": (5, 17, FEATURES),
        "target": (5, 17, 38, 3),
        "stature": (5,),
        "seen": (5, 17),
        "rotation": (5, 17, 3, 3),
        "fps": (5,),
        "rays": (5, 17, 33, 2),
        "confidence": (5, 17, 33),
        "joints": (5, 17, 24, 3),
        "root": (5, 17, 3),
        "image": (5, 2),
        "world_from_camera": (5, 3, 3),
        "clip": (5,),
    }
    assert all(torch.isfinite(value.float()).all() for value in vars(batch).values())


def test_the_same_seed_gives_the_same_batches(motions: MotionSet) -> None:
    first, again, other = (PairMaker(motions, seed) for seed in (4, 4, 5))
    for _ in range(2):
        one, two, three = (each.batch(4, 9) for each in (first, again, other))
        assert torch.equal(one.features, two.features)
        assert torch.equal(one.target, two.target)
        assert not torch.equal(one.features, three.features)


def test_motion_on_disk_gives_the_same_batches_as_in_memory(motions: MotionSet) -> None:
    shards = {key: Shards(np.array_split(getattr(motions, key), [100, 170])) for key in ("quaternions", "pelvis")}
    one, two = (PairMaker(each, 4).batch(8, 9) for each in (motions, replace(motions, **shards)))
    assert torch.equal(one.features, two.features)
    assert torch.equal(one.target, two.target)


def test_targets_are_statures_with_the_pelvis_at_the_origin(motions: MotionSet) -> None:
    target = maker(motions).batch(8, 9).target
    assert target[:, :, 0].abs().max() < 1e-6
    size = (target[:, :, : 24 + 13].amax(2) - target[:, :, : 24 + 13].amin(2)).norm(dim=-1)
    assert 0.5 < size.mean() < 1.5
    np.testing.assert_allclose(target[:, :, 37].norm(dim=-1), 1, atol=1e-5)  # the world's up


def test_clean_keypoints_lie_where_the_joints_project(motions: MotionSet) -> None:
    batch = maker(motions).batch(16, 5)
    seen = batch.features[..., :66].reshape(16, 5, 33, 2)
    hips = [BLAZEPOSE33.index("left_hip"), BLAZEPOSE33.index("right_hip")]
    wrists = [BLAZEPOSE33.index("left_wrist"), BLAZEPOSE33.index("right_wrist")]
    drawn = (seen[:, :, wrists] - seen[:, :, hips].mean(2, keepdim=True)).reshape(-1, 2)
    joints = batch.target[:, :, [JOINT["left_wrist"], JOINT["right_wrist"]], :2].reshape(-1, 2)
    correlation = np.corrcoef(drawn.numpy().T, joints.numpy().T)
    assert correlation[0, 2] > 0.95  # x in the picture against x of the joints
    assert correlation[1, 3] > 0.95


def test_half_of_the_windows_are_mirrored_and_bones_keep_their_length(motions: MotionSet) -> None:
    made = maker(motions)
    mirrored = 0
    for _ in range(4):
        _, quaternions, _, _ = made._windows(64, 5)
        np.testing.assert_allclose(quaternions.norm(dim=-1), 1, atol=1e-5)
        mirrored += _count_mirrored(made, quaternions)
    assert 256 * 0.3 < mirrored < 256 * 0.7
    assert torch.equal(made.mirror[made.mirror], torch.arange(24))
    target = made.batch(16, 5).target
    thighs = [
        (target[:, :, JOINT[f"{side}_knee"]] - target[:, :, JOINT[f"{side}_hip"]]).norm(dim=-1)
        for side in ("left", "right")
    ]
    np.testing.assert_allclose(thighs[0], thighs[1], atol=0.01)


def test_bones_differ_between_people_and_agree_between_their_sides(motions: MotionSet) -> None:
    target = maker(motions, how=replace(AS_RECORDED, shape=0.0, bone_length=0.05)).batch(32, 5).target
    shins = [
        (target[:, :, JOINT[f"{side}_ankle"]] - target[:, :, JOINT[f"{side}_knee"]]).norm(dim=-1)
        for side in ("left", "right")
    ]
    np.testing.assert_allclose(shins[0], shins[1], atol=0.003)
    np.testing.assert_allclose(shins[0] - shins[0][:, :1], 0, atol=1e-5)  # for the whole window
    assert 0.02 < shins[0][:, 0].std() / shins[0][:, 0].mean() < 0.1


def test_some_people_get_a_limb_of_another_and_keep_the_rest(motions: MotionSet) -> None:
    made = maker(motions, how=replace(AS_RECORDED, recombine_limb=0.5))
    _, given, _, _ = made._windows(64, 5)
    changed = (made._recombined(given) != given).any(-1).any(1)  # (64, 24)
    for limb in LIMBS:
        assert (changed[:, limb] == changed[:, limb[:1]]).all()  # a limb comes whole
        assert 0.2 < changed[:, limb[0]].float().mean() < 0.8
    trunk = [joint for joint in range(24) if not any(joint in limb for limb in LIMBS)]
    assert not changed[:, trunk].any()


def _count_mirrored(made: PairMaker, quaternions: torch.Tensor) -> int:
    """How many windows begin nearer to a mirrored frame of the data than to one as recorded."""
    assert isinstance(made.quaternions, torch.Tensor)
    other = made.quaternions[:, made.mirror] * torch.tensor([1.0, 1.0, -1.0, -1.0])
    start = quaternions[:, 0].flatten(1)
    distances = [torch.cdist(start, frames.flatten(1)).amin(1) for frames in (made.quaternions, other)]
    return int((distances[1] < distances[0]).sum())


def test_missing_points_are_zero_with_confidence_zero(motions: MotionSet) -> None:
    batch = maker(motions, noise=DetectorNoise(missing=0.5)).batch(16, 9)
    points, confidence = batch.features[..., :66].reshape(16, 9, 33, 2), batch.features[..., 66:99]
    assert 0.35 < (confidence == 0).float().mean() < 0.7
    assert points[confidence == 0].abs().max() == 0
    assert confidence.min() >= 0
    assert confidence.max() <= 1


@pytest.mark.parametrize("frames", [2, 49, 81])
def test_windows_stay_inside_their_clip(motions: MotionSet, frames: int) -> None:
    painted = np.repeat(np.array([0, 5, 9], np.float32), motions.length)[:, None].repeat(3, axis=1)
    marked = replace(motions, pelvis=painted)
    made = maker(marked, how=Augmentation())
    _, _, pelvis, _ = made._windows(64, frames)
    # the clip's number is painted into the pelvis height; a window that leaves its clip would mix two
    assert set(pelvis[..., 1].unique().tolist()) <= {0.0, 5.0, 9.0}
    assert (pelvis[..., 1].diff(dim=1) == 0).all()
