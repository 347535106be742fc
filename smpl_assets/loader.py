"""Load body model files: the bundled open body and licensed SMPL .npz."""

from pathlib import Path

import numpy as np

from .body import OPEN_BODY, Body, sha256_of


def load_body(path: Path = OPEN_BODY) -> Body:
    """Load a body in SMPL's layout from .npz."""
    with np.load(path, allow_pickle=False) as archive:
        data = {key: archive[key] for key in archive.files}
    parents = data["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    return Body(
        name=Path(path).stem,
        sha256=sha256_of(path),
        licence="open" if path == OPEN_BODY else "smpl-noncommercial",
        v_template=data["v_template"].astype(np.float32),
        shapedirs=data["shapedirs"].astype(np.float32),
        J_regressor=data["J_regressor"].astype(np.float32),
        weights=data["weights"].astype(np.float32),
        parents=tuple(parents.tolist()),
        faces=data["f"].astype(np.int64),
        posedirs=data["posedirs"] if data["posedirs"].any() else None,
        quads=data["quads"].astype(np.int64),
        beta_names=tuple(data["beta_names"].tolist()),
        presets=tuple(zip(data["preset_names"].tolist(), data["preset_betas"])),
    )
