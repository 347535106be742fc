"""The solvers that the fit is compared with, each a function from points to a posed skeleton.

- ``swing_only``: the usual inverse kinematics of avatars driven by joints (Kalidokit and others), in own code.
- ``adam``: gradient descent through the smplx package, after joints2smpl.
- ``Smplfitter``: the package smplfitter (Sárándi, MIT), on the open body written as an SMPL file to a scratch folder.
"""

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lifter.fit.shape import measured_lengths, solve_betas
from ..lifter.fit.skeleton import Posed, local_from_global, pose_skeleton, rest_skeleton
from ..lifter.records import Joints3D
from ..smpl_assets.body import open_body
from ..smpl_assets.landmarks import body_landmarks
from ..smpl_assets.rotation import Array, axis_angle_from_matrix, matrix_from_axis_angle, rotation_between
from ..smpl_assets.skeleton import END_NAMES, JOINT_NAMES, PARENTS
from .fit_ours import closed_form

SEVERAL_CHILDREN = {"pelvis": ("left_hip", "right_hip", "spine1"), "spine3": ("neck", "left_collar", "right_collar")}
# joints2smpl: step 0.01, 150 steps; squared joint errors times 600^2, squared betas times 5^2. Its pose prior may not
# be used commercially; here the pose is held by its squared angles times 1.
JOINT_WEIGHT, BETAS_WEIGHT, POSE_WEIGHT = 600.0, 5.0, 1.0
# From a T-pose 150 steps of 0.01 do not arrive: of 0.01, 0.03, 0.05 and 0.1 this one leaves the least on the limbs.
T_POSE_RATE, CLOSED_FORM_RATE = 0.05, 0.01
EVERY_NTH_VERTEX = 13  # 1,041 of 13,524; smplfitter's own pages advise 1,024 for speed
SMPLFITTER_ROUNDS = 3  # its pages: 1 to 4
AROUND = 0.05 * np.eye(3)  # metres from each joint, body axes
STAND_IN_WEIGHT = 1e-3
Points = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def swing_only(given: Joints3D) -> Posed:
    """Pelvis and chest by Kabsch, every other bone swung the short way from its parent, so without twist.

    Uses the 24 joints only, and our betas. The last joints of the chains go with their parents.
    """
    body, joints = open_body(), given.joints.astype(np.float64)
    rest = rest_skeleton(body, solve_betas(body, measured_lengths(joints, np.ones(joints.shape[:2])), None))
    world = np.empty((len(joints), 24, 3, 3))
    for joint, parent in enumerate(PARENTS):
        children = [child for child, mother in enumerate(PARENTS) if mother == joint]
        before = np.tile(np.eye(3), (len(joints), 1, 1)) if joint == 0 else world[:, parent]
        if JOINT_NAMES[joint] in SEVERAL_CHILDREN:
            world[:, joint] = best_turns(
                rest.joints[children] - rest.joints[joint], joints[:, children] - joints[:, [joint]]
            )
        elif children:
            bone = before @ (rest.joints[children[0]] - rest.joints[joint])
            world[:, joint] = rotation_between(bone, joints[:, children[0]] - joints[:, joint]) @ before
        else:
            world[:, joint] = before
    return pose_skeleton(rest, local_from_global(world), joints[:, 0])


