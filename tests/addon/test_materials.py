"""Materials of the figure's zones."""

import bpy
import pytest
from reel2rig.addon.character.materials import principled_shader

pytestmark = pytest.mark.usefixtures("addon")


def test_the_shader_is_found_whatever_language_blender_named_it_in() -> None:
    material = bpy.data.materials.new("skin")
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    assert tree is not None
    tree.nodes["Principled BSDF"].name = "원칙적 BSDF"
    assert principled_shader(tree).name == "원칙적 BSDF"
