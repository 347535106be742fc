"""The documents say what is so: options, pictures, figures, package folders."""

import re
import tomllib
from pathlib import Path

import pytest
from reel2rig.docs.lifter_figures import pages
from reel2rig.lifter.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_names_every_option_of_a_capture(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["capture", "--help"])
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    assert options > {"--height", "--person"}
    assert options <= set(re.findall(r"--[a-z]+", README))


def test_every_file_that_a_document_links_to_is_there() -> None:
    ours = [page for page in ROOT.glob("[!.]*/**/README.md") if "node_modules" not in page.parts]
    for document in ours, ROOT.glob("*.md"):
        for page in document:
            for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
                assert (page.parent / link).is_file(), f"{page}: {link}"


def test_pages_show_the_figures_of_the_lifter_that_ships() -> None:
    for path, page in pages().items():
        assert path.read_text("utf-8") == page, f"{path}: run python -m reel2rig.docs.lifter_figures"


def test_every_package_folder_of_the_product_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    parts = ("addon", "benchmarks", "lifter", "smpl_assets", "training")
    found = {file.parent.relative_to(ROOT) for part in parts for file in (ROOT / part).rglob("__init__.py")}
    assert set(settings["packages"]) == {"reel2rig"} | {".".join(("reel2rig", *folder.parts)) for folder in found}
