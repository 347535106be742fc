"""Put the fit's figures into benchmarks/README.md and README.md: ``python -m reel2rig.docs.fit_figures``.

From benchmarks/fit.json and benchmarks/rendered_truth.json, as the benchmarks of those names write them.
"""

import json
from typing import Any

from .lifter_figures import ROOT, markdown, with_table

BENCHMARKS = ROOT / "benchmarks"
PAGE, FRONT_PAGE = BENCHMARKS / "README.md", ROOT / "README.md"
POSITIONS = {"mpjpe_mm": "joints mm", "absolute_mm": "absolute mm"}
PARTS = ("pelvis", "spine", "head", "arms", "hands", "thighs", "shins", "feet")
ROTATIONS = {f"{part}_degrees": f"{part} °" for part in PARTS}
LIMITS = {"wrong_way_percent": "wrong way %"}
MOTION = {
    "acceleration_error_mm_per_frame2": "accel. error mm/f²",
    "jitter_10_m_per_s3": "jitter 10 m/s³",
    "foot_slide_mm_per_frame": "slide mm/f",
    "jump_height_percent": "jump %",
    "peak_speed_percent": "peak speed %",
}
COST = {"acceleration_error_taken_away_percent": "taken away %", "mpjpe_cost_mm": "joints cost mm"}
WHOLE_CHAIN = {"fitted_mpjpe_mm": "joints mm", "fitted_pa_mpjpe_mm": "PA-joints mm", "place_mm": "place mm"}


def tables() -> dict[str, str]:
    """All tables of the page by their names."""
    found = json.loads((BENCHMARKS / "fit.json").read_text("utf-8"))
    rendered = json.loads((BENCHMARKS / "rendered_truth.json").read_text("utf-8"))
    solvers, truth = found["solvers"], {"the truth itself": found["truth"]}
    speeds = {name: f"{row['frames_per_second']:,}" for name, row in solvers.items()}
    return {
        "fit exact": _table(_case(solvers, "exact"), {**POSITIONS, **ROTATIONS, **LIMITS}, speeds),
        "fit noisy": _table(_case(solvers, "noisy"), {**POSITIONS, **ROTATIONS, **LIMITS}),
        "fit motion": _table({**truth, **_case(solvers, "noisy")}, MOTION),
        "fit without ends": _table(_without_ends(solvers), {**POSITIONS, **ROTATIONS}),
        "clean-up": _table({**truth, **found["clean_up"]}, {**MOTION, **COST}),
        "hour": _hour(found["hour"]),
        "rendered truth": _rendered(rendered),
        "left out": _left_out(found),
    }


def page() -> str:
    """benchmarks/README.md as it should be."""
    text = PAGE.read_text("utf-8")
    for name, table in tables().items():
        text = with_table(text, name, table)
    return text


def front_page() -> str:
    """README.md as it should be."""
    return with_table(FRONT_PAGE.read_text("utf-8"), "figures", _headline())


def _headline() -> str:
    """The figures that matter most to those who use a capture."""
    found = json.loads((BENCHMARKS / "fit.json").read_text("utf-8"))["solvers"]
    rendered = json.loads((BENCHMARKS / "rendered_truth.json").read_text("utf-8"))
    systems, clips = rendered["limbs"]["systems"], rendered["median"]
    finished, by_formula = found["ours, refined and cleaned up"], found["ours, closed form"]
    limbs = sum(finished["noisy"][f"{part}_degrees"] for part in ("arms", "thighs", "shins")) / 3
    rows = {
        "joints of a captured person, off after the best alignment": f"{systems['fitted']['pa_mpjpe_mm']:.0f} mm",
        "the same of MediaPipe's own 3D landmarks": f"{systems['mediapipe_world']['pa_mpjpe_mm']:.0f} mm",
        "slide of standing feet in a capture": f"{clips['foot_slide_mm_per_frame']:.1f} mm a frame",
        "limb rotations from joints that are 20 mm off": f"{limbs:.1f}° off",
        "slide of standing feet from such joints": f"{finished['noisy']['foot_slide_mm_per_frame']:.1f} mm a frame",
        "jump height, of the true one": f"{finished['noisy']['jump_height_percent']:.0f} %",
        "frames fitted a second on one core": f"{finished['frames_per_second']:,} with everything, "
        f"{by_formula['frames_per_second']:,} in closed form",
    }
    return markdown("what", ("figure",), {name: [figure] for name, figure in rows.items()})


def _case(solvers: dict[str, Any], case: str) -> dict[str, Any]:
    return {name: row[case] for name, row in solvers.items() if case in row}


def _without_ends(solvers: dict[str, Any]) -> dict[str, Any]:
    cases = {"exact": "exact_without_ends", "noisy": "noisy_without_ends"}
    return {f"{name}; {says}": case for says, key in cases.items() for name, case in _case(solvers, key).items()}


def _table(rows: dict[str, Any], columns: dict[str, str], last: dict[str, str] | None = None) -> str:
    """One line a row; ``last``: one more column, frames a second."""
    lines = {name: [_number(row.get(key)) for key in columns] for name, row in rows.items()}
    if last:
        lines = {name: [*cells, last[name]] for name, cells in lines.items()}
    return markdown("", (*columns.values(), *(["frames/s"] if last else [])), lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _hour(rows: dict[str, Any]) -> str:
    heads = ("frames", "seconds", "frames/s", "times a tenth of it", "peak memory MB")
    keys = ("frames", "seconds", "frames_per_second", "times_as_long_as_a_tenth", "peak_memory_mb")
    return markdown("", heads, {name: [f"{row[key]:,}" for key in keys] for name, row in rows.items()})


def _rendered(found: dict[str, Any]) -> str:
    slides = {"foot_slide_mm_per_frame": "slide mm/f", "true_foot_slide_mm_per_frame": "slide of the truth"}
    rows = {f"{kind} of {found['clips']} clips": found[kind] for kind in ("mean", "median")}
    return _table(rows, {**WHOLE_CHAIN, "limb_degrees": "limbs °", **ROTATIONS, **slides})


def _left_out(found: dict[str, Any]) -> str:
    """What ran, and what did not."""
    data, reasons = found["data"], found["left_out"]
    ran = (
        f"{data['clips']} clips with {data['frames']:,} frames; {len(data['jumps'])} clips with jumps; "
        f"{found['machine']['processor']}, one thread, {found['processor_seconds']} seconds of processor time.\n"
    )
    return ran + "".join(f"\n- left out: {name} ({reason})\n" for name, reason in reasons.items())


def main() -> None:
    """Rewrite both pages."""
    for path, text in ((PAGE, page()), (FRONT_PAGE, front_page())):
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
