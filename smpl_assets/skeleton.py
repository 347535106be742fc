"""The SMPL-24 skeleton and the 13 end points, as tables. Joint order as in Loper et al., SMPL, 2015."""

from typing import Final

JOINT_NAMES: Final = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)  # fmt: skip

PARENTS: Final = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

END_NAMES: Final = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_heel", "right_heel", "left_big_toe",
    "right_big_toe", "left_index_knuckle", "right_index_knuckle", "left_pinky_knuckle", "right_pinky_knuckle",
)  # fmt: skip

JOINT: Final = {name: index for index, name in enumerate(JOINT_NAMES)}
END: Final = {name: index for index, name in enumerate(END_NAMES)}


def mirrored(names: tuple[str, ...]) -> tuple[int, ...]:
    """Index of each name's left-right counterpart (itself for names without a side)."""
    swap = {"left": "right", "right": "left"}
    counterparts = ["_".join(swap.get(part, part) for part in name.split("_")) for name in names]
    return tuple(names.index(name) for name in counterparts)
