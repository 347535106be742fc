"""Bone maps: every convention is known by its names, any skeleton by its shape, and a wrong map says which bones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.retarget.bone_map import BoneMap, check_map, conventions, missing_joints, read_map, write_map
from reel2rig.addon.retarget.bone_map_guess import guess_bone_map
from reel2rig.addon.retarget.bone_map_names import guess_by_names, spoken_name
from reel2rig.addon.retarget.bone_map_structure import guess_by_structure
from reel2rig.addon.retarget.bone_tree import BoneTree
from reel2rig.addon.retarget.retarget_rig import read_tree
from reel2rig.benchmarks.example_characters import EXAMPLES, build_example, one_spine
from reel2rig.lifter.errors import InputError
from reel2rig.smpl_assets.skeleton import JOINT_NAMES

BONES = ("root", "Hips", "Spine", "LeftUpLeg")


def tree_of(name: str, scene: Any) -> BoneTree:
    return read_tree(build_example(EXAMPLES[name], name, scene.collection))


def renamed(tree: BoneTree, names: list[str]) -> BoneTree:
    return replace(tree, names=tuple(names))


@pytest.mark.parametrize("name", EXAMPLES)
def test_names_tell_the_convention_and_every_joint(scene: Any, name: str) -> None:
    tree = tree_of(name, scene)
    found = guess_bone_map(tree)
    convention = next(item for item in conventions() if item.name == EXAMPLES[name].convention)
    assert found.label == convention.label
    check_map(found, tree.names)
    places = {bone: place for bone, _, place in EXAMPLES[name].rows}
    for joint, bone in found.joints.items():
        assert places[bone] == joint
    toes = {"left_foot", "right_foot"} if name == "makehuman" else set()  # it has five toes each
    assert set(missing_joints(found)) == toes


@pytest.mark.parametrize("name", EXAMPLES)
def test_structure_tells_the_joints_of_bones_without_names(scene: Any, name: str) -> None:
    tree = tree_of(name, scene)
    order = np.random.default_rng(3).permutation(len(tree.names))
    nameless = renamed(tree, [f"bone {number:03d}" for number in order])
    assert guess_by_names(nameless) is None
    found = guess_bone_map(nameless)
    places = dict(zip(nameless.names, (dict(_places(name))[bone] for bone in tree.names), strict=True))
    loose = {"spine2"}  # of four spine bones two may be called the middle one
    wrong = {
        joint: places[bone] for joint, bone in found.joints.items() if places[bone] != joint and joint not in loose
    }
    assert not wrong
    assert set(found.joints) >= set(JOINT_NAMES) - {"left_hand", "right_hand"}


def _places(name: str) -> list[tuple[str, str]]:
    return [(bone, place) for bone, _, place in EXAMPLES[name].rows]


def test_structure_tells_faces_fingers_and_breasts_from_limbs(scene: Any) -> None:
    """Rigify's human: 159 bones, most of them pairs in the face and the hands."""
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_human_metarig_add()
    tree = read_tree(bpy.context.object)
    bpy.ops.preferences.addon_disable(module="rigify")
    named = guess_by_names(tree)
    found = guess_by_structure(renamed(tree, [str(number) for number in range(len(tree.names))]))
    assert named is not None
    assert found is not None
    assert {joint: tree.names[int(bone)] for joint, bone in found.joints.items()} == named.joints


def test_structure_finds_characters_with_one_spine_bone_and_without_toes(scene: Any) -> None:
    tree = read_tree(build_example(one_spine(EXAMPLES["mixamo"]), "short", scene.collection))
    found = guess_by_structure(renamed(tree, [str(number) for number in range(len(tree.names))]))
    assert found is not None
    names = {joint: tree.names[int(bone)].split(":")[1] for joint, bone in found.joints.items()}
    assert names["spine1"] == "Spine"
    assert names["left_shoulder"] == "LeftArm"
    assert names["right_ankle"] == "RightFoot"
    assert not {"spine2", "left_collar", "left_foot"} & set(names)


def test_a_skeleton_that_is_no_person_is_refused(scene: Any) -> None:
    tree = tree_of("mixamo", scene)
    tail = np.arange(len(tree.names)) - 1  # one long chain
    with pytest.raises(InputError, match="Neither names nor structure"):
        guess_bone_map(replace(renamed(tree, [f"b{n}" for n in tail]), parents=tail))


