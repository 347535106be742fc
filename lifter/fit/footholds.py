"""Where standing feet stay: one place for each contact."""

import numpy as np

from ...smpl_assets.rotation import Array

STANDS = 0.3  # surer than this, a point stands


def footholds(ends: Array, support: Array) -> Array:
    """Mean x and y (T, 13, 2) m of each end point over the contact that a frame belongs to, NaN where there is none.

    ends (T, 13, 3) m, Z up. support (T, 13): how surely each point stands, 0..1; what is surer counts more.
    """
    stands = support > STANDS
    begins = np.diff(stands, axis=0, prepend=False) & stands
    contact = np.cumsum(begins.T).reshape(begins.T.shape).T  # each has a number of its own
    weight = np.where(stands, support, 0.0)
    total = np.bincount(contact.ravel(), weight.ravel())
    sums = [np.bincount(contact.ravel(), (weight * ends[..., axis]).ravel()) for axis in range(2)]
    means = np.stack(sums, axis=-1) / np.maximum(total, 1e-9)[:, None]
    return np.where(stands[..., None], means[contact], np.nan)
