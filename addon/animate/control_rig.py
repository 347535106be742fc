"""Building the control rig on a character and taking it away: bones, collections, constraints, drivers, shapes.

IK is the law of cosines in drivers with simple expressions: nothing iterates, nothing needs Python while playing, and
the pose that the rig shows is known in advance (control_rig_pose.py).
"""

from typing import Any, Final

import numpy as np
from mathutils import Vector

from ...lifter.errors import InputError
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT_NAMES
from ..character.action_curves import curve_path, skeleton_of
from ..character.posed_skeleton import Skeleton
from ..character.rest_pose import ROOT_BONE
from ..character.rig import edit_mode
from .control_rig_pose import LimbPose, limb_pose
from .control_rig_table import (
    BODY_CONTROLS,
    CONTROLS,
    DEFORM,
    FK,
    LIMBS,
    MECHANISM,
    SWITCH,
    TWEAKS,
    Control,
    Limb,
    Shape,
    fk,
    fk_controls,
    mechanism,
    tweak,
)
from .control_shapes import control_shape, remove_unused_shapes

OURS: Final = "Reel2Rig "
HANDLE_LENGTH: Final = 0.08
SIDE_COLORS: Final = {"left": (1.0, 0.3, 0.25), "right": (0.3, 0.6, 1.0)}
MIDDLE_COLOR: Final = (1.0, 0.8, 0.2)
SHOWN: Final = (CONTROLS,)


def all_controls() -> tuple[Control, ...]:
    """Controls of the body and FK controls of the limbs."""
    return BODY_CONTROLS + tuple(control for limb in LIMBS for control in fk_controls(limb))


def added_bones() -> tuple[str, ...]:
    """Names of all bones that the control rig adds."""
    names = [control.name for control in all_controls()]
    for limb in LIMBS:
        names += [limb.target, limb.pole, limb.aim]
        names += [kind(bone) for bone in (limb.upper, limb.lower) for kind in (mechanism, tweak)]
    return tuple(names)


def control_names() -> tuple[str, ...]:
    """The root and all controls that are keyed, without the mechanism."""
    members = collection_members()
    return (*members[CONTROLS], *members[FK], *members[TWEAKS])


def check_controls(rig: Any) -> None:
    """Raise InputError when bones of the control rig are missing."""
    missing = [name for name in added_bones() if name not in rig.data.bones]
    if missing:
        message = f"The control rig of {rig.name} has lost {', '.join(missing)}."
        raise InputError("controls_missing", message, "Bake it to the deform bones, then add it anew.")


def add_control_rig(rig: Any, scene: Any) -> None:
    """Add controls to ``rig`` and let SMPL's bones follow them; its keys are left alone."""
    skeleton = skeleton_of(rig)
    with edit_mode(rig):
        _add_bones(rig.data.edit_bones, skeleton)
    _sort_into_collections(rig)
    for name in added_bones():
        rig.data.bones[name].use_deform = False
        rig.pose.bones[name].rotation_mode = "QUATERNION"
    for control in BODY_CONTROLS:
        _follow(rig, control.bone, control.name, "COPY_TRANSFORMS" if control.bone == "pelvis" else "COPY_ROTATION")
    for limb in LIMBS:
        _constrain_limb(rig, limb)
        _drive_limb(rig, limb, skeleton)
    _dress(rig, scene)


def remove_control_rig(rig: Any) -> None:
    """Take away everything that :func:`add_control_rig` added and that is still there."""
    names = [name for name in added_bones() if name in rig.data.bones]
    for bone in rig.pose.bones:
        for constraint in [item for item in bone.constraints if item.name.startswith(OURS)]:
            constraint.driver_remove("influence")
            bone.constraints.remove(constraint)
    driven = {curve_path(name, "rotation_euler") for name in collection_members()[MECHANISM]}
    for curve in [item for item in rig.animation_data.drivers if item.data_path in driven]:
        rig.animation_data.drivers.remove(curve)
    with edit_mode(rig):
        for name in names:
            rig.data.edit_bones.remove(rig.data.edit_bones[name])
    rig.pose.bones[ROOT_BONE].custom_shape = None
    rig.data.bones[ROOT_BONE].color.palette = "DEFAULT"
    for collection in [item for item in rig.data.collections if item.name in collection_members()]:
        rig.data.collections.remove(collection)
    remove_unused_shapes()


