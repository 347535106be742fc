"""What motion capture says about turns that positions leave open: how a limb, a hand, a foot, a head is usually turned.

Each turn is a quadratic function of the directions of the bones around it, as their parent sees them; the matrices are
in ``twist_prior.npz`` (learn_twist_prior.py makes it). Arrays have frames last; of two sides the right one is described
as its mirror image.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...smpl_assets.rotation import Array
from .alignment import rotated
from .frames_last import inverse, unit

TABLE = Path(__file__).parent / "twist_prior.npz"
PARTS = ("thigh", "upper_arm", "hand", "foot", "head")
MIRROR = np.array([[1.0, -1.0], [1.0, 1.0], [1.0, 1.0]])  # left and right of a direction's x, y, z


@dataclass(frozen=True)
class Turn:
    """One part's usual turn. matrices (O, D+1, D+1), symmetric; O is 1 for a twist, 3 for a rotation vector.

    spread: radians (root mean square) by which people differ from it; wander: radians in the root of a second by which
    that difference changes.
    """

    matrices: Array
    spread: float
    wander: float

    def usual(self, seen: Array) -> Array:
        """The turn (O, ..., T) in radians for features (D, ..., T)."""
        given = np.concatenate([np.ones_like(seen[:1]), seen])
        return np.stack([(np.tensordot(matrix, given, 1) * given).sum(axis=0) for matrix in self.matrices])


def with_products(seen: Array) -> Array:
    """One, the features (D, T) and all their products with each other: (F, T)."""
    given = np.concatenate([np.ones_like(seen[:1]), seen])
    first, second = np.triu_indices(len(given))
    return given[first] * given[second]


@lru_cache(maxsize=1)
def turns() -> dict[str, Turn]:
    """The learned turns by part: thigh, upper_arm, hand, foot (twists, left side), head."""
    with np.load(TABLE, allow_pickle=False) as table:
        return {
            name: Turn(table[f"{name}_matrices"].astype(float), *map(float, table[f"{name}_spreads"])) for name in PARTS
        }


def seen_from(frame: Array, *bones: Array, mirror: bool = True) -> Array:
    """Directions of bones (3, S, T) in the axes of ``frame`` (4, S, T), one after the other: (3 n, S, T).

    With two sides (S = 2) the right one comes out as its mirror image.
    """
    back = inverse(frame)
    sign = MIRROR[..., None] if mirror and bones[0].ndim == 3 else 1.0
    return np.concatenate([sign * rotated(back, unit(bone)) for bone in bones])
