"""Put the lifter's figures into the pages that show them: ``python -m reel2rig.docs.lifter_figures``.

From lifter/models/lifter.json into the model's card beside it and into training/README.md, and from
training/ablation.json and benchmarks/rendered_truth.json into the latter.
"""

import json
from pathlib import Path
from typing import Any

from ..training.ablation import ablation_table

ROOT = Path(__file__).resolve().parent.parent
CARD, TRAINING = ROOT / "lifter" / "models" / "README.md", ROOT / "training" / "README.md"
COLUMNS = {
    "mpjpe_mm": "MPJPE",
    "n_mpjpe_mm": "N-MPJPE",
    "pa_mpjpe_mm": "PA-MPJPE",
    "ends_mm": "ends",
    "mpjve_mm_per_frame": "MPJVE",
    "acceleration_mm_per_frame2": "accel.",
    "pck_150_percent": "PCK",
    "auc_150_percent": "AUC",
    "up_degrees": "up",
}
SYSTEMS = {
    "lifted": "lifter",
    "fitted": "whole chain, fitted",
    "mediapipe_world": "MediaPipe's world landmarks",
    "lifted_with_10_percent_of_mediapipe": "lifter, mixed with 10 % of MediaPipe's",
}
OF_SYSTEMS = {
    "mpjpe_mm": "MPJPE",
    "n_mpjpe_mm": "N-MPJPE",
    "pa_mpjpe_mm": "PA-MPJPE",
    "pa_mpjpe_after_constant_offsets_mm": "PA-MPJPE after the best constant offset of each joint",
}
COMPARED = {"mpjpe_mm": "MPJPE", "pa_mpjpe_mm": "PA-MPJPE", "mpjve_mm_per_frame": "MPJVE"}


def figures() -> str:
    """The validation figures of all cases as a Markdown table."""
    rows = {case.replace("_", " "): _row(found, tuple(COLUMNS)) for case, found in _validation()["cases"].items()}
    return markdown("case", tuple(COLUMNS.values()), rows)


def comparison() -> str:
    """The lifter beside the baselines, on the same pairs, as a Markdown table."""
    validation = _validation()
    methods = {"lifter": validation["cases"], **validation["baselines"]}
    heads = tuple(f"{name.replace('_', ' ')}: {column}" for name in methods for column in COMPARED.values())
    rows = {
        case.replace("_", " "): [cell for found in methods.values() for cell in _row(found[case], tuple(COMPARED))]
        for case in validation["cases"]
        if all(case in found for found in methods.values())
    }
    return markdown("case", heads, rows)


def ablation() -> str:
    """What each part of the lifter is worth, as a Markdown table."""
    return ablation_table(json.loads((ROOT / "training" / "ablation.json").read_text("utf-8"))) + "\n"


def rendered() -> str:
    """The whole chain beside MediaPipe's own 3D on rendered people, as a Markdown table."""
    found = json.loads((ROOT / "benchmarks" / "rendered_truth.json").read_text("utf-8"))["limbs"]["systems"]
    rows = {name: _row(found[system], tuple(OF_SYSTEMS)) for system, name in SYSTEMS.items()}
    return markdown("joints", tuple(OF_SYSTEMS.values()), rows)


def with_table(page: str, name: str, table: str) -> str:
    """The page with ``table`` in its place of that name. Raises ValueError for a page without such a place."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = page.split(start)
    _, after = rest.split(end)
    return before + start + table + end + after


def pages() -> dict[Path, str]:
    """Both pages as they should be."""
    training = TRAINING.read_text("utf-8")
    for name, table in (("comparison", comparison()), ("rendered truth", rendered()), ("ablation", ablation())):
        training = with_table(training, name, table)
    return {CARD: with_table(CARD.read_text("utf-8"), "figures of lifter.json", figures()), TRAINING: training}


def _validation() -> dict[str, Any]:
    return json.loads((CARD.parent / "lifter.json").read_text("utf-8"))["validation"]


def _row(found: dict[str, float], keys: tuple[str, ...]) -> list[str]:
    return [f"{found[key]:.1f}" for key in keys]


def markdown(first: str, heads: tuple[str, ...], rows: dict[str, list[str]]) -> str:
    """A Markdown table: a head line, then one line a row that begins with its name."""
    lines = ["| " + " | ".join([first, *heads]) + " |", "|---" * (len(heads) + 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join([name, *row]) + " |" for name, row in rows.items())]) + "\n"


def main() -> None:
    """Rewrite both pages."""
    for path, page in pages().items():
        path.write_text(page, "utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
