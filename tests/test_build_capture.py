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
            names = [Path(words[words.index("--blend") + 1])]
            names += [Path(words[index + 2]) for index, word in enumerate(words) if word == "--export"]
        for name in names:
            name.parent.mkdir(exist_ok=True)
            name.write_bytes(b"x")
        return 0

    monkeypatch.setattr(capture, "run_child", fake)
    monkeypatch.setattr(capture.setup, "ensure", environments.full_environment)
    return commands


def exports(command: list[str]) -> list[tuple[str, Path]]:
    """Target and file of each export that Blender is asked for."""
    starts = [index for index, word in enumerate(command) if word == "--export"]
    return [(command[start + 1], Path(command[start + 2])) for start in starts]


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
        assert exports(blender) == [("unity", out / "춤 🎬.fbx")]
        assert "춤 🎬.blend" in capsys.readouterr().out

    def test_each_target_gets_what_its_engine_takes_in_a_folder_of_its_own(
        self, capture_runs: list[list[str]], clip: Path
    ) -> None:
        out = clip.parent / "out"
        capture.run([str(clip), "--out", str(out), "--target", "unity", "--target", "godot"])
        assert exports(capture_runs[1]) == [
            ("unity", out / "unity" / "춤 🎬.fbx"),
            ("godot", out / "godot" / "춤 🎬.glb"),
        ]
        capture.run([str(clip), "--out", str(out), "--target", "all"])
        assert [path.parent.name for _, path in exports(capture_runs[3])] == ["unity", "unreal", "godot", "generic"]

    def test_one_target_writes_beside_the_rest_and_formats_asked_for_replace_the_usual_one(
        self, capture_runs: list[list[str]], clip: Path
    ) -> None:
        out = clip.parent / "out"
        capture.run([str(clip), "--out", str(out), "--target", "godot"])
        capture.run([str(clip), "--out", str(out), "--target", "unreal", "--usd", "--fbx"])
        capture.run([str(clip), "--out", str(out)])
        assert exports(capture_runs[1]) == [("godot", out / "춤 🎬.glb")]
        assert exports(capture_runs[3]) == [("unreal", out / "춤 🎬.fbx"), ("unreal", out / "춤 🎬.usd")]
        assert exports(capture_runs[5]) == []

    def test_the_demo_writes_an_fbx_unless_told_which_engine(
        self, capture_runs: list[list[str]], clip: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(capture, "DEMO_CLIP", clip)
        out = clip.parent / "out"
        capture.demo(["--out", str(out)])
        capture.demo(["--out", str(out), "--target", "godot"])
        assert exports(capture_runs[1]) == [("generic", out / "춤 🎬.fbx")]
        assert exports(capture_runs[3]) == [("godot", out / "춤 🎬.glb")]

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
            words = [str(part) for part in command]
            start = words.index("--export") if "--export" in words else len(words)
            return working(command[:start] + command[start + 3 :])

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
