"""build.py: what it finds, what it says, and the exit statuses it ends with. Nothing is installed here."""

import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest
from reel2rig.build_steps import checks, console, environments, main, pins, pythons, remedies, setup
from reel2rig.build_steps.console import BuildError

ROOT = Path(__file__).resolve().parent.parent
HERE = (sys.version_info[0], sys.version_info[1])


def executable(path: Path, script: str) -> Path:
    """A fake interpreter: a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def fake_python(path: Path, version: str, complete: bool = True) -> Path:
    """An interpreter that answers the proof as a Python of ``version`` would."""
    return executable(path, f"echo '{version.replace('.', ' ')} {complete}'; echo '{path}'")


def shim(path: Path) -> Path:
    """What pyenv leaves on the PATH for a version that is not selected."""
    return executable(path, "echo 'pyenv: python3.77: command not found' >&2; exit 127")


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty PATH and an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "home", lambda: home)
    for name in ("PYENV_ROOT", "PYENV", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    return home


class TestFindingPythons:
    def test_the_running_interpreter_proves_itself(self) -> None:
        proof = pythons.prove(Path(sys.executable))
        assert proof is not None
        assert proof.version == HERE

    def test_a_shim_that_only_fails_is_no_python(self, bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        shim(bare_machine / "shims" / "python3.77")
        real = fake_python(bare_machine / "bin" / "python3.77", "3.77")
        monkeypatch.setenv("PATH", os.pathsep.join([str(bare_machine / "shims"), str(bare_machine / "bin")]))
        assert pythons.search_python((3, 77)).python == real

    def test_a_name_that_lies_about_its_version_is_not_taken(
        self, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake_python(bare_machine / "bin" / "python3.77", "3.9")
        monkeypatch.setenv("PATH", str(bare_machine / "bin"))
        assert pythons.search_python((3, 77)).python is None

    def test_newest_of_pyenv_first(self, bare_machine: Path) -> None:
        versions = bare_machine / ".pyenv" / "versions"
        fake_python(versions / "3.77.2" / "bin" / "python", "3.77")
        newest = fake_python(versions / "3.77.10" / "bin" / "python", "3.77")
        assert pythons.search_python((3, 77)).python == newest

    def test_uv_store(self, bare_machine: Path) -> None:
        store = bare_machine / ".local" / "share" / "uv" / "python" / "cpython-3.77.1-linux-x86_64-gnu"
        python = fake_python(store / "bin" / "python3.77", "3.77")
        assert pythons.search_python((3, 77)).python == python

    def test_windows_launcher(self, bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        python = fake_python(bare_machine / "Python377" / "python", "3.77")
        executable(bare_machine / "bin" / "py", f'[ "$1" = -3.77 ] || exit 103\nexec "{python}"')
        monkeypatch.setenv("PATH", str(bare_machine / "bin"))
        assert pythons.search_python((3, 77)).python == python

    def test_a_python_without_venv_is_reported_but_not_used(
        self, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crippled = fake_python(bare_machine / "bin" / "python3.77", "3.77", complete=False)
        monkeypatch.setenv("PATH", str(bare_machine / "bin"))
        search = pythons.search_python((3, 77))
        assert search.python is None
        assert search.incomplete == [crippled]


class TestPlan:
    FOUND = pythons.Search(Path(sys.executable))
    MISSING = pythons.Search()

    def test_both_pythons_give_both_environments(self) -> None:
        plan = setup.plan({(3, 11): self.FOUND, (3, 13): self.FOUND})
        assert [(each.folder.name, each.version) for each in plan] == [(".venv", (3, 11)), (".venv-blender52", (3, 13))]

    def test_only_313_builds_everything_on_it_and_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        (only,) = setup.plan({(3, 11): self.MISSING, (3, 13): self.FOUND})
        assert (only.folder.name, only.version) == (".venv", (3, 13))
        assert "Blender 4.5 is NOT set up" in capsys.readouterr().out

    def test_only_311_says_what_falls_away(self, capsys: pytest.CaptureFixture[str]) -> None:
        (only,) = setup.plan({(3, 11): self.FOUND, (3, 13): self.MISSING})
        assert only.version == (3, 11)
        assert "Blender 5.2 is NOT set up" in capsys.readouterr().out

    def test_no_python_is_an_error_with_a_remedy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crippled = pythons.Search(None, [Path("/usr/bin/python3.11")])
        monkeypatch.setattr(setup, "search_python", lambda version: crippled if version == (3, 11) else self.MISSING)
        monkeypatch.setattr(setup.shutil, "which", lambda name: None)
        with pytest.raises(BuildError, match=r"3\.11 nor 3\.13") as caught:
            setup.find_pythons(say_yes=False)
        assert "/usr/bin/python3.11 is 3.11 but cannot make virtual environments" in caught.value.message
        assert "Install Python 3.11" in caught.value.remedy

    def test_uv_is_used_only_after_a_yes(
        self, bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = bare_machine / "log"
        executable(bare_machine / "bin" / "uv", f'echo "$@" >> "{log}"')
        monkeypatch.setenv("PATH", str(bare_machine / "bin"))
        monkeypatch.setattr(setup, "search_python", lambda version: self.MISSING)
        for say_yes in (False, True):
            with pytest.raises(BuildError):
                setup.find_pythons(say_yes)
            assert log.exists() is say_yes
        assert log.read_text("utf-8").split() == ["python", "install", "3.11", "3.13"]
        assert "setup --yes" in capsys.readouterr().out


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace pip and venv by notes of what was asked for; an environment is the running interpreter."""
    notes: list[str] = []

    def note(title: str, command: list, **_: object) -> str:
        notes.append(title)
        if title.startswith("Making"):
            folder = Path(command[-1])
            executable(folder / "bin" / "python", f'exec "{sys.executable}" "$@"')
            (folder / "lib" / "site-packages" / "pip").mkdir(parents=True)
            (folder / "lib" / "site-packages" / "pip" / "__main__.py").touch()
        return ""

    monkeypatch.setattr(environments, "run_quietly", note)
    monkeypatch.setattr(environments, "search_python", lambda version: pythons.Search(Path(sys.executable)))
    return notes


