"""Put the figures of lifter.json into the card beside it: ``python -m reel2rig.docs.lifter_figures``."""

import json
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "lifter" / "models"
START, END = "<!-- figures of lifter.json -->\n", "<!-- end of figures -->"
COLUMNS = {
    "mpjpe_mm": "MPJPE, mm",
    "pa_mpjpe_mm": "PA-MPJPE, mm",
    "ends_mm": "ends, mm",
    "mpjve_mm_per_frame": "velocity, mm/frame",
    "up_degrees": "up, degrees",
}


def figures(models: Path = MODELS) -> str:
    """The validation figures as a Markdown table."""
    cases = json.loads((models / "lifter.json").read_text("utf-8"))["validation"]["cases"]
    head = ["| case | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    rows = [
        f"| {case.replace('_', ' ')} | " + " | ".join(f"{found[key]:.1f}" for key in COLUMNS) + " |"
        for case, found in cases.items()
    ]
    return "\n".join([*head, *rows]) + "\n"


def with_figures(card: str, table: str) -> str:
    """The card with ``table`` in the place of the one that it holds. Raises ValueError for a card without a place."""
    before, rest = card.split(START)
    _, after = rest.split(END)
    return before + START + table + END + after


def main() -> None:
    """Rewrite the card and print the table."""
    card, table = MODELS / "README.md", figures()
    card.write_text(with_figures(card.read_text("utf-8"), table), "utf-8")
    print(table, end="")


if __name__ == "__main__":
    main()
