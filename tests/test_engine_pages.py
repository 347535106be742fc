"""The pages about engines: one for each target, and a table that shows what was measured under both Blenders."""

import json

import pytest
from reel2rig.addon.export.export_check import ALLOWED_ERROR_DEGREES, ALLOWED_ERROR_MM
from reel2rig.addon.export.export_targets import FORMATS, TARGETS
from reel2rig.docs import export_figures

FOUND = json.loads(export_figures.FIGURES.read_text("utf-8"))


def test_every_target_has_a_page_that_names_its_usual_format_and_is_linked() -> None:
    overview = export_figures.PAGE.read_text("utf-8")
    for key, target in TARGETS.items():
        page = export_figures.PAGE.with_name(f"{key}.md").read_text("utf-8")
        assert target.default_format in page
        assert f"({key}.md)" in overview
        assert "https://" in page


def test_the_table_shows_the_figures() -> None:
    page = export_figures.PAGE.read_text("utf-8")
    assert page == export_figures.page(), "run python -m reel2rig.docs.export_figures"


@pytest.mark.parametrize("version", ["4.5", "5.2"])
def test_all_targets_and_formats_were_measured_and_within_what_is_allowed(version: str) -> None:
    for target in TARGETS:
        assert list(FOUND[version][target]) == list(FORMATS)
        for kind, figures in FOUND[version][target].items():
            millimetres = [figures[key] for key in ("joint_mm", "blender_mm", "other_mm") if figures[key] is not None]
            assert max(millimetres) < ALLOWED_ERROR_MM
            assert figures["turn_degrees"] < ALLOWED_ERROR_DEGREES
            assert (figures["other_mm"] is not None) == (kind in ("FBX", "BVH"))
