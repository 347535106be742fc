"""BVH files as training data: any skeleton that has a table (bvh_skeletons.json)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...smpl_assets.body import open_body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT, PARENTS
from ..errors import TrainingDataError
from .body_clip import body_clip, files_of
from .bvh_file import BvhError, BvhFile, read_bvh_file
from .bvh_skeletons import EXAMPLE, Skeleton, fitting, read_skeletons
from .clip import Clip, Explain
from .retarget import Found, leg_length, smpl_rotations

UNITS = {"metres": 1.0, "centimetres": 0.01, "inches": 0.0254, "millimetres": 0.001, "CMU's units": 0.0254 / 0.45}
HIPS = [JOINT["left_hip"], JOINT["right_hip"]]


def read_bvh(folder: Path, explain: Explain, *, table: Path | None = None) -> Iterator[Clip]:
    """Clips of all .bvh files in ``folder`` and below, on the open body's bones.

    table: JSON with the user's own skeletons, asked before ours. The actor is read from the name (actor_of) or is the
    folder a file is in. Limbs point where the source's do; the way through the room is scaled as the legs are, so the
    file's unit does not matter; the feet are put on the floor. Explains which skeleton was found and what is left out.
    Raises TrainingDataError when no file can be used.
    """
    tables = [*([read_skeletons(table)] if table else []), read_skeletons()]
    told: set[tuple[str, ...]] = set()
    used = 0
    for path in files_of(folder, ".bvh"):
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        try:
            file = read_bvh_file(path)
            skeleton, found, rotations, turn = _retargeted(file, tables)
        except BvhError as error:
            explain(f"{name} is left out: {error}.")
            continue
        kind = (skeleton.name, _probable_unit(file, found), _axis_told(turn))
        if kind not in told:
            told.add(kind)
            explain("{}: the skeleton is '{}', in {} by its legs, {} up. Files alike are not told.".format(name, *kind))
        used += 1
        pelvis = _pelvis(file, found, rotations, turn)
        yield body_clip(
            path, folder if folder.is_dir() else folder.parent, "bvh", file.frame_time, _local(rotations), pelvis
        )
    if not used:
        raise TrainingDataError(f"No BVH file in {folder} can be used.")


def _retargeted(file: BvhFile, tables: list[list[Skeleton]]) -> tuple[Skeleton, Found, Array, Array]:
    """The table, the file's joints by SMPL joint, global rotations (T, 24, 3, 3) and turn (3, 3) to Y up."""
    matches = next(filter(None, (fitting(skeletons, file.names) for skeletons in tables)), [])
    if not matches:
        raise BvhError(f"no table knows its skeleton, whose joints are {', '.join(file.names)}. {EXAMPLE}")
    faults = []
    for skeleton, found in matches:
        try:
            return skeleton, found, *smpl_rotations(file, skeleton, found)
        except BvhError as error:
            faults.append(f"as '{skeleton.name}' {error}")
    raise BvhError("; ".join(faults))


def _pelvis(file: BvhFile, found: Found, rotations: Array, turn: Array) -> Array:
    """Pelvis (T, 3) m that puts the middle of the hips where the source's is, in sizes of a leg."""
    rest = open_body().joint_template.astype(np.float64)
    knees, ankles = ([JOINT[f"{side}_{part}"] for side in ("left", "right")] for part in ("knee", "ankle"))
    leg = np.linalg.norm(np.diff(rest[[HIPS, knees, ankles]], axis=0), axis=-1).sum() / 2
    hips = file.world_positions[:, [found[joint][0] for joint in HIPS]].mean(axis=1) @ turn.T
    return hips * (leg / leg_length(file, found)) - rotations[:, 0] @ (rest[HIPS].mean(axis=0) - rest[0])


def _local(world: Array) -> Array:
    parents = np.array(PARENTS[1:])
    return np.concatenate([world[:, :1], np.swapaxes(world[:, parents], -1, -2) @ world[:, 1:]], axis=1)


def _probable_unit(file: BvhFile, found: Found) -> str:
    leg = leg_length(file, found)
    return min(UNITS, key=lambda name: abs(np.log(leg * UNITS[name] / 0.82)))


def _axis_told(turn: Array) -> str:
    axis = int(np.argmax(np.abs(turn[1])))
    return ("" if turn[1, axis] > 0 else "minus ") + "XYZ"[axis]
