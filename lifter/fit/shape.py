"""Betas of a person, once per clip: from robust bone lengths and the given stature."""

import numpy as np
from scipy.optimize import least_squares

from ...smpl_assets.body import Body
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import JOINT

# Joint pairs whose distance never changes with the pose; sides are averaged.
LENGTHS: dict[str, tuple[tuple[str, str], ...]] = {
    "thigh": (("left_hip", "left_knee"), ("right_hip", "right_knee")),
    "shin": (("left_knee", "left_ankle"), ("right_knee", "right_ankle")),
    "upper_arm": (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow")),
    "forearm": (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")),
    "hips": (("left_hip", "right_hip"),),
    "collars": (("left_collar", "left_shoulder"), ("right_collar", "right_shoulder")),
    "waist": (("pelvis", "spine1"),),
    "belly": (("spine1", "spine2"),),
    "neck": (("spine3", "neck"),),
}
# Mass, muscle and gender cannot be seen from joints: they keep their preset.
SEEN_BETAS = ("height", "thigh", "shin", "upperarm", "forearm", "torso", "shoulders")
LENGTH_SPREAD = 0.01  # metres, how well a median bone length is known
STATURE_SPREAD = 0.005
SCALE_SPREAD = 0.1  # of the logarithm of how much longer or shorter all measured bones may be than the true ones


def measured_lengths(joints: Array, confidence: Array) -> Array:
    """Median length (9,) in metres of each entry of LENGTHS over the frames (T, 24, 3) seen best."""
    result = []
    for pairs in LENGTHS.values():
        values, weights = [], []
        for first, second in pairs:
            a, b = JOINT[first], JOINT[second]
            values.append(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1))
            weights.append(np.minimum(confidence[:, a], confidence[:, b]) + 1e-3)
        result.append(_weighted_median(np.concatenate(values), np.concatenate(weights)))
    return np.array(result)


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def solve_betas(body: Body, lengths: Array, stature: float | None, spread: float = LENGTH_SPREAD) -> Array:
    """Betas (B,) that give the bone ``lengths`` and the ``stature`` (metres), staying near the model's mean.

    spread: metres, how well the lengths are known. Ridge with one standard deviation per beta; bodies without named
    betas use all of them. With a stature the lengths tell proportions only: estimated bones are all a little short,
    since unsure positions average out.
    """
    count = body.shapedirs.shape[-1]
    names = body.beta_names or tuple(f"beta{i}" for i in range(count))
    free = [i for i, name in enumerate(names) if not body.beta_names or name in SEEN_BETAS]
    preset = np.array(dict(body.presets).get("neutral", np.zeros(count)), float)
    start = np.zeros(count)
    start[[i for i in range(count) if i not in free]] = preset[[i for i in range(count) if i not in free]]
    crown, sole = int(body.v_template[:, 1].argmax()), int(body.v_template[:, 1].argmin())

    def residuals(values: Array) -> Array:
        betas = start.copy()
        betas[free] = values[1:]
        rest = body.rest_joints(betas)
        found = [np.mean([np.linalg.norm(rest[JOINT[a]] - rest[JOINT[b]]) for a, b in p]) for p in LENGTHS.values()]
        height = body.v_template[[crown, sole], 1] + body.shapedirs[[crown, sole], 1] @ betas
        scale = 1.0 if stature is None else np.exp(values[0])
        tall = 0.0 if stature is None else (height[0] - height[1] - stature) / STATURE_SPREAD
        off = (np.array(found) - scale * lengths) / spread
        return np.concatenate([off, [tall, values[0] / SCALE_SPREAD], 0.5 * values[1:]])

    solution = least_squares(residuals, np.zeros(1 + len(free)), loss="soft_l1")
    betas = start.copy()
    betas[free] = solution.x[1:]
    return betas.astype(np.float32)
