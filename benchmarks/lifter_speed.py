"""How fast the 2D-to-3D network runs: ONNX Runtime, CPU, one thread."""

import time

import numpy as np
import onnxruntime

from ..lifter.lift import LIFTER_MODEL

FRAMES = 2000  # of one person, as the lifter cuts long clips
RUNS = 5


def measure() -> dict:
    """Best of a few runs over 2,000 frames: {"ms_per_frame", "file_mb"}."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(LIFTER_MODEL), options, providers=["CPUExecutionProvider"])
    features = session.get_inputs()[0]
    sizes = [
        size if isinstance(size, int) else given for size, given in zip(features.shape, (1, FRAMES, 0), strict=True)
    ]
    values = np.random.default_rng(0).standard_normal(sizes).astype(np.float32)
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        session.run(None, {features.name: values})
        seconds.append(time.perf_counter() - started)
    return {
        "ms_per_frame": round(1000 * min(seconds) / FRAMES, 4),
        "file_mb": round(LIFTER_MODEL.stat().st_size / 1e6, 2),
    }