def rest_limb(skeleton: Skeleton, limb: Limb) -> LimbPose:
    """The limb's target, pole and mechanism in the rest pose, one frame."""
    upper, lower, end = (skeleton.index(name) for name in limb.bones)
    heads = skeleton.heads[None]
    forward = limb.side * skeleton.axes[None, upper, :, 2]
    return limb_pose(heads[:, upper], heads[:, lower], heads[:, end], forward)


def tweak_offsets(skeleton: Skeleton, limb: Limb) -> tuple[Array, Array]:
    """Axes (3, 3) of upper and lower SMPL bone as the mechanism sees them at rest."""
    rest = rest_limb(skeleton, limb)
    upper, lower = (skeleton.axes[skeleton.index(name)] for name in (limb.upper, limb.lower))
    return rest.upper[0].T @ upper, rest.lower[0].T @ lower


def _add_bones(bones: Any, skeleton: Skeleton) -> None:
    lengths = dict(zip(skeleton.names, skeleton.lengths.tolist(), strict=True))
    for control in all_controls():
        made = bones.new(control.name)
        made.length = lengths[control.bone]
        made.matrix = bones[control.bone].matrix
    for control in all_controls():
        bones[control.name].parent = bones[control.parent]
    for limb in LIMBS:
        _add_limb(bones, skeleton, limb, lengths)


def _add_limb(bones: Any, skeleton: Skeleton, limb: Limb, lengths: dict[str, float]) -> None:
    rest, begin = rest_limb(skeleton, limb), skeleton.heads[skeleton.index(limb.upper)]
    aim, offsets = rest.aim[0], tweak_offsets(skeleton, limb)
    knee = begin + aim[:, 1] * lengths[limb.upper]
    target = bones[limb.end].matrix
    _bone(bones, limb.target, None, np.array(target.to_3x3()), np.array(target.translation), lengths[limb.end])
    _bone(bones, limb.pole, None, np.eye(3), rest.pole[0], HANDLE_LENGTH)
    _bone(bones, limb.aim, limb.above, aim, begin, HANDLE_LENGTH)
    _bone(bones, mechanism(limb.upper), limb.aim, aim, begin, lengths[limb.upper])
    _bone(bones, mechanism(limb.lower), mechanism(limb.upper), aim, knee, lengths[limb.lower])
    for name, head, offset in ((limb.upper, begin, offsets[0]), (limb.lower, knee, offsets[1])):
        _bone(bones, tweak(name), mechanism(name), aim @ offset, head, lengths[name])


def _bone(bones: Any, name: str, parent: str | None, axes: Array, head: Array, length: float) -> None:
    made = bones.new(name)
    made.head, made.tail = Vector(head), Vector(head) + length * Vector(axes[:, 1])
    made.align_roll(Vector(axes[:, 2]))
    made.parent = bones[parent] if parent else None


def collection_members() -> dict[str, tuple[str, ...]]:
    """Bones of each bone collection by its name."""
    halves = [bone for limb in LIMBS for bone in (limb.upper, limb.lower)]
    return {
        CONTROLS: (
            ROOT_BONE,
            *(control.name for control in BODY_CONTROLS),
            *(name for limb in LIMBS for name in (limb.target, limb.pole)),
        ),
        FK: tuple(control.name for limb in LIMBS for control in fk_controls(limb)),
        TWEAKS: tuple(map(tweak, halves)),
        MECHANISM: (*(limb.aim for limb in LIMBS), *map(mechanism, halves)),
        DEFORM: JOINT_NAMES,
    }


def _sort_into_collections(rig: Any) -> None:
    for title, names in collection_members().items():
        collection = rig.data.collections.new(title)
        collection.is_visible = title in SHOWN
        for name in names:
            collection.assign(rig.data.bones[name])


def _follow(rig: Any, bone: str, control: str, kind: str) -> Any:
    constraint = rig.pose.bones[bone].constraints.new(kind)
    constraint.name = f"{OURS}{control}"
    constraint.target, constraint.subtarget = rig, control
    return constraint


