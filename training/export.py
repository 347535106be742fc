"""Write the lifter as ONNX with its metadata, and prove that both give the same points.

Large weights are stored in half precision, which halves the file; they are turned to float32 when the file is loaded,
and everything is computed in float32. The network is rounded the same way first, so that its scores are the file's.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..lifter.atomic_file import written_whole
from ..lifter.keypoint_sets import BLAZEPOSE33
from ..lifter.virtual_camera import CENTRE_SMOOTHING, FEATURES, SIZE_SMOOTHING
from ..smpl_assets.skeleton import END_NAMES, JOINT_NAMES
from .errors import TrainingDataError
from .json_file import write_json
from .network import Lifter

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17
LARGE = 1000  # numbers; smaller tensors stay in float32
LARGEST_DIFFERENCE = 1e-4  # statures


@torch.no_grad()
def rounded(network: Lifter) -> Lifter:
    """The network with its large weights rounded to half precision, as the file will hold them."""
    for weight in network.parameters():
        if weight.numel() >= LARGE:
            weight.copy_(weight.half().float())
    return network


def export_lifter(network: Lifter, path: Path, report: dict[str, Any]) -> str:
    """Write ``path`` (.onnx) and its metadata (.json); returns a line for people.

    report: of evaluate, with the rounded network. Raises TrainingDataError when ONNX Runtime and PyTorch differ by more
    than 1e-4 statures, or onnx or onnxruntime is not installed; then nothing is written.
    """
    require_onnx()
    network = rounded(network.cpu().eval())
    with written_whole(path) as part:
        _write_onnx(network, part)
        difference = parity(network, part)
        if difference > LARGEST_DIFFERENCE:
            raise TrainingDataError(
                f"The ONNX file differs from PyTorch by {difference:.1e} statures; use the pinned torch and onnx."
            )
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
        "weights": "stored as float16, computed with as float32",
        "reach_frames": network.reach,
        "opset": OPSET,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "largest_difference_from_pytorch_statures": difference,
        "validation": report,
    }
    write_json(path.with_suffix(".json"), metadata)
    return f"{path}: {path.stat().st_size / 1e6:.1f} MB, differs from PyTorch by {difference:.1e} statures at most"


def require_onnx() -> None:
    """Raises TrainingDataError where a file could be neither written nor checked."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise TrainingDataError(
            f"Writing and checking an ONNX file needs two more packages: pip install onnx onnxruntime ({error})"
        ) from error


def _write_onnx(network: Lifter, path: Path) -> None:
    import onnx

    torch.onnx.export(
        network,
        (torch.zeros(1, 64, FEATURES),),
        str(path),
        input_names=["features"],
        output_names=["points"],
        dynamic_axes={"features": {0: "clips", 1: "frames"}, "points": {0: "clips", 1: "frames"}},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.save(in_half_precision(onnx.load(path)), path)


def in_half_precision(model: "ModelProto") -> "ModelProto":
    """The model with its large weights stored as float16, each followed by a Cast to float32."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    return model


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
