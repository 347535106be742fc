"""What is known of a render: view0.mp4 and truth.npz of one folder, as render_people.py writes them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..lifter.errors import InputError
from ..lifter.fit.skeleton import Posed, pose_skeleton, rest_skeleton
from ..lifter.motion_file import NOT_AN_ARCHIVE
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import Array, matrix_from_axis_angle
from .fit_data import soles, standing_level
from .fit_metrics import in_contact

FPS = 30.0
SHAPES: dict[str, tuple[int | None, ...]] = {
    "poses_body_yup": (None, 72),
    "betas": (10,),
    "joints": (None, 24, 3),
    "global_rotation_world": (None, 3, 3),
    "K": (1, 3, 3),
    "world_from_cam": (1, 4, 4),
}


@dataclass(frozen=True)
class TrueRender:
    """A clip of T frames and its truth, world Z up, metres.

    local (T, 24, 3, 3) rotations, the root's into the world; betas (10,); joints (T, 24, 3); lens (3, 3) px;
    camera (4, 4) world from OpenCV's camera axes.
    """

    clip: Path
    local: Array
    betas: Array
    joints: Array
    lens: Array
    camera: Array

    @cached_property
    def posed(self) -> Posed:
        """The open body in the true pose."""
        return pose_skeleton(rest_skeleton(open_body(), self.betas), self.local, self.joints[:, 0])

    @cached_property
    def contact(self) -> NDArray[np.bool_]:
        """Which steps (T - 1, 4) of left heel and toe, right heel and toe are on the floor (fit_metrics.in_contact)."""
        feet = soles(self.posed.ends)
        return in_contact(feet - np.array([0.0, 0.0, standing_level(feet, FPS)]))


def read_true_render(folder: Path) -> TrueRender:
    """The render in a folder. Raises InputError for a truth.npz that is none."""
    path = folder / "truth.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            truth = {key: archive[key].astype(np.float64) for key in SHAPES}
    except (*NOT_AN_ARCHIVE, KeyError) as error:
        raise _bad(path, str(error).strip("'")) from error
    for key, shape in SHAPES.items():
        found = truth[key].shape
        if len(found) != len(shape) or any(want not in (None, have) for have, want in zip(found, shape, strict=True)):
            raise _bad(path, f"{key} has the shape {found}")
        if not np.isfinite(truth[key]).all():
            raise _bad(path, f"{key} holds values that are not finite numbers")
    if not len(truth["poses_body_yup"]) == len(truth["joints"]) == len(truth["global_rotation_world"]) > 0:
        raise _bad(path, "its arrays are not of one length")
    local = matrix_from_axis_angle(truth["poses_body_yup"].reshape(-1, 24, 3))
    local[:, 0] = truth["global_rotation_world"]
    return TrueRender(
        folder / "view0.mp4", local, truth["betas"], truth["joints"], truth["K"][0], truth["world_from_cam"][0]
    )


def _bad(path: Path, what: str) -> InputError:
    return InputError(
        "bad_truth",
        f"{path} is not the truth of a render: {what}.",
        "Render it again: python -m reel2rig.benchmarks.render_people.",
    )
