"""Operators Add Shape Keys and Add Pose Correctives: the body model's own deformations as Blender's shape keys."""

from typing import Any, Final

import bpy
import numpy as np

from ...lifter.errors import InputError
from ...smpl_assets.body import Body, open_body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import (
    action_of,
    add_action,
    bone_curves,
    curves_of,
    frames_of,
    read_channels,
    skeleton_of,
    whole_frames,
    write_curve,
)
from ..character.animated_character import OnKeyedBones
from ..character.body_choice import body_from
from ..character.character import BODY, own_figures
from ..character.rig import rest_axes
from ..preferences import body_file
from ..text_lines import filled
from .body_shape_keys import (
    CORRECTIVE_RANGE,
    SHAPE_RANGE,
    corrective_names,
    corrective_values,
    in_blender,
    shape_names,
)

BASIS: Final = "Basis"


class AddShapeKeys(OnKeyedBones, bpy.types.Operator):
    """Add the body's shape directions as shape keys; 0 is the person's own shape, and the bones stay where they are"""

    bl_idname = "reel2rig.add_shape_keys"
    bl_label = "Add Shape Keys"

    def change(self, context: Any, rig: Any) -> str:
        """Keys on every mesh of the character."""
        body = body_of(rig, body_from(body_file()))
        figures, names = _figures(rig, body), shape_names(body)
        for figure in figures:
            _refuse_what_is_there(figure, names)
        for figure in figures:
            _add_keys(figure, names, in_blender(body.shapedirs), SHAPE_RANGE)
        return filled("{count} shape keys; 0 is the person's own shape", count=body.shapedirs.shape[-1])


class AddPoseCorrectives(OnKeyedBones, bpy.types.Operator):
    """Add the body's pose correctives as shape keys, keyed for every frame; run it again after changing the motion"""

    bl_idname = "reel2rig.add_pose_correctives"
    bl_label = "Add Pose Correctives"

    def change(self, context: Any, rig: Any) -> str:
        """Keys on every mesh of the character, and their animation."""
        body = body_of(rig, body_from(body_file()))
        count = add_pose_correctives(rig, body)
        keys = len(corrective_names(body))
        return filled("{keys} correctives keyed on {count} frames", keys=keys, count=count)


def body_of(rig: Any, candidate: Body) -> Body:
    """The body that ``rig`` was made on: the ``candidate`` of the preferences or the open one, known by its checksum.

    Raises InputError when it is neither.
    """
    for body in (candidate, open_body()):
        if body.identity() == rig[BODY]:
            return body
    name = rig[BODY].split(" sha256:")[0]
    raise InputError("other_body", f"{rig.name} was made on the body {name}.", "Choose its file in the preferences.")


def add_pose_correctives(rig: Any, body: Body) -> int:
    """Give the character's meshes ``body``'s pose correctives, keyed on every frame of its motion; returns the frames.

    Correctives that are there already are keyed anew. Raises InputError when the body has none or
    the bones have no keys.
    """
    if body.posedirs is None:
        message = f"The body {body.name} has no pose correctives."
        raise InputError("no_correctives", message, "A licensed SMPL file has them; choose it before the capture.")
    names, skeleton, bag = corrective_names(body), skeleton_of(rig), curves_of(rig)
    frames = whole_frames(frames_of(rig, bone_curves(bag, skeleton.names).values()))
    channels = read_channels(rig, skeleton, bag, frames)
    order = [skeleton.index(name) for name in JOINT_NAMES]
    values = corrective_values(channels.quaternions[:, order], rest_axes(rig))
    for figure in _figures(rig, body):
        keys = figure.data.shape_keys
        if keys is None or names[0] not in keys.key_blocks:
            _refuse_what_is_there(figure, names)
            _add_keys(figure, names, in_blender(body.posedirs), CORRECTIVE_RANGE)
        _key_values(figure.data.shape_keys, f"{action_of(rig).name} correctives", names, frames, values)
    return len(frames)


def _figures(rig: Any, body: Body) -> list[Any]:
    """The character's meshes; of copies that share theirs, one.

    Raises InputError when there is none or its vertices are no longer the body's.
    """
    figures = list({figure.data: figure for figure in own_figures(rig)}.values())
    if not figures:
        raise InputError("no_mesh", f"{rig.name} has no mesh of ours any more.", "Import its motion again.")
    for figure in figures:
        if len(figure.data.vertices) != len(body.v_template):
            message = (
                f"The mesh {figure.name} has {len(figure.data.vertices)} vertices, the body {len(body.v_template)}."
            )
            raise InputError("other_mesh", message, "Shape keys fit only a mesh whose vertices are all there.")
    return figures


def _refuse_what_is_there(figure: Any, names: list[str]) -> None:
    """Raise InputError when ``figure`` has one of the shape keys ``names``."""
    keys = figure.data.shape_keys
    there = [name for name in names if keys is not None and name in keys.key_blocks]
    if there:
        message = f"The mesh {figure.name} has the shape key {there[0]} already."
        raise InputError("there_already", message, "Delete its shape keys first to add them anew.")


def _add_keys(figure: Any, names: list[str], directions: Array, limit: float) -> None:
    """Shape keys ``names`` (N,) at 0 that move the mesh by ``directions`` (N, V, 3) m, with sliders to ``limit``."""
    keys = figure.data.shape_keys
    if keys is None:
        figure.shape_key_add(name=BASIS, from_mix=False)
        keys = figure.data.shape_keys
    basis = np.empty(3 * len(figure.data.vertices), np.float32)
    keys.reference_key.data.foreach_get("co", basis)
    for name, direction in zip(names, directions, strict=True):
        key = figure.shape_key_add(name=name, from_mix=False)
        key.slider_min, key.slider_max = -limit, limit
        key.value = 0.0
        key.data.foreach_set("co", basis + direction.ravel().astype(np.float32))


def _key_values(keys: Any, action: str, names: list[str], frames: Array, values: Array) -> None:
    animation = keys.animation_data_create()
    old = animation.action
    bag = add_action(keys, action, "KEY")
    if old is not None and not old.users:
        bpy.data.actions.remove(old)
    for column, name in enumerate(names):
        path = f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'
        write_curve(bag.fcurves.new(path), frames, values[:, column])