def best_turns(rest: Array, target: Array) -> Array:
    """Rotations (T, 3, 3) that best turn vectors (P, 3) into (T, P, 3) (Kabsch, 1976)."""
    u, _, vt = np.linalg.svd(np.einsum("tpa,pb->tab", target, rest))
    u[..., 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt


def adam(given: Joints3D, fps: float, steps: int, from_closed_form: bool) -> Posed:
    """Adam through smplx on joints and ends; betas alike in all frames. Raises SmplxMissingError.

    From a T-pose that is turned by the pelvis (in place of joints2smpl's first stage), or from our closed form.
    """
    from ..smpl_assets.smplx_body import SmplxProxy

    body, count = open_body(), len(given.joints)
    proxy = SmplxProxy(body, body_landmarks(body, END_NAMES))
    import torch

    torch.set_num_threads(1)
    if from_closed_form:
        start = closed_form(given, fps)
        poses, trans, betas = start.axis_angle.reshape(count, 72), start.trans, start.betas
    else:
        poses, betas = np.zeros((count, 72)), np.array(dict(body.presets)["neutral"], float)
        rest, hips = body.rest_joints(betas), [JOINT_NAMES.index(name) for name in SEVERAL_CHILDREN["pelvis"]]
        turns = best_turns(rest[hips] - rest[0], (given.joints[:, hips] - given.joints[:, :1]).astype(np.float64))
        poses[:, :3], trans = axis_angle_from_matrix(turns), given.joints[:, 0] - rest[0]
    free = [torch.tensor(array, dtype=torch.float32, requires_grad=True) for array in (poses, trans, betas)]
    known = torch.from_numpy(np.isfinite(given.ends).all(-1, keepdims=True))
    goal = torch.from_numpy(given.joints), torch.from_numpy(np.nan_to_num(given.ends))
    optimiser = torch.optim.Adam(free, lr=CLOSED_FORM_RATE if from_closed_form else T_POSE_RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        joints, ends = proxy(free[0], free[1], free[2])
        off = (joints - goal[0]).square().sum() + ((ends - goal[1]) * known).square().sum()
        priors = POSE_WEIGHT**2 * free[0][:, 3:].square().sum() + count * BETAS_WEIGHT**2 * free[2].square().sum()
        (JOINT_WEIGHT**2 * off + priors).backward()
        optimiser.step()
    poses, trans, betas = (tensor.detach().numpy().astype(np.float64) for tensor in free)
    rest = rest_skeleton(body, betas)
    return pose_skeleton(rest, matrix_from_axis_angle(poses.reshape(count, 24, 3)), trans + rest.joints[0])


class Smplfitter:
    """smplfitter's fastest solver that runs here (PyTorch's) on the open body, with one vector of betas a clip."""

    def __init__(self, points: Points) -> None:
        """points: the "vertices" that it is to know. Raises ImportError where it is not installed."""
        import torch
        from smplfitter.pt import BodyFitter, BodyModel  # pyright: ignore[reportMissingImports]

        torch.set_num_threads(1)
        self.points = points
        with tempfile.TemporaryDirectory() as folder:
            self._write(Path(folder))
            model = BodyModel("smpl", "neutral", model_root=folder)
        self.solver: Any = BodyFitter(model)

    def _write(self, folder: Path) -> None:
        """The body as an SMPL file, the only thing that the package reads."""
        body, (template, directions, weights) = open_body(), self.points
        parts = {
            "v_template": template,
            "shapedirs": directions,
            "posedirs": np.zeros((len(template), 3, 207)),
            "weights": weights,
            "J_regressor": np.zeros((24, len(template))),
            "J_template": body.joint_template,
            "J_shapedirs": body.joint_directions,
            "kintree_table": np.array([PARENTS, range(24)]),
            "f": np.array([[0, 1, 2]]),
        }
        (folder / "basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl").write_bytes(pickle.dumps(parts))
        np.save(folder / "kid_template.npy", np.zeros_like(template))

    def __call__(self, given: Joints3D, vertices: Array, weights: Array) -> Posed:
        """Fit the joints and the vertices (T, V, 3) m, of weights (V,)."""
        import torch

        count = len(vertices)
        with torch.inference_mode():
            found = self.solver.fit(
                torch.from_numpy(vertices.astype(np.float32)),
                torch.from_numpy(given.joints),
                vertex_weights=torch.from_numpy(weights.astype(np.float32)).expand(count, -1),
                joint_weights=torch.ones(count, 24),
                num_iter=SMPLFITTER_ROUNDS,
                share_beta=True,
                requested_keys=["pose_rotvecs", "shape_betas", "trans"],
            )
        poses, betas, trans = (
            found[key].numpy().astype(np.float64) for key in ("pose_rotvecs", "shape_betas", "trans")
        )
        rest = rest_skeleton(open_body(), betas.mean(axis=0))
        return pose_skeleton(rest, matrix_from_axis_angle(poses.reshape(-1, 24, 3)), trans + rest.joints[0])

    def without_mesh(self, given: Joints3D) -> Posed:
        """Fit joints and, where known, ends; needs ``stand_in_points``.

        The package must have vertices to see twist. Where there are none, points around each joint stand in that turn
        with the pelvis; they weigh so little that they only settle what nothing else does.
        """
        joints, ends = given.joints.astype(np.float64), given.ends.astype(np.float64)
        rest = open_body().joint_template
        hips = [JOINT_NAMES.index(name) for name in SEVERAL_CHILDREN["pelvis"]]
        pelvis = best_turns(rest[hips] - rest[0], joints[:, hips] - joints[:, :1])
        around = joints[:, :, None] + (AROUND @ np.swapaxes(pelvis, -1, -2))[:, None]
        known = np.isfinite(ends).all(axis=(0, 2))
        weights = np.concatenate([known, np.full(24 * len(AROUND), STAND_IN_WEIGHT)])
        vertices = np.concatenate([np.where(known[:, None], ends, 0.0), around.reshape(len(joints), -1, 3)], axis=1)
        return self(given, vertices, weights)


def mesh_points() -> Points:
    """Every 13th vertex of the open body: template (V, 3), directions (V, 3, B), weights (V, 24)."""
    body, some = open_body(), slice(None, None, EVERY_NTH_VERTEX)
    return body.v_template[some], body.shapedirs[some], body.weights[some]


def stand_in_points() -> Points:
    """The 13 ends as if they were vertices, then three points around each joint."""
    body = open_body()
    ends, each = body_landmarks(body, END_NAMES), len(AROUND)
    around = (body.joint_template[:, None] + AROUND).reshape(-1, 3)
    return (
        np.concatenate([ends.template.sum(axis=1), around]).astype(np.float32),
        np.concatenate([ends.directions.sum(axis=1), np.repeat(body.joint_directions, each, axis=0)]),
        np.concatenate([ends.weights, np.repeat(np.eye(24, dtype=np.float32), each, axis=0)]),
    )


def skinned(points: Points, betas: Array, posed: Posed) -> Array:
    """Where points (V) of a body with betas are on a posed skeleton: (T, V, 3) m, by linear blend skinning."""
    template, directions, weights = points
    rest = template + directions @ betas
    origin = posed.joints - (posed.rotations @ open_body().rest_joints(betas)[..., None])[..., 0]
    turned = np.einsum("vj,tjab->tvab", weights, posed.rotations, optimize=True)
    return (turned @ rest[..., None])[..., 0] + weights @ origin
