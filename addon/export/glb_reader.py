"""Read back a binary glTF 2.0: skeleton, skin and animation, straight from its chunks."""

import json
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array, matrix_from_quaternion
from .exported_motion import Y_UP_TO_Z_UP, ExportedMotion, NodeTree, WrongExportError, turns_from_rest

COMPONENTS: Final = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A .glb file: ``tree`` is its JSON, ``array`` gives an accessor's values."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        try:
            magic, _, length = struct.unpack_from("<4sII", data)
            size = struct.unpack_from("<I", data, 12)[0]
            self.tree: dict[str, Any] = json.loads(data[20 : 20 + size])
        except (struct.error, ValueError) as error:
            raise WrongExportError(f"it cannot be read back ({error})") from error
        if magic != b"glTF" or length != len(data):
            raise WrongExportError("it is not a whole .glb file")
        self._binary = data[20 + size + 8 :]

    def array(self, accessor: int) -> NDArray[Any]:
        """Values (count, width) of an accessor; Blender's exporter packs them without gaps."""
        item = self.tree["accessors"][accessor]
        view = self.tree["bufferViews"][item["bufferView"]]
        width = WIDTHS[item["type"]]
        start = view.get("byteOffset", 0) + item.get("byteOffset", 0)
        values = np.frombuffer(self._binary, COMPONENTS[item["componentType"]], item["count"] * width, start)
        return values.reshape(-1, width)


def read_glb(path: Path) -> ExportedMotion:
    """Read the one animated skeleton of a .glb. Raises WrongExportError when it has not exactly one skin and take."""
    glb = Glb(path)
    nodes, skins, takes = (glb.tree.get(key, []) for key in ("nodes", "skins", "animations"))
    if len(skins) != 1 or len(takes) != 1:
        raise WrongExportError(f"it holds {len(skins)} skeletons and {len(takes)} takes instead of one each")
    joints = skins[0]["joints"]
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.get("children", []):
            parents[child] = index
    times, posed, still = _node_trees(glb, takes[0], tuple(parents))
    rotations, heads = posed.in_world(joints, len(times))
    rest, rest_heads = still.in_world(joints, 1)
    return ExportedMotion(
        take=takes[0].get("name", ""),
        times=times,
        bones=tuple(nodes[joint]["name"] for joint in joints),
        parents=tuple(nodes[parents[j]]["name"] if parents[j] in joints else None for j in joints),
        heads=heads @ Y_UP_TO_Z_UP.T,
        turns=turns_from_rest(rotations, rest[0]),
        rest_heads=rest_heads[0] @ Y_UP_TO_Z_UP.T,
        deforming=_deforming(glb, joints),
        node_scales=np.array([node.get("scale", (1.0, 1.0, 1.0)) for node in nodes]),
        vertex_count=sum(len(glb.array(part["attributes"]["POSITION"])) for part in _parts(glb)),
        licence=next((n["extras"]["reel2rig_licence"] for n in nodes if "reel2rig_licence" in n.get("extras", {})), ""),
    )


def _parts(glb: Glb) -> list[dict[str, Any]]:
    return [part for mesh in glb.tree.get("meshes", []) for part in mesh["primitives"]]


def _node_trees(glb: Glb, take: dict[str, Any], parents: tuple[int, ...]) -> tuple[Array, NodeTree, NodeTree]:
    """Key times (T,) in seconds, the nodes as the take moves them, and as they stand without it."""
    nodes = glb.tree["nodes"]
    samplers = [{**sampler, "times": glb.array(sampler["input"])[:, 0]} for sampler in take["samplers"]]
    times = np.unique(np.concatenate([sampler["times"] for sampler in samplers])).astype(np.float64)
    rotations = [np.array([node.get("rotation", (0.0, 0.0, 0.0, 1.0))]) for node in nodes]
    offsets = [np.array([node.get("translation", (0.0, 0.0, 0.0))]) for node in nodes]
    still = NodeTree(parents, _matrices(rotations), tuple(offsets))
    into = {"rotation": rotations, "translation": offsets}
    for channel in take["channels"]:
        sampler, target = samplers[channel["sampler"]], channel["target"]
        if target["path"] in into:
            values = glb.array(sampler["output"]).astype(np.float64)
            columns = [np.interp(times, sampler["times"], column) for column in values.T]
            into[target["path"]][target["node"]] = np.stack(columns, axis=-1)
    return times, NodeTree(parents, _matrices(rotations), tuple(offsets)), still


def _matrices(rotations: list[Array]) -> tuple[Array, ...]:
    return tuple(matrix_from_quaternion(_unit_wxyz(rotation)) for rotation in rotations)


def _unit_wxyz(xyzw: Array) -> Array:
    return np.roll(xyzw / np.linalg.norm(xyzw, axis=-1, keepdims=True), 1, axis=-1)


def _deforming(glb: Glb, joints: list[int]) -> frozenset[str]:
    """Names of joints with a weight on at least one vertex."""
    used: set[int] = set()
    for part in _parts(glb):
        weights = glb.array(part["attributes"]["WEIGHTS_0"])
        used |= set(glb.array(part["attributes"]["JOINTS_0"])[weights > 0].tolist())
    return frozenset(glb.tree["nodes"][joints[index]]["name"] for index in used)
