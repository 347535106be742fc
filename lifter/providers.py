"""Which processor runs the nets: ONNX Runtime on CUDA or on the CPU, said aloud when it is not what was asked for."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .errors import CaptureError

Device = Literal["auto", "cpu", "cuda"]
MODELS = Path(__file__).parent / "models"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
SILENT, ERRORS_ONLY = 4, 3


@dataclass(frozen=True)
class Provider:
    """The execution provider really in use, why, and whether that is less than what was asked for."""

    name: str
    reason: str
    fell_back: bool = False

    @property
    def warnings(self) -> list[str]:
        """What a person should know: one line when CUDA was asked for and cannot be used."""
        return [f"Running on the CPU although CUDA was asked for: {self.reason}"] if self.fell_back else []


def choose_provider(device: Device = "auto") -> Provider:
    """Find out by trying which provider works here. Never fails for want of CUDA: the reason says what is missing.

    Raises CaptureError("missing_package") without ONNX Runtime and ("bad_device") for an unknown device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise CaptureError("bad_device", f"Unknown device {device!r}.", "Choose auto, cpu or cuda.")
    if device == "cpu":
        return Provider(CPU, "The CPU was asked for.")
    problem = _cuda_problem()
    if problem is None:
        return Provider(CUDA, "CUDA works." if device == "auto" else "CUDA was asked for and works.")
    return Provider(CPU, problem, fell_back=device == "cuda")


def open_session(model_path: Path, provider: Provider, threads: int | None = None) -> Any:  # noqa: ANN401
    """An onnxruntime.InferenceSession on ``provider``; ``threads`` of the CPU inside one operator (None: all cores).

    Raises CaptureError: missing_package, missing_model, bad_model, cuda_lost (CUDA worked before and does no more).
    """
    runtime = _import_runtime()
    if not model_path.is_file():
        hint = "Install Reel2Rig again; its models folder is not complete."
        raise CaptureError("missing_model", f"There is no model file {model_path}.", hint)
    options = runtime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    if threads is not None:
        options.intra_op_num_threads = threads
    # waiting threads that spin take the core away from the decoding thread: 1.5 to 2 times slower on two cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [CUDA, CPU] if provider.name == CUDA else [CPU]
    try:
        session = runtime.InferenceSession(str(model_path), options, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions share no base class
        hint = "Install Reel2Rig again, or choose another model file."
        raise CaptureError("bad_model", f"ONNX Runtime cannot load {model_path.name}: {error}", hint) from error
    if session.get_providers()[0] != provider.name:
        hint = "Close other programs that use the graphics card, or choose the processor (--device cpu)."
        raise CaptureError("cuda_lost", f"CUDA could not be used for {model_path.name}.", hint)
    return session


def _import_runtime() -> Any:  # noqa: ANN401 - a module
    try:
        import onnxruntime
    except ImportError as error:
        hint = "Install it into the capture environment: pip install onnxruntime (or onnxruntime-gpu[cuda,cudnn])"
        raise CaptureError("missing_package", "The package onnxruntime is missing.", hint) from error
    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    return onnxruntime


def _cuda_problem() -> str | None:
    """Why CUDA cannot be used, or None when a small net really ran on it."""
    runtime = _import_runtime()
    if CUDA not in runtime.get_available_providers():
        return "The installed ONNX Runtime has no CUDA provider (onnxruntime-gpu has)."
    messages = _preload_cuda_libraries(runtime)
    options = runtime.SessionOptions()
    options.log_severity_level = SILENT
    runtime.set_default_logger_severity(SILENT)
    try:
        model = str(MODELS / "blazepose_lite.onnx")
        session = runtime.InferenceSession(model, options, providers=[CUDA, CPU])
        if session.get_providers()[0] != CUDA:
            return messages or "CUDA could not be started: no NVIDIA graphics card, or its driver does not fit."
        session.run(None, {session.get_inputs()[0].name: np.zeros((1, 256, 256, 3), np.float32)})
    except Exception as error:  # a broken CUDA installation shows itself in many ways; all mean: use the CPU
        return f"CUDA could not be started: {error}"
    finally:
        runtime.set_default_logger_severity(ERRORS_ONLY)
    return None


def _preload_cuda_libraries(runtime: Any) -> str:  # noqa: ANN401
    """Load CUDA and cuDNN from the installed wheels; the first complaint, or nothing."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runtime.preload_dlls()
        except Exception as error:  # whatever is wrong, the trial session after this decides
            return f"CUDA's libraries could not be loaded: {error}"
    lines = said.getvalue().splitlines()
    return f"CUDA's libraries could not be loaded ({lines[0].partition(': ')[0]})." if lines else ""
