"""NOTICE names every bundled model, body, clip and recording that is not ours, with its true SHA-256."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTICE = (ROOT / "NOTICE").read_text("utf-8")
FOLDERS = ("addon", "lifter/models", "smpl_assets/bodies", "examples", "training/data")
KINDS = {".onnx", ".task", ".npz", ".mp4", ".mkv"}
# Trained here; NOTICE says from which data
OUR_OWN = {"lifter/models/lifter.onnx", "examples/browser/pose2d_to_3d.onnx"}


def bundled_files() -> set[str]:
    files = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS}
    return {path.relative_to(ROOT).as_posix() for path in files} - OUR_OWN


def noted_sums() -> dict[str, str]:
    return {path: digest for digest, path in re.findall(r"\b([0-9a-f]{64})  (\S+)", NOTICE)}


def test_every_bundled_file_is_noted_and_every_noted_file_is_there() -> None:
    assert set(noted_sums()) == bundled_files()


def test_sums_are_true() -> None:
    true_sums = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in noted_sums()}
    assert noted_sums() == true_sums


def test_each_entry_says_source_and_licence_and_licence_texts_exist() -> None:
    entries = re.split(r"\n(?=\d+\. )", NOTICE)[1:]
    assert len(entries) >= 6
    for entry in entries:
        assert "Source " in entry, entry
        assert "Licence " in entry, entry
    for text in re.findall(r"\(([\w/.-]+\.txt)\)", NOTICE):
        assert (ROOT / text).stat().st_size > 500
