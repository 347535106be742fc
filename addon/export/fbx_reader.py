"""Read back a binary FBX: skeleton, skin and animation, with the parser that comes with Blender's FBX add-on.

Only what Blender's exporter writes is understood: no pivots, no pre-rotations, Euler order XYZ.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from .exported_motion import Y_UP_TO_Z_UP, ExportedMotion, NodeTree, WrongExportError, turns_from_rest

CHANNELS: Final = (b"Lcl Translation", b"Lcl Rotation", b"Lcl Scaling")
CENTIMETRES: Final = 100.0


@dataclass
class FbxNode:
    """One Model of the file: kind as in the file ("LimbNode", "Mesh", "Null"), channel values and curves."""

    name: str
    kind: str
    values: dict[bytes, Array]
    curves: dict[tuple[bytes, int], tuple[Array, Array]]
    licence: str
    parent: int = 0


def read_fbx(path: Path) -> ExportedMotion:
    """Read the one animated skeleton of a binary FBX. Raises WrongExportError when there is not exactly one take."""
    from io_scene_fbx import parse_fbx  # comes with Blender, also when its add-on is off

    try:
        root, _ = parse_fbx.parse(str(path))
    except (OSError, ValueError, AssertionError) as error:
        raise WrongExportError(f"it cannot be read back ({error})") from error
    objects = _child(root, b"Objects").elems
    links = [link.props for link in _child(root, b"Connections").elems]
    nodes = {item.props[0]: _node(item) for item in objects if item.id == b"Model"}
    takes = [_name(item) for item in objects if item.id == b"AnimationStack"]
    if len(takes) != 1:
        raise WrongExportError(f"it holds {len(takes)} takes instead of one")
    _attach_parents(nodes, links)
    times = _attach_curves(nodes, objects, links)
    return ExportedMotion(
        take=takes[0].split("|")[-1],
        times=times,
        **_skeleton(nodes, times, _unit_in_metres(root)),
        deforming=_deforming(objects, links, nodes),
        node_scales=np.array([node.values[b"Lcl Scaling"] for node in nodes.values()]),
        vertex_count=sum(len(_child(item, b"Vertices").props[0]) // 3 for item in objects if _is_mesh(item)),
        licence=next((node.licence for node in nodes.values() if node.licence), ""),
    )


def _child(element: Any, name: bytes) -> Any:
    for item in element.elems:
        if item is not None and item.id == name:
            return item
    raise WrongExportError(f"it has no {name.decode()} section")


def _name(element: Any) -> str:
    return element.props[1].split(b"\x00\x01")[0].decode("utf-8")


def _is_mesh(element: Any) -> bool:
    return element.id == b"Geometry" and element.props[2] == b"Mesh"


def _properties(element: Any) -> dict[bytes, list[Any]]:
    return {item.props[0]: item.props[4:] for item in _child(element, b"Properties70").elems}


def _unit_in_metres(root: Any) -> float:
    return _properties(_child(root, b"GlobalSettings"))[b"UnitScaleFactor"][0] / CENTIMETRES


def _node(element: Any) -> FbxNode:
    properties = _properties(element)
    defaults = (np.zeros(3), np.zeros(3), np.ones(3))
    values = {key: np.array(properties.get(key, default)) for key, default in zip(CHANNELS, defaults, strict=True)}
    licence = properties.get(b"reel2rig_licence", [b""])[0].decode("utf-8")
    return FbxNode(_name(element), element.props[2].decode(), values, {}, licence)


def _attach_parents(nodes: dict[int, FbxNode], links: list[Any]) -> None:
    for kind, child, parent, *_ in links:
        if kind == b"OO" and child in nodes and parent in nodes:
            nodes[child].parent = parent


def _attach_curves(nodes: dict[int, FbxNode], objects: Any, links: list[Any]) -> Array:
    """Give each node its animation curves; returns all key times in seconds."""
    from io_scene_fbx.fbx_utils import FBX_KTIME

    curves = {item.props[0]: item for item in objects if item.id == b"AnimationCurve"}
    target = {child: (parent, rest[0]) for kind, child, parent, *rest in links if kind == b"OP" and parent in nodes}
    ticks: list[NDArray[np.int64]] = []
    for kind, child, parent, *rest in links:
        if kind != b"OP" or child not in curves or parent not in target:
            continue
        node, channel = target[parent]
        key_times = np.asarray(_child(curves[child], b"KeyTime").props[0], np.int64)
        values = np.asarray(_child(curves[child], b"KeyValueFloat").props[0], np.float64)
        nodes[node].curves[channel, b"XYZ".index(rest[0][-1:])] = (key_times / FBX_KTIME, values)
        ticks.append(key_times)
    if not ticks:
        raise WrongExportError("it holds no animation curves")
    return np.unique(np.concatenate(ticks)) / FBX_KTIME


def _sampled(node: FbxNode, channel: bytes, times: Array) -> Array:
    """Values (T, 3) of a node's channel at ``times``."""
    result = np.tile(node.values[channel].astype(np.float64), (len(times), 1))
    for axis in range(3):
        if (channel, axis) in node.curves:
            result[:, axis] = np.interp(times, *node.curves[channel, axis])
    return result


def _matrix_from_euler_xyz(degrees: Array) -> Array:
    """Rotation matrices (T, 3, 3) turning about X, then Y, then Z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(np.radians(degrees)).T, np.cos(np.radians(degrees)).T
    rows = [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
        [-sy, sx * cy, cx * cy],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _skeleton(nodes: dict[int, FbxNode], times: Array, unit: float) -> dict[str, Any]:
    """Bones, parents, heads, turns and rest of ExportedMotion. At rest is what the nodes show without the take."""
    order = {identity: index for index, identity in enumerate(nodes)}
    listed = list(nodes.values())
    parents = tuple(order.get(node.parent, -1) for node in listed)
    bones = [index for index, node in enumerate(listed) if node.kind == "LimbNode"]
    posed = [(_sampled(node, b"Lcl Rotation", times), _sampled(node, b"Lcl Translation", times)) for node in listed]
    still = [(node.values[b"Lcl Rotation"][None], node.values[b"Lcl Translation"][None]) for node in listed]
    rotations, heads = _tree(parents, posed, unit).in_world(bones, len(times))
    rest, rest_heads = _tree(parents, still, unit).in_world(bones, 1)
    names = {identity: node.name for identity, node in nodes.items() if node.kind == "LimbNode"}
    return {
        "bones": tuple(listed[index].name for index in bones),
        "parents": tuple(names.get(listed[index].parent) for index in bones),
        "heads": heads @ Y_UP_TO_Z_UP.T,
        "turns": turns_from_rest(rotations, rest[0]),
        "rest_heads": rest_heads[0] @ Y_UP_TO_Z_UP.T,
    }


def _tree(parents: tuple[int, ...], channels: list[tuple[Array, Array]], unit: float) -> NodeTree:
    """Nodes with rotations in degrees and translations in units of ``unit`` metres."""
    rotations = tuple(_matrix_from_euler_xyz(rotation) for rotation, _ in channels)
    return NodeTree(parents, rotations, tuple(offset * unit for _, offset in channels))


def _deforming(objects: Any, links: list[Any], nodes: dict[int, FbxNode]) -> frozenset[str]:
    """Names of bones whose skin cluster holds at least one vertex."""
    clusters = {
        item.props[0]
        for item in objects
        if item.id == b"Deformer" and item.props[2] == b"Cluster" and any(e.id == b"Weights" for e in item.elems)
    }
    return frozenset(nodes[child].name for _, child, parent, *_ in links if child in nodes and parent in clusters)
