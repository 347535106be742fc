"""The panel shows what can be done now."""

from typing import Any

import bpy
import pytest
from reel2rig.addon.animate.animate_panel import REEL2RIG_PT_animate
from reel2rig.addon.animate.control_rig_table import LIMBS
from reel2rig.addon.character.action_curves import curves_of


class Layout:
    """Stands in for Blender's layout: remembers operators and labels, checks that what is shown exists."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def column(self) -> "Layout":
        return self

    def operator(self, name: str, icon: str = "NONE") -> None:
        getattr(bpy.ops.reel2rig, name.split(".")[1]).get_rna_type()
        self.said.append(name)

    def operator_menu_enum(self, name: str, prop: str, text: str) -> None:
        assert prop in getattr(bpy.ops.reel2rig, name.split(".")[1]).get_rna_type().properties
        self.said.append(name)

    def prop(self, owner: Any, name: str, text: str, slider: bool = False, toggle: bool = False) -> None:
        owner.path_resolve(name)
        self.said.append(text)


def shown() -> list[str]:
    layout = Layout()
    panel: Any = type("Panel", (), {"layout": layout})()
    REEL2RIG_PT_animate.draw(panel, bpy.context)
    return layout.said


def test_keys_first_then_the_switches_of_the_controls(walker: Any) -> None:
    assert REEL2RIG_PT_animate.poll(bpy.context)
    said = shown()
    assert {f"reel2rig.{name}" for name in ("reduce_keys", "root_motion", "make_loop", "add_control_rig")} <= set(said)
    assert {"reel2rig.add_shape_keys", "reel2rig.add_pose_correctives"} <= set(said)
    bpy.ops.reel2rig.add_control_rig()
    switches = [limb.label for limb in LIMBS]
    assert shown() == [
        "reel2rig.bake_control_rig",
        "reel2rig.reduce_keys",
        "reel2rig.match_controls",
        *switches,
        "FK Controls",
        "Tweaks",
    ]


def test_bones_that_were_lost_are_named(walker: Any) -> None:
    walker.data.bones["left_foot"].name = "toes"
    with pytest.raises(RuntimeError, match="no bone left_foot any more"):
        bpy.ops.reel2rig.make_loop()


def test_bones_that_do_not_turn_by_quaternions_are_named(walker: Any) -> None:
    walker.pose.bones["head"].rotation_mode = "XYZ"
    for name in ("make_loop", "root_motion", "add_control_rig", "reduce_keys"):
        with pytest.raises(RuntimeError, match=r"bone head of .* into quaternions"):
            getattr(bpy.ops.reel2rig, name)()


def test_an_action_without_keys_is_refused_by_all(walker: Any) -> None:
    bag = curves_of(walker)
    for curve in list(bag.fcurves):
        bag.fcurves.remove(curve)
    for name in ("reduce_keys", "root_motion", "make_loop", "add_control_rig"):
        with pytest.raises(RuntimeError, match="have no keys"):
            getattr(bpy.ops.reel2rig, name)()
    assert len(walker.data.bones) == 25


def test_without_an_animated_armature_there_is_no_panel(scene: Any, addon: None) -> None:
    assert not REEL2RIG_PT_animate.poll(bpy.context)
    rig = bpy.data.objects.new("theirs", bpy.data.armatures.new("theirs"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    assert not REEL2RIG_PT_animate.poll(bpy.context)
    rig.animation_data_create().action = bpy.data.actions.new("theirs")
    assert REEL2RIG_PT_animate.poll(bpy.context)
    assert not bpy.ops.reel2rig.make_loop.poll()
    assert bpy.ops.reel2rig.reduce_keys.poll()


def test_with_another_armature_selected_the_character_is_left_alone(walker: Any) -> None:
    captured = walker.animation_data.action
    theirs = bpy.data.objects.new("theirs", bpy.data.armatures.new("theirs"))
    mesh = bpy.data.objects.new("their mesh", bpy.data.meshes.new("their mesh"))
    mesh.parent = theirs
    theirs.animation_data_create().action = bpy.data.actions.new("theirs")
    for item in (theirs, mesh):
        bpy.context.scene.collection.objects.link(item)
        bpy.context.view_layer.objects.active = item
        for name in ("root_motion", "make_loop", "add_control_rig", "add_shape_keys", "add_pose_correctives"):
            assert not getattr(bpy.ops.reel2rig, name).poll()
    bpy.context.view_layer.objects.active = walker.children[0]
    bpy.ops.reel2rig.make_loop()
    assert walker.animation_data.action != captured


def test_what_another_file_holds_is_not_changed_here(walker: Any, tmp_path: Any) -> None:
    bpy.ops.reel2rig.add_control_rig()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "with_controls.blend"))
    bpy.ops.reel2rig.bake_control_rig()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "baked.blend"))
    for file in ("with_controls", "baked"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        with bpy.data.libraries.load(str(tmp_path / f"{file}.blend"), link=True) as (_, ours):
            ours.objects = ["walk_person_01"]
        rig = bpy.data.objects["walk_person_01"]
        bpy.context.scene.collection.objects.link(rig)
        for overridden in (False, True):
            rig = rig.override_create(remap_local_usages=True) if overridden else rig
            bpy.context.view_layer.objects.active = rig
            assert REEL2RIG_PT_animate.poll(bpy.context)
            for name in ("reduce_keys", "root_motion", "make_loop", "add_control_rig", "add_shape_keys"):
                assert not getattr(bpy.ops.reel2rig, name).poll()
            assert not bpy.ops.reel2rig.bake_control_rig.poll()
            assert not bpy.ops.reel2rig.match_controls.poll()


def test_posing_goes_on_in_pose_mode(walker: Any) -> None:
    bpy.ops.object.mode_set(mode="POSE")
    for name in ("root_motion", "make_loop", "add_shape_keys", "add_control_rig", "reduce_keys"):
        getattr(bpy.ops.reel2rig, name)()
        assert walker.mode == "POSE"
    curves_of(walker).fcurves.clear()
    with pytest.raises(RuntimeError, match="have no keys"):
        bpy.ops.reel2rig.reduce_keys()
    assert walker.mode == "POSE"


def test_while_a_strip_is_tweaked_no_action_is_made(walker: Any) -> None:
    animation = walker.animation_data
    strip = animation.nla_tracks.new().strips.new("walk", 1, animation.action)
    strip.action_slot, animation.action = animation.action_slot, None
    animation.use_tweak_mode = True
    for name in ("make_loop", "add_control_rig"):
        with pytest.raises(RuntimeError, match="Leave tweak mode"):
            getattr(bpy.ops.reel2rig, name)()
    assert len(walker.data.bones) == 25
    assert len(bpy.data.actions) == 1
    animation.use_tweak_mode = False
