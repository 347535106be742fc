"""Retarget as a user does it: select, guess, correct, retarget, undo; and what is said when it cannot be done."""

from pathlib import Path
from typing import Any

import bpy
import pytest
from reel2rig.addon.retarget.bone_map import read_map
from reel2rig.addon.retarget.bone_map_guess import guess_bone_map
from reel2rig.addon.retarget.retarget_characters import retarget_characters
from reel2rig.addon.retarget.retarget_operator import (
    AddTwistBone,
    GuessBoneMap,
    LoadBoneMap,
    RetargetCapture,
    SaveBoneMap,
)
from reel2rig.addon.retarget.retarget_panel import LABELS, REEL2RIG_PT_retarget
from reel2rig.addon.retarget.retarget_rig import read_tree
from reel2rig.benchmarks.example_characters import EXAMPLES, build_example

pytestmark = pytest.mark.usefixtures("addon")
OPERATORS = (RetargetCapture, GuessBoneMap, SaveBoneMap, LoadBoneMap, AddTwistBone)


@pytest.fixture
def capture(motion_path: Path) -> Any:
    """An imported capture, not selected."""
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    rig = bpy.context.view_layer.objects.active
    rig.select_set(False)
    return rig


@pytest.fixture
def hero(scene: Any, capture: Any) -> Any:
    """A character, selected and active."""
    return selected(build_example(EXAMPLES["mixamo"], "영웅", scene.collection, skin=True))


def selected(*rigs: Any) -> Any:
    """Select ``rigs`` alone, the first one active; returns it."""
    for item in bpy.context.view_layer.objects:
        item.select_set(item in rigs)
    bpy.context.view_layer.objects.active = rigs[0] if rigs else None
    return rigs[0] if rigs else None


