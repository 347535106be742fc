"""The floor of smoothing: filters that are told the truth's own spectrum, as nobody is."""

import numpy as np
from scipy.fft import dct, idct

from ..lifter.fit.skeleton import Posed
from ..smpl_assets.rotation import Array


def oracle(found: Posed, truth: Posed) -> Posed:
    """Joints and ends of ``found`` through the best filter for each clip, point and axis; rotations stay.

    Wiener's (1949): every frequency (of the cosine transform) is kept by its true share in what was found. That leaves
    the least mean square error that a filter can which is the same all through the clip, of positions and, since
    frequencies do not mix, of accelerations too.
    """
    return Posed(found.rotations, _filtered(found.joints, truth.joints), _filtered(found.ends, truth.ends))


def _filtered(found: Array, truth: Array) -> Array:
    """Points (T, P, 3) through Wiener's filter for ``truth`` of the same shape."""
    given, true = (np.asarray(dct(points, axis=0, norm="ortho")) for points in (found, truth))
    share = true**2 / np.maximum(true**2 + (given - true) ** 2, 1e-20)
    return np.asarray(idct(share * given, axis=0, norm="ortho"))
