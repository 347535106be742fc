"""Game engines as data (export_targets.json), and how each file format is written: metres, one take, node scale 1."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Format = Literal["FBX", "GLB", "BVH", "USD", "NPZ"]
FORMATS: Final[tuple[Format, ...]] = ("FBX", "GLB", "BVH", "USD", "NPZ")
DATA: Final = Path(__file__).resolve().with_suffix(".json")


@dataclass(frozen=True)
class ExportTarget:
    """One engine. reads: formats it takes without a plug-in of others; default_format: the best of them.

    armature_name: what the armature node must be called, or None for the character's own name. fbx_unit_metres: the
    unit of an FBX for it, 1 (metres) or 0.01 (centimetres).
    """

    label: str
    description: str
    default_format: Format
    reads: tuple[Format, ...]
    armature_name: str | None = None
    fbx_unit_metres: float = 1.0


def read_targets(path: Path = DATA) -> dict[str, ExportTarget]:
    """The engines in a data file."""
    table = json.loads(path.read_text("utf-8"))
    return {key: ExportTarget(**{**facts, "reads": tuple(facts["reads"])}) for key, facts in table.items()}


TARGETS: Final[dict[str, ExportTarget]] = read_targets()

# The stage holds Y-up data already (use_space_transform off), so no node is turned. FBX_SCALE_UNITS writes node scale
# 1; simplify 0 keeps every key; one NLA strip gives a named take from 0.0 s.
FBX_OPTIONS: Final[dict[str, Any]] = {
    "use_selection": True,
    "object_types": {"ARMATURE", "MESH"},
    "use_custom_props": True,
    "add_leaf_bones": False,
    "use_armature_deform_only": False,
    "apply_scale_options": "FBX_SCALE_UNITS",
    "use_space_transform": False,
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
    "path_mode": "COPY",  # image files go into the FBX
    "embed_textures": True,
}

# With FBX_SCALE_NONE Blender writes centimetres and 100 on every node; with 0.01 on top node scales are 1 again.
FBX_IN_CENTIMETRES: Final[dict[str, Any]] = {
    **FBX_OPTIONS,
    "apply_scale_options": "FBX_SCALE_NONE",
    "global_scale": 0.01,
}

# Bones of the clean copy all count as deforming: Godot shades shape keys wrongly otherwise.
GLB_OPTIONS: Final[dict[str, Any]] = {
    "export_format": "GLB",
    "use_selection": True,
    "use_active_scene": True,
    "export_extras": True,
    "export_yup": True,
    "export_apply": False,
    "export_skins": True,
    "export_def_bones": True,
    "export_rest_position_armature": True,
    "export_animations": True,
    "export_animation_mode": "NLA_TRACKS",
    "export_anim_slide_to_zero": True,
    "export_force_sampling": True,
    "export_optimize_animation_size": False,
    "export_morph": True,
    "export_morph_animation": True,
    "export_cameras": False,
    "export_lights": False,
}

# Z stays up: the file says so, and no node has to be turned.
USD_OPTIONS: Final[dict[str, Any]] = {
    "selected_objects_only": True,
    "export_animation": True,
    "export_armatures": True,
    "only_deform_bones": False,
    "export_shapekeys": True,
    "export_custom_properties": True,
    "export_materials": True,
    "convert_orientation": False,
    "root_prim_path": "/root",
    "allow_unicode": True,  # else Korean names of bones become underscores in Blender 4.5
    "evaluation_mode": "RENDER",
}
