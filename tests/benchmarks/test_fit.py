"""The fit's benchmark runs whole, and what must be so is so."""

from typing import Any

import pytest
from reel2rig.benchmarks.fit import measure
from reel2rig.benchmarks.fit_clean_up import FRAME_BY_FRAME, GIVEN, REFINED
from reel2rig.benchmarks.fit_data import CASES
from reel2rig.benchmarks.fit_metrics import PARTS

OURS = ("ours, closed form", "ours, refined", "ours, refined and cleaned up")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return measure(quick=True)


def test_every_solver_that_is_not_left_out_has_its_columns(found: dict[str, Any]) -> None:
    assert len(found["solvers"]) + len(found["left_out"]) == 8
    for row in found["solvers"].values():
        cases = [row[name] for name in CASES if name in row]
        assert len(cases) >= 2
        for case in cases:
            assert {f"{part}_degrees" for part in PARTS} < case.keys()
        assert row["frames_per_second"] > 0


def test_twist_is_found_that_swing_only_cannot_know(found: dict[str, Any]) -> None:
    swing = found["solvers"]["swing-only IK"]["exact"]
    for name in OURS:
        case = found["solvers"][name]["exact"]
        assert case["arms_degrees"] < 0.5 * swing["arms_degrees"]
        assert case["head_degrees"] < 0.5 * swing["head_degrees"]


def test_ends_tell_heads_and_hands(found: dict[str, Any]) -> None:
    for name in OURS:
        row = found["solvers"][name]
        for part in ("head_degrees", "hands_degrees"):
            assert row["exact"][part] < row["exact_without_ends"][part]


def test_noise_costs_and_bones_stay(found: dict[str, Any]) -> None:
    for row in found["solvers"].values():
        assert row["noisy"]["mpjpe_mm"] > row["exact"]["mpjpe_mm"]
        assert row["noisy"]["bone_length_change_mm"] < 0.01


def test_filters_take_acceleration_error_away(found: dict[str, Any]) -> None:
    rows = found["clean_up"]
    given, by_frame = rows[GIVEN], rows[FRAME_BY_FRAME]
    # white noise of 20 mm: second differences are off by the square root of 6 of that
    assert given["acceleration_error_mm_per_frame2"] == pytest.approx(20 * 6**0.5, rel=0.03)
    assert by_frame["acceleration_error_mm_per_frame2"] > given["acceleration_error_mm_per_frame2"]
    assert rows["Savitzky-Golay, 7 frames"]["acceleration_error_taken_away_percent"] > 60.0
    assert rows["Savitzky-Golay, 13 frames"]["peak_speed_percent"] < by_frame["peak_speed_percent"]


def test_costs_count_from_where_a_row_starts(found: dict[str, Any]) -> None:
    rows = found["clean_up"]
    assert [rows[name]["mpjpe_cost_mm"] for name in (GIVEN, FRAME_BY_FRAME, REFINED)] == [0.0, 0.0, 0.0]
    row = rows["ours, refined, smoothing 0.5"]
    assert row["mpjpe_cost_mm"] == pytest.approx(row["mpjpe_mm"] - rows[REFINED]["mpjpe_mm"], abs=0.01)


def test_who_knows_the_truth_filters_best(found: dict[str, Any]) -> None:
    rows = found["clean_up"]
    for start, others in ((REFINED, (REFINED, "ours, refined, Savitzky-Golay, 9 frames")), ("the points", (GIVEN,))):
        for column in ("mpjpe_mm", "acceleration_error_mm_per_frame2"):
            assert all(rows[f"oracle on {start}"][column] < rows[other][column] for other in others)
    assert "arms_degrees" not in rows["oracle on the points"], "points have no rotations"


def test_the_truth_slides_little_and_jumps_its_own_height(found: dict[str, Any]) -> None:
    assert found["truth"]["foot_slide_mm_per_frame"] < 2.0
    assert found["truth"]["jump_height_percent"] == pytest.approx(100.0)
