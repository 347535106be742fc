"""The folder of a capture: replaced as a whole, other people's files left alone, nothing half done."""

import errno
import os
from pathlib import Path

import pytest
from reel2rig.lifter.capture_folder import check_place, published_whole
from reel2rig.lifter.errors import CaptureError, InputError


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def fill(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.npz").write_text(text)
    return folder


def test_a_new_folder_appears_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "새 캡처 🎬"
    with published_whole(out) as staging:
        fill(staging, person_01="new")
        assert not out.exists()
    assert contents(out) == {"person_01.npz": "new"}
    assert list(tmp_path.iterdir()) == [out]


def test_an_earlier_capture_is_replaced_and_its_people_go(tmp_path: Path) -> None:
    out = fill(tmp_path / "out", person_01="old", person_02="old", joints="old", mine="mine")
    with published_whole(out) as staging:
        fill(staging, person_01="new", joints="new")
        assert contents(out)["person_01.npz"] == "old"
    assert contents(out) == {"person_01.npz": "new", "joints.npz": "new", "mine.npz": "mine"}
    assert list(tmp_path.iterdir()) == [out]


def test_what_is_outdated_goes_with_the_earlier_capture_unless_it_is_new(tmp_path: Path) -> None:
    out = fill(tmp_path / "out", preview="old", joints="old", mine="mine")
    with published_whole(out, outdated=["preview.npz", "joints.npz", "missing.npz"]) as staging:
        fill(staging, joints="new")
    assert contents(out) == {"joints.npz": "new", "mine.npz": "mine"}
    with pytest.raises(KeyError), published_whole(out, outdated=["joints.npz"]):
        raise KeyError
    assert contents(out) == {"joints.npz": "new", "mine.npz": "mine"}


def test_an_error_leaves_the_earlier_capture(tmp_path: Path) -> None:
    out = fill(tmp_path / "out", person_01="old", person_02="old")
    with pytest.raises(KeyError), published_whole(out) as staging:
        fill(staging, person_01="new")
        raise KeyError
    assert contents(out) == {"person_01.npz": "old", "person_02.npz": "old"}
    assert list(tmp_path.iterdir()) == [out]


def test_a_failure_while_files_move_puts_the_earlier_ones_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = fill(tmp_path / "out", joints="old", person_01="old", person_02="old")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.parent != out and target == out / "person_01.npz":
            monkeypatch.undo()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    with pytest.raises(CaptureError) as caught, published_whole(out) as staging:
        fill(staging, joints="new", person_01="new")
        monkeypatch.setattr(Path, "rename", failing)
    assert caught.value.code == "cannot_write"
    assert contents(out) == {"joints.npz": "old", "person_01.npz": "old", "person_02.npz": "old"}
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_in_the_way_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper" / "out"):
        with pytest.raises(InputError) as caught:
            check_place(out)
        assert caught.value.code == "bad_out"
    check_place(tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists()
