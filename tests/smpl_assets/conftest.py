"""Made-up bodies in the layout of licensed SMPL files: no real SMPL file may be in the project."""

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from reel2rig.smpl_assets.skeleton import PARENTS
from scipy.sparse import csc_matrix

Parts = dict[str, Any]


@pytest.fixture
def smpl_parts() -> Parts:
    """A random tiny body with pose directions, as plain arrays under the keys of an SMPL file."""
    random = np.random.default_rng(3)
    count = 60
    weights = random.random((count, 24)) ** 6
    regressor = random.random((24, count)) ** 6
    return {
        "v_template": random.normal(0, 0.5, (count, 3)),
        "shapedirs": random.normal(0, 0.02, (count, 3, 10)),
        "posedirs": random.normal(0, 0.005, (count, 3, 207)),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": np.array([(2**32 - 1, *PARENTS[1:]), range(24)]),
        "f": random.integers(0, count, (100, 3)).astype(np.uint32),
    }


@pytest.fixture
def smpl_npz(smpl_parts: Parts, tmp_path: Path) -> Callable[..., Path]:
    """Write the body with some parts replaced (or left out, where None) to an .npz file."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "SMPL_NEUTRAL.npz"
        np.savez(path, **{key: value for key, value in (smpl_parts | changes).items() if value is not None})
        return path

    return write


def _fake_class(module: str, name: str) -> type:
    """A class that pickles as ``module.name``: the package itself is not needed."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), ModuleType(".".join(parts[:end])))
    kind = type(name, (), {"__module__": module, "__init__": lambda self, **state: self.__dict__.update(state)})
    setattr(sys.modules[module], name, kind)
    return kind


@pytest.fixture
def official_pickle(smpl_parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Write the body as the official files are: chumpy values, a chumpy pick, a sparse regressor, unknown extras."""

    def write(protocol: int = 2) -> Path:
        names = ("chumpy", "chumpy.ch", "chumpy.reordering", "scipy.sparse.csc")
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        value, select = _fake_class("chumpy.ch", "Ch"), _fake_class("chumpy.reordering", "Select")
        product, csc = _fake_class("chumpy.ch", "MatVecMult"), _fake_class("scipy.sparse.csc", "csc_matrix")
        shape = smpl_parts["shapedirs"].shape
        all_directions = np.concatenate([smpl_parts["shapedirs"], np.full((*shape[:2], 290), 9.0)], axis=2)
        picked = np.arange(all_directions.size).reshape(all_directions.shape)[..., :10].ravel()
        sparse = csc_matrix(smpl_parts["J_regressor"])
        content = smpl_parts | {
            "v_template": value(x=smpl_parts["v_template"], _dirty_vars={"x"}),
            "weights": value(x=np.asfortranarray(smpl_parts["weights"])),
            "shapedirs": select(a=value(x=all_directions), idxs=picked, preferred_shape=shape),
            "J_regressor": csc(data=sparse.data, indices=sparse.indices, indptr=sparse.indptr, _shape=sparse.shape),
            "J": product(a=1, b=2),
            "bs_type": "lrotmin",
        }
        path = tmp_path / "basicmodel_m_lbs_10_207_0_v1.0.0.pkl"
        path.write_bytes(pickle.dumps(content, protocol=protocol))
        return path

    return write
