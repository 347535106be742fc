"""build.py installs the packages of the web page with the npm of its own environment."""

import subprocess
import sys
from pathlib import Path

import pytest
from reel2rig.build_steps import browser_page, environments
from reel2rig.build_steps.console import BuildError


class TestBrowserPage:
    """npm is a Python that writes down what it was asked."""

    @pytest.fixture
    def page(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        page = tmp_path / "page"
        page.mkdir()
        (page / "package-lock.json").write_text("{}")
        npm = "import pathlib, sys; pathlib.Path('node_modules').mkdir(exist_ok=True); "
        npm += "open('asked', 'a').write(' '.join(sys.argv[1:]) + chr(10))"
        monkeypatch.setattr(browser_page, "NPM", npm)
        return page

    @pytest.fixture
    def this(self, monkeypatch: pytest.MonkeyPatch) -> environments.Environment:
        environment = environments.full_environment()
        monkeypatch.setattr(environments.Environment, "python", Path(sys.executable))
        return environment

    def test_packages_are_installed_once_and_again_when_the_lock_changes(
        self, page: Path, this: environments.Environment
    ) -> None:
        for _ in range(2):
            browser_page.install(this, page)
        assert (page / "asked").read_text() == "ci --no-audit --no-fund\n"
        (page / "package-lock.json").write_text('{"lockfileVersion": 3}')
        browser_page.install(this, page)
        assert len((page / "asked").read_text().splitlines()) == 2

    def test_a_failed_installation_is_told_and_tried_again(
        self, page: Path, this: environments.Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(browser_page, "NPM", "raise SystemExit('npm error network ENOTFOUND')")
        for _ in range(2):
            with pytest.raises(BuildError, match="ENOTFOUND") as caught:
                browser_page.install(this, page)
            assert "Check the network" in caught.value.remedy

    def test_the_pinned_npm_answers(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", browser_page.NPM, "--version"], capture_output=True, text=True, env={"PATH": ""}
        )
        assert done.stdout[0].isdigit(), done.stderr
