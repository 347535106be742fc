"""benchmarks/README.md and README.md show what the benchmarks wrote."""

import json

from reel2rig.docs.fit_figures import BENCHMARKS, FRONT_PAGE, PAGE, front_page, page


def test_the_pages_show_the_figures_of_the_json_files() -> None:
    assert FRONT_PAGE.read_text("utf-8") == front_page(), "run python -m reel2rig.docs.fit_figures"
    assert PAGE.read_text("utf-8") == page(), "run python -m reel2rig.docs.fit_figures"


def test_every_row_and_what_was_left_out_is_on_the_page() -> None:
    found, shown = json.loads((BENCHMARKS / "fit.json").read_text("utf-8")), PAGE.read_text("utf-8")
    for name in (*found["solvers"], *found["left_out"], *found["clean_up"], *found["hour"]):
        assert name in shown
