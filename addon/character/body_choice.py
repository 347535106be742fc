"""Which body a motion is shown on, and what that means for its shape, its floor and its licence. Needs numpy only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion
from ...smpl_assets.body import Body, joint_transforms, open_body
from ...smpl_assets.errors import BodyFileError
from ...smpl_assets.loader import load_body
from ...smpl_assets.rotation import Array, matrix_from_axis_angle
from ...smpl_assets.skeleton import JOINT

LICENCE_TEXT = {
    "open": "may be used commercially",
    "smpl-noncommercial": "SMPL: non-commercial unless you hold a licence",
    "unknown": "unknown: ask where the motion comes from",
}


@dataclass(frozen=True)
class ChosenBody:
    """The body to show a motion on: betas (<= B,), pelvis positions (T, 3) m in the Z-up world, licence, warnings."""

    body: Body
    betas: Array
    pelvis: Array
    licence: str
    warnings: tuple[str, ...] = ()


def body_from(path: Path | None) -> Body:
    """The body in ``path``, or the bundled open one. Raises InputError when the file cannot be used."""
    if path is None:
        return open_body()
    if not Path(path).is_file():
        raise InputError("no_such_file", f"There is no body file {path}.", "Check the path in the preferences.")
    try:
        return load_body(Path(path))
    except BodyFileError as error:
        raise InputError("bad_body", error.message, error.hint) from error


def choose_body(motion: Motion, body: Body) -> ChosenBody:
    """Show ``motion`` on ``body``.

    A motion made on this very body keeps its shape and place. One made on another body, or one that does not say,
    is shown on this body's average shape, moved up or down so that its lowest steps touch the floor.
    """
    licence = stricter(motion.licence, body.licence)
    if motion.body == body.identity():
        betas = motion.betas[: body.shapedirs.shape[-1]]
        pelvis = motion.trans + body.rest_joints(betas)[0]
        return ChosenBody(body, betas, pelvis.astype(np.float64), licence)
    made_on = motion.body.split(" sha256:")[0] or "a body it does not name"
    betas = np.zeros(0, np.float32)
    pelvis = (motion.trans + body.rest_joints(betas)[0]).astype(np.float64)
    pelvis[:, 2] -= _lowest_sole(motion, body, pelvis)
    warning = f"The motion was made on {made_on}; it is shown on {body.name} in its average shape."
    return ChosenBody(body, betas, pelvis, licence, (warning,))


def stricter(first: str, second: str) -> str:
    """The licence of something made from two parts."""
    for licence in ("smpl-noncommercial", "unknown"):
        if licence in (first, second):
            return licence
    return "open" if first == second == "open" else "unknown"


def _lowest_sole(motion: Motion, body: Body, pelvis: Array) -> float:
    """Height in metres under which 2 % of the frames' lowest foot joints go, less the foot joints' rest height."""
    rest_joints = body.rest_joints(np.zeros(0, np.float32)).astype(np.float64)
    feet = [JOINT["left_foot"], JOINT["right_foot"]]
    rotations = matrix_from_axis_angle(motion.poses24.astype(np.float64))
    _, joints = joint_transforms(rest_joints, body.parents, rotations, pelvis - rest_joints[0])
    foot_height = rest_joints[feet, 1].min() - body.v_template[:, 1].min()
    return float(np.percentile(joints[:, feet, 2].min(axis=1), 2) - foot_height)
