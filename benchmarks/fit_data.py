"""The truth of the fit's benchmark: clips of the motion pack on the open body, and what a lifter would see of them.

Every person of the pack gets one body of random shape. The rotations are the pack's, and the pelvis goes the pack's
path times the ratio of leg lengths. On other legs a standing foot would still slide about 2.3 mm a frame, so the path
is shifted along the floor until it nearly stands (1.4 mm; the row "truth" says what is left).
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..lifter.fit.skeleton import Posed, RestSkeleton, pose_skeleton, rest_skeleton
from ..lifter.ground import SOLES
from ..lifter.records import Joints3D
from ..smpl_assets.body import Body, open_body
from ..smpl_assets.rotation import Array, matrix_from_quaternion
from ..smpl_assets.skeleton import END, JOINT
from ..training.readers.clip import Clip
from ..training.readers.cmu_pack import PACK, read_cmu_pack

JUMPS = ("cmu_13_11", "cmu_13_13", "cmu_13_39", "cmu_13_40", "cmu_02_04", "cmu_x_train_jumping_2")
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # from Y up
FEET = [END[name] for name in ("left_heel", "left_big_toe", "right_heel", "right_big_toe")]
MEAN_OF_UNIT_NORMAL = 2 * np.sqrt(2 / np.pi)  # mean length of a 3D Gaussian whose coordinates spread by 1
STANDING_SPEED, STANDING_HEIGHT = 0.2, 0.05  # metres a second, metres
PLANTING_ROUNDS = 4
Case = tuple[float, bool]  # mean displacement of the points in millimetres; whether the 13 ends are given
CASES: dict[str, Case] = {
    "exact": (0.0, True),
    "noisy": (20.0, True),
    "exact_without_ends": (0.0, False),
    "noisy_without_ends": (20.0, False),
}


@dataclass(frozen=True)
class TruthClip:
    """A clip whose pose is known. World Z up, metres, floor at z = 0; posed.rotations (T, 24, 3, 3) are global."""

    name: str
    fps: float
    betas: Array
    rest: RestSkeleton
    posed: Posed


def truth_clips(names: tuple[str, ...] | None = None) -> list[TruthClip]:
    """The named clips of the pack, or all of its people for validation, in the pack's order."""
    wanted = [clip for clip in read_cmu_pack(PACK, print) if _is_wanted(clip, names)]
    return [_posed(clip) for clip in wanted]


def _is_wanted(clip: Clip, names: tuple[str, ...] | None) -> bool:
    return clip.get("split") == "val" if names is None else clip["name"] in names


def _posed(clip: Clip) -> TruthClip:
    betas, rest = person(clip["actor"])
    assert "rotations" in clip
    local = matrix_from_quaternion(clip["rotations"].astype(np.float64))
    local[:, 0] = Z_UP @ local[:, 0]
    recorded = clip["joints"].astype(np.float64)
    pelvis = recorded[:, 0] @ Z_UP.T * (_leg(rest.joints) / _leg(recorded[0]))
    posed = pose_skeleton(rest, local, pelvis)
    fps = float(1.0 / np.diff(clip["time"]).mean())
    lift = np.array([0.0, 0.0, -standing_level(soles(posed.ends), fps)])
    shift = (lift + _planting(soles(posed.ends) + lift, fps))[:, None]
    posed = Posed(posed.rotations, posed.joints + shift, posed.ends + shift)
    return TruthClip(clip["name"], fps, betas, rest, posed)


def soles(ends: Array) -> Array:
    """Where the soles under heels and toes (T, 4, 3) m are, in the order of FEET; ends (T, 13, 3), Z up."""
    return ends[:, FEET] - SOLES[:, None] * np.array([0.0, 0.0, 1.0])


def standing_level(feet: Array, fps: float) -> float:
    """Height of the lowest of the points (T, 4, 3) m where people stand: the median of where that point is slowest."""
    lowest = feet[1:, :, 2].argmin(axis=1)[:, None]
    speeds = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * fps
    height, speed = (np.take_along_axis(values, lowest, axis=1)[:, 0] for values in (feet[1:, :, 2], speeds))
    return float(np.median(height[speed <= np.quantile(speed, 1 / 3)]))


