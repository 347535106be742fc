"""The capture process: messages, crashes, cancelling; and the environment it runs in. No bpy."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from reel2rig.addon.set_up import capture_environment
from reel2rig.addon.set_up.capture_environment import EnvironmentReport, check_python, find_python, python_in
from reel2rig.addon.workers.worker import Progress, Worker
from reel2rig.addon.workers.worker_commands import RUN, CaptureRequest, FitRequest, capture_command, refit_command
from reel2rig.lifter.errors import CaptureError
from reel2rig.smpl_assets.body import OPEN_BODY

PYTHON = Path(sys.executable)


def run(script: str) -> Worker:
    started = Worker([sys.executable, "-u", "-c", script])
    deadline = time.monotonic() + 30
    while started.poll():
        assert time.monotonic() < deadline
        started.wait(0.05)
    return started


def test_progress_and_result_are_followed() -> None:
    done = run(
        """
print('{"stage": "detect", "done": 5, "total": 20, "fps": 2.5}')
print("a library's chatter")
print('{"result": {"out": "/tmp/옷", "people": ["person_01.npz"]}}')
"""
    )
    assert done.progress == Progress("detect", 5, 20, 2.5)
    assert done.progress.factor == 0.25
    assert done.progress.seconds_left == 6.0
    assert done.result == {"out": "/tmp/옷", "people": ["person_01.npz"]}
    assert done.error is None


def test_an_error_message_reaches_the_user_with_its_hint() -> None:
    said = '{"error": {"code": "nobody", "message": "Nobody is in view.", "hint": "Choose another clip."}}'
    error = run(f"print('{said}'); raise SystemExit(2)").error
    assert error is not None
    assert (error.code, error.message, error.hint) == ("nobody", "Nobody is in view.", "Choose another clip.")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise MemoryError('no room')", "MemoryError: no room"),
        ("import os; os.abort()", "it said nothing"),
        ("print('[1, 2]'); print('null')", "status 0"),
    ],
)
def test_a_crash_is_an_error_with_the_last_line(script: str, reason: str) -> None:
    died = run(script)
    assert died.result is None
    assert died.error is not None
    assert died.error.code == "worker_died"
    assert reason in died.error.message


def test_a_python_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CaptureError, match="could not be started"):
        Worker(["/no/such/python"])


def test_cancel_kills_a_hanging_worker_and_its_children_at_once(tmp_path: Path) -> None:
    stubborn = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "open({!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    files = [tmp_path / "parent", tmp_path / "child"]
    child = stubborn.format(str(files[1]))
    script = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); {stubborn.format(str(files[0]))}"
    )
    hanging = Worker([sys.executable, "-c", script])
    while not all(file.exists() and file.read_text() for file in files):
        assert hanging.poll()
        time.sleep(0.02)
    began = time.monotonic()
    hanging.cancel()
    assert time.monotonic() - began < 5
    assert hanging.error is not None
    assert hanging.error.code == "cancelled"
    assert not hanging.poll()
    for file in files:
        assert _gone(int(file.read_text()))


def _gone(process: int) -> bool:
    """Whether a process has ended; a child orphaned by the kill may wait a moment for its reaping."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{process}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_the_command_runs_this_package_and_not_another_reel2rig(tmp_path: Path) -> None:
    decoy = tmp_path / "reel2rig" / "lifter"
    decoy.mkdir(parents=True)
    for file in (decoy.parent / "__init__.py", decoy / "__init__.py", decoy / "__main__.py"):
        file.write_text("raise SystemExit('the decoy ran')")
    command = capture_command(PYTHON, CaptureRequest(clip=tmp_path / "없다 🎬.mp4", out=tmp_path / "out", height=1.8))
    command[command.index("capture") :] = ["info", str(tmp_path / "없다 🎬.npz")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, env=environment, check=False
    )
    assert "decoy" not in done.stderr
    assert done.returncode == 2, done.stderr
    assert "없다 🎬.npz" in done.stdout + done.stderr


def test_options_become_the_capture_command_line(tmp_path: Path) -> None:
    options = CaptureRequest(
        clip=Path("a b.mp4"),
        out=tmp_path,
        preset="best",
        device="cpu",
        person="all",
        body=Path("b.npz"),
        start=1.5,
        build="thin",
        contacts="never",
        smoothing=0.25,
    )
    words = capture_command(PYTHON, options)
    assert words[: words.index("capture")] == [str(PYTHON), *RUN, "lifter"]
    rest = words[words.index("capture") + 1 :]
    assert rest[0] == "a b.mp4"
    given = dict(zip(rest[1::2], rest[2::2], strict=True))
    assert given.pop("--out") == str(tmp_path)
    assert given == {
        "--preset": "best",
        "--device": "cpu",
        "--person": "all",
        "--progress": "json",
        "--body": "b.npz",
        "--start": "1.500",
        "--build": "thin",
        "--smoothing": "0.250",
        "--contacts": "never",
        "--foot-lock": "1.000",
        "--floor": "1.000",
    }


def test_a_refit_is_told_its_corrections_and_every_setting(tmp_path: Path) -> None:
    corrections = ["swap:1:0.5:2.0", "unseen:1:3.0:4.0"]
    words = refit_command(PYTHON, tmp_path, FitRequest(height=1.9), corrections)
    assert words[words.index("refit") + 1 :][:8] == [
        *(str(tmp_path), "--no-preview", "--progress", "json"),
        *("--correct", "swap:1:0.5:2.0", "--correct", "unseen:1:3.0:4.0"),
    ]
    for name, value in (("--height", "1.900"), ("--build", "auto"), ("--body", str(OPEN_BODY))):
        assert words[words.index(name) + 1] == value


def test_the_environment_is_found_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(capture_environment.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(capture_environment, "PACKAGE_FOLDER", tmp_path / "package")
    with pytest.raises(CaptureError, match="was not found") as caught:
        find_python("", tmp_path / "user")
    assert "build.py setup" in caught.value.hint
    places = [
        python_in(tmp_path / "package" / ".venv"),
        python_in(tmp_path / "user" / "environment"),
        tmp_path / "named",
    ]
    for place in places:  # each goes before the one before it
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        if place.name == "named":
            monkeypatch.setenv(capture_environment.ENVIRONMENT_VARIABLE, str(place))
        assert find_python("", tmp_path / "user") == place
    assert find_python(sys.executable, None) == PYTHON
    with pytest.raises(CaptureError, match="no Python at"):
        find_python(str(tmp_path / "nowhere"), None)


def test_checking_a_python_says_what_it_has(tmp_path: Path) -> None:
    report = check_python(PYTHON)
    assert report.packages["numpy"][0].isdigit()
    assert report.python.startswith("3.")
    text = tmp_path / "python"
    text.write_text("no program")
    with pytest.raises(CaptureError, match="does not run"):
        check_python(text)


def test_a_report_names_what_is_missing() -> None:
    lacking = EnvironmentReport("3.11.9", {"av": "missing: No module named 'av'", "numpy": "1.26"}, ())
    assert lacking.sentence() == "Python 3.11.9 lacks av"
    ready = EnvironmentReport("3.11.9", {"onnxruntime": "1.31.1"}, ("CUDAExecutionProvider",))
    assert ready.sentence() == "Python 3.11.9, ONNX Runtime 1.31.1 on CUDA: ready"
