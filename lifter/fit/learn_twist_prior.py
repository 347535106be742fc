"""Learn ``twist_prior.npz`` from motion capture: how parts are usually turned where joints do not say it.

    python -m reel2rig.lifter.fit.learn_twist_prior training/data/cmu_pack/train_00.npz lifter/fit/twist_prior.npz

Ridge regression on all frames and their mirror images, every clip counting by the root of its length. How far people
differ from what is usual is told by people left out.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...smpl_assets.body import open_body
from ...smpl_assets.rotation import Array, matrix_from_axis_angle, quaternion_from_axis_angle
from ...smpl_assets.skeleton import JOINT_NAMES, PARENTS, mirrored
from .alignment import twist_about
from .closed_form import ARM, LEG, Solver
from .frames_last import inverse, quaternion_product, rotation_vector, unit
from .skeleton import pose_skeleton, rest_skeleton
from .twist_prior import PARTS, with_products

RIDGE = {"thigh": 1e-3, "upper_arm": 3e-3, "hand": 1e-3, "foot": 1e-3, "head": 1e-3}


REST_SHARE = 0.1  # what the T-pose counts beside all motion: people stand in it to be captured
LAG = 5  # frames over which turns are seen to change; in one alone, smooth motion hardly does


def clips(path: Path) -> Iterator[tuple[str, Array]]:
    """Person and local axis-angles (T, 24, 3) of every clip in a shard of the motion pack, and their mirror images."""
    with np.load(path, allow_pickle=False) as shard:
        data = {name: shard[name] for name in shard.files}
    poses = data["pose"] * float(data["pose_scale"])
    for person, start, length in zip(data["subject"], data["start"], data["length"], strict=True):
        pose = poses[start : start + length]
        yield str(person), pose
        yield str(person), pose[:, mirrored(JOINT_NAMES)] * np.array([1.0, -1.0, -1.0])


def turns_of(pose: Array, fps: float) -> dict[str, tuple[Array, Array]]:
    """Of each part, on the left, what is seen around it (D, T) and how it is turned (O, T).

    pose: local axis-angles (T, 24, 3).
    """
    body = open_body()
    rest = rest_skeleton(body, np.array(dict(body.presets)["neutral"]))
    posed = pose_skeleton(rest, matrix_from_axis_angle(pose), np.zeros((len(pose), 3)))
    solver = Solver(rest, posed.joints, posed.ends, fps, {})
    local = quaternion_from_axis_angle(pose).T
    for joint, parent in enumerate(PARENTS):
        above = solver.world[:, parent] if joint else np.eye(4)[:, :1]
        solver.world[:, joint] = quaternion_product(above, local[:, joint])
    found = {}
    for part, parent, limb in (("upper_arm", "spine3", ARM), ("thigh", "pelvis", LEG)):
        straight = solver.straight_limbs(parent, limb)[:, 0]
        found[part] = solver.seen_around_limbs(parent, limb)[:, 0], straight, limb[:2]
    for part, limb, seen in (("hand", ARM, solver.seen_around_hands()), ("foot", LEG, solver.seen_around_feet())):
        found[part] = seen[:, 0], solver.straight_tips(limb)[:, 0], limb[2:]
    result = {}
    for part, (seen, straight, (joint, child)) in found.items():
        off = quaternion_product(inverse(straight), solver.get(f"left_{joint}"))
        bone = unit(rest.bone(f"left_{joint}", f"left_{child}"))[:, None]
        result[part] = seen, twist_about(bone, off)[None]
    off = quaternion_product(inverse(solver.straight_head()), solver.get("head"))
    return result | {"head": (solver.seen_around_head(), rotation_vector(off))}


def learned(samples: list[tuple[str, Array, Array]], at_rest: Array, ridge: float, fps: float) -> tuple[Array, Array]:
    """Matrices (O, D+1, D+1) of one part, and its spread and wander (2,); see twist_prior.Turn.

    samples: person, features (D, T) and turns (O, T) of each clip; at_rest: features (D, 1) of the rest pose.
    """
    still = with_products(at_rest) @ with_products(at_rest).T
    sums = {person: np.zeros((len(still), len(still) + len(samples[0][2]))) for person, _, _ in samples}
    totals = dict.fromkeys(sums, 0.0)
    for person, seen, turn in samples:
        products, weight = with_products(seen), 1 / np.sqrt(seen.shape[1])
        sums[person] += weight * products @ np.concatenate([products, turn]).T
        totals[person] += weight * seen.shape[1]
    every, total = np.sum(list(sums.values()), axis=0), sum(totals.values())
    without = {person: solved(every - sums[person], total - totals[person], still, ridge) for person in sums}
    off: dict[str, list[Array]] = {person: [] for person in sums}
    for person, seen, turn in samples:
        off[person].append(turn - without[person].T @ with_products(seen))
    # of the person in the middle: a dancer's toes turn in ways that would speak for nobody else
    spread = np.median([_size(np.concatenate(clips, axis=1)) for clips in off.values()])
    steps = {p: np.concatenate([o[:, LAG:] - o[:, :-LAG] for o in clips], axis=1) for p, clips in off.items()}
    wander = np.median([_size(step) for step in steps.values()]) * np.sqrt(fps / LAG)
    return symmetric(solved(every, total, still, ridge)), np.array([spread, wander])


def _size(turns: Array) -> float:
    """Root mean square of turns (O, T), a direction."""
    return float(np.sqrt((turns**2).mean()))


def solved(sums: Array, total: float, still: Array, ridge: float) -> Array:
    """Ridge regression with no turn at rest: coefficients (F, O).

    sums: products times products and turns (F, F + O), ``total`` their weight; still: the products' at rest (F, F).
    """
    square, moment = sums[:, : len(sums)], sums[:, len(sums) :]
    return np.linalg.solve(square + total * (REST_SHARE * still + ridge * np.eye(len(square))), moment)


def symmetric(coefficients: Array) -> Array:
    """Coefficients (F, O) of products as symmetric matrices (O, D+1, D+1)."""
    size = int((np.sqrt(8 * len(coefficients) + 1) - 1) / 2)
    upper = np.zeros((coefficients.shape[1], size, size))
    upper[:, *np.triu_indices(size)] = coefficients.T
    return (upper + np.swapaxes(upper, -1, -2)) / 2


def learn(pack: Path, table: Path, fps: float = 30.0) -> None:
    """Write ``table`` from a shard of the motion pack (training people only)."""
    samples: dict[str, list[tuple[str, Array, Array]]] = {part: [] for part in PARTS}
    for person, pose in clips(pack):
        for part, (seen, turn) in turns_of(pose, fps).items():
            samples[part].append((person, seen, turn))
    found = {}
    rest = turns_of(np.zeros((1, 24, 3)), fps)
    for part in PARTS:
        matrices, spreads = learned(samples[part], rest[part][0], RIDGE[part], fps)
        found |= {f"{part}_matrices": matrices.astype(np.float32), f"{part}_spreads": spreads.astype(np.float32)}
        print(part, "people differ by {:.1f} degrees, {:.1f} in a second's root".format(*np.degrees(spreads)))
    np.savez_compressed(table, **found)


if __name__ == "__main__":
    learn(Path(sys.argv[1]), Path(sys.argv[2]))
