"""Another motion and shape for a character that stands in the scene already, as after a new fit."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion
from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from . import scene_setup
from .animated_character import check_bones, has_control_rig
from .body_choice import ChosenBody, choose_body
from .capture_collection import camera_of
from .character import (
    BODY,
    EXPORT,
    ImportedCharacter,
    animate,
    describe,
    mark_what_to_check,
    own_figures,
    remember_file,
)
from .rest_pose import RestPose, rest_pose
from .rig import edit_mode
from .skin import build_mesh
from .take import put_aside


def rebuild_character(scene: Any, rig: Any, motion: Motion, body: Body, path: Path | None = None) -> ImportedCharacter:
    """Give ``rig`` the pose, shape and time of ``motion`` on ``body``, in place.

    Bones, mesh vertices, action, camera, confidence, markers and what the rig remembers are new; objects, names,
    materials, parents, modifiers, collections and whatever the user added stay; so does an action that is not as the
    capture wrote it, and a warning says so. ``path``: the file the motion came
    from, where it is another one. Keys are set at the rate that the rig was keyed at, so that it stays in time with its
    clip. The scene, ``scene`` or the one that the rig is in, keeps its rate and its range is widened. Raises InputError
    when the motion's times do not rise or bones of the rig are missing; nothing is changed then.
    """
    _check(rig)
    scene = scene if scene in rig.users_scene else next(iter(rig.users_scene), scene)
    frames, motion = scene_setup.on_whole_frames(motion, scene, rig)
    chosen = choose_body(motion, body)
    rest = rest_pose(chosen.body, chosen.betas)
    _reshape_bones(rig, rest)
    figures = own_figures(rig)
    for figure in figures:
        _reshape_mesh(figure, rig, chosen, rest.vertices)
    name, kept = put_aside(rig)
    animate(scene, rig, name, frames, motion, chosen)
    camera = camera_of(rig)
    if camera is not None and scene_setup.knows_camera(motion):
        scene_setup.place_camera(camera, motion)
    describe(rig, motion, chosen)
    rig.pop(EXPORT, None)  # those figures were of the motion before
    if path is not None:
        remember_file(rig, path)
    mark_what_to_check(rig, scene)
    scene_setup.cover_frames(scene, frames[0], frames[-1], only_widen=True)
    return ImportedCharacter(
        rig, figures[0] if figures else None, len(frames), (*chosen.warnings, *filter(None, [kept]))
    )


def _check(rig: Any) -> None:
    if has_control_rig(rig):
        message = f"{rig.name} has a control rig, which would stay as it was."
        raise InputError("control_rig", message, "Press Bake to Deform Bones first.")
    check_bones(rig)


def _reshape_bones(rig: Any, rest: RestPose) -> None:
    """Move the SMPL bones to another rest pose; other bones of the armature stay where they are."""
    with _reachable(rig), edit_mode(rig):
        bones = rig.data.edit_bones
        for index, name in enumerate(JOINT_NAMES):
            bones[name].head, bones[name].tail = Vector(rest.heads[index]), Vector(rest.tails[index])
            bones[name].align_roll(Vector(rest.bone_z[index]))


@contextlib.contextmanager
def _reachable(rig: Any) -> Iterator[None]:
    """Let ``rig`` be edited also where it, or the collection it is in, is hidden from the view."""
    home, concealed = bpy.context.scene.collection, rig.hide_viewport
    rig.hide_viewport = False
    linked = not rig.visible_get() and home.objects.get(rig.name) != rig
    if linked:
        home.objects.link(rig)
    hidden = rig.hide_get()
    rig.hide_set(False)
    try:
        yield
    finally:
        rig.hide_set(hidden)
        if linked:
            home.objects.unlink(rig)
        rig.hide_viewport = concealed


def _reshape_mesh(figure: Any, rig: Any, chosen: ChosenBody, vertices: Array) -> None:
    """Give ``figure`` other rest ``vertices`` (V, 3); its shape keys move with them. Another body is another mesh."""
    mesh = figure.data
    if figure[BODY] != chosen.body.identity() or len(mesh.vertices) != len(vertices):
        _exchange_mesh(figure, rig, chosen, vertices)
        return
    if mesh.shape_keys is not None:
        shift = vertices.astype(np.float32) - _places(mesh.shape_keys.reference_key.data)
        for block in mesh.shape_keys.key_blocks:
            block.data.foreach_set("co", (_places(block.data) + shift).ravel())
    mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    mesh.update()


def _places(points: Any) -> Array:
    flat = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _exchange_mesh(figure: Any, rig: Any, chosen: ChosenBody, vertices: Array) -> None:
    old = figure.data
    made = build_mesh(old.name, chosen.body, vertices, rig, rig.users_collection[0])
    if len(old.materials) == len(made.data.materials):
        for index, material in enumerate(old.materials):
            made.data.materials[index] = material
    figure.data = made.data
    figure[BODY] = chosen.body.identity()
    bpy.data.objects.remove(made)
    if old.users == 0:
        name = old.name
        bpy.data.meshes.remove(old)
        figure.data.name = name
