"""The skeleton's tables must agree with one another."""

import pytest
from reel2rig.smpl_assets.skeleton import END_NAMES, JOINT_NAMES, PARENTS, mirrored


def test_parents_come_before_their_children() -> None:
    assert PARENTS[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(PARENTS) if joint)


@pytest.mark.parametrize("names", [JOINT_NAMES, END_NAMES])
def test_mirroring_twice_changes_nothing(names: tuple[str, ...]) -> None:
    other = mirrored(names)
    assert tuple(other[index] for index in other) == tuple(range(len(names)))
    assert all(("left" in name) == ("right" in names[other[index]]) for index, name in enumerate(names))


def test_the_mirror_image_of_the_tree_is_the_tree() -> None:
    other = mirrored(JOINT_NAMES)
    assert all(PARENTS[other[joint]] == other[parent] for joint, parent in enumerate(PARENTS) if joint)
