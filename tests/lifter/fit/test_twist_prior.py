"""What is usual: a table small enough to ship, learned so that people left out are described by it."""

from pathlib import Path

import numpy as np
import pytest
from reel2rig.lifter.fit.frames_last import quaternion_of
from reel2rig.lifter.fit.learn_twist_prior import learn, symmetric, turns_of
from reel2rig.lifter.fit.twist_prior import PARTS, TABLE, Turn, seen_from, turns, with_products
from reel2rig.training.readers.cmu_pack import PACK

STILL = np.array([1.0, 0.0, 0.0, 0.0])[:, None, None]


def test_the_table_is_small() -> None:
    assert set(turns()) == set(PARTS)
    assert TABLE.stat().st_size < 20_000


@pytest.mark.parametrize("part", PARTS)
def test_a_t_pose_is_not_twisted(part: str) -> None:
    seen, turn = turns_of(np.zeros((1, 24, 3)), 30.0)[part]
    np.testing.assert_allclose(turn, 0, atol=1e-6)
    assert np.degrees(np.abs(turns()[part].usual(seen))).max() < 7


@pytest.mark.parametrize(
    ("part", "share"), [("thigh", 0.5), ("upper_arm", 0.4), ("hand", 0.8), ("foot", 0.6), ("head", 0.7)]
)
def test_people_who_were_not_learned_from_are_described(part: str, share: float) -> None:
    """Less is left open than without the table: ``share`` of it at most."""
    with np.load(PACK / "val_00.npz") as pack:
        poses = pack["pose"][::5] * float(pack["pose_scale"])
    seen, turn = turns_of(poses, 30.0)[part]
    left = np.linalg.norm(turn - turns()[part].usual(seen), axis=0).mean()
    assert left < share * np.linalg.norm(turn, axis=0).mean()


def test_a_turn_is_a_quadratic_function_of_what_is_seen() -> None:
    seen, coefficients = np.random.default_rng(0).normal(size=(4, 7)), np.arange(30.0).reshape(15, 2)
    found = Turn(symmetric(coefficients), 1.0, 1.0).usual(seen)
    np.testing.assert_allclose(found, coefficients.T @ with_products(seen))


def test_the_right_side_is_seen_as_the_mirror_image_of_the_left() -> None:
    bones = np.array([[1.0, -1.0], [2.0, 2.0], [2.0, 2.0]])[..., None]
    np.testing.assert_allclose(seen_from(STILL, bones)[..., 0].T, [[1 / 3, 2 / 3, 2 / 3]] * 2)


def test_directions_are_seen_from_the_frame_they_are_given_in() -> None:
    left_about_z = quaternion_of(np.array([[0.0], [0.0], [np.pi / 2]]))
    found = seen_from(left_about_z, np.array([[0.0], [3.0], [0.0]]))
    np.testing.assert_allclose(found[:, 0], [1, 0, 0], atol=1e-12)


def test_the_table_can_be_learned_again(tmp_path: Path) -> None:
    with np.load(PACK / "val_00.npz") as pack:
        data = {name: pack[name] for name in pack.files}
    few = [0, 9, 24]  # one clip of each of three people
    np.savez(tmp_path / "few.npz", **data | {name: data[name][few] for name in ("start", "length", "subject")})
    learn(tmp_path / "few.npz", tmp_path / "table.npz")
    with np.load(tmp_path / "table.npz") as table, np.load(TABLE) as shipped:
        assert {name: rows.shape for name, rows in table.items()} == {n: r.shape for n, r in shipped.items()}
        assert all(np.isfinite(rows).all() for rows in table.values())
