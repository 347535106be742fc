"""Loading body files: the bundled one, licensed ones in each form they come in, and files that are no body."""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from reel2rig.smpl_assets.body import OPEN_BODY, open_body
from reel2rig.smpl_assets.errors import BodyFileError
from reel2rig.smpl_assets.loader import load_body

Write = Callable[..., Path]


def test_only_the_bundled_file_is_open_wherever_it_lies(tmp_path: Path, smpl_npz: Write) -> None:
    copy = tmp_path / "몸 🙂.npz"
    copy.write_bytes(OPEN_BODY.read_bytes())
    assert load_body(copy).licence == "open"
    assert load_body(smpl_npz()).licence == "smpl-noncommercial"
    with np.load(OPEN_BODY) as archive:
        changed = {key: archive[key] for key in archive.files}
    np.savez(copy, **changed)
    assert load_body(copy).licence == "smpl-noncommercial"


def test_the_bundled_file_keeps_what_other_readers_of_smpl_files_need() -> None:
    with np.load(OPEN_BODY, allow_pickle=False) as archive:
        assert archive["posedirs"].shape == (*open_body().v_template.shape, 207)
        assert not archive["posedirs"].any()
    assert open_body().posedirs is None


def test_npz_parts_arrive_unchanged(smpl_npz: Write, smpl_parts: dict) -> None:
    body = load_body(smpl_npz())
    for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights"):
        np.testing.assert_allclose(getattr(body, key), smpl_parts[key], atol=1e-6)
    assert body.identity().startswith("SMPL_NEUTRAL sha256:")


def test_no_more_than_ten_shape_directions_are_used(smpl_npz: Write, smpl_parts: dict) -> None:
    wide = np.concatenate([smpl_parts["shapedirs"]] * 30, axis=2)
    np.testing.assert_allclose(load_body(smpl_npz(shapedirs=wide)).shapedirs, smpl_parts["shapedirs"], atol=1e-6)


def test_zero_pose_directions_are_dropped(smpl_npz: Write, smpl_parts: dict) -> None:
    assert load_body(smpl_npz(posedirs=np.zeros_like(smpl_parts["posedirs"]))).posedirs is None


@pytest.mark.parametrize("protocol", range(6))
def test_an_official_pickle_loads_without_chumpy_and_scipy(
    official_pickle: Callable[[int], Path], smpl_parts: dict, protocol: int
) -> None:
    body = load_body(official_pickle(protocol))
    for key in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights"):
        np.testing.assert_allclose(getattr(body, key), smpl_parts[key], atol=1e-6)
    assert body.licence == "smpl-noncommercial"


def test_a_scipy_matrix_of_today_is_read_too(tmp_path: Path, smpl_parts: dict) -> None:
    from scipy.sparse import csc_matrix, csr_matrix

    for form in (csc_matrix, csr_matrix):
        path = tmp_path / "SMPL_MALE.pkl"
        path.write_bytes(pickle.dumps(smpl_parts | {"J_regressor": form(smpl_parts["J_regressor"])}))
        np.testing.assert_allclose(load_body(path).J_regressor, smpl_parts["J_regressor"], atol=1e-6)


class Runs:
    """Pickles as a call, the way a malicious file does."""

    def __init__(self, function: Callable, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path: Path, smpl_parts: dict) -> None:
    trap, path = tmp_path / "it-ran", tmp_path / "SMPL_NEUTRAL.pkl"
    for call in (Runs(os.system, f"touch '{trap}'"), Runs(eval, f"open({str(trap)!r}, 'w')"), Runs(deque, [1])):
        path.write_bytes(pickle.dumps(smpl_parts | {"extra": call}))
        with pytest.raises(BodyFileError, match="Nothing of it was run") as caught:
            load_body(path)
        assert "Do not trust" in caught.value.hint
        assert not trap.exists()


def test_a_name_hidden_behind_chumpy_computes_nothing(tmp_path: Path, smpl_parts: dict) -> None:
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    # protocol 4 may name attributes of a module with dots: chumpy.os.system
    path.write_bytes(b"\x80\x04\x8c\x06chumpy\x8c\x09os.system\x93\x8c\x04true\x85R.")
    with pytest.raises(BodyFileError):
        load_body(path)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"posedirs": None, "weights": None}, "lacks posedirs, weights"),
        ({"v_template": np.zeros((60, 2))}, "v_template"),
        ({"weights": np.full((59, 24), 1 / 24)}, "weights"),
        ({"shapedirs": np.zeros((60, 3, 0))}, "shapedirs"),
        ({"J_regressor": np.array(None)}, "J_regressor cannot be read"),
        ({"v_template": np.full((60, 3), np.nan)}, "v_template holds values that are not finite"),
        ({"weights": np.full((60, 24), np.nan)}, "weights holds values that are not finite"),
        ({"weights": np.ones((60, 24))}, "add up to 1"),
        ({"f": np.array([[0, 1, 60]])}, "f .faces. names vertices"),
        ({"kintree_table": np.zeros((2, 24), int)}, "kintree_table"),
        ({"kintree_table": np.zeros((2, 52), int)}, "52 joints .SMPL-H"),
        ({"kintree_table": np.zeros((2, 55), int)}, "55 joints .SMPL-X"),
    ],
)
def test_an_unusable_file_says_which_part_is_wrong(smpl_npz: Write, changes: dict, named: str) -> None:
    path = smpl_npz(**changes)
    with pytest.raises(BodyFileError, match=named) as caught:
        load_body(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_files_that_are_no_body_at_all(tmp_path: Path, smpl_npz: Write, official_pickle: Callable[..., Path]) -> None:
    empty, text, other = tmp_path / "empty.npz", tmp_path / "text.pkl", tmp_path / "list.pkl"
    empty.write_bytes(b"")
    text.write_text("not a model")
    other.write_bytes(pickle.dumps([1, 2]))
    short_npz, short_pickle = smpl_npz(), official_pickle()
    for path in (short_npz, short_pickle):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    expected = {
        empty: "It is empty",
        text: "damaged",
        other: "a list and not",
        short_npz: "cut short",
        short_pickle: "cut short",
        tmp_path / "absent.npz": "No such file",
        tmp_path: "cannot be read",
    }
    for path, reason in expected.items():
        with pytest.raises(BodyFileError, match=reason):
            load_body(path)


def test_the_default_needs_neither_torch_nor_smplx_nor_scipy() -> None:
    program = """
import sys
sys.modules.update(dict.fromkeys(["torch", "smplx", "scipy", "chumpy"]))
import numpy as np
from reel2rig.smpl_assets.body import forward, open_body
from reel2rig.smpl_assets.material_zones import material_zones
from reel2rig.smpl_assets import smplx_body
material_zones(open_body())
forward(open_body(), np.zeros((1, 72)), np.zeros((1, 3)), np.zeros(10))
try:
    smplx_body.smpl_layer(open_body())
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install torch smplx" in done.stdout
    assert "non-commercial" in done.stdout
