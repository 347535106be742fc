"""The private environment: made whole from a folder of wheels or not at all, and looked at afterwards. No bpy."""

import base64
import errno
import hashlib
import json
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reel2rig.addon.set_up import base_python, environment_build, environment_state, package_lock, set_up_errors
from reel2rig.addon.set_up.environment_build import SetUp, build, discard
from reel2rig.addon.set_up.environment_state import State, inspect, python_in
from reel2rig.addon.set_up.one_at_a_time import only_one
from reel2rig.addon.workers.worker import Worker
from reel2rig.addon.workers.worker_commands import set_up_command
from reel2rig.lifter.errors import CaptureError

REPOSITORY = Path(__file__).resolve().parents[2]


def make_wheel(folder: Path, name: str) -> str:
    """A package with one module of one line; returns its line for a lock."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{file},sha256={digest},{len(text)}\n")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files | {f"{info}/RECORD": "".join([*rows, f"{info}/RECORD,,\n"])}).items():
            archive.writestr(file, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip and nothing else, made once and copied from then on, as making it takes seconds."""
    folder = tmp_path_factory.mktemp("bare") / "environment"
    environment_build._make_venv(folder, base_python.find_base_python())
    return folder


@pytest.fixture(scope="module")
def place(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an awkward name that holds wheels, and a lock for them in place of the shipped one."""
    folder = tmp_path_factory.mktemp("my 폴더 🎬")
    (folder / "wheels").mkdir()
    (folder / "lock").mkdir()
    lock = "# two packages\n" + "".join(make_wheel(folder / "wheels", name) for name in ("first", "second"))
    (folder / "lock" / "cpu.txt").write_text(lock, "utf-8")
    sizes = {"cpu": {package_lock.this_platform(): 1}, "cuda": {}}
    (folder / "lock" / "sizes.json").write_text(json.dumps(sizes), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package_lock, "FOLDER", folder / "lock")
        patch.setattr(environment_build, "_try_out", lambda asked: ("CPUExecutionProvider", ["slow"]))
        patch.setattr(environment_build, "_make_venv", lambda part, base: shutil.copytree(bare, part, symlinks=True))
        yield folder


@pytest.fixture(scope="module")
def made(place: Path) -> Path:
    """A whole environment; tests leave it as it was."""
    folder = place / "environment"
    build(SetUp(folder, "cpu", place / "wheels"))
    return folder


@pytest.fixture
def lock(place: Path) -> Iterator[Path]:
    """The lock file, to be changed by a test."""
    file = place / "lock" / "cpu.txt"
    before = file.read_bytes()
    yield file
    file.write_bytes(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestBuild:
    def test_from_wheels_it_is_whole_and_nothing_else_is_left(self, place: Path, made: Path) -> None:
        assert names(place) == ["environment", "environment.lock", "lock", "wheels"]
        assert {path.stem for path in made.glob("**/site-packages/*.py")} >= {"first", "second"}
        state = inspect(made, thorough=True)
        assert state.kind == "whole"
        assert state.stamp is not None
        assert (state.stamp.provider, state.stamp.kind) == ("CPUExecutionProvider", "cpu")

    def test_a_package_that_is_not_what_the_lock_says_is_not_installed(self, place: Path, lock: Path) -> None:
        text = lock.read_text("utf-8")
        position = text.rindex("sha256:") + 7
        lock.write_text(f"{text[:position]}{'0' * 64}{text[position + 64 :]}", "utf-8")
        with pytest.raises(CaptureError, match=r"not the one .*second==1\.0") as caught:
            build(SetUp(place / "new", "cpu", place / "wheels"))
        assert caught.value.code == "hash_mismatch"
        assert not [name for name in names(place) if name.startswith("new") and name != "new.lock"]

    def test_a_wheel_that_the_folder_lacks_is_named(self, place: Path, tmp_path: Path) -> None:
        shutil.copy2(next((place / "wheels").glob("first*")), tmp_path)
        with pytest.raises(CaptureError, match=r"folder of wheels has no build .*second==1\.0") as caught:
            build(SetUp(place / "new", "cpu", tmp_path))
        assert "README" in caught.value.hint
        assert not (place / "new").exists()

    def test_fetching_goes_on_where_it_stopped(
        self, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = SetUp(place / "fetched", "cpu")
        asked.fetched.mkdir()
        shutil.copy2(next((place / "wheels").glob("first*")), asked.fetched)
        shutil.copy2(next((place / "wheels").glob("second*")), tmp_path)
        monkeypatch.setenv("PIP_NO_INDEX", "1")  # the index of this test is a folder that has the second only
        monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path.as_uri()} {asked.fetched.as_uri()}")
        result = build(asked)
        assert result["warnings"] == ["slow"]
        assert inspect(asked.folder, thorough=True).kind == "whole"
        assert not asked.fetched.exists()
        shutil.rmtree(asked.folder)

    def test_cancelled_in_the_middle_the_old_one_stays_and_nothing_else(
        self, place: Path, made: Path, bare: Path
    ) -> None:
        script = (
            f"import pathlib, shutil, sys, time; sys.path.insert(0, {str(REPOSITORY / 'addon' / 'workers')!r})\n"
            "import start_module\n"
            f"start_module.load_package(pathlib.Path({str(REPOSITORY)!r}))\n"
            "from reel2rig.addon.set_up import environment_build as b, package_lock\n"
            f"package_lock.FOLDER = pathlib.Path({str(place / 'lock')!r})\n"
            f"b._make_venv = lambda part, base: shutil.copytree({str(bare)!r}, part, symlinks=True)\n"
            "b._try_out = lambda asked: (b.commands.stage('hanging'), time.sleep(60))\n"
            f"b.main(['--folder', {str(made)!r}, '--kind', 'cpu', '--wheels', {str(place / 'wheels')!r}])\n"
        )
        worker = Worker([sys.executable, "-I", "-X", "utf8", "-u", "-c", script], "set-up")
        deadline = time.monotonic() + 120
        while worker.progress.stage != "hanging":
            assert worker.poll(), worker.error and worker.error.message
            assert time.monotonic() < deadline
            worker.wait(0.05)
        assert (place / "environment.part").exists()
        assert "Successfully installed" in worker.last_line
        with pytest.raises(CaptureError, match="Another Blender"):
            build(SetUp(made, "cpu", place / "wheels"))
        discard(made)
        assert (place / "environment.part").exists()
        worker.cancel()
        discard(made)
        assert not [name for name in names(place) if name.endswith((".part", ".old", ".wheels"))]
        assert inspect(made, thorough=True).kind == "whole"

    def test_too_little_room_is_said_before_anything_is_made(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(package_lock, "UNPACKED", {"cpu": 1e12})
        with pytest.raises(CaptureError, match="too little room") as caught:
            build(SetUp(place / "new", "cpu", place / "wheels"))
        assert caught.value.code == "disk_full"

    def test_a_folder_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(CaptureError, match="file"):
            build(SetUp(tmp_path / "file" / "environment", "cpu"))

    def test_the_command_starts_this_package_wherever_it_lies(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        worker = Worker(set_up_command(tmp_path / "file" / "environment", "cpu", None), "set-up")
        while worker.poll():
            worker.wait(0.05)
        assert worker.error is not None
        assert worker.error.code == "set_up_failed"


class TestPuttingInPlace:
    def asked(self, folder: Path) -> SetUp:
        asked = SetUp(folder / "environment", "cpu")
        for path, text in ((asked.part, "new"), (asked.folder, "old")):
            path.mkdir()
            (path / "text").write_text(text, "utf-8")
        return asked

    def held_open(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        """Let the rename of a .part fail a few times, as when a virus scanner reads it."""
        rename, left = Path.rename, [times]

        def refuse(path: Path, target: Path) -> Path:
            if path.suffix == ".part" and left[0]:
                left[0] -= 1
                raise PermissionError(errno.EACCES, "Access is denied")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", refuse)
        monkeypatch.setattr(environment_build.time, "sleep", lambda seconds: None)

    def test_the_new_takes_the_place_of_the_old(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held_open(monkeypatch, 2)
        environment_build._put_in_place(self.asked(tmp_path))
        assert names(tmp_path) == ["environment"]
        assert (tmp_path / "environment" / "text").read_text("utf-8") == "new"

    def test_held_open_for_good_the_old_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held_open(monkeypatch, 1000)
        monkeypatch.setattr(environment_build, "RENAME_SECONDS", 0.0)
        with pytest.raises(CaptureError, match="may not be written") as caught:
            environment_build._put_in_place(self.asked(tmp_path))
        assert "virus scanner" in caught.value.hint
        assert (tmp_path / "environment" / "text").read_text("utf-8") == "old"

    def test_killed_between_the_two_renames_the_old_comes_back(self, tmp_path: Path) -> None:
        asked = self.asked(tmp_path)
        asked.folder.rename(asked.old)
        discard(asked.folder)
        assert names(tmp_path) == ["environment", "environment.lock"]
        assert (tmp_path / "environment" / "text").read_text("utf-8") == "old"


class TestState:
    def test_absent_and_unfinished(self, tmp_path: Path) -> None:
        assert inspect(tmp_path / "none") == State("absent")
        (tmp_path / "half").mkdir()
        assert inspect(tmp_path / "half").kind == "broken"

    def test_moved(self, made: Path) -> None:
        moved = made.rename(made.with_name("moved"))
        try:
            state = inspect(moved)
        finally:
            moved.rename(made)
        assert (state.kind, state.reason) == ("broken", f"It was moved here from {made}.")

    def test_other_packages_are_wanted_now(self, made: Path, lock: Path) -> None:
        lock.write_text(lock.read_text("utf-8").replace("# two", "# 2"), "utf-8")
        assert inspect(made).kind == "whole"
        lock.write_text(lock.read_text("utf-8").replace("==1.0", "==1.1"), "utf-8")
        assert inspect(made).reason == "This version of Reel2Rig needs other packages."

    def test_a_missing_file_is_found_by_the_thorough_look(self, made: Path) -> None:
        file = next(made.glob("**/site-packages/first.py"))
        text = file.read_text("utf-8")
        file.unlink()
        try:
            assert inspect(made).kind == "whole"
            state = inspect(made, thorough=True)
        finally:
            file.write_text(text, "utf-8")
        assert (state.kind, state.reason) == ("broken", "1 of its files are missing (first.py).")

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"base": "/gone/python3.11"}, "is gone"),
            ({"python": "3.9.1"}, "was made for Python 3.9.1, but stands on 3."),
            ({"packages": "nowhere"}, "all packages"),
        ],
    )
    def test_a_python_that_was_upgraded_away(self, made: Path, change: dict[str, str], says: str) -> None:
        stamp = inspect(made).stamp
        assert stamp is not None
        changed: Any = change
        environment_state.write_stamp(made, replace(stamp, **changed))
        try:
            state = inspect(made, thorough=True)
        finally:
            environment_state.write_stamp(made, stamp)
        assert state.kind == "broken"
        assert says in state.reason

    def test_a_python_that_does_not_start(self, made: Path) -> None:
        python = python_in(made)
        aside = python.rename(python.with_name("aside"))
        python.write_text("no program")
        try:
            state = inspect(made, thorough=True)
        finally:
            python.unlink()
            aside.rename(python)
        assert "does not start" in state.reason


@pytest.mark.parametrize(
    ("output", "wheels", "code"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM ...\n    numpy==2.4.6 from https", False, "hash_mismatch"),
        ("OSError: [Errno 28] No space left on device", False, "disk_full"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError: Temporary failure in name resolution'\n"
            "ERROR: No matching distribution found for av==18.1.0",
            False,
            "no_network",
        ),
        ("ERROR: No matching distribution found for av==18.1.0", False, "no_wheel"),
        ("ERROR: No matching distribution found for av==18.1.0", True, "not_in_folder"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:'", 0, "not_writable"),
        ("something\nodd\n\n", False, "set_up_failed"),
        ("", False, "set_up_failed"),
    ],
)
def test_what_pip_says_becomes_what_to_do(output: str, wheels: bool, code: str) -> None:
    error = set_up_errors.explained("Installing", output, Path("wheels") if wheels else None)
    assert error.code == code
    assert error.hint
    if "==" in output:
        assert code == "no_network" or re_package(output) in error.message


def re_package(output: str) -> str:
    return next(word for word in output.split() if "==" in word)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EROFS, "not_writable"), (errno.EIO, "set_up_failed")]
)
def test_what_the_system_says_becomes_what_to_do(number: int, code: str) -> None:
    assert set_up_errors.from_os(OSError(number, "no", "folder")).code == code


def test_only_one_holds_the_lock_and_lets_go_of_it(tmp_path: Path) -> None:
    with only_one(tmp_path / "lock"), pytest.raises(CaptureError, match="Another"), only_one(tmp_path / "lock"):
        pass
    with only_one(tmp_path / "lock"):
        pass


class TestBasePython:
    def test_this_python_is_one(self) -> None:
        found = base_python.find_base_python()
        assert found.path == Path(sys.executable)
        assert found.pip >= (21,)

    def test_without_any_it_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base_python.sys, "executable", "/no/such/python")
        monkeypatch.setenv("PATH", "")
        with pytest.raises(CaptureError, match="No Python was found"):
            base_python.find_base_python()

    def test_one_whose_venv_has_no_launcher_gets_the_interpreter_itself(self, tmp_path: Path) -> None:
        base, environment = tmp_path / "base" / "python.exe", tmp_path / "environment"
        for file in (base, base.with_name("python313.dll"), base.with_name("vcruntime140.dll")):
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(file.name.encode())
        python_in(environment).parent.parent.mkdir()
        environment_build._copy_python(base, environment)
        copied = names(python_in(environment).parent)
        assert copied == ["python.exe", "python313.dll", "vcruntime140.dll"]
