"""A body model in SMPL's layout: rest shape by linear directions, pose by linear blend skinning.

Method: Loper et al., SMPL: A Skinned Multi-Person Linear Model, 2015 (without pose blend shapes where the file has
none). Body frame: Y up, facing +Z, left is +X, metres. Needs numpy only.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .rotation import Array, matrix_from_axis_angle

OPEN_BODY = Path(__file__).parent / "bodies" / "open24.npz"
Licence = Literal["open", "smpl-noncommercial"]


@dataclass(frozen=True, eq=False)
class Body:
    """One body model file. Two bodies are equal only if they are the same object, so a body can key a cache.

    v_template (V, 3) m; shapedirs (V, 3, B), B <= 10; J_regressor (24, V); weights (V, 24), rows sum to 1;
    parents (24,) with -1 first; faces (F, 3); posedirs (V, 3, 207) or None where the file's are all zero.
    Where known: quads (Q, 4), a triangle with its last corner repeated; uv (U, 2) and face_uv (F, 3), corners of faces
    as rows of uv; beta_names (B,); presets, betas (B,) by name.
    """

    name: str
    sha256: str
    licence: Licence
    v_template: NDArray[np.float32]
    shapedirs: NDArray[np.float32]
    J_regressor: NDArray[np.float32]
    weights: NDArray[np.float32]
    parents: tuple[int, ...]
    faces: NDArray[np.int64]
    posedirs: NDArray[np.float32] | None = None
    quads: NDArray[np.int64] | None = None
    uv: NDArray[np.float32] | None = None
    face_uv: NDArray[np.int64] | None = None
    beta_names: tuple[str, ...] = ()
    presets: tuple[tuple[str, NDArray[np.float32]], ...] = ()

    @cached_property
    def joint_template(self) -> NDArray[np.float32]:
        """Rest joints (24, 3) at betas = 0."""
        return self.J_regressor @ self.v_template

    @cached_property
    def joint_directions(self) -> NDArray[np.float32]:
        """How each beta moves the rest joints: (24, 3, B)."""
        return np.einsum("jv,vcb->jcb", self.J_regressor, self.shapedirs)

    def rest_joints(self, betas: Array) -> Array:
        """Rest joints (24, 3) m for betas (<= B,)."""
        return self.joint_template + self.joint_directions[..., : len(betas)] @ betas

    def rest_vertices(self, betas: Array) -> Array:
        """Rest vertices (V, 3) m for betas (<= B,)."""
        return self.v_template + self.shapedirs[..., : len(betas)] @ betas

    def stature(self, betas: Array) -> float:
        """Height of the rest body in metres, from sole to crown."""
        return float(np.ptp(self.rest_vertices(betas)[:, 1]))

    def identity(self) -> str:
        """Model name and file checksum, as written into a motion file."""
        return f"{self.name} sha256:{self.sha256}"


def joint_transforms(
    rest_joints: Array, parents: tuple[int, ...], rotations: Array, trans: Array
) -> tuple[Array, Array]:
    """Forward kinematics.

    rest_joints (24, 3) m; rotations (T, 24, 3, 3) local; trans (T, 3) m added to the rest pelvis.
    Returns global rotations (T, 24, 3, 3) and joint positions (T, 24, 3) in the frame global_orient turns into.
    """
    world = [rotations[:, 0]]
    positions = [rest_joints[0] + trans]
    for joint in range(1, len(parents)):
        parent = parents[joint]
        positions.append(positions[parent] + world[parent] @ (rest_joints[joint] - rest_joints[parent]))
        world.append(world[parent] @ rotations[:, joint])
    return np.stack(world, axis=1), np.stack(positions, axis=1)


def forward(body: Body, poses: Array, trans: Array, betas: Array) -> tuple[Array, Array]:
    """Vertices (T, V, 3) and joints (T, 24, 3) in metres for poses (T, 72) axis-angle, trans (T, 3), betas (B,)."""
    rotations = matrix_from_axis_angle(np.asarray(poses).reshape(len(poses), -1, 3))
    rest_vertices, rest_joints = body.rest_vertices(betas), body.rest_joints(betas)
    world, joints = joint_transforms(rest_joints, body.parents, rotations, trans)
    if body.posedirs is not None:
        feature = (rotations[:, 1:] - np.eye(3)).reshape(len(poses), -1)
        rest_vertices = rest_vertices + np.einsum("vcp,tp->tvc", body.posedirs, feature, optimize=True)
    shift = joints - np.einsum("tjab,jb->tja", world, rest_joints)
    blended = np.einsum(
        "vj,tjab->tvab", body.weights, np.concatenate([world, shift[..., None]], axis=-1), optimize=True
    )
    vertices = (blended[..., :3] @ rest_vertices[..., None])[..., 0] + blended[..., 3]
    return vertices, joints


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=4)
def open_body() -> Body:
    """The bundled open body (CC0, made from MakeHuman's assets)."""
    from .loader import load_body  # here, so that loader may import Body

    return load_body(OPEN_BODY)
