"""Held-out clips are played whole, and cases differ in the one thing that they are named after."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.evaluation_cases import AS_RECORDED, CASES, CLEAN
from reel2rig.training.held_out import LARGEST_SHARE, Case, HeldOutPairs, Lens, pieces
from reel2rig.training.motion_set import MotionSet
from reel2rig.training.synthesis import Batch

NORMAL = Case(AS_RECORDED, CLEAN, Lens((25.0, 80.0)))
WIDE = replace(NORMAL, lens=Lens((80.0, 100.0)))


def pairs(motions: MotionSet, case: Case, cameras: int = 12) -> list[Batch]:
    return list(HeldOutPairs(motions, case, cameras=cameras, seed=3))


def with_clips(motions: MotionSet, **changes: Any) -> MotionSet:
    return replace(motions, **{key: np.asarray(value) for key, value in changes.items()})


def degrees_between(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    cosine = torch.nn.functional.cosine_similarity(first, second, dim=-1)
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))


def test_every_frame_of_every_clip_is_played_once(motions: MotionSet) -> None:
    played = pieces(motions)
    for clip, length in enumerate(motions.length):
        frames = np.concatenate([positions for number, positions in played if number == clip])
        np.testing.assert_allclose(frames, np.arange(length))
    assert {len(positions) for _, positions in played} == {45, 60, 50}, "90, 120 and 100 frames in even halves"


def test_a_faster_recording_is_played_at_30_frames_a_second(motions: MotionSet) -> None:
    ((_, positions),) = pieces(with_clips(motions, start=[0], length=[90], fps=[60.0]))
    np.testing.assert_allclose(positions, np.arange(0, 89.5, 2))


def test_the_motion_is_that_of_the_recording(motions: MotionSet) -> None:
    batch = pairs(motions, Case(AS_RECORDED, CLEAN))[0]
    elsewhere = batch.joints @ batch.world_from_camera[:, None].mT
    steps = (batch.joints[:, 1:] - batch.joints[:, :-1]).norm(dim=-1)
    torch.testing.assert_close((elsewhere[:, 1:] - elsewhere[:, :-1]).norm(dim=-1), steps, atol=1e-5, rtol=0)
    assert batch.clip.unique().tolist() == [0]
    assert batch.fps.unique().tolist() == [30.0]


def test_clips_too_short_to_measure_are_told(motions: MotionSet) -> None:
    with pytest.raises(TrainingDataError, match="too short"):
        pieces(with_clips(motions, length=[2, 2, 1]))


@pytest.mark.parametrize("name", CASES)
def test_all_cases_show_the_same_people_from_the_same_side(motions: MotionSet, name: str) -> None:
    first, other = (pairs(motions, case, cameras=4)[1] for case in (CASES["noisy"], CASES[name]))
    torch.testing.assert_close(other.stature, first.stature)
    turned = first.joints - first.joints[:, :, :1]
    depths = (_seen_from_the_person(batch) for batch in (first, other))
    torch.testing.assert_close(*depths, atol=1e-4, rtol=0)
    assert turned.std() > 0.1


def _seen_from_the_person(batch: Batch) -> torch.Tensor:
    """How far (B, 24) each joint of the first frame lies along the way from the camera to the middle of the person."""
    way = batch.root.mean(1)
    return (batch.joints[:, 0] @ (way / way.norm(dim=1, keepdim=True))[..., None])[..., 0]


def test_a_wide_lens_leaves_the_camera_where_it_is(motions: MotionSet) -> None:
    for normal, wide in zip(pairs(motions, NORMAL), pairs(motions, WIDE), strict=True):
        middles = [batch.root.mean(1) for batch in (normal, wide)]
        torch.testing.assert_close(middles[1].norm(dim=1), middles[0].norm(dim=1), rtol=1e-4, atol=0)
        places = [
            middle[:, :2] / middle[:, 2:] / batch.image for middle, batch in zip(middles, (normal, wide), strict=True)
        ]
        torch.testing.assert_close(places[1], places[0], atol=1e-3, rtol=0)
        wider = torch.atan(wide.image.amax(1)) * 2
        assert torch.rad2deg(wider).min() >= 80 - 1e-3
        assert torch.rad2deg(wider).max() <= 100 + 1e-3


def test_the_same_framing_keeps_the_share_of_the_picture(motions: MotionSet) -> None:
    tele = replace(NORMAL, lens=Lens((10.0, 25.0), same_framing=True))
    for normal, far in zip(pairs(motions, NORMAL), pairs(motions, tele), strict=True):
        shares = [b.stature / b.root[..., 2].mean(1) / (2 * b.image[:, 1]) for b in (normal, far)]
        torch.testing.assert_close(shares[1], shares[0], rtol=1e-3, atol=0)
        assert shares[0].max() <= LARGEST_SHARE * 1.01
        assert (far.root[..., 2].mean(1) > normal.root[..., 2].mean(1)).all()


def test_behind_a_lens_the_whole_person_is_in_the_picture(motions: MotionSet) -> None:
    def inside(case: Case) -> float:
        """Share of the frames with all points in the picture."""
        seen = [(b.rays.abs() <= b.image[:, None, None]).flatten(2).all(-1) for b in pairs(motions, case, cameras=64)]
        return float(torch.cat(seen, 1).float().mean())

    assert inside(NORMAL) > 0.8, "but for arms stretched out in an upright picture"
    assert inside(Case(AS_RECORDED, CLEAN)) < 0.6, "others may be cut off"
