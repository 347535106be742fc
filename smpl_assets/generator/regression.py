"""Learn from the population: joints as sparse means of vertices, and shape directions with a meaning each."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ..skeleton import JOINT, JOINT_NAMES, PARENTS
from .makehuman import Floats
from .population import Population

ALONG_ARM: Final = ("shoulder", "elbow", "wrist", "hand")
WIDE_JOINTS: Final = ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "collar", "hip")
# shape direction: the feature (with its mean and standard deviation) or latent that it follows
BETAS: Final[dict[str, str | tuple[str, float, float]]] = {
    "height": ("height", 0.53, 0.06),
    "mass": "mass",
    "gender": ("gender", 0.5, 0.43),
    "muscle": ("muscle", 0.5, 0.33),
    "thigh": "legs/measure-upperleg-height",
    "shin": "legs/measure-lowerleg-height",
    "upperarm": "arms/measure-upperarm-length",
    "forearm": "arms/measure-lowerarm-length",
    "torso": "torso/torso-scale-vert",
    "shoulders": "torso/measure-shoulder-dist",
}
SAME_STATURE: Final = ("mass", "gender", "muscle")
# what else varies between the people and must not leak into the directions
OTHER_FEATURES: Final = ("age", "weight", "proportions", "cup", "firmness")
OTHER_LATENTS: Final = (
    "torso/measure-napetowaist-dist",
    "neck/measure-neck-height",
    "torso/torso-vshape",
    "feet/%s-foot-scale",
    "hands/%s-hand-scale",
)


def joint_regressor(
    vertices: NDArray[np.float32], joints: Floats, weights: Floats, eyes: np.ndarray
) -> NDArray[np.float32]:
    """J_regressor (24, V): non-negative, rows sum to 1, about 20 vertices a joint.

    Fitted by non-negative least squares to training bodies (n, V, 3) and joints (n, 24, 3).
    """
    mean, mean_joints = vertices.mean(axis=0), joints.mean(axis=0)
    some = slice(None, None, max(1, len(vertices) // 150))
    regressor = np.zeros((len(JOINT), len(mean)), np.float32)
    for joint in range(len(JOINT)):
        near = _vertices_around(joint, mean, mean_joints[joint], weights, eyes)
        bodies = vertices[some][:, near].transpose(0, 2, 1).reshape(-1, len(near)).astype(float)
        # rows added below: the shares sum to 1, and they stay small
        system = np.vstack([bodies, np.full((1, len(near)), 200.0), 0.01 * np.eye(len(near))])
        wanted = np.concatenate([joints[some, joint].reshape(-1), [200.0], np.zeros(len(near))])
        shares, _ = nnls(system, wanted, maxiter=20000)
        regressor[joint, near] = shares / shares.sum()
    return regressor


def _vertices_around(joint: int, mean: Floats, centre: Floats, weights: Floats, eyes: np.ndarray) -> np.ndarray:
    """Up to 350-700 vertices in a slab across the limb at a joint, moved by it or by its parent, nearest first."""
    name, parent = JOINT_NAMES[joint], PARENTS[joint]
    own = weights[:, joint] + (weights[:, parent] if parent >= 0 else 0)
    axis = 0 if name.endswith(ALONG_ARM) else 1
    thickness = 0.10 if name.endswith(WIDE_JOINTS) else 0.05
    near = (own > 0.02) & (np.abs(mean - centre)[:, axis] < thickness)
    near[eyes] = False
    order = np.argsort(np.where(near, np.linalg.norm(mean - centre, axis=1), 9.0))[: near.sum()]
    return order[:: max(1, len(order) // 350)]


@dataclass(frozen=True)
class ShapeSpace:
    """mean (V, 3) m; directions (B, V, 3) m per standard deviation; preset_betas (presets, B)."""

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    preset_betas: NDArray[np.float32]


def shape_space(
    people: Population, vertices: NDArray[np.float32], regressor: NDArray[np.float32], training: int
) -> ShapeSpace:
    """Ten directions by linear regression on what made each body, learnt from the first ``training`` people.

    Joints count as much as the skin. Mass, gender and muscle are freed of the change of stature that goes with them.
    """
    joints = np.einsum("jv,nvc->njc", regressor, vertices)
    importance = np.sqrt(vertices.shape[1] / len(JOINT))
    flat = np.concatenate(
        [vertices.reshape(len(vertices), -1), (importance * joints).reshape(len(joints), -1).astype(np.float32)], axis=1
    )
    mean = flat[:training].mean(axis=0)
    causes = _causes(people)[:training]
    found = np.linalg.lstsq(causes - causes.mean(axis=0), flat[:training] - mean, rcond=None)[0]
    directions = found[: len(BETAS)].astype(np.float32)
    size = vertices[0].size
    mean_body = vertices[:training].mean(axis=0)
    _free_of_stature(directions, mean_body)
    betas = (flat[people.count :] - mean) @ directions.T @ np.linalg.inv(directions @ directions.T)
    return ShapeSpace(mean_body, directions[:, :size].reshape(len(BETAS), -1, 3), betas.astype(np.float32))


def _causes(people: Population) -> Floats:
    """What made each body, (M, causes): first what the betas stand for, then the rest."""
    causes = []
    for source in BETAS.values():
        if isinstance(source, str):
            causes.append(people.latents[source])
        else:
            name, mean, deviation = source
            causes.append((people.features[name] - mean) / deviation)
    causes += [people.features[name] for name in OTHER_FEATURES]
    causes += [people.features["race"][:, 0], people.features["race"][:, 1]]
    causes += [people.latents[name] for name in OTHER_LATENTS]
    return np.stack(causes, axis=1)


def _free_of_stature(directions: NDArray[np.float32], mean_body: NDArray[np.float32]) -> None:
    names = list(BETAS)

    def growth(direction: NDArray[np.float32]) -> float:
        change = direction[: mean_body.size].reshape(mean_body.shape)
        return float(np.ptp((mean_body + change)[:, 1]) - np.ptp((mean_body - change)[:, 1]))

    height = directions[names.index("height")]
    for name in SAME_STATURE:
        direction = directions[names.index(name)]
        direction -= height * (growth(direction) / growth(height))
