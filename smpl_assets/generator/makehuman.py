"""Read MakeHuman's CC0 data as MPFB2 keeps it: base.obj, *.target.gz and the rig's weights.

Native frame: Y up, facing +Z, decimetres.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = dict[str, str]
LEVELS: Final = ("min", "average", "max")


@dataclass(frozen=True)
class BaseMesh:
    """base.obj: vertices (19158, 3) dm, uv (U, 2), faces and their uv rows as lists, and vertices by group."""

    vertices: Floats
    uv: Floats
    faces: list[list[int]]
    face_uv: list[list[int]]
    face_groups: list[str]
    groups: dict[str, NDArray[np.int64]]


def read_base_mesh(data: Path) -> BaseMesh:
    """The base mesh, with its helpers and joint cubes. Raises FileNotFoundError."""
    vertices, uv, faces, face_uv, face_groups = [], [], [], [], []
    group = ""
    for line in (data / "3dobjs/base.obj").read_text(encoding="utf-8").splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields[:3]])
        elif kind == "vt":
            uv.append([float(field) for field in fields[:2]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            corners = [field.split("/") for field in fields]
            faces.append([int(corner[0]) - 1 for corner in corners])
            face_uv.append([int(corner[1]) - 1 if len(corner) > 1 and corner[1] else -1 for corner in corners])
            face_groups.append(group)
    members = defaultdict(set)
    for name, face in zip(face_groups, faces, strict=True):
        members[name].update(face)
    groups = {name: np.array(sorted(indices)) for name, indices in members.items()}
    return BaseMesh(np.array(vertices), np.array(uv), faces, face_uv, face_groups, groups)


def read_target(path: Path, vertex_count: int) -> NDArray[np.float32]:
    """A shape target: how far it moves each vertex, (V, 3) dm."""
    moved = np.zeros((vertex_count, 3), np.float32)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line for line in file if line.strip() and not line.startswith("#")]
    if rows:
        table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(-1, 4)
        moved[table[:, 0].astype(int)] = table[:, 1:]
    return moved


def read_bone_weights(data: Path) -> dict[str, list[tuple[int, float]]]:
    """Skinning weights of MakeHuman's default rig: (vertex, weight) pairs by bone name."""
    return json.loads((data / "rigs/standard/weights.default.json").read_text(encoding="utf-8"))["weights"]


def macro_targets(data: Path) -> Iterator[tuple[Path, Labels]]:
    """The whole-body targets that exist, each with the labels whose weights multiply to its share."""
    for name, labels in _macro_names():
        path = data / "targets" / f"{name}.target.gz"
        if path.exists():
            yield path, labels


def _macro_names() -> Iterator[tuple[str, Labels]]:
    for gender, age in product(("male", "female"), ("child", "young", "old")):
        person = {"gender": gender, "age": age}
        for race in ("african", "asian", "caucasian"):
            yield f"macrodetails/{race}-{gender}-{age}", person | {"race": race}
        for muscle, weight in product(LEVELS, LEVELS):
            build = person | {"muscle": muscle, "weight": weight}
            stem = f"{gender}-{age}-{muscle}muscle-{weight}weight"
            yield f"macrodetails/universal-{stem}", build
            for height in ("min", "max"):
                yield f"macrodetails/height/{stem}-{height}height", build | {"height": height}
            for proportion in ("ideal", "uncommon"):
                yield f"macrodetails/proportions/{stem}-{proportion}proportions", build | {"proportions": proportion}
            if gender == "female":
                for cup, firmness in product(LEVELS, LEVELS):
                    yield f"breast/{stem}-{cup}cup-{firmness}firmness", build | {"cup": cup, "firmness": firmness}


def label_weights(features: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Share of each label for features in 0..1 (gender 0 male, age 0.5 young, race (N, 3)), as MakeHuman blends."""
    age = _three_levels(features["age"])
    return {
        "gender": {"male": 1 - features["gender"], "female": features["gender"]},
        "age": {"child": age["min"], "young": age["average"], "old": age["max"]},
        "muscle": _three_levels(features["muscle"]),
        "weight": _three_levels(features["weight"]),
        "cup": _three_levels(features["cup"]),
        "firmness": _three_levels(features["firmness"]),
        # there is no target for average height or proportions: 0.5 is the neutral body
        "height": _two_sides(features["height"], "min", "max"),
        "proportions": _two_sides(features["proportions"], "uncommon", "ideal"),
        "race": {name: features["race"][:, index] for index, name in enumerate(("african", "asian", "caucasian"))},
    }


def _three_levels(value: Floats) -> dict[str, Floats]:
    average = np.clip(1.0 - np.abs(2.0 * value - 1.0), 0.0, None, dtype=np.float64)
    return _two_sides(value, "min", "max") | {"average": average}


def _two_sides(value: Floats, low: str, high: str) -> dict[str, Floats]:
    return {low: np.clip(1 - 2 * value, 0, None), high: np.clip(2 * value - 1, 0, None)}
