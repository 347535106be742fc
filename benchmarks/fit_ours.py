"""The product's own solvers in the fit's benchmark, as functions from points to a posed skeleton."""

from ..lifter.clean_up import CleanUp, clean_up
from ..lifter.fit import fit
from ..lifter.fit.skeleton import Posed, pose_skeleton, rest_skeleton
from ..lifter.fit_people import FitOptions, fit_people
from ..lifter.progress import Reporter
from ..lifter.records import Fit, Joints3D
from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import matrix_from_axis_angle

ONLY_SMOOTHING = CleanUp(foot_lock=0.0, floor=0.0)


def closed_form(given: Joints3D, fps: float) -> Fit:
    """The fit without refinement."""
    return fit(given, open_body(), fps=fps, rounds=0)


def refined(given: Joints3D, fps: float) -> Fit:
    """The fit as a capture does it, before clean-up."""
    return fit(given, open_body(), fps=fps)


def whole(given: Joints3D, fps: float) -> Fit:
    """The fit with floor, gaps and clean-up, as ``reel2rig fit`` does it without a camera."""
    (found,), _ = fit_people(given, None, [0], open_body(), FitOptions(), Reporter(quiet=True))
    return found


def posed(found: Fit) -> Posed:
    """The skeleton of a fit on the open body."""
    rest = rest_skeleton(open_body(), found.betas)
    return pose_skeleton(rest, matrix_from_axis_angle(found.axis_angle), found.trans + rest.joints[0])


def cleaned(found: Fit, fps: float, options: CleanUp | None = None) -> Posed:
    """The skeleton of a fit after clean-up, by default as a capture does it."""
    rest = rest_skeleton(open_body(), found.betas)
    local, pelvis = matrix_from_axis_angle(found.axis_angle), found.trans + rest.joints[0]
    local, pelvis, _ = clean_up(rest, local, pelvis, fps, options or CleanUp())
    return pose_skeleton(rest, local, pelvis)
