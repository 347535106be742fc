"""The report of an evaluation as text, and the differences that the claims are made of."""

from typing import Any

COLUMNS = {
    "mpjpe_mm": "MPJPE",
    "n_mpjpe_mm": "N-MPJPE",
    "pa_mpjpe_mm": "PA-MPJPE",
    "mpjve_mm_per_frame": "MPJVE",
    "acceleration_mm_per_frame2": "accel.",
    "pck_150_percent": "PCK@150",
    "auc_150_percent": "AUC",
    "mpjpe_height_10_percent_low_mm": "10% low",
    "mpjpe_height_10_percent_high_mm": "10% high",
    "ends_mm": "ends",
    "up_degrees": "up",
}
CLAIMED = ("noisy", "clean")  # cases in which the lifter is compared with the baselines
NAME_WIDTH, WIDTH = 32, 11


def comparisons(report: dict[str, Any]) -> dict[str, float]:
    """Percentages: how far the lifter is below a baseline, how far a lens is above the normal one."""
    cases, found = report["cases"], {}
    for baseline, rows in report["baselines"].items():
        for case in (case for case in CLAIMED if case in rows):
            for key in ("mpjpe_mm", "pa_mpjpe_mm", "mpjve_mm_per_frame"):
                name = f"{case}_{key.split('_mm')[0]}_below_{baseline}_percent"
                found[name] = round(100 * (1 - cases[case][key] / rows[case][key]), 1)
    normal = cases.get("normal_lens")
    for case in (case for case in cases if "_lens" in case and case != "normal_lens" and normal):
        for key in ("mpjpe_mm", "pa_mpjpe_mm"):
            name = f"{case}_{key.split('_mm')[0]}_above_normal_lens_percent"
            found[name] = round(100 * (cases[case][key] / normal[key] - 1), 1)
    return found


def table(report: dict[str, Any]) -> str:
    """The report as a text table: mm, mm a frame, percent, degrees."""
    lines = [
        f"{report['clips']} clips of {', '.join(report['people'])}; {report['frames']} frames a case. Millimetres, "
        "pelvises at the origin; velocities a frame at 30 fps.",
        "",
        *_rows("lifter", report["cases"]),
    ]
    for name, rows in report["baselines"].items():
        lines += ["", *_rows(name.replace("_", " "), rows)]
    if report["comparisons"]:
        lines += ["", "differences, percent"]
        lines += [f"  {name.removesuffix('_percent'):70}{value:8.1f}" for name, value in report["comparisons"].items()]
    for part in ("by_joint", "by_action"):
        for case, rows in report[part].items():
            lines += ["", f"{case} {part.replace('_', ' ')}".ljust(72) + "MPJPE".rjust(8) + "PCK@150".rjust(9)]
            lines += [f"  {name:70}{row['mpjpe_mm']:8.1f}{row['pck_150_percent']:9.1f}" for name, row in rows.items()]
    return "\n".join(lines)


def _rows(title: str, rows: dict[str, dict[str, float]]) -> list[str]:
    keys = [key for key in COLUMNS if key in next(iter(rows.values()))]
    lines = [title.ljust(NAME_WIDTH) + "".join(COLUMNS[key].rjust(WIDTH) for key in keys)]
    for case, row in rows.items():
        lines.append(f"  {case}".ljust(NAME_WIDTH) + "".join(f"{row[key]:{WIDTH}.1f}" for key in keys))
    return lines
