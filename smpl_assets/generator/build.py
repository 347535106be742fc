"""Put the open body together and write it in SMPL's layout."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from ..skeleton import JOINT_NAMES, PARENTS
from .joint_layout import skinning_weights, smpl_joints
from .makehuman import BaseMesh, read_base_mesh, read_bone_weights
from .population import PRESETS, sample_population
from .regression import BETAS, joint_regressor, shape_space
from .t_pose import rotations_to_t_pose, unskin

EYES: Final = ("helper-l-eye", "helper-r-eye")
KEPT_GROUPS: Final = ("body", *EYES)
Arrays = dict[str, np.ndarray]


def build_open_body(data: Path, people: int = 2500, seed: int = 0, say: Callable[[str], None] = print) -> Arrays:
    """The open body as the arrays of an SMPL file, from MPFB2's data folder; half a minute and 3.2 GB of memory.

    Raises FileNotFoundError where a data file is missing.
    """
    say("reading the base mesh")
    mesh = read_base_mesh(data)
    kept = np.unique(np.concatenate([mesh.groups[name] for name in KEPT_GROUPS]))
    row = np.full(len(mesh.vertices), -1)
    row[kept] = np.arange(len(kept))
    eyes = row[np.concatenate([mesh.groups[name] for name in EYES])]

    say(f"shaping {people} people and {len(PRESETS)} presets")
    cubes = {name: indices for name, indices in mesh.groups.items() if name.startswith("joint-")}
    population = sample_population(data, mesh, np.concatenate([kept, *cubes.values()]), people, seed)
    named_joints = smpl_joints(_cube_centres(population.vertices[:, len(kept) :], cubes))
    joints = np.stack([named_joints[name] for name in JOINT_NAMES], axis=1)
    source = population.vertices[:, : len(kept)]
    weights = skinning_weights(read_bone_weights(data), row, eyes, source[people, :, 1], joints[people, :, 1])

    say("bringing them into the T-pose")
    vertices, joints = unskin(source, joints, rotations_to_t_pose(named_joints), weights)

    say("learning joints and shape directions")
    training = int(people * 0.9)
    regressor = joint_regressor(vertices[:training], joints[:training], weights, eyes)
    held_out = np.einsum("jv,nvc->njc", regressor, vertices[training:people]) - joints[training:people]
    say(f"joints of unseen people: {1000 * np.linalg.norm(held_out, axis=2).mean():.1f} mm off on average")
    shape = shape_space(population, vertices, regressor, training)
    return {
        "v_template": shape.mean.astype(np.float32),
        "shapedirs": shape.directions.transpose(1, 2, 0).copy(),
        "posedirs": np.zeros((len(kept), 3, 9 * (len(PARENTS) - 1)), np.float32),
        "J_regressor": regressor,
        "weights": weights.astype(np.float32),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(len(PARENTS))], np.int64),
        **_faces(mesh, row),
        "joint_names": np.array(JOINT_NAMES),
        "beta_names": np.array(list(BETAS)),
        "preset_names": np.array(list(PRESETS)),
        "preset_betas": shape.preset_betas,
    }


def _cube_centres(vertices: np.ndarray, cubes: dict[str, np.ndarray]) -> Arrays:
    """Centre (M, 3) of each joint cube, for the cubes' vertices one after the other (M, n, 3)."""
    ends = np.cumsum([len(indices) for indices in cubes.values()])[:-1]
    parts = np.split(vertices, ends, axis=1)
    return {
        name.removeprefix("joint-"): part.mean(axis=1).astype(np.float64)
        for name, part in zip(cubes, parts, strict=True)
    }


def _faces(mesh: BaseMesh, row: np.ndarray) -> Arrays:
    """Quads, the triangles they are cut into (a b c, a c d), and the triangles' corners in the texture."""
    quads, triangles, triangles_uv = [], [], []
    for face, face_uv, group in zip(mesh.faces, mesh.face_uv, mesh.face_groups, strict=True):
        if group not in KEPT_GROUPS:
            continue
        corners = row[face].tolist()
        quads.append(corners if len(corners) == 4 else [*corners, corners[-1]])
        for second in range(1, len(corners) - 1):
            triangles.append([corners[0], corners[second], corners[second + 1]])
            triangles_uv.append([face_uv[0], face_uv[second], face_uv[second + 1]])
    return {
        "f": np.array(triangles, np.uint32),
        "vt": mesh.uv.astype(np.float32),
        "ft": np.array(triangles_uv, np.uint32),
        "quads": np.array(quads, np.uint32),
    }
