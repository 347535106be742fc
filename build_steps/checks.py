"""The verb test: style, types and both test suites, with one summary at the end."""

import os
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import browser_page, setup
from .children import run_child
from .console import BuildError, end, say, start_captured
from .environments import Environment, blender52_environment, is_complete
from .pins import ROOT

LIMIT = 1800.0  # seconds; a suite that hangs is stopped and counts as failed
NOTHING_SELECTED = 5  # pytest's exit status
ADDON_TESTS = "tests/addon"


@dataclass(frozen=True)
class Outcome:
    """How one check ended. A check that is no test suite counts as one test."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def run(arguments: list[str]) -> int:
    """python build.py test [pytest arguments]: exit status 0 only when every check passed."""
    if arguments and arguments[0] in {"-h", "--help"}:
        say("usage: python build.py test [pytest arguments]\n\nruff, pyright, and pytest under both Blenders.")
        return 0
    main = setup.ensure(blender52=True)
    browser_page.install(main)
    second = blender52_environment()
    suite_311, suite_313 = pytest_arguments(arguments)
    outcomes: list[Outcome] = []
    beside = threading.Thread(target=_run_beside, args=(main, second, suite_313, arguments, outcomes), daemon=True)
    beside.start()
    main_suite = _run_suite(f"tests, Python {main.version[0]}.{main.version[1]}", main, suite_311, live=True)
    beside.join()
    outcomes.append(main_suite)
    without_313 = main.version == (3, 11) and not is_complete(second)
    if without_313 and os.environ.get("CI", "").lower() in {"1", "true"}:
        outcomes.append(Outcome("tests under Blender 5.2: NO PYTHON 3.13", 0, 1, 0, 0.0))
    return summarise(outcomes, without_313)


def pytest_arguments(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Arguments for the suite on Python 3.11 and for the add-on's on 3.13 (None: nothing to run there).

    Without paths: everything, and tests/addon. With paths: these, and those of them inside tests/addon.
    """
    paths = [part for part in arguments if Path(part).as_posix().startswith("tests")]
    if not paths:
        return arguments, [ADDON_TESTS, *arguments]
    inside = [path for path in paths if Path(path).as_posix().startswith(ADDON_TESTS)]
    options = [part for part in arguments if part not in paths]
    return arguments, [*inside, *options] if inside else None


def summarise(outcomes: Sequence[Outcome], without_313: bool) -> int:
    """Print one line a check and a closing line with the sums; 0 when nothing failed."""
    say("\nSummary")
    for outcome in outcomes:
        state = "FAILED" if outcome.failed else "passed"
        say(f"  {state}  {outcome.name}: {outcome.passed} passed, {outcome.failed} failed, {outcome.seconds:.0f} s")
    if without_313:
        say("\n" + setup.WITHOUT_313 + "\n")
    passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    say(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


def _run_beside(
    main: Environment, second: Environment, suite_313: list[str] | None, asked: list[str], outcomes: list[Outcome]
) -> None:
    """On the second core: the quick checks, then the add-on's tests under Blender 5.2."""
    python = main.python
    for name, command in (
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("pyright", [python, "-m", "pyright", "--pythonpath", python]),
    ):
        outcomes.append(_run_check(name, command))
    if suite_313 is not None and is_complete(second):
        outcomes.append(_run_suite("tests/addon, Python 3.13", second, suite_313, live=False, may_be_empty=bool(asked)))


def _run_check(name: str, command: Sequence[str | Path]) -> Outcome:
    started = time.monotonic()
    status, output = _captured(command)
    if status != 0:
        say(f"\n--- {name} ---\n{output.rstrip()}\n")
    return Outcome(name, int(status == 0), int(status != 0), 0, time.monotonic() - started)


def _run_suite(
    name: str, environment: Environment, arguments: list[str], live: bool, may_be_empty: bool = False
) -> Outcome:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [environment.python, "-m", "pytest", f"--junitxml={report}", *arguments]
        if live:
            status = _live(command)
        else:
            status, output = _captured(command)
            if status not in {0, NOTHING_SELECTED}:
                say(f"\n--- {name} ---\n{output.rstrip()}\n")
        passed, failed, skipped = read_report(report)
    if status != 0 and failed == 0 and not (may_be_empty and status == NOTHING_SELECTED):
        failed = 1  # it crashed, hung, or found no test
    return Outcome(name, passed, failed, skipped, time.monotonic() - started)


def read_report(report: Path) -> tuple[int, int, int]:
    """Passed, failed (with errors) and skipped from pytest's JUnit file; zeros when there is none."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return 0, 0, 0
    total, failures, errors, skipped = (
        sum(int(suite.get(key, "0")) for suite in suites) for key in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def _live(command: Sequence[str | Path]) -> int:
    try:
        return run_child(command, cwd=ROOT, limit=LIMIT)
    except BuildError as error:
        say(f"\n{error.message}")
        return 1


def _captured(command: Sequence[str | Path]) -> tuple[int, str]:
    process = start_captured(command, ROOT)
    try:
        output, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        end(process)
        return 1, f"had not ended after {LIMIT:.0f} s and was stopped"
    return process.returncode, output