def _planting(feet: Array, fps: float) -> Array:
    """Shifts (T, 3) along the floor under which standing points of feet (T, 4, 3) m move least; they begin with 0."""
    shift = np.zeros((len(feet), 3))
    for _ in range(PLANTING_ROUNDS):
        steps = np.diff(feet + shift[:, None], axis=0)
        height = np.maximum(feet[1:, :, 2], feet[:-1, :, 2]).clip(min=0.0)
        speed = np.linalg.norm(steps, axis=-1) * fps
        stands = np.exp(-((speed / STANDING_SPEED) ** 2) - (height / STANDING_HEIGHT) ** 4)[..., None]
        slide = (stands * steps).sum(axis=1) / (stands.sum(axis=1) + 0.05)
        shift[1:] -= np.cumsum(gaussian_filter1d(slide, 1.0, axis=0) * [1.0, 1.0, 0.0], axis=0)
    return shift


@lru_cache
def person(actor: str, body: Body | None = None) -> tuple[Array, RestSkeleton]:
    """Betas (10,) and rest skeleton of a person of the pack: a mixture of two presets and some noise, by their name."""
    body = body or open_body()
    random = np.random.default_rng([4, *actor.encode()])
    presets = dict(body.presets)
    first, second = random.choice(["neutral", "male", "female", "male_athletic", "thin"], 2, replace=False)
    share = random.uniform()
    betas = share * presets[first] + (1 - share) * presets[second] + random.normal(0, 0.3, len(body.beta_names))
    return betas, rest_skeleton(body, betas)


def _leg(joints: Array) -> float:
    """Thigh and shin of joints (24, 3), metres."""
    chain = joints[[JOINT["left_hip"], JOINT["left_knee"], JOINT["left_ankle"]]]
    return float(np.linalg.norm(np.diff(chain, axis=0), axis=-1).sum())


def given_points(clip: TruthClip, case: Case, seed: int = 0) -> Joints3D:
    """What is handed to a solver: joints and ends as a lifter would give them, every point and frame off on its own."""
    noise, with_ends = case
    random = np.random.default_rng([seed, *clip.name.encode()])
    joints, ends = (off(points, noise, random) for points in (clip.posed.joints, clip.posed.ends))
    return as_rows(joints, ends if with_ends else np.full_like(ends, np.nan), clip.fps)


def off(points: Array, millimetres: float, random: np.random.Generator) -> Array:
    """Points (..., 3) m moved by independent Gaussians whose mean length is ``millimetres``."""
    return points + random.normal(0.0, millimetres / 1000 / MEAN_OF_UNIT_NORMAL, points.shape)


def as_rows(joints: Array, ends: Array, fps: float) -> Joints3D:
    """One person's rows, world frame, all points equally sure."""
    count = len(joints)
    return Joints3D(
        joints=joints.astype(np.float32),
        ends=ends.astype(np.float32),
        frame="world",
        track_id=np.zeros(count, np.int64),
        frames=np.arange(count),
        times=np.arange(count) / fps,
        confidence=np.ones((count, 24), np.float32),
    )


def long_clip(clips: list[TruthClip], case: Case, frames: int) -> tuple[Joints3D, TruthClip]:
    """One person's rows, ``frames`` long, and the truth of them: the first person's clips as often as it takes."""
    mine = [clip for clip in clips if clip.betas is clips[0].betas]
    rows = [given_points(clip, case) for clip in mine]
    times = -(-frames // sum(len(clip.posed.joints) for clip in mine))

    def tiled(parts: list[Array]) -> Array:
        return np.concatenate(parts * times)[:frames]

    posed = Posed(*(tiled([getattr(clip.posed, name) for clip in mine]) for name in ("rotations", "joints", "ends")))
    given = as_rows(tiled([row.joints for row in rows]), tiled([row.ends for row in rows]), mine[0].fps)
    return given, replace(mine[0], posed=posed)
