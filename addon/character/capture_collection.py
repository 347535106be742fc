"""A capture's place in a Blender file: a collection with its camera, and in it one collection for each person.

Collections, camera and rigs carry the same id, so that they find each other whatever they are called by now.
"""

import uuid
from collections.abc import Iterable
from typing import Any, Final

import bpy

CAPTURE_ID: Final = "reel2rig_capture_id"


def new_capture(scene: Any, name: str) -> Any:
    """A collection ``name`` for one capture, linked to ``scene``."""
    capture = bpy.data.collections.new(name)
    capture[CAPTURE_ID] = uuid.uuid4().hex
    scene.collection.children.link(capture)
    return capture


def new_person(capture: Any, name: str) -> Any:
    """A collection for a person inside ``capture``, called ``name`` where the capture itself is not."""
    person = bpy.data.collections.new(f"{name} person" if name == capture.name else name)
    person[CAPTURE_ID] = capture[CAPTURE_ID]
    capture.children.link(person)
    return person


def capture_of(rig: Any) -> Any | None:
    """The collection of the capture that ``rig`` came with, or None when it is gone. Of copies, the one it is in."""
    same = _with_id_of(rig, bpy.data.collections)
    captures = [item for item in same if any(child in same for child in item.children) or camera_in(item)]
    captures.sort(key=lambda item: rig not in item.all_objects.values())
    return next(iter(captures), None)


def camera_of(rig: Any) -> Any | None:
    """The camera that filmed ``rig``, or None. A copy of the scene has copies of both: each has its own."""
    cameras = [item for item in _with_id_of(rig, bpy.data.objects) if item.type == "CAMERA"]
    if len(cameras) > 1:
        scenes = rig.users_scene
        cameras.sort(key=lambda camera: not any(scene in scenes for scene in camera.users_scene))
    return next(iter(cameras), None)


def people_of(capture_id: str) -> list[Any]:
    """The armature objects that came with a capture."""
    return [item for item in bpy.data.objects if item.type == "ARMATURE" and item.get(CAPTURE_ID) == capture_id]


def camera_in(collection: Any) -> Any | None:
    """The camera of the capture that ``collection`` is, or None."""
    own = collection.get(CAPTURE_ID)
    return next((item for item in collection.objects if item.type == "CAMERA" and item.get(CAPTURE_ID) == own), None)


def _with_id_of(rig: Any, items: Iterable[Any]) -> list[Any]:
    own = rig.get(CAPTURE_ID)
    return [] if own is None else [item for item in items if item.get(CAPTURE_ID) == own]
