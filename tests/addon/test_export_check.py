"""Each fact of an exported file is compared with what the armature does, and the first wrong one is named."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reel2rig.addon.export.export_check import ExportExpectation, check_export
from reel2rig.addon.export.exported_motion import ExportedMotion, NodeTree, WrongExportError, turns_from_rest
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle

BONES, PARENTS = ("root", "Hips", "Leg L"), (None, "root", "Hips")


def right_file() -> tuple[ExportedMotion, ExportExpectation]:
    """Ten frames of three bones that stand and turn anyhow."""
    rng = np.random.default_rng(0)
    heads, rest = rng.normal(size=(10, 3, 3)), rng.normal(size=(3, 3))
    turns = matrix_from_axis_angle(rng.normal(size=(10, 3, 3)))
    found = ExportedMotion(
        np.arange(10) / 25, BONES, PARENTS, heads, turns, np.ones((5, 3)), rest, "take", frozenset(BONES[1:]), 9, "open"
    )
    expected = ExportExpectation("take", 25.0, BONES, PARENTS, rest, heads, turns, frozenset(BONES[1:]), "open")
    return found, expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"take": "Scene"}, "called 'Scene'"),
        ({"times": np.arange(1, 11) / 25}, "not their time"),
        ({"times": np.arange(9) / 25}, "9 frames instead of 10"),
        ({"deforming": frozenset(BONES[2:])}, "1 bones move the mesh instead of 2"),
        ({"node_scales": np.full((5, 3), 0.01)}, "scale 0.01"),
        ({"parents": (None,) * 3}, "their order"),
        ({"bones": ("root", "Hips", "Leg R")}, r"\['Leg L', 'Leg R'\]"),
        ({"licence": ""}, "licence"),
    ],
)
def test_each_fact_of_a_file_is_checked(change: dict[str, Any], says: str) -> None:
    found, expected = right_file()
    report = check_export(found, expected)
    assert (report.max_joint_error_mm, report.deform_bones, report.bones) == (0.0, 2, 3)
    with pytest.raises(WrongExportError, match=says):
        check_export(replace(found, **change), expected)


def test_a_joint_two_millimetres_off_a_turned_hand_and_another_rest_pose_are_found() -> None:
    found, expected = right_file()
    moved = found.heads.copy()
    moved[9, 1, 0] += 0.002
    with pytest.raises(WrongExportError, match=r"Hips is up to 2\.0 mm"):
        check_export(replace(found, heads=moved), expected)
    turns = found.turns.copy()
    turns[4, 2] = turns[4, 2] @ matrix_from_axis_angle(np.array([0.0, np.radians(3.0), 0.0]))
    with pytest.raises(WrongExportError, match=r"Leg L is up to 3\.0 degrees off"):
        check_export(replace(found, turns=turns), expected)
    with pytest.raises(WrongExportError, match=r"root is up to .* rest pose"):
        check_export(replace(found, rest_heads=found.heads[0]), expected)


def test_what_is_no_number_does_not_pass() -> None:
    found, expected = right_file()
    heads = found.heads.copy()
    heads[3, 2] = np.nan
    with pytest.raises(WrongExportError, match="Leg L"):
        check_export(replace(found, heads=heads), expected)


def test_what_a_format_cannot_hold_is_not_asked_for_and_its_spelling_is_understood() -> None:
    found, expected = right_file()
    bare = replace(
        found, bones=("root", "Hips", "Leg_L"), rest_heads=None, take=None, deforming=None, licence=None,
        node_scales=np.zeros((0, 3)),
    )  # fmt: skip
    report = check_export(bare, expected, lambda name: name.replace(" ", "_"))
    assert (report.take, report.licence, report.deform_bones) == ("take", "open", None)


def test_nodes_are_placed_by_their_parents_whatever_their_order() -> None:
    quarter = matrix_from_axis_angle(np.array([[0.0, 0.0, np.pi / 2]]))
    still = np.eye(3)[None]
    tree = NodeTree((1, -1), (still, quarter), (np.array([[2.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])))
    rotations, heads = tree.in_world([0, 1], 3)
    np.testing.assert_allclose(heads[2], [[0.0, 2.0, 1.0], [0.0, 0.0, 1.0]], atol=1e-12)
    np.testing.assert_allclose(rotations[0, 0], quarter[0])


def test_a_turn_from_rest_does_not_depend_on_how_a_format_lays_its_bones() -> None:
    rest = matrix_from_axis_angle(np.random.default_rng(1).normal(size=(2, 3)))
    turned = matrix_from_axis_angle(np.array([0.0, 0.5, 0.0]))  # about Y, up in the file
    found = turns_from_rest((turned @ rest)[None], rest)
    expected = matrix_from_axis_angle(np.array([0.0, 0.0, 0.5]))  # about Z, up in Blender
    np.testing.assert_allclose(found[0], [expected, expected], atol=1e-12)