@pytest.fixture
def environment(tmp_path: Path) -> environments.Environment:
    return environments.Environment(tmp_path / "venv", HERE, ("capture", "train", "smplx"), ("numpy",), 0.001)


@pytest.mark.usefixtures("made")
class TestEnvironments:
    def test_second_run_does_nothing(self, made: list[str], environment: environments.Environment) -> None:
        environments.make_environment(environment)
        assert environments.is_complete(environment)
        made.clear()
        environments.make_environment(environment)
        assert made == []

    def test_torch_comes_first(self, made: list[str], environment: environments.Environment) -> None:
        environments.make_environment(environment)
        installs = [title for title in made if title.startswith("Installing")]
        assert installs[0] == "Installing PyTorch"

    def test_an_interrupted_setup_has_no_stamp_and_continues_in_place(
        self, made: list[str], environment: environments.Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = environments.run_quietly

        def interrupted(title: str, command: list, **options: object) -> str:
            if title.startswith("Installing"):
                raise KeyboardInterrupt
            return note(title, command)

        monkeypatch.setattr(environments, "run_quietly", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environments.make_environment(environment)
        assert not environments.is_complete(environment)
        monkeypatch.setattr(environments, "run_quietly", note)
        made.clear()
        environments.make_environment(environment)
        assert environments.is_complete(environment)
        assert not any(title.startswith("Making") for title in made)

    def test_a_broken_interpreter_is_rebuilt(self, made: list[str], environment: environments.Environment) -> None:
        environments.make_environment(environment)
        executable(environment.python, "exit 1")
        assert not environments.is_complete(environment)
        made.clear()
        environments.make_environment(environment)
        assert made[0].startswith("Making")
        assert environments.is_complete(environment)

    def test_what_fails_its_proof_is_rebuilt_once_and_then_is_an_error(
        self, made: list[str], environment: environments.Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = environments.run_quietly

        def unproved(title: str, command: list, **options: object) -> str:
            note(title, command)
            if title == "Trying it out":
                raise BuildError("numpy is incomplete")
            return ""

        monkeypatch.setattr(environments, "run_quietly", unproved)
        with pytest.raises(BuildError, match="incomplete"):
            environments.make_environment(environment)
        assert sum(title.startswith("Making") for title in made) == 2
        assert not environments.is_complete(environment)

    def test_new_pins_make_it_incomplete(
        self, environment: environments.Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environments.make_environment(environment)
        monkeypatch.setattr(environments, "requirements", lambda groups: ["torch==99"])
        assert not environments.is_complete(environment)

    def test_without_smplx_is_remembered_and_takes_it_away(
        self, made: list[str], environment: environments.Environment
    ) -> None:
        environments.make_environment(environment.without_smplx())
        assert environments.read_stamp(environment)["without_smplx"] is True
        assert "Leaving out smplx" in made
        assert not environments.is_complete(environment)
        assert not any(line.startswith("smplx") for line in pins.requirements(environment.without_smplx().groups))

    def test_a_full_disk_is_said_before_anything_is_made(
        self, made: list[str], environment: environments.Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = environments.shutil.disk_usage(environment.folder.parent)._replace(free=500_000)
        monkeypatch.setattr(environments.shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(BuildError, match="Not enough disk space") as caught:
            environments.make_environment(environment)
        assert made == []
        assert "Free some space" in caught.value.remedy

    def test_a_torn_stamp_counts_as_none(self, environment: environments.Environment) -> None:
        environments.make_environment(environment)
        (environment.folder / environments.STAMP).write_text('{"complete": "', "utf-8")
        assert not environments.is_complete(environment)


class TestPins:
    def test_every_package_but_numpy_of_the_capture_is_pinned(self) -> None:
        lines = pins.requirements(("capture", "train", "mediapipe", "smplx", "blender", "build", "test", "dev"))
        unpinned = [line for line in lines if "==" not in line.split(";")[0]]
        assert unpinned == ["numpy>=1.26,<3"]

    def test_the_promised_versions(self) -> None:
        lines = {
            line.split(";")[0] for line in pins.requirements(("capture", "train", "mediapipe", "smplx", "blender"))
        }
        assert lines >= {
            "torch==2.13.0",
            "bpy==4.5.15",
            "bpy==5.2.3",
            "mediapipe==0.10.33",
            "onnxruntime-gpu==1.31.1",
            "smplx==0.1.28",
            "av==18.1.0",
            "numpy==1.26.4",
        }

    def test_the_capture_alone_needs_no_restricted_or_heavy_package(self) -> None:
        names = {line.split("=")[0].split(">")[0] for line in pins.requirements(("capture",))}
        assert names == {"av", "numpy", "onnxruntime-gpu", "onnxruntime", "scipy", "tqdm"}


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "Check the network"),
        ("WARNING: Retrying ... Read timed out\nERROR: No matching distribution found for torch", "Check the network"),
        ("ERROR: No matching distribution found for bpy==4.5.15", "no build for this system"),
        ("ImportError: libXi.so.6: cannot open shared object file", "apt install libxrender1"),
        ("PermissionError: [Errno 13] Permission denied: '/opt/x'", "folder of your own"),
        ("something else", "Run the same command again"),
    ],
)
def test_remedies(output: str, advice: str) -> None:
    assert advice in remedies.pip_remedy(output)


class TestQuietCommands:
    def test_output_is_returned_and_only_the_outcome_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert console.run_quietly("Counting", [sys.executable, "-c", "print('one two')"]).strip() == "one two"
        shown = capsys.readouterr().out
        assert "Counting: done in" in shown
        assert "one two" not in shown

    def test_failure_shows_the_last_lines_and_the_remedy(self) -> None:
        script = "import sys\nfor n in range(50): print('line', n)\nsys.exit('No space left on device')"
        with pytest.raises(BuildError, match="line 49") as caught:
            console.run_quietly("Installing", [sys.executable, "-c", script], remedy=remedies.pip_remedy)
        assert "line 3\n" not in caught.value.message
        assert "disk is full" in caught.value.remedy

    def test_an_interrupt_ends_the_child(self, tmp_path: Path) -> None:
        note = tmp_path / "pid"
        script = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"
        threading.Thread(target=interrupt_when, args=(note,), daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            console.run_quietly("Waiting", [sys.executable, "-c", script])
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text("utf-8")), 0)


def interrupt_when(file: Path) -> None:
    """Send Ctrl-C to this process once ``file`` has content."""
    while not (file.exists() and file.read_text("utf-8")):
        time.sleep(0.01)
    signal.raise_signal(signal.SIGINT)


class TestVerbs:
    def test_no_verb_shows_all_verbs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main([]) == 2
        assert main.main(["--help"]) == 0
        shown = capsys.readouterr().out
        for verb in ("setup", "demo", "capture", "train", "test", "bench", "package", "repository"):
            assert f"\n  {verb} " in shown

    def test_unknown_verb(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["caputre"]) == 2
        assert "no verb 'caputre'" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("error", "status", "words"),
        [
            (BuildError("No room.", "Make room.", 1), 1, "No room.\nMake room."),
            (BuildError("No clip.", "", 2), 2, "No clip."),
            (KeyboardInterrupt(), 130, "Run the same command again to continue."),
            (OSError(28, "No space left on device", "/x/y"), 1, "No space left on device: /x/y"),
        ],
    )
    def test_errors_become_sentences_and_statuses(
        self,
        error: BaseException,
        status: int,
        words: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def failing(arguments: list[str]) -> int:
            raise error

        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setitem(main.VERBS, "setup", failing)
        assert main.main(["setup"]) == status
        signal.signal(signal.SIGTERM, before)
        assert words in capsys.readouterr().err

    def test_an_old_python_gets_a_sentence(self) -> None:
        guard = (ROOT / "build.py").read_text("utf-8").split("from build_steps")[0]
        told = guard.replace("import sys\n", "import sys\nsys.version_info = (2, 7, 18)\n", 1)
        answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True)
        assert answer.returncode == 1
        assert "needs Python 3.11 or newer; this is Python 2.7" in answer.stderr
        assert "Traceback" not in answer.stderr


class TestSummary:
    def test_arguments_for_both_suites(self) -> None:
        assert checks.pytest_arguments([]) == ([], ["tests/addon"])
        assert checks.pytest_arguments(["-k", "rig"]) == (["-k", "rig"], ["tests/addon", "-k", "rig"])
        assert checks.pytest_arguments(["tests/test_build.py"]) == (["tests/test_build.py"], None)
        assert checks.pytest_arguments(["tests/addon", "-x"]) == (["tests/addon", "-x"], ["tests/addon", "-x"])

    def test_counts_are_read_from_pytests_report(self, tmp_path: Path) -> None:
        report = tmp_path / "report.xml"
        report.write_text(
            '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="1"/></testsuites>', "utf-8"
        )
        assert checks.read_report(report) == (5, 3, 1)
        assert checks.read_report(tmp_path / "none.xml") == (0, 0, 0)

    def test_closing_line_and_exit_status(self, capsys: pytest.CaptureFixture[str]) -> None:
        good = checks.Outcome("ruff check", 1, 0, 0, 0.1)
        suite = checks.Outcome("tests", 40, 0, 0, 9.0)
        assert checks.summarise([good, suite], without_313=False) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "41 passed, 0 failed"
        bad = checks.Outcome("pyright", 0, 1, 0, 3.0)
        assert checks.summarise([good, suite, bad], without_313=True) == 1
        shown = capsys.readouterr().out
        assert shown.splitlines()[-1] == "41 passed, 1 failed"
        assert "FAILED  pyright" in shown
        assert "Python 3.13 was not found" in shown

    @pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
    def test_without_python_313_ci_fails_and_a_person_is_told(
        self, ci: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("CI", ci)
        monkeypatch.setattr(checks.setup, "ensure", lambda blender52: environments.full_environment())
        monkeypatch.setattr(checks.browser_page, "install", lambda environment: None)
        monkeypatch.setattr(checks, "is_complete", lambda environment: False)
        monkeypatch.setattr(checks, "_run_beside", lambda *arguments: None)
        monkeypatch.setattr(checks, "_run_suite", lambda *_, **__: checks.Outcome("tests", 5, 0, 0, 1.0))
        assert checks.run([]) == status
        assert "Blender 5.2 is NOT set up" in capsys.readouterr().out

    def test_no_test_at_all_is_a_failure(self) -> None:
        assert checks.summarise([], without_313=False) == 1


def test_every_package_folder_is_declared_for_the_wheel() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    folders = [ROOT / name for name in ("addon", "benchmarks", "lifter", "smpl_assets", "training")]
    inside = {init.parent.relative_to(ROOT) for folder in folders for init in folder.rglob("__init__.py")}
    assert declared == {"reel2rig", *(".".join(["reel2rig", *path.parts]) for path in inside)}
