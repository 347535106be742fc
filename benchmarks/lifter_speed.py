"""How fast the 2D-to-3D network runs: python -m reel2rig.benchmarks.lifter_speed

ONNX Runtime on one thread of the CPU and, where there is one, on the CUDA device; PyTorch beside it as the yardstick
where it is installed, with a network of the same size, in one run on the same data. Prints one JSON object.
"""

import importlib.util
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lifter.lift import LIFTER_MODEL
from ..lifter.providers import CPU, CUDA, Provider, choose_provider, open_session
from ..lifter.virtual_camera import FEATURES

FRAMES = 2000  # of one person, as the lifter cuts long clips
CLIPS = 32  # such stretches in a batch, on CUDA
RUNS = 5


def measure() -> dict[str, Any]:
    """Best of a few runs: milliseconds a frame on the CPU, and frames a second on CUDA or why there is none."""
    one = np.random.default_rng(0).standard_normal((1, FRAMES, FEATURES)).astype(np.float32)
    cpu = seconds(onnx_runtime(Provider(CPU, "one thread"), one))
    found: dict[str, Any] = {
        "ms_per_frame": round(1000 * cpu / FRAMES, 4),
        "file_mb": round(LIFTER_MODEL.stat().st_size / 1e6, 2),
    }
    torch_here = importlib.util.find_spec("torch") is not None
    if torch_here:
        found["pytorch_ms_per_frame"] = round(1000 * seconds(pytorch("cpu", one)) / FRAMES, 4)
    provider = choose_provider("cuda")
    if provider.name != CUDA:
        return {**found, "cuda": provider.reason}
    many = np.repeat(one, CLIPS, axis=0)
    found["cuda_frames_per_second"] = round(many[..., 0].size / seconds(onnx_runtime(provider, many)))
    if torch_here:
        found["pytorch_cuda_frames_per_second"] = round(many[..., 0].size / seconds(pytorch("cuda", many)))
    return found


def onnx_runtime(provider: Provider, features: NDArray[np.float32]) -> Callable[[], object]:
    """Runs the file that ships over features (clips, frames, 100)."""
    session = open_session(LIFTER_MODEL, provider, threads=1)
    return lambda: session.run(None, {session.get_inputs()[0].name: features})


def pytorch(device: str, features: NDArray[np.float32]) -> Callable[[], object]:
    """Runs a network of the same size in PyTorch, copies to and from the device counted."""
    import torch

    from ..training.network import Lifter

    torch.set_num_threads(1)
    network = Lifter().to(device).eval()

    @torch.no_grad()
    def run() -> object:
        return network(torch.from_numpy(features).to(device)).cpu()

    return run


def seconds(run: Callable[[], object]) -> float:
    """The best time of a few runs after a first one."""
    run()
    found = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return min(found)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
