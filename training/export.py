"""Write the lifter as ONNX with its metadata, and prove that both give the same points."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..lifter.keypoint_sets import BLAZEPOSE33
from ..lifter.virtual_camera import CENTRE_SMOOTHING, FEATURES, SIZE_SMOOTHING
from ..smpl_assets.skeleton import END_NAMES, JOINT_NAMES
from .network import Lifter

OPSET = 17


def export_lifter(network: Lifter, path: Path, report: dict[str, Any]) -> str:
    """Write ``path`` (.onnx) and its metadata (.json); returns a line for people.

    Raises AssertionError when ONNX Runtime and PyTorch differ by more than 1e-4 statures.
    """
    network = network.cpu().eval()
    example = torch.zeros(1, 64, FEATURES)
    torch.onnx.export(
        network,
        (example,),
        str(path),
        input_names=["features"],
        output_names=["points"],
        dynamic_axes={"features": {0: "clips", 1: "frames"}, "points": {0: "clips", 1: "frames"}},
        opset_version=OPSET,
        dynamo=False,
    )
    difference = parity(network, path)
    if difference > 1e-4:
        raise AssertionError(f"ONNX differs from PyTorch by {difference:.2e} statures")
    metadata = {
        "keypoint_set": "blazepose33",
        "keypoint_names": BLAZEPOSE33,
        "joint_names": JOINT_NAMES,
        "end_names": END_NAMES,
        "input": "features (clips, frames, 100): 33 x, y in units of the smoothed size, 33 confidences, log size",
        "output": "points (clips, frames, 38, 3): 24 joints and 13 ends in units of stature, pelvis at the origin, "
        "then the direction of the world's up; virtual camera axes (x right, y down, z forward)",
        "centre_smoothing_s": CENTRE_SMOOTHING,
        "size_smoothing_s": SIZE_SMOOTHING,
        "frames_per_second": 30,
        "reach_frames": network.reach,
        "opset": OPSET,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "largest_difference_from_pytorch_statures": difference,
        "validation": report,
    }
    path.with_suffix(".json").write_text(json.dumps(metadata, indent=1))
    return f"{path}: {path.stat().st_size / 1e6:.1f} MB, differs from PyTorch by {difference:.1e} statures at most"


def parity(network: Lifter, path: Path) -> float:
    """Largest difference between PyTorch and ONNX Runtime over clips of several lengths."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    worst = 0.0
    for frames in (1, 7, 64, 200):
        features = random.normal(0, 1, (2, frames, FEATURES)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(features)).numpy()
        worst = max(worst, float(np.abs(session.run(None, {"features": features})[0] - expected).max()))
    return worst
