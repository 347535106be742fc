"""Write the web page's lifter as ONNX with all that its users need to know, and prove it equal to PyTorch's."""

import copy
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from ..lifter.atomic_file import written_whole
from ..lifter.camera import DEFAULT_FIELD_OF_VIEW
from ..lifter.keypoint_sets import BLAZEPOSE33
from ..smpl_assets.skeleton import JOINT_NAMES, PARENTS
from .browser_model import STATURE, BrowserLifter
from .errors import TrainingDataError
from .export import require_onnx
from .json_file import write_json

OPSET = 17
MODEL, METADATA = "pose2d_to_3d.onnx", "pose2d_to_3d_metadata.json"
LARGEST_DIFFERENCE = 1e-4  # metres
# Plain arithmetic that every back end of ONNX Runtime Web has: https://onnxruntime.ai/docs/tutorials/web/
WEB_SAFE = frozenset(
    [
        "Add",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Div",
        "Expand",
        "Gather",
        "Gemm",
        "Identity",
        "Log",
        "MatMul",
        "Max",
        "Mul",
        "Neg",
        "ReduceMean",
        "ReduceSum",
        "Reciprocal",
        "Relu",
        "Reshape",
        "Shape",
        "Slice",
        "Split",
        "Sqrt",
        "Sub",
        "Transpose",
        "Unsqueeze",
    ]
)
FORMULAE = {
    "focal_length": "f = 0.5 * max(width, height) / tan(0.5 * field_of_view), pixels; field_of_view is that of the "
    f"longer side; {DEFAULT_FIELD_OF_VIEW:g} degrees when unknown",
    "input": "x = (u - (width - 1) / 2) / f, y = (v - (height - 1) / 2) / f for pixel u, v with (0, 0) the centre of "
    "the top left pixel; from MediaPipe's 0..1 coordinates: x = (px - 0.5) * width / f, y = (py - 0.5) * height / f",
    "joints": "joint j = sum over k of blazepose_to_joints[j][k] * landmark k, before or after the formula above",
    "inside": "a virtual camera is turned to the trunk, what it sees is divided by its root mean square size, pose and "
    "mirror image are averaged, and the result is turned back: nothing of this is left to do",
    "output": f"multiply by stature / {STATURE:.2f} for a person of another stature in metres",
}
ACKNOWLEDGEMENT = (
    "Motion: the data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding "
    "from NSF EIA-0196217. Bodies: the open body (CC0), made from the assets of MakeHuman and MPFB."
)
COMMANDS = [
    "python -m reel2rig.training preprocess",
    "python -m reel2rig.training train-browser --steps {steps} --out runs/browser.pth",
    "python -m reel2rig.training export-browser runs/browser.pth --out examples/browser",
]


def export_browser(network: BrowserLifter, folder: Path, scores: dict[str, Any]) -> str:
    """Write the model and its metadata into ``folder``; returns a line for people.

    scores: of browser_scores. Raises TrainingDataError when ONNX Runtime and PyTorch differ by more than 0.1 mm, or
    onnx or onnxruntime is missing; then nothing is written.
    """
    require_onnx()
    path = folder / MODEL
    with written_whole(path) as part:
        operators = _write_onnx(network, part)
        difference = browser_parity(network, part)
        if difference > LARGEST_DIFFERENCE:
            raise TrainingDataError(f"ONNX differs from PyTorch by {difference:.1e} m; use the pinned torch and onnx.")
    data = path.read_bytes()
    facts = {
        "model": MODEL,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "opset": OPSET,
        "operators": operators,
        "largest_difference_from_pytorch_m": difference,
        "scores_on_held_out_people": scores,
        "commands": [line.format(**network.settings) for line in COMMANDS],
    }
    write_json(folder / METADATA, _description(network.joint_weights) | facts)
    return f"{path}: {len(data) / 1e6:.1f} MB, differs from PyTorch by {difference:.1e} m at most"


def browser_parity(network: BrowserLifter, path: Path) -> float:
    """Largest difference in metres between PyTorch and ONNX Runtime over batches of people all over the picture."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    worst = 0.0
    for people in (1, 2, 33, 200):
        place, size = random.uniform(-0.8, 0.8, (people, 1, 2)), random.uniform(0.03, 0.5, (people, 1, 1))
        slopes = (place + size * random.normal(0, 1, (people, 24, 2))).reshape(people, 48).astype(np.float32)
        with torch.no_grad():
            expected = network.eval()(torch.from_numpy(slopes)).numpy()
        found = np.asarray(session.run(["output_3d"], {"input_2d": slopes})[0])
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst


def _write_onnx(network: BrowserLifter, path: Path) -> list[str]:
    """Write the graph with batch norms folded away; returns the names of its operators."""
    import onnx

    fused = copy.deepcopy(network).cpu().eval()
    for part in [*fused.modules()]:
        if isinstance(part, nn.Sequential):
            _fold_batch_norms(part)
    torch.onnx.export(
        fused,
        (torch.zeros(2, 48),),
        str(path),
        input_names=["input_2d"],
        output_names=["output_3d"],
        dynamic_axes={"input_2d": {0: "N"}, "output_3d": {0: "N"}},
        opset_version=OPSET,
        dynamo=False,
    )
    operators = sorted({node.op_type for node in onnx.load(str(path)).graph.node})
    if unknown := set(operators) - WEB_SAFE:
        raise TrainingDataError(f"The graph has operators that web pages may lack: {', '.join(sorted(unknown))}.")
    return operators


def _fold_batch_norms(layers: nn.Sequential) -> None:
    for index in range(len(layers) - 1):
        linear, norm = layers[index], layers[index + 1]
        if isinstance(linear, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            layers[index], layers[index + 1] = fuse_linear_bn_eval(linear, norm), nn.Identity()


def _description(joint_weights: Tensor) -> dict[str, Any]:
    return {
        "input": {
            "name": "input_2d",
            "shape": ["N", 48],
            "type": "float32",
            "layout": "x, y of each joint in the order of joint_names",
            "unit": "slope of the ray, x right and y down; all finite",
        },
        "output": {
            "name": "output_3d",
            "shape": ["N", 72],
            "type": "float32",
            "layout": "x, y, z of each joint in the order of joint_names",
            "unit": "metres",
            "frame": "OpenCV camera: x right, y down, z forward; pelvis at the origin",
            "stature_m": STATURE,
        },
        "joint_names": JOINT_NAMES,
        "parents": PARENTS,
        "landmark_names": BLAZEPOSE33,
        "blazepose_to_joints": [[round(float(weight), 6) for weight in row] for row in joint_weights],
        "default_field_of_view_degrees": DEFAULT_FIELD_OF_VIEW,
        "formulae": FORMULAE,
        "licence": "GPL-3.0-or-later",
        "training_data": ACKNOWLEDGEMENT,
    }
