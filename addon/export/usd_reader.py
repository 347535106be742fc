"""Read back a USD file: skeleton, skin and animation, with the module that comes with Blender."""

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...lifter.errors import CaptureError
from ...smpl_assets.rotation import Array, matrix_from_quaternion
from .exported_motion import ExportedMotion, NodeTree, WrongExportError, turns_from_rest


def read_usd(path: Path) -> ExportedMotion:
    """Read the one animated skeleton of a USD file. Raises WrongExportError when there is not exactly one of each."""
    try:
        stage = _pxr("Usd").Stage.Open(str(path))
    except RuntimeError as error:
        raise WrongExportError("it cannot be read back") from error
    prims = list(stage.Traverse())
    skeletons = [prim for prim in prims if prim.GetTypeName() == "Skeleton"]
    takes = [prim for prim in prims if prim.GetTypeName() == "SkelAnimation"]
    if len(skeletons) != 1 or len(takes) != 1:
        raise WrongExportError(f"it holds {len(skeletons)} skeletons and {len(takes)} takes instead of one each")
    meshes = [prim for prim in prims if prim.GetTypeName() == "Mesh"]
    _require_z_up_metres(stage)
    return ExportedMotion(
        **_skeleton(stage, _pxr("UsdSkel"), skeletons[0], takes[0]),
        deforming=frozenset().union(*(_deforming(mesh) for mesh in meshes)),
        vertex_count=sum(len(mesh.GetAttribute("points").Get(0)) for mesh in meshes),
        node_scales=np.array([_scale(prim) for prim in prims]),
        licence=next((text for prim in prims if (text := _note(prim))), ""),
    )


def spelt_in_usd(name: str) -> str:
    """A bone's name as USD spells it: letters, digits and underscores, no digit first."""
    spelt = "".join(letter if letter.isalnum() else "_" for letter in name)
    return f"_{spelt}" if not spelt or spelt[0].isdigit() else spelt


def _pxr(name: str) -> Any:
    """A module of USD's own Python package. Blender's program finds it by itself, Blender as a module does not.

    Raises CaptureError where Blender was built without it.
    """
    try:
        return importlib.import_module(f"pxr.{name}")
    except ImportError:
        found = sorted(Path(bpy.utils.resource_path("LOCAL")).glob("python/lib/**/site-packages/pxr"))
    try:
        sys.path.extend(str(folder.parent) for folder in found)
        return importlib.import_module(f"pxr.{name}")
    except ImportError as error:
        raise CaptureError(
            "no_usd", "This Blender has no USD module to check the file with.", "Choose another format."
        ) from error
    finally:
        del sys.path[len(sys.path) - len(found) :]


def _require_z_up_metres(stage: Any) -> None:
    geometry = _pxr("UsdGeom")
    up, unit = geometry.GetStageUpAxis(stage), geometry.GetStageMetersPerUnit(stage)
    if up != "Z" or unit != 1.0:
        raise WrongExportError(f"its axis {up} is up and its unit {unit} m instead of Z and 1 m")


def _skeleton(stage: Any, skel: Any, skeleton: Any, take: Any) -> dict[str, Any]:
    """Times, bones, parents, heads, turns and rest of ExportedMotion."""
    paths = [str(joint) for joint in skel.Skeleton(skeleton).GetJointsAttr().Get()]
    animation = skel.Animation(take)
    if [str(joint) for joint in animation.GetJointsAttr().Get()] != paths:
        raise WrongExportError("its take does not move all bones")
    codes = animation.GetRotationsAttr().GetTimeSamples() or [0.0]
    quaternions = np.stack([_wxyz(animation.GetRotationsAttr().Get(code)) for code in codes])
    offsets = np.stack([np.array(animation.GetTranslationsAttr().Get(code), np.float64) for code in codes])
    above = [path.rpartition("/")[0] for path in paths]
    parents = tuple(paths.index(parent) if parent else -1 for parent in above)
    tree = NodeTree(
        parents,
        tuple(matrix_from_quaternion(quaternions[:, bone]) for bone in range(len(paths))),
        tuple(offsets[:, bone] for bone in range(len(paths))),
    )
    rotations, heads = tree.in_world(list(range(len(paths))), len(codes))
    bind = np.array(skel.Skeleton(skeleton).GetBindTransformsAttr().Get(), np.float64)  # rows, not columns, are axes
    return {
        "times": np.array(codes) / stage.GetTimeCodesPerSecond(),
        "bones": tuple(path.rpartition("/")[2] for path in paths),
        "parents": tuple(parent.rpartition("/")[2] or None for parent in above),
        "heads": heads,
        "turns": turns_from_rest(rotations, np.swapaxes(bind[:, :3, :3], -1, -2), np.eye(3)),
        "rest_heads": bind[:, 3, :3],
    }


def _wxyz(quaternions: Any) -> Array:
    values = np.array([(item.GetReal(), *item.GetImaginary()) for item in quaternions], np.float64)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def _deforming(mesh: Any) -> set[str]:
    """Names of the joints with a weight on at least one vertex."""
    skin = _pxr("UsdSkel").BindingAPI(mesh)
    joints, weights = skin.GetJointIndicesAttr().Get(0), skin.GetJointWeightsAttr().Get(0)
    if joints is None or weights is None:
        raise WrongExportError(f"the mesh {mesh.GetName()} is not bound to the skeleton")
    order = skin.GetJointsAttr().Get() or _pxr("UsdSkel").Skeleton(skin.GetInheritedSkeleton()).GetJointsAttr().Get()
    used = np.unique(np.array(joints)[np.array(weights) > 0.0])
    return {str(order[index]).rpartition("/")[2] for index in used.tolist()}


def _scale(prim: Any) -> tuple[float, float, float]:
    scale = prim.GetAttribute("xformOp:scale")
    return tuple(scale.Get(0)) if scale else (1.0, 1.0, 1.0)


def _note(prim: Any) -> str:
    note = prim.GetAttribute("userProperties:reel2rig_licence")
    return str(note.Get(0)) if note else ""
