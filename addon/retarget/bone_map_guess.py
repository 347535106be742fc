"""Guess which of a character's bones are which: by names first, then by structure. Needs numpy only."""

from dataclasses import replace

from ...lifter.errors import InputError
from .bone_map import BoneMap, check_map, convention_named
from .bone_map_names import guess_by_names, map_by_convention
from .bone_map_structure import guess_by_structure
from .bone_tree import BoneTree

BY_ITSELF = "auto"


def guess_bone_map(tree: BoneTree, convention: str = BY_ITSELF) -> BoneMap:
    """The bone map of a character, by the ``convention`` named, or by the best of all and then by structure.

    Raises InputError when its bones do not fit.
    """
    if convention != BY_ITSELF:
        named = convention_named(convention)
        found = map_by_convention(named, tree)
        if found is None:
            message = f"The bones are not named as in {named.label}."
            raise InputError("no_bone_map", message, "Guess the bone map by itself, or choose the bones by hand.")
    else:
        found = guess_by_names(tree) or guess_by_structure(tree)
        if found is None:
            message = "Neither names nor structure say which bones are hips, legs, spine and arms."
            raise InputError("no_bone_map", message, "Choose the bones by hand, or load a bone map.")
    found = replace(found, root="" if found.root in found.joints.values() else found.root)
    check_map(found, tree.names)
    return found
