"""The action that a capture's motion was keyed into, told apart from what an animator made of it."""

import hashlib
from typing import Any, Final

import bpy
import numpy as np

from .action_curves import key_points

TAKE: Final = "reel2rig_take"
WRITTEN: Final = "reel2rig_written"


def mark_take(action: Any) -> None:
    """Let ``action`` remember that it is ours, and its keys as they are now."""
    action[TAKE], action[WRITTEN] = True, _digest(action)


def is_untouched_take(action: Any) -> bool:
    """Whether ``action`` is ours and holds exactly the keys that were written."""
    return TAKE in action and action[WRITTEN] == _digest(action)


def put_aside(rig: Any) -> tuple[str, str]:
    """Take the action from ``rig``; returns the next take's name, and a warning when the old action is kept.

    An untouched take is removed where nothing else uses it. Anything else holds somebody's work.
    """
    animation = rig.animation_data
    if animation is None:
        return rig.name, ""
    animation.use_tweak_mode = False  # while a strip is edited, the action cannot be exchanged
    action = animation.action
    if action is None:
        return rig.name, ""
    animation.action = None
    name = action.name if TAKE in action else rig.name
    if is_untouched_take(action):
        if action.users == 0:
            bpy.data.actions.remove(action)
        return name, ""
    if action.library is None:
        action.use_fake_user = True
        if TAKE in action:
            action.name = f"{name} before fit"
    return name, f"Your work is kept in the action: {action.name}"


def _digest(action: Any) -> str:
    """A short text that is another one for other keys."""
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    curves = sorted((curve for bag in bags for curve in bag.fcurves), key=lambda one: (one.data_path, one.array_index))
    digest = hashlib.sha256()
    for curve in curves:
        kinds = np.empty(len(curve.keyframe_points), np.int32)
        curve.keyframe_points.foreach_get("interpolation", kinds)
        digest.update(repr((curve.data_path, curve.array_index, len(kinds), len(curve.modifiers))).encode())
        digest.update(key_points(curve).tobytes() + kinds.tobytes())
    return digest.hexdigest()[:16]
