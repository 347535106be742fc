"""The evaluation finds no error where there is none, and the one that is put in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from reel2rig.training.baselines import train_baselines
from reel2rig.training.error_tally import ErrorTally
from reel2rig.training.evaluate import evaluate, lifted, score, tallies
from reel2rig.training.evaluation_cases import AS_RECORDED, CASES, CLEAN
from reel2rig.training.evaluation_table import comparisons, table
from reel2rig.training.held_out import Case, HeldOutPairs
from reel2rig.training.motion_set import MotionSet
from reel2rig.training.network import Lifter
from reel2rig.training.synthesis import Batch
from torch import Tensor


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def batches(motions: MotionSet) -> list[Batch]:
    return list(HeldOutPairs(motions, Case(AS_RECORDED, CLEAN), cameras=3, seed=1))


def true_points(batch: Batch) -> Tensor:
    rows = batch.target @ batch.rotation.mT
    return torch.cat([rows[:, :, :37] * batch.stature[:, None, None, None], rows[:, :, 37:]], 2)


def tally_of(batches: list[Batch], **methods: Any) -> dict[str, ErrorTally]:
    return tallies(batches, methods)


def test_the_truth_has_no_error(batches: list[Batch]) -> None:
    row = tally_of(batches, truth=true_points)["truth"].means()
    assert row.pop("pck_150_percent") == 100
    assert row.pop("auc_150_percent") == pytest.approx(100 * 30 / 31, abs=0.01)
    wrong_heights = [row.pop(f"mpjpe_height_10_percent_{way}_mm") for way in ("low", "high")]
    assert all(value == pytest.approx(0, abs=0.1) for value in row.values()), row
    reach = [batch.joints.norm(dim=-1).mean(dim=(1, 2)) for batch in batches]
    frames = torch.tensor([batch.joints.shape[1] for batch in batches])
    mean_reach = float((torch.stack([r.mean() for r in reach]) * frames).sum() / frames.sum())
    assert wrong_heights == pytest.approx([100 * mean_reach, 100 * mean_reach], abs=0.1), "a tenth of every distance"


def test_an_error_of_one_joint_is_found_in_its_place(batches: list[Batch]) -> None:
    def off(batch: Batch) -> Tensor:
        points = true_points(batch)
        points[:, ::2, 20, 0] += 0.24  # in every second frame
        return points

    tally = tally_of(batches, off=off)["off"]
    row, joints = tally.means(), tally.by_joint()
    even = sum((batch.joints.shape[1] + 1) // 2 for batch in batches) / sum(batch.joints.shape[1] for batch in batches)
    assert row["mpjpe_mm"] == pytest.approx(240 / 24 * even, abs=0.02)
    assert row["mpjve_mm_per_frame"] == pytest.approx(10, abs=0.02)
    assert row["acceleration_mm_per_frame2"] == pytest.approx(20, abs=0.02)
    assert row["pck_150_percent"] == pytest.approx(100 - 100 * even / 24, abs=0.02)
    assert joints["left_wrist"]["mpjpe_mm"] == pytest.approx(240 * even, abs=0.1)
    assert joints["right_wrist"]["mpjpe_mm"] == pytest.approx(0, abs=0.1)
    assert "pelvis" not in joints


def test_errors_are_told_by_action_and_weighted_by_frames(motions: MotionSet, batches: list[Batch]) -> None:
    def off(batch: Batch) -> Tensor:
        return true_points(batch) + 0.24 * (batch.clip[0] == 0) * torch.eye(38)[20][:, None]

    tally = tally_of(batches, off=off)["off"]
    actions = tally.by_action(motions.action)
    assert {name: row["frames"] for name, row in actions.items()} == {
        "walking": 270,
        "waving": 360,
        "sitting down": 300,
    }
    distance = 240 * 3**0.5 / 24
    assert actions["walking"]["mpjpe_mm"] == pytest.approx(distance, abs=0.1)
    assert actions["sitting down"]["mpjpe_mm"] == pytest.approx(0, abs=0.1)
    assert tally.means()["mpjpe_mm"] == pytest.approx(distance * 270 / 930, abs=0.02)


def test_a_lifter_is_scored_in_metres_at_the_true_stature(batches: list[Batch]) -> None:
    class Standing(torch.nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return torch.ones(*features.shape[:2], 38, 3)

    points = lifted(Standing(), batches[0], flip=False)  # type: ignore[arg-type]
    torch.testing.assert_close(
        points[:, :, :37].norm(dim=-1), (batches[0].stature * 3**0.5)[:, None, None].expand(-1, points.shape[1], 37)
    )
    torch.testing.assert_close(points[:, :, 37].norm(dim=-1), torch.full(points.shape[:2], 3**0.5))


def test_quick_and_full_scores_have_the_same_rows(motions: MotionSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reel2rig.training.evaluate.CASES", {name: CASES[name] for name in ("noisy", "normal_lens")})
    network = Lifter(16).eval()
    report = evaluate(network, motions.only("val"), cameras=2)
    assert list(report["cases"]) == ["noisy", "noisy_without_flip_averaging", "normal_lens"]
    assert set(score(network, motions, "noisy", windows=32, frames=9)) == set(report["cases"]["noisy"])
    assert report["frames"] == 2 * 100
    assert report["people"] == ["02"]
    assert evaluate(network, motions.only("val"), cameras=2)["cases"] == report["cases"], "the same every time"
    text = table(report)
    assert "left_knee" in text
    assert f"{report['cases']['noisy']['mpjpe_mm']:.1f}" in text


def test_baselines_see_the_same_pairs_and_are_compared(
    tmp_path: Path, motions: MotionSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reel2rig.training.evaluate.CASES", {"clean": CASES["clean"]})
    train_baselines(motions, tmp_path, steps=2, batch=2)
    report = evaluate(Lifter(16).eval(), motions.only("val"), tmp_path, cameras=2)
    ours, plain = report["cases"]["clean"], report["baselines"]["plain_recipe"]["clean"]
    assert set(ours) - set(plain) == {"ends_mm", "up_degrees"}
    expected = 100 * (1 - ours["mpjpe_mm"] / plain["mpjpe_mm"])
    assert report["comparisons"]["clean_mpjpe_below_plain_recipe_percent"] == pytest.approx(expected, abs=0.1)
    assert "clean_mpjve_below_single_frame" in table(report)
    assert report["baselines_training"]["settings"]["steps"] == 2


def test_claims_are_differences_in_percent() -> None:
    def row(mpjpe: float, velocity: float) -> dict[str, float]:
        return {"mpjpe_mm": mpjpe, "pa_mpjpe_mm": mpjpe / 2, "mpjve_mm_per_frame": velocity}

    found = comparisons(
        {
            "cases": {"noisy": row(60, 10), "normal_lens": row(50, 10), "wide_lens": row(51, 10)},
            "baselines": {"plain_recipe": {"noisy": row(150, 40)}},
        }
    )
    assert found["noisy_mpjpe_below_plain_recipe_percent"] == 60
    assert found["noisy_mpjve_below_plain_recipe_percent"] == 75
    assert found["wide_lens_mpjpe_above_normal_lens_percent"] == 2


def test_with_a_lens_nothing_else_differs_from_the_other_cases() -> None:
    lenses = {name: case for name, case in CASES.items() if case.lens}
    assert all(replace(case, lens=None) == CASES["noisy"] for case in lenses.values())
