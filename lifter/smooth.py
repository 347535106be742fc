"""Smoothing that keeps punches: zero-phase, in rotation space, and yielding wherever movement rises above the jitter.

Each bone's rotation in the world is smoothed over time by penalised least squares (Whittaker, On a new method of
graduation, 1923; Eilers, A perfect smoother, 2003): |smooth - given|^2 weighted, plus its second differences squared.
That is one banded linear system a bone: no delay, no startup, linear in the number of frames. The weights make it
adaptive: where the lightly smoothed motion leaves the strongly smoothed one by more than jitter would, the frame is
held to what was given. In the world, since there the jitter of neighbouring bones has nothing to do with each other;
local rotations carry their parents' backwards.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d

from ..smpl_assets.rotation import Array, continuous_quaternions, matrix_from_quaternion, quaternion_from_matrix
from ..smpl_assets.skeleton import PARENTS
from .banded import BENDS, add_squares, diagonal
from .fit.frames_last import pieces
from .fit.skeleton import local_from_global

CUTOFF = 1.5  # hertz, at which strength 1 halves the amplitude of calm movement; strength 0.5 does so at 3
FASTEST = 2.0  # times the cutoff, up to which fast movement is kept
ABOVE_JITTER = 1.5  # times the energy of jitter that counts as movement
WINDOW = 0.3  # of a period of the cutoff, over which that energy is averaged


def smooth_motion(local: Array, pelvis: Array, fps: float, strength: float = 0.5) -> tuple[Array, Array]:
    """Smooth local rotations (T, 24, 3, 3) and the pelvis path (T, 3) m, each bone as its own jitter asks for.

    strength: 0 leaves everything exactly as it is; 0.5 fits a capture whose joints jitter by 1 to 2 cm; 1 is calm.
    """
    if strength <= 0 or len(pelvis) < 3:
        return local, pelvis
    cutoff = CUTOFF / strength
    world = _in_world(local)
    for bone in range(world.shape[1]):  # one at a time bounds the memory that hours of frames take
        quaternions = continuous_quaternions(quaternion_from_matrix(world[:, bone]))
        smooth = without_jitter(quaternions, fps, cutoff)
        world[:, bone] = matrix_from_quaternion(smooth / np.linalg.norm(smooth, axis=-1, keepdims=True))
    for part in pieces(len(world)):
        world[part] = local_from_global(world[part])
    return world, without_jitter(pelvis, fps, cutoff)


def without_jitter(values: Array, fps: float, cutoff: float) -> Array:
    """Values (T, C) smoothed below ``cutoff`` hertz where they are calm, up to FASTEST times that where they move."""
    strong, light = smoothed_below(values, fps, cutoff), smoothed_below(values, fps, FASTEST * cutoff)
    jitter = np.median(((values - light) ** 2).sum(axis=-1)) * _share(fps, cutoff)
    movement = gaussian_filter1d(((light - strong) ** 2).sum(axis=-1), WINDOW * fps / cutoff, mode="nearest")
    trust = np.clip(movement / max(ABOVE_JITTER * jitter, 1e-20), 1.0, FASTEST**4)
    return smoothed_below(values, fps, cutoff, trust)


def smoothed_below(values: Array, fps: float, cutoff: float, weights: Array | None = None) -> Array:
    """Values (T, C) with amplitudes halved at ``cutoff`` hertz, w ** 0.25 times as high where frames weigh (T,) w."""
    count = len(values)
    weights = np.ones(count) if weights is None else weights
    if count < 3:
        return values
    stiffness = (fps / (2.0 * np.pi * cutoff)) ** 4
    bands = diagonal(weights)
    add_squares(bands, stiffness, BENDS)
    return solveh_banded(bands, weights[:, None] * values, overwrite_ab=True, overwrite_b=True, check_finite=False)


def _share(fps: float, cutoff: float) -> float:
    """Energy of white noise between the light and the strong smoothing, over its energy above the light one."""
    wave = (2.0 - 2.0 * np.cos(np.linspace(0.0, np.pi, 512))) ** 2
    strong, light = (1.0 / (1.0 + wave * (fps / (2.0 * np.pi * factor * cutoff)) ** 4) for factor in (1.0, FASTEST))
    return float(((light - strong) ** 2).sum() / ((1.0 - light) ** 2).sum())


def _in_world(local: Array) -> NDArray[np.float64]:
    """World rotations (T, 24, 3, 3) of local ones."""
    rotations = local.astype(np.float64)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ local[:, joint]
    return rotations
