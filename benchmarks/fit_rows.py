"""The rows of the fit's benchmark: every solver on the same points, scored in the same columns."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..lifter.fit.skeleton import Posed
from ..lifter.records import Joints3D
from ..smpl_assets.errors import SmplxMissingError
from .fit_data import CASES, Case, TruthClip, given_points, long_clip, off, soles
from .fit_metrics import Tally, columns, jump_kept
from .fit_ours import cleaned, closed_form, posed, refined
from .fit_peers import Smplfitter, adam, mesh_points, skinned, stand_in_points, swing_only

Solver = Callable[[Joints3D, TruthClip, float], Posed]  # points, their truth, and their noise in millimetres
ALL, WITH_ENDS = tuple(CASES), ("exact", "noisy")
SMPLFITTER = "smplfitter==0.6.0"
RUNS, FEW_SECONDS = 5, 2.0
NO_SMPLX = "smplx is not installed: python build.py setup installs it, for non-commercial research only"
NO_SMPLFITTER = f"smplfitter is not installed: pip install --no-deps {SMPLFITTER} platformdirs"


@dataclass(frozen=True)
class Row:
    """A solver, and the cases of fit_data.CASES that it takes part in."""

    solver: Solver
    cases: tuple[str, ...] = ALL
    says: str = ""


@dataclass(frozen=True)
class Clips:
    """What is fitted: clips of people for validation, and clips with jumps, of which only the height is scored."""

    validation: list[TruthClip]
    jumps: list[TruthClip]


def rows(adam_steps: tuple[int, int] = (150, 40)) -> tuple[dict[str, Row], dict[str, str]]:
    """The solvers that are installed, and why each of the others is left out."""
    found = {
        "ours, closed form": Row(lambda given, clip, _: posed(closed_form(given, clip.fps))),
        "ours, refined": Row(lambda given, clip, _: posed(refined(given, clip.fps))),
        "ours, refined and cleaned up": Row(lambda given, clip, _: cleaned(refined(given, clip.fps), clip.fps)),
        "swing-only IK": Row(lambda given, clip, _: swing_only(given), WITH_ENDS, "our betas; uses the 24 joints only"),
    }
    left_out: dict[str, str] = {}
    for name, make in (
        (f"Adam through smplx from a T-pose, {adam_steps[0]} steps", partial(_adam, adam_steps[0], False)),
        (f"Adam through smplx from our closed form, {adam_steps[1]} steps", partial(_adam, adam_steps[1], True)),
        ("smplfitter 0.6.0, joints and ends", _smplfitter_without_mesh),
        ("smplfitter 0.6.0, with vertices", _smplfitter_with_mesh),
    ):
        try:
            found[name] = make()
        except SmplxMissingError:
            left_out[name] = NO_SMPLX
        except ImportError:
            left_out[name] = NO_SMPLFITTER
    return found, left_out


def _adam(steps: int, from_closed_form: bool) -> Row:
    from ..smpl_assets.body import open_body
    from ..smpl_assets.smplx_body import smpl_layer

    smpl_layer(open_body())  # raises where smplx is missing
    return Row(lambda given, clip, _: adam(given, clip.fps, steps, from_closed_form), WITH_ENDS)


def _smplfitter_without_mesh() -> Row:
    solver = Smplfitter(stand_in_points())
    return Row(lambda given, clip, _: solver.without_mesh(given), says="stand-ins for the vertices it requires")


def _smplfitter_with_mesh() -> Row:
    solver = Smplfitter(mesh_points())

    def solve(given: Joints3D, clip: TruthClip, noise: float) -> Posed:
        vertices = off(skinned(solver.points, clip.betas, clip.posed), noise, np.random.default_rng(1))
        return solver(given, vertices, np.ones(vertices.shape[1]))

    return Row(solve, WITH_ENDS, "is also given 1,041 true vertices, which nobody has in practice")


def score_row(row: Row, clips: Clips) -> dict[str, Any]:
    """The row's columns in each of its cases."""
    return {name: score(partial(_solved, row.solver, CASES[name]), clips) for name in row.cases}


def _solved(solver: Solver, case: Case, clip: TruthClip) -> Posed:
    return solver(given_points(clip, case), clip, case[0])


def score(solved: Callable[[TruthClip], Posed], clips: Clips) -> dict[str, float | None]:
    """Columns of what ``solved`` makes of each clip; clips count by their frames, jumps each the same."""
    total: dict[str, Tally] = {}
    for clip in clips.validation:
        for name, part in columns(solved(clip), clip.posed, clip.fps).items():
            total[name] = total.get(name, Tally(0.0, 0)) + part
    kept = [100 * jump_kept(soles(solved(clip).ends), soles(clip.posed.ends)) for clip in clips.jumps]
    means = {name: part.mean() for name, part in total.items()}
    means["jump_height_percent"] = float(np.mean(kept)) if kept else None
    return {name: None if value is None else round(value, 3) for name, value in means.items()}


def speed(solver: Solver, clips: list[TruthClip], frames: int) -> int:
    """Frames a second of one core on one noisy clip of that length.

    Processor time, so that other work on the machine counts little; fast solvers get up to 5 runs and the best counts.
    """
    given, truth = long_clip(clips, CASES["noisy"], frames)
    solver(given.select(np.arange(60)), cut(truth, 60), 20.0)  # loads and warms what is loaded once
    seconds: list[float] = []
    while len(seconds) < RUNS and sum(seconds) < FEW_SECONDS:
        started = time.process_time()
        solver(given, truth, 20.0)
        seconds.append(time.process_time() - started)
    return round(frames / min(seconds))


def cut(clip: TruthClip, frames: int) -> TruthClip:
    """The first frames of a clip."""
    return replace(
        clip, posed=Posed(*(part[:frames] for part in (clip.posed.rotations, clip.posed.joints, clip.posed.ends)))
    )


def say(text: str) -> None:
    """Progress, beside the result on standard output."""
    print(text, file=sys.stderr, flush=True)
