"""How far the maker's joint centres lie from SMPL's, as one constant a joint."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def joint_offsets(joints: Array, fitted: Array, rotations: Array) -> Array:
    """Mean place (24, 3) of the data's joints in the frames of the fitted body's joints, metres.

    joints (T, 24, 3): the data's; fitted (T, 24, 3) and rotations (T, 24, 3, 3): joints and global rotations of an
    SMPL body fitted to them. Take many clips of many actors: then what is left is the rig's, not the fit's. Joints as
    SMPL has them are ``joints - (rotations @ offsets[..., None])[..., 0]``.
    """
    apart = joints - fitted
    return np.einsum("tjab,tja->jb", rotations, apart) / len(joints)
