"""build.py capture: worker, then Blender, and no "done" without every promised file. Both are fakes here."""

import os
from pathlib import Path

import pytest
from reel2rig.build_steps import capture, environments
from reel2rig.build_steps.console import BuildError


@pytest.fixture
def capture_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Replace worker and Blender by fakes that write what they promise; returns the commands they got."""
    commands: list[list[str]] = []

    def fake(command: list) -> int:
        words = [str(word) for word in command]
        commands.append(words)
        if "reel2rig.lifter" in words:
            out = Path(words[words.index("--out") + 1])
            out.mkdir(exist_ok=True)
            names = [out / name for name in ("capture.json", "person_01.npz", "preview.mp4")]
        else:
            names = [Path(words[words.index(kind) + 1]) for kind in ("--blend", "--fbx", "--glb") if kind in words]
        for name in names:
            name.write_bytes(b"x")
        return 0

    monkeypatch.setattr(capture, "run_child", fake)
    monkeypatch.setattr(capture.setup, "ensure", environments.full_environment)
    return commands


class TestCapture:
    @pytest.fixture
    def clip(self, tmp_path: Path) -> Path:
        clip = tmp_path / "춤 🎬.mp4"
        clip.write_bytes(b"clip")
        return clip

    def test_worker_then_blender_with_the_right_files(
        self, capture_runs: list[list[str]], clip: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = clip.parent / "out"
        asked = [str(clip), "--out", str(out), "--fbx", "--preset", "best", "--target", "unity"]
        assert capture.run(asked) == 0
        worker, blender = capture_runs
        assert worker[1:] == ["-m", "reel2rig.lifter", "capture", str(clip), "--out", str(out), "--preset", "best"]
        assert blender[3] == str(out / "person_01.npz")
        assert blender[blender.index("--fbx") + 1] == str(out / "춤 🎬.fbx")
        assert blender[blender.index("--target") + 1] == "unity"
        assert "--glb" not in blender
        assert "춤 🎬.blend" in capsys.readouterr().out

    def test_a_body_file_reaches_worker_and_blender(self, capture_runs: list[list[str]], clip: Path) -> None:
        capture.run([str(clip), "--out", str(clip.parent / "out"), "--body", "SMPL_NEUTRAL.npz"])
        for command in capture_runs:
            assert command[command.index("--body") + 1] == "SMPL_NEUTRAL.npz"

    @pytest.mark.parametrize("status", [1, 2, 3])
    def test_the_workers_exit_status_is_passed_on(
        self, status: int, capture_runs: list[list[str]], clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(capture, "run_child", lambda command: status)
        assert capture.run([str(clip), "--out", str(clip.parent / "out")]) == status

    def test_a_file_left_from_before_does_not_count_as_written(
        self, capture_runs: list[list[str]], clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = clip.parent / "out"
        capture.run([str(clip), "--out", str(out), "--fbx"])
        for path in out.iterdir():
            os.utime(path, (1e9, 1e9))
        working = capture.run_child

        def without_fbx(command: list) -> int:
            return working([part for part in command if str(part) != "--fbx"])

        monkeypatch.setattr(capture, "run_child", without_fbx)
        with pytest.raises(BuildError, match=r"not written: .*춤 🎬\.fbx"):
            capture.run([str(clip), "--out", str(out), "--fbx"])

    def test_a_missing_clip_is_the_inputs_fault(self, capture_runs: list[list[str]], tmp_path: Path) -> None:
        with pytest.raises(BuildError, match="There is no clip") as caught:
            capture.run([str(tmp_path / "none.mp4"), "--out", str(tmp_path)])
        assert caught.value.status == 2
        assert capture_runs == []

    def test_each_of_several_people_has_an_export_and_a_missing_one_is_named(
        self, capture_runs: list[list[str]], clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = clip.parent / "out"
        single = capture.run_child

        def for_two(command: list) -> int:
            status = single(command)
            (out / "person_02.npz").write_bytes(b"x")
            if "reel2rig.addon" in [str(part) for part in command]:
                for number in numbers:
                    (out / f"{clip.stem}_{number:02d}.fbx").write_bytes(b"x")
            return status

        monkeypatch.setattr(capture, "run_child", for_two)
        numbers = [1, 2]
        assert capture.run([str(clip), "--out", str(out), "--fbx"]) == 0
        (out / f"{clip.stem}_02.fbx").unlink()
        numbers = [1]
        with pytest.raises(BuildError, match=r"not written: .*_02\.fbx"):
            capture.run([str(clip), "--out", str(out), "--fbx"])
