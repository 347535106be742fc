"""Take a character out of the Blender file again, with everything that came with it."""

from typing import Any

import bpy

from ...lifter.errors import InputError
from .capture_collection import CAPTURE_ID, camera_in, capture_of, people_of
from .character import own_figures
from .confidence import duplicates_with_markers, remove_markers


def delete_character(rig: Any) -> None:
    """Remove armature, meshes, action, markers and collection; with a capture's last person its camera and clip too.

    What the user parented to the rig or put into its collections stays, where it stands. Data that something else
    uses stays as well, and so do markers that a duplicate shares. Raises InputError for a linked character.
    """
    if is_linked(rig):
        message = f"{rig.name} is linked from another file."
        raise InputError("linked", message, "Open the file that it is in, or make it local first.")
    if not duplicates_with_markers(rig):
        remove_markers(rig)
    capture, capture_id = capture_of(rig), rig.get(CAPTURE_ID)
    homes = [item for item in rig.users_collection if item.get(CAPTURE_ID) and item != capture]
    figures = own_figures(rig)
    _let_go([child for item in (rig, *figures) for child in item.children if child not in figures])
    for figure in figures:
        _remove_figure(figure)
    actions, armature = _actions_of(rig), rig.data
    bpy.data.objects.remove(rig)
    _remove_unused(bpy.data.armatures, [armature])
    _remove_unused(bpy.data.actions, actions)
    _remove_empty(homes)
    if capture is not None and not any(capture_of(other) == capture for other in people_of(capture_id)):
        _remove_capture(capture)


def is_linked(item: Any) -> bool:
    """Whether ``item`` is another file's, as it is or with changes of this file's (a library override)."""
    return item.library is not None or item.override_library is not None


def _let_go(children: list[Any]) -> None:
    """Take ``children`` from their parents; they stay where they stand."""
    for child in children:
        stands = child.matrix_world.copy()
        child.parent = None
        child.matrix_world = stands


def _remove_capture(capture: Any) -> None:
    camera = camera_in(capture)
    if camera is not None:
        data, actions = camera.data, [*_actions_of(camera), *_actions_of(camera.data)]
        images = [background.image for background in data.background_images if background.image is not None]
        _let_go(list(camera.children))
        bpy.data.objects.remove(camera)
        _remove_unused(bpy.data.cameras, [data])
        _remove_unused(bpy.data.images, images)
        _remove_unused(bpy.data.actions, actions)
    _remove_empty([capture])


def _remove_figure(figure: Any) -> None:
    mesh = figure.data
    keys = mesh.shape_keys
    actions = [*_actions_of(figure), *_actions_of(mesh), *(_actions_of(keys) if keys is not None else [])]
    materials = [slot.material for slot in figure.material_slots if slot.material is not None]
    bpy.data.objects.remove(figure)
    _remove_unused(bpy.data.meshes, [mesh])
    _remove_unused(bpy.data.materials, materials)
    _remove_unused(bpy.data.actions, actions)


def _actions_of(item: Any) -> list[Any]:
    """The action of ``item`` and those in its NLA strips."""
    animation = item.animation_data
    if animation is None:
        return []
    strips = [strip for track in animation.nla_tracks for strip in track.strips]
    return [action for action in (animation.action, *(strip.action for strip in strips)) if action is not None]


def _remove_unused(kind: Any, items: list[Any]) -> None:
    for item in dict.fromkeys(items):
        if item.users == 0 and item.library is None:
            kind.remove(item)


def _remove_empty(collections: list[Any]) -> None:
    for collection in collections:
        if not collection.objects and not collection.children:
            bpy.data.collections.remove(collection)