@pytest.mark.parametrize(
    ("spelling", "prefix"),
    [
        (lambda name: name.replace("mixamorig:", ""), "none"),
        (lambda name: name.replace("mixamorig:", "mixamorig7:"), "numbered"),
        (lambda name: name.replace(":", "_"), "underscore"),
        (lambda name: "Hero|" + name.split(":")[1].upper() if "Hips" in name else name, "mixed"),
        (lambda name: "Hero_" + name.split(":")[1], "the character's name"),
        (lambda name: name.split(":")[1].lower(), "lower case"),
    ],
)
def test_prefix_case_and_separators_do_not_matter(scene: Any, spelling: Any, prefix: str) -> None:
    tree = tree_of("mixamo", scene)
    found = guess_bone_map(renamed(tree, [spelling(name) for name in tree.names]))
    assert found.label == "Mixamo", prefix
    assert len(found.joints) == 22


@pytest.mark.parametrize(
    ("one", "other"),
    [("LeftUpLeg", "upleg_l"), ("UpLeg.L", "up_leg.left"), ("spine_01", "Spine1"), ("mixamorig:LeftHand", "lHand")],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert spoken_name(one) == spoken_name(other)


def test_sides_are_not_mixed_up() -> None:
    assert spoken_name("hand_l") != spoken_name("hand_r")
    assert spoken_name("LeftLeg")[0] == "left"
    assert spoken_name("lowerleg")[0] == ""  # begins with an l, yet has no side


def test_the_root_and_twist_bones_are_found(scene: Any) -> None:
    found = guess_bone_map(tree_of("unreal_5", scene))
    assert found.root == "root"
    assert found.twist["left_shoulder"] == ("upperarm_twist_01_l", "upperarm_twist_02_l")
    assert found.twist["right_elbow"] == ("lowerarm_twist_02_r", "lowerarm_twist_01_r")  # from the elbow on


def test_shipped_conventions_name_each_bone_once() -> None:
    assert len(conventions()) == 15
    for convention in conventions():
        firsts = [names[0] for names in convention.joints.values()]
        assert len(set(firsts)) == len(firsts), convention.name
        assert convention.label


def test_a_saved_map_is_read_as_it_was(tmp_path: Path) -> None:
    bone_map = BoneMap(
        joints={"pelvis": "엉덩이", "left_hip": 'Leg "L"'},
        root="root",
        carrier="torso",
        twist={"left_hip": ("a", "b")},
        properties={"torso": {"follow": 1.0}},
        label="Mine",
    )
    write_map(tmp_path / "내 지도.json", bone_map)
    assert read_map(tmp_path / "내 지도.json") == bone_map


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (BoneMap({"left_hip": "LeftUpLeg"}), "no bone for the hips"),
        (BoneMap({"pelvis": "Hips", "spine1": "Spin"}), "no bone named Spin"),
        (BoneMap({"pelvis": "Hips"}, root="Floor"), "no bone named Floor"),
        (BoneMap({"pelvis": "Hips"}, twist={"left_hip": ("Twist",)}), "no bone named Twist"),
        (BoneMap({"pelvis": "Hips", "spine1": "Spine", "spine2": "Spine"}), r"Spine \(spine1, spine2\)"),
        (BoneMap({"pelvis": "Hips"}, twist={"left_hip": ("Hips",)}), r"Hips \(pelvis, twist\)"),
    ],
)
def test_a_broken_map_names_the_bones(broken: BoneMap, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_map(broken, BONES)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "is not a bone map"),
        ("[]", "is not a bone map"),
        (json.dumps({"format": "other"}), "is not a bone map"),
        (json.dumps({"format": "reel2rig-bone-map/1"}), "damaged"),
        (json.dumps({"format": "reel2rig-bone-map/1", "joints": {"pelvis": 3}}), "damaged"),
        (json.dumps({"format": "reel2rig-bone-map/1", "joints": {"tail": "Tail"}}), "do not exist: tail"),
    ],
)
def test_a_damaged_file_says_so(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "map.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_map(tmp_path / "map.json")


def test_a_missing_file_and_an_unknown_convention_say_so(tmp_path: Path, scene: Any) -> None:
    with pytest.raises(InputError, match="Could not read"):
        read_map(tmp_path / "none.json")
    tree = tree_of("unity", scene)
    with pytest.raises(InputError, match="no bone map named biped"):
        guess_bone_map(tree, "biped")
    with pytest.raises(InputError, match="not named as in Daz"):
        guess_bone_map(tree, "daz_genesis_8")
