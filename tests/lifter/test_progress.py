"""What the worker says: JSON lines that another program can follow, words that a person can read."""

import json
import subprocess
import sys

import pytest
from reel2rig.lifter.progress import Reporter
from reel2rig.lifter.summary import summary


def test_json_lines_tell_stages_and_then_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(as_json=True)
    update = reporter.stage("detect", 10)
    update(5)
    reporter.stage("lift")
    reporter.result({"out": "결과 🎬"}, "words for people")
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [set(line) for line in lines[:-1]] == [{"stage", "done", "total", "fps"}] * (len(lines) - 1)
    assert (lines[0]["stage"], lines[0]["done"], lines[0]["total"]) == ("detect", 0, 10)
    assert [line["stage"] for line in lines[:-1]] == ["detect", "detect", "lift", "lift"]
    assert lines[1]["done"] == 10  # the end of a stage is always told
    assert lines[-1] == {"result": {"out": "결과 🎬"}}
    assert captured.out.isascii()  # survives any console encoding
    assert captured.err == ""
    assert set(reporter.seconds) == {"detect", "lift"}


def test_an_error_is_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(as_json=True)
    reporter.stage("open")
    reporter.error("bad_fov", "No.", "Do this.")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"error": {"code": "bad_fov", "message": "No.", "hint": "Do this."}}


def test_people_read_progress_on_stderr_and_the_summary_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    reporter.stage("detect", 10)
    reporter.result({}, "Wrote out")
    captured = capsys.readouterr()
    assert "detect" in captured.err
    assert "10/10" in captured.err
    assert captured.out == "Wrote out\n"


def test_the_summary_names_files_licence_and_warnings() -> None:
    result = {
        "out": "/결과/out",
        "files": {"person_01.npz": "motion"},
        "people": ["person_01.npz"],
        "frames": 7,
        "licence": "open",
        "warnings": ["No height was given."],
    }
    lines = summary(result).splitlines()
    assert lines[0] == "Wrote /결과/out"
    assert lines[1].split() == ["person_01.npz", "motion"]
    assert lines[2] == "Frames: 7"
    assert lines[3].startswith("Licence: open (")
    assert lines[4] == "Note: No height was given."


def test_when_nobody_listens_any_more_the_work_ends_without_a_word() -> None:
    script = (
        "import sys\n"
        "from reel2rig.lifter import cli\n"
        "def work(path):\n"
        "    reporter = cli.Reporter(as_json=True)\n"
        "    while True:\n"
        "        reporter.stage('detect', 1)\n"
        "import reel2rig.lifter.file_info as info\n"
        "info.describe = work\n"
        "sys.exit(cli.main(['info', 'x.npz', '--progress', 'json']))\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stderr is not None
    assert b"detect" in worker.stdout.readline()
    worker.stdout.close()
    assert worker.wait(timeout=60) == 3
    assert worker.stderr.read() == b""
