"""What the retarget panel keeps: a bone map with each armature, options with the scene."""

# pyright: reportInvalidTypeForm=false

import json
from typing import Any, Final

import bpy

from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.character import active_character, is_character
from .bone_map import BoneMap, conventions
from .bone_map_guess import BY_ITSELF
from .retarget import RetargetOptions

OVERRIDABLE: Final = {"LIBRARY_OVERRIDABLE"}
"""A character that is linked from another file keeps its map with the override."""
OVERRIDABLE_LIST: Final = {*OVERRIDABLE, "USE_INSERTION"}
LABELS: Final = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Chest",
    "spine3": "Upper Chest",
    "neck": "Neck",
    "head": "Head",
    "left_collar": "Left Collar",
    "left_shoulder": "Left Upper Arm",
    "left_elbow": "Left Forearm",
    "left_wrist": "Left Hand",
    "left_hand": "Left Fingers",
    "right_collar": "Right Collar",
    "right_shoulder": "Right Upper Arm",
    "right_elbow": "Right Forearm",
    "right_wrist": "Right Hand",
    "right_hand": "Right Fingers",
    "left_hip": "Left Thigh",
    "left_knee": "Left Shin",
    "left_ankle": "Left Foot",
    "left_foot": "Left Toes",
    "right_hip": "Right Thigh",
    "right_knee": "Right Shin",
    "right_ankle": "Right Foot",
    "right_foot": "Right Toes",
}
TRAVEL_ITEMS: Final = [
    ("hips", "Hips", "The hips carry the travel over the floor"),
    ("root", "Root Bone", "The root bone carries the travel over the floor, as game engines want it"),
    ("in_place", "In Place", "The character stays where it starts"),
]
CONVENTION_ITEMS: Final = [
    (BY_ITSELF, "By Itself", "Find out from the bones' names, then from the skeleton's structure"),
    *((item.name, item.label, f"Names as in {item.label}") for item in conventions()),
]


class BoneMapRow(bpy.types.PropertyGroup):
    """One joint, its name, and the bone that does its work."""

    name: bpy.props.StringProperty(override=OVERRIDABLE)
    bone: bpy.props.StringProperty(
        name="Bone", description="Bone of this character that does the joint's work", override=OVERRIDABLE
    )


class BoneMapSettings(bpy.types.PropertyGroup):
    """The bone map of one armature object."""

    rows: bpy.props.CollectionProperty(type=BoneMapRow, override=OVERRIDABLE_LIST)
    twist: bpy.props.CollectionProperty(type=BoneMapRow, override=OVERRIDABLE_LIST)
    root: bpy.props.StringProperty(
        name="Root", description="Bone on the floor that carries the travel, or none", override=OVERRIDABLE
    )
    carrier: bpy.props.StringProperty(
        name="Moved for the Hips",
        description="Bone above the hips that is moved in their place, in control rigs",
        override=OVERRIDABLE,
    )
    label: bpy.props.StringProperty(override=OVERRIDABLE)
    properties: bpy.props.StringProperty(override=OVERRIDABLE)

    @classmethod
    def register(cls) -> None:
        """Keep one with each object."""
        holder: Any = bpy.types.Object
        holder.reel2rig_bone_map = bpy.props.PointerProperty(type=cls, override=OVERRIDABLE)

    @classmethod
    def unregister(cls) -> None:
        """Take it back."""
        del bpy.types.Object.reel2rig_bone_map

    def fill(self, bone_map: BoneMap) -> None:
        """Show ``bone_map``: a row for each of our joints, empty where there is no bone."""
        self.rows.clear()
        self.twist.clear()
        for joint in JOINT_NAMES:
            row = self.rows.add()
            row.name, row.bone = joint, bone_map.joints.get(joint, "")
        for joint, names in bone_map.twist.items():
            for name in names:
                row = self.twist.add()
                row.name, row.bone = joint, name
        self.root, self.carrier, self.label = bone_map.root, bone_map.carrier, bone_map.label
        self.properties = json.dumps(bone_map.properties)

    def bone_map(self) -> BoneMap:
        """The map as it is shown."""
        twist: dict[str, tuple[str, ...]] = {}
        for row in self.twist:
            if row.bone:
                twist[row.name] = (*twist.get(row.name, ()), row.bone)
        return BoneMap(
            joints={row.name: row.bone for row in self.rows if row.bone},
            root=self.root,
            carrier=self.carrier,
            twist=twist,
            properties=json.loads(self.properties or "{}"),
            label=self.label,
        )


class RetargetSettings(bpy.types.PropertyGroup):
    """Which capture to take, and how; kept with the scene."""

    source: bpy.props.PointerProperty(
        name="Capture",
        description="Captured character whose motion is taken; empty: the only one in the scene",
        type=bpy.types.Object,
        poll=lambda _self, item: is_character(item),
    )
    convention: bpy.props.EnumProperty(
        name="Bone Names", description="How the character's bones are named", items=CONVENTION_ITEMS, default=BY_ITSELF
    )
    feet: bpy.props.BoolProperty(
        name="Hold Feet", description="Keep feet that stand on the floor and in place", default=True
    )
    hands: bpy.props.BoolProperty(
        name="Hold Hands",
        description="Keep hands where they were relative to the body; arms may point elsewhere than captured",
        default=False,
    )
    travel: bpy.props.EnumProperty(
        name="Travel", description="What carries the way over the floor", items=TRAVEL_ITEMS, default="hips"
    )

    @classmethod
    def register(cls) -> None:
        """Keep one with each scene."""
        holder: Any = bpy.types.Scene
        holder.reel2rig_retarget = bpy.props.PointerProperty(type=cls)

    @classmethod
    def unregister(cls) -> None:
        """Take it back."""
        del bpy.types.Scene.reel2rig_retarget

    def options(self) -> RetargetOptions:
        """The options as retarget.py takes them."""
        return RetargetOptions(feet=self.feet, hands=self.hands, travel=self.travel)


def chosen_source(context: Any) -> Any | None:
    """The capture that is meant: the one chosen, else the active or only captured character."""
    chosen = context.scene.reel2rig_retarget.source
    if chosen is not None and is_character(chosen) and chosen.name in context.scene.objects:
        return chosen
    captured = [item for item in context.selected_objects if is_character(item)]
    return captured[0] if len(captured) == 1 else active_character(context)


def chosen_targets(context: Any) -> list[Any]:
    """The armatures that are meant: selected ones, or those of selected meshes, but not the capture."""
    source = chosen_source(context)
    active = context.view_layer.objects.active
    items = [*([active] if active is not None and active.select_get() else []), *context.selected_objects]
    rigs = dict.fromkeys(filter(None, map(_armature_of, items)))
    return [rig for rig in rigs if rig != source]


def _armature_of(item: Any) -> Any | None:
    return item if item.type == "ARMATURE" else item.find_armature()
