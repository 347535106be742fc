"""Thousands of random people, and eleven named ones, as meshes in MakeHuman's own pose."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .makehuman import BaseMesh, Floats, label_weights, macro_targets, read_target

PRESETS: Final[dict[str, dict[str, float]]] = {
    "neutral": {},
    "male": {"gender": 0.0},
    "female": {"gender": 1.0},
    "male_heavy": {"gender": 0.0, "weight": 0.95},
    "female_heavy": {"gender": 1.0, "weight": 0.95},
    "male_athletic": {"gender": 0.0, "muscle": 0.9, "weight": 0.5},
    "female_athletic": {"gender": 1.0, "muscle": 0.85, "weight": 0.4},
    "thin": {"weight": 0.1},
    "tall": {"height": 0.8},
    "short": {"height": 0.25},
    "old": {"age": 1.0},
}
PRESET_MASS: Final = {"male_heavy": 2.0, "female_heavy": 2.0, "thin": -1.5}
AVERAGE: Final = {
    "gender": 0.5,
    "age": 0.5,
    "muscle": 0.5,
    "weight": 0.5,
    "height": 0.5,
    "proportions": 0.7,
    "cup": 0.5,
    "firmness": 0.5,
    "race": np.full(3, 1 / 3),
}
# MakeHuman's weight slider moves an average body by 2 cm only, so body mass is made of these local targets
FAT_TARGETS: Final = {
    "stomach/stomach-tone": -0.30,
    "stomach/stomach-pregnant": 0.14,
    "torso/measure-waist-circ": 0.28,
    "torso/measure-hips-circ": 0.22,
    "torso/measure-bust-circ": 0.2,
    "torso/measure-underbust-circ": 0.2,
    "arms/%s-upperarm-fat": 0.3,
    "arms/%s-lowerarm-fat": 0.25,
    "legs/%s-upperleg-fat": 0.3,
    "legs/%s-lowerleg-fat": 0.25,
    "buttocks/buttocks-volume": 0.15,
    "neck/measure-neck-circ": 0.2,
    "head/head-fat": 0.25,
}
# symmetric changes of proportion, so that the lengths of limbs vary independently; values are standard deviations
LENGTH_TARGETS: Final = {
    "arms/measure-upperarm-length": 0.28,
    "arms/measure-lowerarm-length": 0.28,
    "legs/measure-upperleg-height": 0.22,
    "legs/measure-lowerleg-height": 0.22,
    "torso/torso-scale-vert": 0.18,
    "torso/measure-shoulder-dist": 0.45,
    "torso/measure-napetowaist-dist": 0.15,
    "neck/measure-neck-height": 0.4,
    "torso/torso-vshape": 0.3,
    "feet/%s-foot-scale": 0.35,
    "hands/%s-hand-scale": 0.3,
}


@dataclass(frozen=True)
class Population:
    """M = ``count`` random people, then the presets.

    features: by name (M,) in MakeHuman's units; latents: by target name (M,), and "mass", in standard deviations;
    vertices (M, n, 3) metres of the vertices asked for, Y up, facing +Z.
    """

    count: int
    features: dict[str, Floats]
    latents: dict[str, Floats]
    vertices: NDArray[np.float32]


def sample_population(data: Path, mesh: BaseMesh, keep: NDArray[np.int64], count: int, seed: int) -> Population:
    """Sample people and shape the vertices ``keep`` of the base mesh after them. Raises FileNotFoundError."""
    random = np.random.default_rng(seed)
    features = _sample_features(random, count)
    mass = np.clip(random.normal(0, 1, count + len(PRESETS)), -2.2, 2.6)
    mass[count:] = [PRESET_MASS.get(name, 0.0) for name in PRESETS]
    latents, shares = {"mass": mass}, {}
    shares |= _macro_shares(data, features)
    for name, scale in FAT_TARGETS.items():
        own = random.normal(0, 0.4 * abs(scale), len(mass)) * (np.arange(len(mass)) < count)
        shares |= _two_way_shares(data, name, np.clip(scale * mass + own, -1, 1))
    for name, deviation in LENGTH_TARGETS.items():
        change = random.normal(0, deviation, len(mass))
        change[count:] = 0
        change = np.clip(change, -1, 1)
        latents[name] = change / deviation
        shares |= _two_way_shares(data, name, change)
    return Population(count, features, latents, _blend(mesh, keep, shares))


def _sample_features(random: np.random.Generator, count: int) -> dict[str, Floats]:
    """Adults mostly, a few adolescents; the order of the draws is part of the result."""
    male = random.random(count) < 0.5
    gender = np.where(male, random.beta(1.2, 8, count), 1 - random.beta(1.2, 8, count))
    young = random.random(count) < 0.06
    age = np.where(young, random.uniform(0.05, 0.5, count), 0.5 + 0.5 * random.beta(1, 3, count))
    sampled = {
        "gender": gender,
        "age": np.clip(age, 0, 1),
        "muscle": random.beta(4, 4, count),
        "weight": random.beta(2.5, 2.5, count),
        "height": np.clip(random.normal(0.53, 0.06, count), 0, 1),
        "proportions": random.beta(4, 3, count),
        "cup": random.beta(5, 5, count),
        "firmness": random.beta(5, 5, count),
        "race": random.dirichlet([0.8, 0.8, 0.8], count),
    }
    named = [AVERAGE | changes for changes in PRESETS.values()]
    return {
        name: np.concatenate([values, np.array([person[name] for person in named])]) for name, values in sampled.items()
    }


def _macro_shares(data: Path, features: dict[str, Floats]) -> dict[Path, Floats]:
    """The share of each whole-body target for each person: the product of its labels' shares."""
    weights = label_weights(features)
    return {
        path: np.prod([weights[feature][label] for feature, label in labels.items()], axis=0)
        for path, labels in macro_targets(data)
    }


def _two_way_shares(data: Path, name: str, change: Floats) -> dict[Path, Floats]:
    """Shares of the -incr and -decr targets for a change in -1..1, on both sides where the name has a side."""
    names = [name % side for side in ("l", "r")] if "%s" in name else [name]
    folder = data / "targets"
    shares = {}
    for one in names:
        shares[folder / f"{one}-incr.target.gz"] = np.clip(change, 0, None)
        shares[folder / f"{one}-decr.target.gz"] = np.clip(-change, 0, None)
    return shares


def _blend(mesh: BaseMesh, keep: NDArray[np.int64], shares: dict[Path, Floats]) -> NDArray[np.float32]:
    targets = np.stack([read_target(path, len(mesh.vertices))[keep].ravel() for path in shares])
    people = np.stack(list(shares.values()), axis=1).astype(np.float32)
    vertices = (people @ targets).reshape(len(people), -1, 3) + mesh.vertices[keep].astype(np.float32)
    return vertices * np.float32(0.1)  # decimetres