class Lines:
    """Stands in for Blender's layout; remembers texts and icons."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.use_property_split = self.use_property_decorate = self.alert = False

    def column(self, align: bool = False) -> "Lines":
        return self

    row = column

    def panel(self, idname: str, default_closed: bool) -> "tuple[Lines, Lines]":
        return self, self

    def label(self, text: str, icon: str = "NONE", translate: bool = True) -> None:
        self.said.append((text, icon))

    def prop(self, owner: Any, name: str) -> None:
        assert name in owner.bl_rna.properties
        self.said.append((name, "NONE"))

    def prop_search(self, owner: Any, name: str, data: Any, found: str, text: str, icon: str = "NONE") -> None:
        assert name in owner.bl_rna.properties
        assert hasattr(data, found)
        self.said.append((text, icon))

    def operator_menu_enum(self, name: str, prop: str, text: str) -> None:
        self.said.append((text, "NONE"))

    def operator(self, name: str, icon: str = "NONE") -> Any:
        self.said.append((name, icon))
        return type("Properties", (), {})()


def drawn() -> dict[str, str]:
    """What the panel shows: texts and their icons."""
    return dict(_said())


def drawn_lines() -> list[str]:
    """The texts from top to bottom."""
    return [text for text, _ in _said()]


def _said() -> list[tuple[str, str]]:
    lines = Lines()
    draw: Any = REEL2RIG_PT_retarget.draw
    draw(type("Panel", (), {"layout": lines})(), bpy.context)
    return lines.said


def test_retarget_guesses_the_map_keys_the_character_and_keeps_the_map(hero: Any, capture: Any) -> None:
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    assert hero.animation_data.action.name == f"{capture.name} 영웅"
    assert hero.reel2rig_bone_map.rows["left_knee"].bone == "mixamorig:LeftLeg"
    assert hero.animation_data.action.frame_range[1] == 40


def test_retarget_is_one_step_of_undo(hero: Any) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.reel2rig.retarget()
    bpy.ops.ed.undo_push(message="after")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    rig = bpy.data.objects["영웅"]
    assert rig.animation_data is None
    assert not rig.reel2rig_bone_map.rows


def test_selecting_the_skin_is_selecting_the_character(hero: Any) -> None:
    selected(bpy.data.objects["영웅 skin"])
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    assert hero.animation_data.action is not None


def test_many_characters_move_in_one_go(scene: Any, capture: Any) -> None:
    rigs = [build_example(EXAMPLES[name], name, scene.collection) for name in ("vrm", "unreal_5", "smpl")]
    selected(*rigs, capture)
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    assert len({rig.animation_data.action for rig in rigs}) == 3
    assert capture.animation_data.action not in {rig.animation_data.action for rig in rigs}


def test_of_two_captures_one_has_to_be_chosen(scene: Any, hero: Any, capture: Any, motion_path: Path) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    selected(hero)
    assert not RetargetCapture.poll(bpy.context)
    scene.reel2rig_retarget.source = capture
    bpy.ops.reel2rig.retarget()
    assert hero.animation_data.action.name.startswith(capture.name)


def test_options_reach_the_retargeting(scene: Any, capture: Any) -> None:
    rig = selected(build_example(EXAMPLES["unreal_5"], "runner", scene.collection))
    scene.reel2rig_retarget.travel = "root"
    bpy.ops.reel2rig.retarget()
    curves = rig.animation_data.action.layers[0].strips[0].channelbag(rig.animation_data.action_slot).fcurves
    assert curves.find('pose.bones["root"].location', index=0) is not None


def test_a_corrected_row_counts(hero: Any) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    hero.reel2rig_bone_map.rows["head"].bone = ""
    bpy.ops.reel2rig.retarget()
    curves = hero.animation_data.action.layers[0].strips[0].channelbag(hero.animation_data.action_slot).fcurves
    assert curves.find('pose.bones["mixamorig:Head"].rotation_quaternion', index=0) is None


@pytest.mark.parametrize(
    ("joint", "bone", "says"),
    [
        ("pelvis", "", "no bone for the hips"),
        ("head", "mixamorig:Hips", r"mixamorig:Hips \(pelvis, head\)"),
        ("head", "Kopf", "no bone named Kopf"),
    ],
)
def test_a_broken_map_is_refused_with_the_names_of_bones(hero: Any, joint: str, bone: str, says: str) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    hero.reel2rig_bone_map.rows[joint].bone = bone
    with pytest.raises(RuntimeError, match=says):
        bpy.ops.reel2rig.retarget()
    assert hero.animation_data is None


def test_a_map_is_saved_and_loaded_for_another_character(scene: Any, hero: Any, tmp_path: Path) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    hero.reel2rig_bone_map.rows["neck"].bone = ""
    bpy.ops.reel2rig.save_bone_map(filepath=str(tmp_path / "내 지도"))
    assert read_map(tmp_path / "내 지도.json") == hero.reel2rig_bone_map.bone_map()
    other = selected(build_example(EXAMPLES["mixamo"], "second", scene.collection))
    bpy.ops.reel2rig.load_bone_map(filepath=str(tmp_path / "내 지도.json"))
    assert other.reel2rig_bone_map.bone_map() == hero.reel2rig_bone_map.bone_map()


def test_a_map_of_other_bones_is_not_loaded(scene: Any, hero: Any, tmp_path: Path) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    bpy.ops.reel2rig.save_bone_map(filepath=str(tmp_path / "mixamo.json"))
    other = selected(build_example(EXAMPLES["vrm"], "other", scene.collection))
    with pytest.raises(RuntimeError, match="no bone named mixamorig:Hips"):
        bpy.ops.reel2rig.load_bone_map(filepath=str(tmp_path / "mixamo.json"))
    assert not other.reel2rig_bone_map.rows


def test_guessing_by_a_convention_that_does_not_fit_says_so(hero: Any) -> None:
    with pytest.raises(RuntimeError, match="not named as in Daz"):
        bpy.ops.reel2rig.guess_bone_map(convention="daz_genesis_9")
    assert bpy.ops.reel2rig.guess_bone_map(convention="mixamo") == {"FINISHED"}


def test_nothing_selected_nothing_to_do(scene: Any, capture: Any) -> None:
    selected()
    assert [operator.poll(bpy.context) for operator in OPERATORS] == [False] * 5
    with pytest.raises(RuntimeError, match="Select the armature"):
        bpy.ops.reel2rig.retarget()
    with pytest.raises(RuntimeError, match="Select the armature"):
        bpy.ops.reel2rig.guess_bone_map()


def test_without_a_capture_or_a_map_the_buttons_say_what_comes_first(scene: Any) -> None:
    selected(build_example(EXAMPLES["unity"], "lonely", scene.collection))
    with pytest.raises(RuntimeError, match="Import a capture first"):
        bpy.ops.reel2rig.retarget()
    with pytest.raises(RuntimeError, match="Guess or load a bone map first"):
        bpy.ops.reel2rig.save_bone_map(filepath="map.json")


def test_the_panel_marks_joints_without_a_bone(hero: Any, capture: Any) -> None:
    shown = drawn()
    assert {"feet", "hands", "travel", capture.name, "영웅"} <= set(shown)
    bpy.ops.reel2rig.guess_bone_map()
    hero.reel2rig_bone_map.rows["left_knee"].bone = ""
    hero.reel2rig_bone_map.rows["head"].bone = "Kopf"
    shown = drawn()
    marked = {text for text, icon in shown.items() if icon == "ERROR"}
    assert marked == {LABELS["left_knee"], LABELS["head"]}  # not the fingers, for which no character has one bone
    assert shown["Mixamo"] == "CHECKMARK"


def test_the_panel_shows_twist_bones_by_limb(scene: Any, capture: Any) -> None:
    selected(build_example(EXAMPLES["unreal_4"], "twisted", scene.collection))
    bpy.ops.reel2rig.guess_bone_map()
    lines = drawn_lines()
    twist = lines[lines.index("Twist") :]
    assert LABELS["left_elbow"] in twist
    assert LABELS["right_knee"] in twist
    assert LABELS["head"] not in twist


def test_a_twist_bone_added_by_hand_shares_the_twist(hero: Any) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    bpy.ops.reel2rig.add_twist_bone(limb="left_elbow")
    assert hero.reel2rig_bone_map.bone_map().twist == {}  # a line without a bone
    hero.reel2rig_bone_map.twist[0].bone = "mixamorig:LeftHandthumb1"
    bpy.ops.reel2rig.retarget()
    curves = hero.animation_data.action.layers[0].strips[0].channelbag(hero.animation_data.action_slot).fcurves
    assert curves.find('pose.bones["mixamorig:LeftHandthumb1"].rotation_quaternion', index=0) is not None


def test_the_panel_draws_in_an_empty_file(scene: Any) -> None:
    assert "reel2rig.retarget" in drawn()


def test_maps_and_options_stay_with_the_file(hero: Any, scene: Any, tmp_path: Path) -> None:
    bpy.ops.reel2rig.guess_bone_map()
    scene.reel2rig_retarget.hands = True
    expected = hero.reel2rig_bone_map.bone_map()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    assert bpy.data.objects["영웅"].reel2rig_bone_map.bone_map() == expected
    assert bpy.context.scene.reel2rig_retarget.hands


def test_a_capture_that_is_not_shown_is_played_as_well(hero: Any, capture: Any) -> None:
    limit = capture.pose.bones["left_hand"].constraints.new("LIMIT_ROTATION")
    bpy.context.scene.reel2rig_retarget.source = capture
    moved = []
    for shown in (True, False):
        bpy.context.view_layer.layer_collection.children[0].exclude = not shown
        assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
        bpy.context.scene.frame_set(40)
        moved.append(hero.pose.bones["mixamorig:Hips"].matrix.translation.copy())
    assert (moved[0] - moved[1]).length < 1e-3
    assert not limit.mute


def test_a_strip_that_is_being_tweaked_stops_the_retarget_before_anything_changes(hero: Any) -> None:
    strip_of(hero).select = True
    hero.animation_data.use_tweak_mode = True
    before = len(bpy.data.actions)
    with pytest.raises(RuntimeError, match="Leave tweak mode"):
        bpy.ops.reel2rig.retarget()
    assert len(bpy.data.actions) == before


def test_nla_tracks_below_the_new_action_are_named(hero: Any, capture: Any) -> None:
    strip_of(hero)
    bone_map = guess_bone_map(read_tree(hero))
    report = retarget_characters(bpy.context.scene, capture, [(hero, bone_map)])[0]
    assert any("NLA tracks play along" in text for text in report.warnings)


def strip_of(rig: Any) -> Any:
    """A strip on a track of ``rig``, which has no other animation."""
    rig.keyframe_insert("location", frame=1)
    animation = rig.animation_data
    track = animation.nla_tracks.new()
    strip = track.strips.new("earlier", 1, animation.action)
    strip.action_slot, animation.action, track.select = animation.action_slot, None, True
    animation.nla_tracks.active = track
    return strip


def test_an_overridden_character_has_a_bone_map_of_its_own(hero: Any, capture: Any, tmp_path: Path) -> None:
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {hero})
    bpy.data.objects.remove(hero)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, here):
        here.objects = ["영웅"]
    linked: Any = here.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    own = selected(linked.override_create(remap_local_usages=True))
    assert bpy.ops.reel2rig.guess_bone_map() == {"FINISHED"}
    assert bpy.ops.reel2rig.add_twist_bone(limb="left_shoulder") == {"FINISHED"}
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    assert own.animation_data.action.frame_range[1] == 40


@pytest.mark.parametrize(("mode", "after"), [("POSE", "POSE"), ("EDIT", "OBJECT")])
def test_who_poses_goes_on_posing(hero: Any, mode: str, after: str) -> None:
    bpy.ops.object.mode_set(mode=mode)
    assert bpy.ops.reel2rig.retarget() == {"FINISHED"}
    assert hero.mode == after
    bpy.context.scene.frame_set(40)
    assert hero.pose.bones["mixamorig:Hips"].location.length > 0
