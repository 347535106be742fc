"""The panel's report holds what capture.json says, and survives any capture.json."""

import json
from pathlib import Path
from typing import Any

import pytest
from reel2rig.addon.character.capture_report import LARGEST, MOST_WARNINGS, read_record, report_lines
from reel2rig.addon.character.character import import_motions
from reel2rig.smpl_assets.body import Body

RECORD = {
    "frames": 300,
    "fps": 29.97002997,
    "provider": {"name": "CUDAExecutionProvider", "reason": ""},
    "licence": "open",
    "people": [
        {"file": "person_01.npz", "track_id": 4, "frames": 300, "mean_confidence": 0.874},
        {"file": "person_02.npz", "mean_confidence": 0.5},
    ],
    "seconds": {"detect": 7.5, "fit": 0.35},
    "warnings": ["No height was given."],
}


def written(folder: Path, record: object) -> Path:
    (folder / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_the_report_says_what_the_capture_did(tmp_path: Path) -> None:
    assert report_lines(written(tmp_path, RECORD), "person_01.npz") == [
        "People: 2",
        "Frames in the clip: 300",
        "Frames per second: 29.97",
        "Mean confidence: 0.87",
        "Computed on: CUDA",
        "Took: 7.8 s",
        "Licence: may be used commercially",
        "No height was given.",
    ]


def test_processor_and_smpl_are_said_in_words(tmp_path: Path) -> None:
    record = RECORD | {"provider": {"name": "CPUExecutionProvider"}, "licence": "smpl-noncommercial"}
    lines = report_lines(written(tmp_path, record), "person_02.npz")
    assert "Computed on: the processor" in lines
    assert "Licence: SMPL: non-commercial unless you hold a licence" in lines
    assert "Mean confidence: 0.50" in lines


@pytest.mark.parametrize(
    "record",
    [
        [], 7, {"people": {}}, {"people": [None, 3, {"file": 5}], "seconds": [1], "warnings": "x", "provider": "CPU"},
        {"frames": True, "fps": float("nan"), "licence": ["open"], "provider": {"name": 4}, "people": None},
        {"fps": 10**300, "seconds": {"a": "b"}, "warnings": [1, {}, None]},
    ],
)  # fmt: skip
def test_odd_records_give_no_more_than_what_they_say(tmp_path: Path, record: object) -> None:
    lines = report_lines(written(tmp_path, record), "person_01.npz")
    assert all(not line.startswith(("Computed", "Mean")) for line in lines)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (LARGEST + 1)])
def test_what_is_no_json_or_too_large_is_no_report(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "capture.json").write_bytes(content)
    assert read_record(tmp_path) == {}
    assert report_lines(tmp_path, "person_01.npz") == []
    assert report_lines(tmp_path / "nowhere", "person_01.npz") == []


def test_warnings_are_few_short_lines(tmp_path: Path) -> None:
    record = RECORD | {"warnings": ["one\ntwo\x07" + "x" * 1000] * 100}
    warnings = report_lines(written(tmp_path, record), "person_01.npz")[7:]
    assert len(warnings) == MOST_WARNINGS
    assert all(text.startswith("one two") and len(text) <= 200 and text.isprintable() for text in warnings)


def test_the_rig_remembers_where_it_came_from(scene: Any, motion_path: Path, body: Body) -> None:
    written(motion_path.parent, RECORD)
    rig = import_motions(scene, [motion_path], body)[0].rig
    assert rig["reel2rig_capture"] == str(motion_path.parent.resolve())
    assert rig["reel2rig_motion"] == "person_01.npz"
    assert rig["reel2rig_track"] == 0
    assert rig["reel2rig_report"].split("\n")[0] == "People: 2"


def test_a_lone_motion_file_has_no_capture(scene: Any, motion_path: Path, body: Body) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    assert rig["reel2rig_motion"] == "person_01.npz"
    assert "reel2rig_capture" not in rig
    assert "reel2rig_report" not in rig
