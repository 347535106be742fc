"""Landmarks: points fixed to the body's skin or just under it, and how they move with pose and shape.

``landmarks.json`` says for each BlazePose point and each end point which vertices of the open body it is a weighted
mean of. Under linear blend skinning such a mean is itself linear in the joints' transforms, so a landmark costs one
small matrix product and never needs the mesh. Bodies with other vertices carry the open body's points over, as
offsets from their joints scaled by stature.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .body import Body, open_body
from .rotation import Array
from .skeleton import END_NAMES

TABLE = Path(__file__).parent / "landmarks.json"


@dataclass(frozen=True)
class Landmarks:
    """Points that follow the skeleton.

    names: (P,). weights: (P, 24) skinning weights, rows sum to 1. template: (P, 24, 3) rest positions times weights,
    metres in the body frame. directions: (P, 24, 3, B) how each beta moves ``template``.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    template: NDArray[np.float32]
    directions: NDArray[np.float32]

    def rest(self, betas: Array) -> Array:
        """Weighted rest positions (P, 24, 3) for betas (B,)."""
        return self.template + self.directions[..., : len(betas)] @ betas

    def local_offsets(self, rest_joints: Array, betas: Array) -> Array:
        """Weighted offsets (P, 24, 3) from each joint, in the joint's rest axes, for betas (B,)."""
        return self.rest(betas) - self.weights[..., None] * rest_joints

    def select(self, names: tuple[str, ...]) -> "Landmarks":
        """Only the named points, in that order."""
        rows = [self.names.index(name) for name in names]
        return Landmarks(names, self.weights[rows], self.template[rows], self.directions[rows])


def place_landmarks(landmarks: Landmarks, offsets: Array, world_rotations: Array, joints: Array) -> Array:
    """Positions (T, P, 3) of landmarks with ``offsets`` (P, 24, 3) on a posed skeleton.

    world_rotations (T, 24, 3, 3) and joints (T, 24, 3) as joint_transforms gives them.
    """
    flat = np.swapaxes(world_rotations, -1, -2).reshape(len(joints), -1, 3)
    return np.einsum("pk,tkc->tpc", offsets.reshape(len(offsets), -1), flat, optimize=True) + landmarks.weights @ joints


@lru_cache(maxsize=8)
def landmark_table() -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """For each landmark name its vertices on the open body and their weights (sum 1)."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {name: (np.array(row["vertices"]), np.array(row["weights"])) for name, row in table["points"].items()}


def body_landmarks(body: Body, names: tuple[str, ...] = END_NAMES) -> Landmarks:
    """The named landmarks on ``body``. Raises KeyError for a name the table does not know."""
    source = open_body()
    points = _on_open_body(source, names)
    return points if body.sha256 == source.sha256 else _carried_over(points, source, body)


def _on_open_body(body: Body, names: tuple[str, ...]) -> Landmarks:
    table = landmark_table()
    weights, template, directions = [], [], []
    for name in names:
        vertices, share = table[name]
        skin = (share[:, None] * body.weights[vertices]).T  # (24, n)
        weights.append(skin.sum(axis=1))
        template.append(skin @ body.v_template[vertices])
        directions.append(np.einsum("jn,ncb->jcb", skin, body.shapedirs[vertices]))
    return Landmarks(names, *(np.stack(rows).astype(np.float32) for rows in (weights, template, directions)))


def _carried_over(points: Landmarks, source: Body, body: Body) -> Landmarks:
    zeros = np.zeros(10)
    scale = body.stature(zeros) / source.stature(zeros)
    offsets = points.local_offsets(source.joint_template, zeros) * scale
    weights = points.weights[..., None]
    directions = weights[..., None] * body.joint_directions[None]
    template = offsets + weights * body.joint_template
    return Landmarks(points.names, points.weights, template.astype(np.float32), directions.astype(np.float32))
