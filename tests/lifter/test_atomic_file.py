"""A file appears whole or not at all, whatever happens while it is written."""

import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter import cancellation
from reel2rig.lifter.atomic_file import written_whole
from reel2rig.lifter.errors import CancelledError, CaptureError
from reel2rig.lifter.motion_file import Motion, write_motion


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_file_is_there_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "새 폴더 🙂" / "file.txt"
    with written_whole(path) as part:
        part.write_text("new")
        assert not path.exists()
        assert part.suffix == ".txt"
    assert path.read_text() == "new"
    assert names(path.parent) == ["file.txt"]


def test_an_exception_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyError), written_whole(path) as part:
        part.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    motion = Motion(np.zeros((1, 72), np.float32), np.zeros((1, 3), np.float32), np.zeros(10, np.float32), 30.0)
    with pytest.raises(CaptureError) as caught:
        write_motion(tmp_path / "person_01.npz", motion)
    assert caught.value.code == "cannot_write"
    assert "No space left" in caught.value.message
    assert caught.value.exit_status == 1
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CaptureError) as caught, written_whole(tmp_path / "file" / "new.txt"):
        pytest.fail("the block must not run")
    assert caught.value.code == "cannot_write"
    assert names(tmp_path) == ["file"]


def test_a_stop_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CancelledError), cancellation.listening(), written_whole(tmp_path / "file.txt") as part:
        part.write_text("half")
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the stop comes at once")
    assert names(tmp_path) == []