def _constrain_limb(rig: Any, limb: Limb) -> None:
    rig.pose.bones[limb.target][SWITCH] = 1.0
    switch = rig.pose.bones[limb.target].id_properties_ui(SWITCH)
    switch.update(min=0.0, max=1.0, description="1 follows the IK control, 0 the FK controls")
    for bone, control in zip(limb.bones, (tweak(limb.upper), tweak(limb.lower), limb.target), strict=True):
        _follow(rig, bone, fk(bone), "COPY_ROTATION")
        constraint = _follow(rig, bone, control, "COPY_ROTATION")
        path = f'pose.bones["{limb.target}"]["{SWITCH}"]'
        _drive(constraint.driver_add("influence"), "ik", {"ik": ("SINGLE_PROP", rig, path)})
    looking = _follow(rig, limb.aim, limb.target, "DAMPED_TRACK")
    looking.track_axis = "TRACK_Y"
    turning = _follow(rig, limb.aim, limb.pole, "LOCKED_TRACK")
    turning.track_axis, turning.lock_axis = "TRACK_Z", "LOCK_Y"


def _drive_limb(rig: Any, limb: Limb, skeleton: Skeleton) -> None:
    """The law of cosines; distances are measured in the world, hence the object's scale."""
    a, b = (float(skeleton.lengths[skeleton.index(name)]) for name in (limb.upper, limb.lower))
    variables = {"d": ("LOC_DIFF", rig, (limb.aim, limb.target)), "s": ("TRANSFORMS", rig, "SCALE_AVG")}
    d = "max(d / s, 0.001)"
    lift = f"acos(clamp(({d} * {d} + {a * a - b * b:.9g}) / ({2 * a:.9g} * {d}), -1, 1))"
    bend = f"acos(clamp(({a * a + b * b:.9g} - {d} * {d}) / {2 * a * b:.9g}, -1, 1)) - {np.pi:.9g}"
    for bone, expression in ((limb.upper, lift), (limb.lower, bend)):
        posed = rig.pose.bones[mechanism(bone)]
        posed.rotation_mode = "XYZ"
        _drive(posed.driver_add("rotation_euler", 0), expression, variables)


def _drive(curve: Any, expression: str, variables: dict[str, tuple[str, Any, Any]]) -> None:
    driver = curve.driver
    for name, (kind, rig, what) in variables.items():
        variable = driver.variables.new()
        variable.name, variable.type = name, kind
        for number, target in enumerate(variable.targets):
            target.id = rig
            if kind == "SINGLE_PROP":
                target.data_path = what
            elif kind == "LOC_DIFF":
                target.bone_target = what[number]
            else:
                target.transform_type, target.transform_space = what, "WORLD_SPACE"
    driver.type = "SCRIPTED"
    driver.expression = expression


def _dress(rig: Any, scene: Any) -> None:
    looks: dict[str, tuple[Shape, float, float]] = {
        item.name: (item.shape, item.size, item.along) for item in all_controls()
    }
    looks[ROOT_BONE] = ("circle", 0.4, 0.0)
    for limb in LIMBS:
        looks |= {limb.target: ("cube", 0.09, 0.0), limb.pole: ("diamond", 0.03, 0.0)}
        looks |= {tweak(bone): ("circle", 0.06, 0.5) for bone in (limb.upper, limb.lower)}
    for name, (shape, size, along) in looks.items():
        bone = rig.pose.bones[name]
        bone.custom_shape = control_shape(scene, shape)
        bone.use_custom_shape_bone_size = False
        bone.custom_shape_scale_xyz = (size, size, size)
        bone.custom_shape_translation = (0.0, along * bone.length, 0.0)
        color = rig.data.bones[name].color
        color.palette = "CUSTOM"
        color.custom.normal = next((SIDE_COLORS[side] for side in SIDE_COLORS if name.startswith(side)), MIDDLE_COLOR)
        color.custom.select, color.custom.active = (1.0, 1.0, 1.0), (0.6, 1.0, 1.0)
    rig.pose.bones[ROOT_BONE].custom_shape_rotation_euler = (np.pi / 2, 0.0, 0.0)
