"""The same body through the ``smplx`` package and torch: for tests, and for refinement by gradient descent.

The package is optional, is imported only inside these functions, and is licensed for non-commercial research only.
It reads our Body, so it takes the open body and licensed files alike.
"""

from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .body import Body
from .errors import SmplxMissingError
from .landmarks import Landmarks
from .rotation import Array

if TYPE_CHECKING:
    import torch

# smplx also picks five vertices of SMPL's own mesh as face points; they mean nothing on other meshes and are cut off
FACE_POINTS = ("nose", "reye", "leye", "rear", "lear")
FRAMES_AT_ONCE = 64


def forward(body: Body, poses: Array, trans: Array, betas: Array) -> tuple[Array, Array]:
    """Vertices (T, V, 3) and joints (T, 24, 3) in metres, as ``body.forward`` gives them, computed by smplx.

    poses (T, 72) axis-angle, trans (T, 3) m, betas (<= B,). Raises SmplxMissingError.
    """
    layer = smpl_layer(body)
    parts = [
        _run_layer(layer, poses[start : start + FRAMES_AT_ONCE], trans[start : start + FRAMES_AT_ONCE], betas)
        for start in range(0, len(poses), FRAMES_AT_ONCE)
    ]
    vertices, joints = zip(*parts, strict=True)
    return np.concatenate(vertices), np.concatenate(joints)


def smpl_layer(body: Body) -> Any:  # noqa: ANN401 - smplx has no types
    """A ``smplx.SMPL`` layer with this body's mesh. Raises SmplxMissingError."""
    posedirs = np.zeros((*body.v_template.shape, 207), np.float32) if body.posedirs is None else body.posedirs
    return _layer(body, body.v_template, body.shapedirs, posedirs, body.J_regressor, body.weights)


class SmplxProxy:
    """Joints and landmarks through smplx without the mesh, for fitting: about 60 times faster than the full mesh.

    The layer's "vertices" are the 24 joints, then one point for each joint that moves a landmark. A landmark is the
    weighted mean of its points, so it moves exactly as the skin it lies on (without pose blend shapes).
    """

    def __init__(self, body: Body, landmarks: Landmarks) -> None:
        """Raises SmplxMissingError."""
        torch = _torch()
        owner, joint = np.nonzero(landmarks.weights > 1e-6)
        share = landmarks.weights[owner, joint]
        template = np.concatenate([body.joint_template, landmarks.template[owner, joint] / share[:, None]])
        moved = landmarks.directions[owner, joint] / share[:, None, None]
        directions = np.concatenate([body.joint_directions, moved])
        weights = np.concatenate([np.eye(24), np.eye(24)[joint]]).astype(np.float32)
        regressor = np.eye(24, len(weights), dtype=np.float32)
        mixing = np.zeros((len(landmarks.names), len(weights)), np.float32)
        mixing[owner, 24 + np.arange(len(owner))] = share
        self.layer = _layer(
            body, template, directions, np.zeros((*template.shape, 207), np.float32), regressor, weights
        )
        self.mixing = torch.from_numpy(mixing)

    def __call__(
        self, poses: "torch.Tensor", trans: "torch.Tensor", betas: "torch.Tensor"
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Joints (T, 24, 3) and landmarks (T, P, 3) in metres, with gradients.

        poses (T, 72) axis-angle, trans (T, 3) m, betas (B,), all float32.
        """
        output = _call(self.layer, poses, trans, betas)
        return output.joints[:, :24], self.mixing @ output.vertices


def _layer(
    body: Body,
    template: NDArray[np.float32],
    directions: NDArray[np.float32],
    posedirs: NDArray[np.float32],
    regressor: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> Any:  # noqa: ANN401 - smplx has no types
    smplx, _ = _smplx(), _torch()
    parts = smplx.utils.Struct(
        v_template=template,
        shapedirs=directions,
        posedirs=posedirs,
        J_regressor=regressor,
        weights=weights,
        kintree_table=np.array([body.parents, range(24)]),
        f=body.faces,
    )
    with redirect_stdout(StringIO()):  # it prints a warning for every model with ten betas
        return smplx.SMPL(
            model_path="",
            data_struct=parts,
            num_betas=directions.shape[-1],
            create_betas=False,
            create_global_orient=False,
            create_body_pose=False,
            create_transl=False,
            vertex_ids=dict.fromkeys(FACE_POINTS, 0),
            use_hands=False,
            use_feet_keypoints=False,
        )


def _call(layer: Any, poses: "torch.Tensor", trans: "torch.Tensor", betas: "torch.Tensor") -> Any:  # noqa: ANN401
    missing = layer.num_betas - len(betas)
    shape = _torch().nn.functional.pad(betas, (0, missing)).expand(len(poses), -1)
    return layer(betas=shape, global_orient=poses[:, :3], body_pose=poses[:, 3:], transl=trans)


def _run_layer(layer: Any, poses: Array, trans: Array, betas: Array) -> tuple[Array, Array]:  # noqa: ANN401
    torch = _torch()
    with torch.no_grad():
        output = _call(
            layer, *(torch.as_tensor(np.asarray(array), dtype=torch.float32) for array in (poses, trans, betas))
        )
    return output.vertices.numpy(), output.joints[:, :24].numpy()


def _torch() -> Any:  # noqa: ANN401 - a module
    try:
        import torch
    except ImportError as error:
        raise SmplxMissingError from error
    return torch


def _smplx() -> Any:  # noqa: ANN401 - a module
    try:
        import smplx
        import smplx.utils
    except ImportError as error:
        raise SmplxMissingError from error
    return smplx
