"""The motion file: what goes in comes out, AMASS files load, and damaged ones say what is wrong with them."""

import contextlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, read_motion, read_npz, write_motion

FLOATS = st.floats(-100, 100, width=32)


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    count = draw(st.integers(1, 5))
    width = draw(st.sampled_from([72, 156]))

    def floats(*shape: int) -> np.ndarray:
        return draw(arrays(np.float32, shape, elements=FLOATS))

    return Motion(
        poses=floats(count, width),
        trans=floats(count, 3),
        betas=floats(10),
        fps=draw(st.floats(1, 240)),
        body=draw(st.text(max_size=8).filter(lambda text: "\0" not in text)),
        times=np.sort(floats(count)).astype(np.float64),
        frames=np.arange(count),
        joints=floats(count, 24, 3),
        ends=floats(count, 13, 3),
        confidence=floats(count, 24),
        contacts=floats(count, 4),
        camera_K=floats(3, 3).astype(np.float64),
        camera_world_from_cam=floats(4, 4).astype(np.float64),
        image_size=(draw(st.integers(1, 9999)), draw(st.integers(1, 9999))),
        track_id=draw(st.integers(0, 99)),
        source="춤 🕺.mp4",
        licence=draw(st.sampled_from(["open", "smpl-noncommercial"])),
    )


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_motion(path)
    assert caught.value.hint
    return caught.value


def save(path: Path, **changed: object) -> Path:
    """A small AMASS file with some keys changed (None: left out)."""
    keys: dict[str, object] = {
        "poses": np.zeros((4, 156)),
        "trans": np.zeros((4, 3)),
        "betas": np.zeros(16),
        "gender": "male",
        "mocap_framerate": 120.0,
    }
    keys |= changed
    np.savez(path, **{key: value for key, value in keys.items() if value is not None})  # type: ignore[arg-type]
    return path


@given(motion=motions())
def test_every_fact_survives_writing_and_reading(motion: Motion, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("motion") / "걷기.npz"
    write_motion(path, motion)
    found = read_motion(path)
    assert vars(found).keys() == vars(motion).keys()
    for key, value in vars(motion).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(found, key), value, err_msg=key)
        else:
            assert getattr(found, key) == value, key


def test_the_file_speaks_the_language_of_amass(tmp_path: Path) -> None:
    zeros = np.zeros((2, 3), np.float32)
    write_motion(tmp_path / "m.npz", Motion(np.zeros((2, 72), np.float32), zeros, np.zeros(10, np.float32), fps=30.0))
    keys = np.load(tmp_path / "m.npz", allow_pickle=False)
    assert keys["poses"].shape == (2, 72)
    assert float(keys["mocap_frame_rate"]) == float(keys["mocap_framerate"]) == 30.0
    assert str(keys["gender"]) == "neutral"
    assert "joints" not in keys.files


def test_a_plain_amass_file_loads(tmp_path: Path) -> None:
    poses = np.arange(4 * 156.0).reshape(4, 156)
    found = read_motion(save(tmp_path / "a.npz", poses=poses, dmpls=np.zeros((4, 8)), marker_data=np.zeros((4, 60, 3))))
    assert found.fps == 120.0
    assert (found.gender, found.licence, found.joints) == ("male", "unknown", None)
    assert found.poses24.shape == (4, 24, 3)
    np.testing.assert_array_equal(found.poses24[:, :22].reshape(4, 66), poses[:, :66])
    assert not found.poses24[:, 22:].any()  # fingers of SMPL-H are not the hands of SMPL


def test_of_a_smplx_file_the_body_is_taken(tmp_path: Path) -> None:
    poses = np.arange(4 * 165.0).reshape(4, 165)
    found = read_motion(save(tmp_path / "x.npz", poses=poses, mocap_framerate=None, mocap_frame_rate=30))
    assert found.poses.shape == (4, 72)
    np.testing.assert_array_equal(found.poses[:, :66], poses[:, :66])
    assert not found.poses[:, 66:].any()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"poses": None}, "poses"),
        ({"trans": None}, "trans"),
        ({"poses": np.zeros((4, 70))}, "(4, 70)"),
        ({"poses": np.zeros((0, 72)), "trans": np.zeros((0, 3))}, "(0, 72)"),
        ({"trans": np.zeros((3, 3))}, "(3, 3)"),
        ({"poses": np.full((4, 72), "a")}, "fit"),
        ({"poses": np.full((4, 72), np.nan)}, "finite"),
        ({"trans": np.full((4, 3), np.inf)}, "finite"),
        ({"betas": np.full(10, np.nan)}, "betas"),
        ({"mocap_framerate": None}, "frame rate"),
        ({"mocap_framerate": 0.0}, "mocap_framerate"),
        ({"mocap_framerate": "fast"}, "mocap_framerate"),
        ({"format": "reel2rig-motion/1", "joints": np.zeros((4, 23, 3))}, "joints"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    assert said in refusal(save(tmp_path / "m.npz", **changed)).message


def test_foreign_arrays_of_our_names_are_left_alone(tmp_path: Path) -> None:
    assert read_motion(save(tmp_path / "m.npz", joints=np.zeros((4, 52, 3)))).joints is None


class Bomb:
    """Would make a file if it were ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_pickled_objects_are_never_restored(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    bomb = np.array([Bomb(proof)], dtype=object)
    assert pickle.loads(pickle.dumps(Bomb(proof))) is None
    assert proof.exists()  # the bomb works
    proof.unlink()
    assert "poses" in refusal(save(tmp_path / "m.npz", poses=bomb)).message
    assert "extra" not in read_npz(save(tmp_path / "n.npz", extra=bomb))
    assert not proof.exists()


@given(share=st.floats(0, 0.9999), byte=st.integers(1, 255), cut=st.booleans())
def test_whatever_is_damaged_reading_ends_in_words(
    share: float, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "m.npz"
    zeros = np.zeros((2, 3), np.float32)
    write_motion(path, Motion(np.ones((2, 72), np.float32), zeros, np.zeros(10, np.float32), fps=30.0))
    data = bytearray(path.read_bytes())
    place = int(share * len(data))
    data[place] ^= byte
    path.write_bytes(data[:place] if cut else data)
    with contextlib.suppress(InputError):  # and no other exception
        read_motion(path)


def test_a_damaged_zip_and_other_files_are_refused(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.npz", poses=np.random.default_rng(0).normal(size=(4, 72))).read_bytes()
    contents = {
        "cut.npz": whole[: len(whole) // 2],
        "flipped.npz": whole[:200] + bytes(byte ^ 255 for byte in whole[200:400]) + whole[400:],
        "text.npz": b"these are words",
        "empty.npz": b"",
        "single.npz": b"\x93NUMPY",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
        assert refusal(tmp_path / name).code == "not_npz", name
    assert refusal(tmp_path / "none.npz").code == "no_such_file"
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert refusal(tmp_path / "array.npy").code == "not_npz"
