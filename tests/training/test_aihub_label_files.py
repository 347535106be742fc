"""One label file of AI Hub's set: every known shape is read, everything else is refused with its reason."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reel2rig.training.readers.aihub.label_files import (
    LabelError,
    camera_matrices,
    joint_positions,
    keypoint_positions,
    picture_size,
    read_label,
)

POSITIONS = np.random.default_rng(3).normal(0, 500, (24, 3))
HOMOGENEOUS = np.column_stack([POSITIONS, np.ones(24)])
CAMERA = {"intrinsics": np.diag([0.6, 0.6, 1]).tolist(), "extrinsics": np.eye(3, 4).tolist()}


@pytest.mark.parametrize("shape", [(24, 4, 1), (24, 4), (96,), (24, 3, 1), (24, 3), (72,)])
@pytest.mark.parametrize("as_text", [False, True])
def test_joints_are_read_in_every_known_shape(shape: tuple[int, ...], as_text: bool) -> None:
    values = (HOMOGENEOUS if np.prod(shape) == 96 else POSITIONS).reshape(shape).tolist()
    label = {"annotations": {"3d_pos": str(values) if as_text else values}}
    assert_array_equal(joint_positions(label), POSITIONS)


@pytest.mark.parametrize("pair", ["[{0}, {1}], ", "({0}, {1}), ", "[{0} {1}]\n ", "{0},{1},"])
def test_keypoints_in_text_are_read_without_evaluating_it(pair: str) -> None:
    text = "[" + "".join(pair.format(*point) for point in POSITIONS[:, :2].tolist()) + "]"
    assert_array_equal(keypoint_positions({"annotations": {"2d_pos": text}}), POSITIONS[:, :2])


@pytest.mark.parametrize("text", ["array([[1.0, 2.0]])", "[[1.0, 2.0]] * 24", "exit()", "1 2 three"])
def test_text_that_is_no_plain_list_is_refused(text: str) -> None:
    with pytest.raises(LabelError, match="2d_pos: no list of numbers"):
        keypoint_positions({"annotations": {"2d_pos": text}})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ('{"info"', "not JSON"),
        ("\udcff\udcfe{".encode("utf-8", "surrogateescape"), "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "not a JSON object"),
        ("{}", "without 3d_pos"),
        ('{"annotations": ["3d_pos"]}', "without 3d_pos"),
        ({"3d_pos": None}, "3d_pos: not finite"),
        ({"3d_pos": {"x": 1}}, "3d_pos: no list of numbers"),
        ({"3d_pos": [[1, 2], [3]]}, "3d_pos: no list of numbers"),
        ({"3d_pos": "__import__('os').abort()"}, "3d_pos: no list of numbers"),
        ({"3d_pos": [[float("nan")] * 3] * 24}, "3d_pos: not finite"),
        ({"3d_pos": "nan " * 72}, "3d_pos: not finite"),
        ({"3d_pos": [[1e200, 0, 0]] * 24}, "3d_pos: not finite"),
        ('{"annotations": {"3d_pos": [1e999]}}', "3d_pos: not finite"),
        ('{"annotations": {"3d_pos": [1' + "0" * 400 + "]}}", "3d_pos: no list of numbers"),
        ('{"annotations": {"3d_pos": [1' + "0" * 9000 + "]}}", "not JSON"),
        ({"3d_pos": POSITIONS[:23].tolist()}, "3d_pos: not 24 joints"),
        ({"3d_pos": np.ones((32, 3)).tolist()}, "3d_pos: not 24 joints"),
        ({"3d_pos": POSITIONS[:, :2].tolist()}, "3d_pos: not 24 joints"),
        ({"3d_pos": (HOMOGENEOUS * 2).tolist()}, "3d_pos has a fourth number that is not 1"),
        (b" " + b"1" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(
    tmp_path: Path, content: str | bytes | dict[str, Any], reason: str
) -> None:
    path = tmp_path / "3D_70_M180D_0.json"
    text = json.dumps({"annotations": content}) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LabelError) as caught:
        joint_positions(read_label(str(path)))
    assert str(caught.value).startswith(reason)


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="cannot be read"):
        read_label(str(tmp_path / "gone.json"))


def test_a_camera_is_read_with_or_without_its_last_row() -> None:
    for rows in (3, 4):
        intrinsics, extrinsics = camera_matrices(CAMERA | {"extrinsics": np.eye(4)[:rows].tolist()})
        assert_array_equal(intrinsics, np.diag([0.6, 0.6, 1]))
        assert_array_equal(extrinsics, np.eye(3, 4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"intrinsics": None}, "intrinsics: not finite"),
        ({"intrinsics": [[1, 2], [3, 4]]}, "intrinsics are not 3x3"),
        ({"intrinsics": np.diag([0.0, 1, 1]).tolist()}, "intrinsics are not 3x3 with positive focal lengths"),
        ({"extrinsics": np.eye(3).tolist()}, "extrinsics are not 3x4"),
        ({"extrinsics": np.zeros((3, 4)).tolist()}, "extrinsics hold no rotation"),
        ({"extrinsics": np.diag([1.0, 1, -1, 1]).tolist()}, "extrinsics hold no rotation"),
    ],
)
def test_a_broken_camera_is_refused_with_its_reason(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(LabelError, match=reason):
        camera_matrices(CAMERA | content)


@pytest.mark.parametrize(
    "info", [None, {}, {"img_width": -1, "img_height": 5}, {"img_width": "9", "img_height": 10**9}]
)
def test_the_picture_is_full_hd_where_the_label_does_not_say(info: Any) -> None:
    assert picture_size({"info": info}) == (1920, 1080)
    assert picture_size({"info": {"img_width": 640, "img_height": 360}}) == (640, 360)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=30,
)


@settings(deadline=None)
@given(value=JSON_VALUES, other=JSON_VALUES)
def test_any_json_gives_numbers_or_a_reason(value: Any, other: Any) -> None:
    label = {"annotations": {"2d_pos": value, "3d_pos": value}, "intrinsics": value, "extrinsics": other, "info": other}
    for content in (label, {"annotations": value, "intrinsics": np.eye(3).tolist(), "extrinsics": value}):
        for parse in (joint_positions, keypoint_positions, camera_matrices):
            with contextlib.suppress(LabelError):
                parse(content)
        assert min(picture_size(content)) > 0
