"""Game engines as data: how a character is written for each. Axes Y up, metres, node scale 1 in all of them."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Format = Literal["FBX", "GLB"]


@dataclass(frozen=True)
class ExportTarget:
    """One engine. armature_name: what the armature node must be called, or None for the character's own name."""

    label: str
    description: str
    default_format: Format
    armature_name: str | None = None
    fbx: dict[str, Any] = field(default_factory=dict)
    glb: dict[str, Any] = field(default_factory=dict)


# FBX_SCALE_UNITS writes node scale 1; simplify 0 keeps every key; one NLA strip gives a named take from 0.0 s.
FBX_OPTIONS: Final[dict[str, Any]] = {
    "use_selection": True,
    "object_types": {"ARMATURE", "MESH"},
    "use_custom_props": True,
    "add_leaf_bones": False,
    "use_armature_deform_only": True,
    "apply_scale_options": "FBX_SCALE_UNITS",
    "axis_forward": "-Z",
    "axis_up": "Y",
    "mesh_smooth_type": "FACE",
    "armature_nodetype": "NULL",
    "bake_anim": True,
    "bake_anim_use_all_bones": True,
    "bake_anim_use_nla_strips": True,
    "bake_anim_use_all_actions": False,
    "bake_anim_force_startend_keying": True,
    "bake_anim_simplify_factor": 0.0,
    "path_mode": "STRIP",
}

GLB_OPTIONS: Final[dict[str, Any]] = {
    "export_format": "GLB",
    "use_selection": True,
    "use_active_scene": True,
    "export_extras": True,
    "export_yup": True,
    "export_apply": False,
    "export_skins": True,
    "export_def_bones": False,
    "export_animations": True,
    "export_animation_mode": "NLA_TRACKS",
    "export_anim_slide_to_zero": True,
    "export_force_sampling": True,
    "export_optimize_animation_size": False,
    "export_morph": False,
    "export_cameras": False,
    "export_lights": False,
}

TARGETS: Final[dict[str, ExportTarget]] = {
    "unity": ExportTarget("Unity", "FBX for a humanoid or generic avatar", "FBX"),
    # Unreal makes the armature node an extra root bone unless it is called exactly so
    "unreal": ExportTarget("Unreal Engine", "FBX whose top bone is root", "FBX", armature_name="Armature"),
    "godot": ExportTarget("Godot", "Binary glTF", "GLB"),
    "generic": ExportTarget("Other", "FBX for any other program", "FBX"),
}
