"""Which packages set-up fetches on which machine. No bpy."""

import sys
from pathlib import Path

import pytest
from reel2rig.addon.set_up import package_lock
from reel2rig.lifter.errors import CaptureError


class TestChoice:
    """CPU or CUDA."""

    @pytest.mark.parametrize(("driver", "kind"), [(0, "cpu"), (12080, "cpu"), (13000, "cuda"), (13010, "cuda")])
    def test_the_driver_decides(self, driver: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_lock, "cuda_driver", lambda: driver)
        monkeypatch.setattr(package_lock, "this_platform", lambda: "linux-x86_64")
        assert package_lock.choose_kind("auto") == kind
        assert package_lock.choose_kind("cpu") == "cpu"
        assert package_lock.choose_kind("cuda") == "cuda"
        said = package_lock.kind_in_words(package_lock.choose_kind("auto"))
        assert ("CUDA 12, 13 is needed" in said) == (driver == 12080)

    def test_a_folder_of_wheels_decides(self, tmp_path: Path) -> None:
        assert package_lock.choose_kind("auto", tmp_path) == "cpu"
        (tmp_path / "onnxruntime_gpu-1.31.1-cp313-cp313-win_amd64.whl").touch()
        assert package_lock.choose_kind("auto", tmp_path) == "cuda"

    def test_a_system_without_packages_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_lock, "this_platform", lambda: "macos-x86_64")
        with pytest.raises(CaptureError, match="no packages for CPU on macos-x86_64"):
            package_lock.download_megabytes("cpu")

    def test_this_machine_without_a_card_has_no_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_lock, "DRIVER_LIBRARIES", {sys.platform: "libnone-such.so.1"})
        assert package_lock.cuda_driver() == 0


def test_requirements_keep_their_hashes_and_the_digest_is_theirs_alone(tmp_path: Path) -> None:
    file = tmp_path / "lock.txt"
    file.write_text("# made\na==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n\nb==2 \\\n    --hash=sha256:22\n")
    assert package_lock.requirements(file) == [
        "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11",
        "b==2 \\\n    --hash=sha256:22",
    ]
    before = package_lock.digest(file)
    file.write_bytes(b"# made anew\r\n" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert package_lock.digest(file) == before
    file.write_text(file.read_text().replace("22", "23"))
    assert package_lock.digest(file) != before


def test_the_size_on_disk_holds_wheels_and_what_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_lock, "this_platform", lambda: "linux-x86_64")
    assert package_lock.disk_megabytes("cpu") > 400 + package_lock.download_megabytes("cpu")
