"""The tables of BVH skeletons (bvh_skeletons.json says how one is written), and which of them fits a file."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT, JOINT_NAMES
from ..errors import TrainingDataError

TABLES = Path(__file__).parent / "bvh_skeletons.json"
NEEDED = (
    "pelvis",
    *(f"{s}_{j}" for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist") for s in ("left", "right")),
)
EXAMPLE = (
    'Write a table for it, e.g. {"name": "mine", "sides": ["Left", "Right"], "joints": {"pelvis": "Hips", '
    '"side_hip": "{side}UpLeg", ...}}, and give it with --skeleton mine.json; '
    "readers/bvh_skeletons.json holds examples and says more."
)


@dataclass(frozen=True)
class Skeleton:
    """A table. joints: names in the file by SMPL joint, two for halfway; axes: (3, 3) columns are the joint's local
    directions of the person's left, up and forward in T-pose, by SMPL joint; also: further names that must be there;
    turned: axis-angle (3,) radians by SMPL joint; straight, aligned: SMPL joints, as bvh_skeletons.json says.
    """

    name: str
    joints: dict[str, tuple[str, ...]]
    axes: dict[str, Array]
    also: tuple[str, ...] = ()
    turned: dict[str, Array] = field(default_factory=dict)
    straight: frozenset[str] = frozenset()
    aligned: frozenset[str] = frozenset()
    rest: Literal["auto", "zero", "first_frame"] = "auto"
    up: Literal["auto", "y", "z"] = "auto"

    def find(self, names: tuple[str, ...]) -> dict[int, tuple[int, ...]] | None:
        """Joints of a file by SMPL joint, or None where this is not its skeleton."""
        row = _rows(names)
        if any(_plain(name) not in row for name in self.also):
            return None
        found: dict[int, tuple[int, ...]] = {}
        for joint, sources in self.joints.items():
            rows = [next((row[_plain(n)] for n in source.split("|") if _plain(n) in row), None) for source in sources]
            if None not in rows:
                found[JOINT[joint]] = tuple(index for index in rows if index is not None)
        whole = all(JOINT[name] in found for name in NEEDED) and not found.keys().isdisjoint(
            {JOINT["neck"], JOINT["head"]}
        )
        return found if whole else None


def read_skeletons(path: Path = TABLES) -> list[Skeleton]:
    """The tables of a JSON file: one table, or several under "skeletons". Raises TrainingDataError naming the fault."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"The skeleton table {path} cannot be read ({error}).") from error
    try:
        return [_skeleton(table) for table in content.get("skeletons", [content])]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainingDataError(f"The skeleton table {path} is not right: {error}. {EXAMPLE}") from error


def fitting(skeletons: list[Skeleton], names: tuple[str, ...]) -> list[tuple[Skeleton, dict[int, tuple[int, ...]]]]:
    """The tables that fit a file with the file's joints by SMPL joint, those first that know most of its joints."""
    matches = [(skeleton, found) for skeleton in skeletons if (found := skeleton.find(names)) is not None]
    return sorted(matches, key=lambda match: (len(match[0].also), len(match[1])), reverse=True)


def _skeleton(table: dict[str, Any]) -> Skeleton:
    sides = table.get("sides", ["left", "right"])
    joints = _both_sides(table["joints"], sides)
    axes = _both_sides(table.get("axes", {}), sides)
    turned = _both_sides(table.get("turned", {}), sides)
    straight, aligned = (
        frozenset(_both_sides(dict.fromkeys(table.get(key, ())), sides)) for key in ("straight", "aligned")
    )
    strangers = (joints.keys() | axes.keys() | turned.keys() | straight | aligned) - set(JOINT_NAMES)
    if strangers:
        raise ValueError(f"{', '.join(sorted(strangers))} are no joints of SMPL; those are {', '.join(JOINT_NAMES)}")
    missing = [name for name in NEEDED if name not in joints]
    if missing:
        raise ValueError(f"it does not say which joint is {', '.join(missing)}")
    rest, up = table.get("rest", "auto"), table.get("up", "auto")
    if rest not in ("auto", "zero", "first_frame") or up not in ("auto", "y", "z"):
        raise ValueError(f"rest is {rest!r} and up is {up!r}")
    return Skeleton(
        name=str(table.get("name", "own table")),
        joints={name: (source,) if isinstance(source, str) else tuple(source) for name, source in joints.items()},
        axes={name: _directions(words) for name, words in axes.items()},
        also=tuple(table.get("also", ())),
        turned={name: np.radians(_three(turn)) for name, turn in turned.items()},
        straight=straight,
        aligned=aligned,
        rest=rest,
        up=up,
    )


def _both_sides(table: dict[str, Any], sides: list[str]) -> dict[str, Any]:
    """The table with each "side_" entry as two, {side} filled in."""
    whole = {name: value for name, value in table.items() if not name.startswith("side_")}
    for name, value in table.items():
        if name.startswith("side_"):
            for ours, theirs in zip(("left", "right"), sides, strict=True):
                whole[name.replace("side_", f"{ours}_", 1)] = json.loads(json.dumps(value).replace("{side}", theirs))
    return whole


def _directions(words: str) -> Array:
    """Matrix (3, 3) of e.g. "-z -x y"."""
    unit = {
        sign + axis: value * np.eye(3)["xyz".index(axis)] for axis in "xyz" for sign, value in (("", 1.0), ("-", -1.0))
    }
    matrix = np.stack([unit[word] for word in words.split()], axis=1)
    if matrix.shape != (3, 3) or not np.isclose(np.linalg.det(matrix), 1.0):
        raise ValueError(f"{words!r} is no right-handed frame of left, up and forward")
    return matrix


def _three(turn: list[float]) -> Array:
    vector = np.asarray(turn, np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise ValueError(f"{turn} is no turn of three angles")
    return vector


def _rows(names: tuple[str, ...]) -> dict[str, int]:
    """Joints of a file by plain name: without name space, whole and without the prefix that all but the root share."""
    short = [name.rsplit(":", 1)[-1] for name in names]
    columns = enumerate(zip(*short[1:], strict=False))
    prefix = next((index for index, letters in columns if len(set(letters)) > 1), 0)
    bare = [name[prefix:] if name[:prefix] == short[-1][:prefix] else name for name in short]
    return {_plain(name): row for spelled in (bare, short) for row, name in reversed(list(enumerate(spelled)))}


def _plain(name: str) -> str:
    return re.sub(r"[\s._\-]", "", name).casefold()
