"""What the extension's set-up fetches: the pins, all of them, with hashes and for every system."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from reel2rig.build_steps import lock

ROOT = Path(__file__).resolve().parent.parent
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def locked(kind: str) -> dict[str, str]:
    """Package to version, as pip reads the lock."""
    text = (lock.FOLDER / f"{kind}.txt").read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))


def pinned(kind: str) -> dict[str, str]:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    versions = dict(re.findall(r"([\w-]+)==([\w.]+)", "\n".join(line.split(";")[0] for line in pins)))
    other = {"cpu": "onnxruntime-gpu", "cuda": "onnxruntime"}[kind]
    return {name: version for name, version in versions.items() if name != other}


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
class TestLock:
    def test_it_holds_the_pinned_versions(self, kind: str) -> None:
        assert pinned(kind).items() <= locked(kind).items()
        assert len(pinned(kind)) == 4
        assert (1, 26) <= tuple(int(part) for part in locked(kind)["numpy"].split(".")[:2]) < (3, 0)

    def test_every_package_has_hashes_and_nothing_else_is_in_it(self, kind: str) -> None:
        text = (lock.FOLDER / f"{kind}.txt").read_text("utf-8")
        blocks = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
        assert len(blocks) == len(locked(kind)) > len(pinned(kind))
        assert all(HASH.search(block) for block in blocks)
        assert "://" not in text

    def test_only_other_systems_packages_bear_a_marker(self, kind: str) -> None:
        text = (lock.FOLDER / f"{kind}.txt").read_text("utf-8")
        assert re.findall(r"^([\w-]+)==\S+ ;.*win32", text, re.MULTILINE) == ["colorama"]
        assert text.count(" ; ") == 1

    def test_the_size_is_known_for_every_system(self, kind: str) -> None:
        sizes = json.loads((lock.FOLDER / "sizes.json").read_text("utf-8"))[kind]
        assert set(sizes) == {place.name for place in lock.PLATFORMS if kind in place.kinds}
        assert all(50 < size < 3000 for size in sizes.values())


def test_cuda_brings_its_own_libraries_and_cpu_none() -> None:
    assert {"nvidia-cudnn-cu13", "nvidia-cublas", "nvidia-cuda-runtime"} <= set(locked("cuda"))
    assert not [name for name in locked("cpu") if name.startswith("nvidia")]


def test_what_uv_is_asked_for_is_one_onnx_runtime() -> None:
    assert [line for line in lock.wanted("cpu") if "onnx" in line] == [f"onnxruntime=={pinned('cpu')['onnxruntime']}"]
    (runtime,) = [line for line in lock.wanted("cuda") if "onnx" in line]
    assert runtime == f"onnxruntime-gpu[cuda,cudnn]=={pinned('cuda')['onnxruntime-gpu']}"


def test_the_marker_that_most_packages_bear_is_left_out() -> None:
    ours = "sys_platform == 'linux' or sys_platform == 'win32'"
    exported = (
        f"a==1 ; {ours} \\\n    --hash=x\nb==2 ; sys_platform == 'win32' \\\n    --hash=y\nc==3 ; {ours} \\\n    -h\n"
    )
    assert lock.without_common_marker(exported) == (
        "a==1 \\\n    --hash=x\nb==2 ; sys_platform == 'win32' \\\n    --hash=y\nc==3 \\\n    -h\n"
    )
