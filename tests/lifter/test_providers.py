"""Choosing the processor. ONNX Runtime's answers are stood in for where a graphics card would be needed."""

import builtins
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from reel2rig.lifter import providers
from reel2rig.lifter.errors import CaptureError
from reel2rig.lifter.providers import CPU, CUDA, MODELS, choose_provider, open_session

LITE = MODELS / "blazepose_lite.onnx"


class FakeRuntime(SimpleNamespace):
    """ONNX Runtime on a machine of our making; ``used`` is what its sessions end up on."""

    SessionOptions = SimpleNamespace

    def __init__(self, available: list[str], used: str) -> None:
        super().__init__(available=available, used=used)

    def get_available_providers(self) -> list[str]:
        return self.available

    def preload_dlls(self) -> None:
        if self.used == CPU:
            print("Failed to load libcublas.so.13")

    def set_default_logger_severity(self, level: int) -> None:
        pass

    def InferenceSession(self, model: str, options: Any, providers: list[str]) -> Any:  # noqa: N802
        return SimpleNamespace(
            get_providers=lambda: [self.used],
            get_inputs=lambda: [SimpleNamespace(name="input")],
            run=lambda names, feeds: [],
        )


def test_the_cpu_is_used_when_asked_for_and_runs_a_net() -> None:
    provider = choose_provider("cpu")
    assert (provider.name, provider.fell_back, provider.warnings) == (CPU, False, [])
    session = open_session(LITE, provider, threads=1)
    assert session.get_providers() == [CPU]
    outputs = session.run(None, {"input_1": np.zeros((2, 256, 256, 3), np.float32)})
    assert outputs[0].shape == (2, 195)


def test_cuda_is_chosen_only_when_a_session_really_ran_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_import_runtime", lambda: FakeRuntime([CUDA, CPU], used=CUDA))
    assert choose_provider("auto").name == CUDA
    assert choose_provider("cuda").warnings == []


@pytest.mark.parametrize(
    ("available", "told"), [([CPU], "no CUDA provider"), ([CUDA, CPU], "libcublas")], ids=["cpu wheel", "no libraries"]
)
def test_missing_cuda_falls_back_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, available: list[str], told: str
) -> None:
    monkeypatch.setattr(providers, "_import_runtime", lambda: FakeRuntime(available, used=CPU))
    automatic, demanded = choose_provider("auto"), choose_provider("cuda")
    assert automatic.name == demanded.name == CPU
    assert told in automatic.reason
    # only who asked for CUDA is warned
    assert automatic.warnings == []
    assert told in demanded.warnings[0]


def test_missing_runtime_model_or_device_is_an_error_that_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cpu = choose_provider("cpu")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a net")
    assert _code(lambda: open_session(tmp_path / "none.onnx", cpu)) == "missing_model"
    assert _code(lambda: open_session(broken, cpu)) == "bad_model"
    assert _code(lambda: choose_provider("tpu")) == "bad_device"  # type: ignore[arg-type]

    real_import = builtins.__import__

    def without_runtime(name: str, *args: Any) -> ModuleType:
        if name == "onnxruntime":
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_runtime)
    assert _code(lambda: open_session(LITE, cpu)) == "missing_package"


def _code(action: Any) -> str:
    with pytest.raises(CaptureError) as caught:
        action()
    assert caught.value.hint
    return caught.value.code
