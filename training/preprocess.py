"""From motion capture of any source to the training file: clips even in time, as rotations, split by person."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..smpl_assets.body import open_body
from ..smpl_assets.rotation import continuous_quaternions, quaternion_from_matrix
from .errors import TrainingDataError
from .motion_set import MotionSetWriter
from .readers.clip import Clip, Reader

FASTEST = 60.0  # frames a second; what is recorded faster is thinned out
LONGEST_GAP = 0.15  # seconds; a clip is cut where more is missing
SHORTEST = 0.5  # seconds; what is left after cutting and shorter is left out
VALIDATION_SHARE = 0.1


def preprocess(
    sources: list[tuple[Reader, Path]],
    path: Path,
    *,
    validation: tuple[str, ...] = (),
    report: Callable[[str], None] = print,
) -> None:
    """Read every folder with its reader into the training file ``path``; what is left out is reported with its reason.

    validation: actors to hold out. Without it, the source's own split counts, else a tenth of the actors is held out.
    Raises TrainingDataError when nothing is left or nobody can be held out; then no file is left behind.
    """
    with MotionSetWriter(path) as writer:
        own_splits: list[str] = []
        for read, folder in sources:
            clips = tqdm(read(folder, report), desc=folder.name, unit=" clips", disable=None, leave=False)
            for clip in clips:
                for quaternions, pelvis, fps in even_pieces(clip):
                    writer.add(
                        quaternions,
                        pelvis,
                        fps=fps,
                        name=clip["name"],
                        subject=f"{clip['source']}/{clip['actor']}",
                        action=clip["action"],
                        split="",
                    )
                    own_splits.append(clip.get("split", ""))
        if not writer.clips:
            raise TrainingDataError("No clip is long enough to train with (half a second). Give more motion.")
        writer.set_splits(_splits(writer.clips, own_splits, validation))
    seconds = sum(float(clip["length"]) / float(clip["fps"]) for clip in writer.clips)  # type: ignore[arg-type]
    report(f"{path}: {len(writer.clips)} clips, {writer.frames} frames, {seconds / 60:.0f} minutes")


def even_pieces(clip: Clip) -> Iterator[tuple[NDArray, NDArray, float]]:
    """Quaternions (T, 24, 4), pelvis (T, 3) and frames a second of each stretch of a clip that has no gaps."""
    time, step = clip["time"], float(np.median(np.diff(clip["time"]))) if len(clip["time"]) > 1 else 1.0
    good = np.isfinite(clip["joints"]).all(axis=(1, 2))
    time, rows = time[good], np.flatnonzero(good)
    cuts = np.flatnonzero(np.diff(time) > max(LONGEST_GAP, 1.5 * step)) + 1
    for piece in np.split(np.arange(len(rows)), cuts):
        if len(piece) < 2 or time[piece[-1]] - time[piece[0]] < SHORTEST:
            continue
        fps = min(1.0 / step, FASTEST)
        even = np.arange(time[piece[0]], time[piece[-1]] + 1e-6, 1.0 / fps)
        quaternions, pelvis = _rotations(clip, rows[piece], fps), clip["joints"][rows[piece], 0]
        quaternions = _interpolated(quaternions, time[piece], even)
        yield (
            quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True),
            _interpolated(pelvis, time[piece], even),
            fps,
        )


def _interpolated(values: NDArray, time: NDArray, even: NDArray) -> NDArray:
    """Values (N, ...) at ``time`` (N,), taken linearly at other times."""
    below = np.clip(np.searchsorted(time, even, side="right") - 1, 0, len(time) - 2)
    part = np.clip((even - time[below]) / (time[below + 1] - time[below]), 0, 1)
    part = part.reshape(-1, *[1] * (values.ndim - 1))
    return values[below] * (1 - part) + values[below + 1] * part


def _rotations(clip: Clip, rows: NDArray, fps: float) -> NDArray:
    """Local rotations (T, 24, 4) that do not jump; from the joints alone where a source has no rotations."""
    if "rotations" in clip:
        return continuous_quaternions(clip["rotations"][rows])
    try:
        from ..lifter.fit.closed_form import initial_rotations
        from ..lifter.fit.shape import measured_lengths, solve_betas
        from ..lifter.fit.skeleton import rest_skeleton
    except ImportError as error:
        raise TrainingDataError(
            f"'{clip['source']}' has joints but no rotations; turning one into the other needs scipy: pip install scipy"
        ) from error
    joints = clip["joints"][rows].astype(np.float64)
    betas = solve_betas(open_body(), measured_lengths(joints, np.ones(joints.shape[:2])), None)
    ends = np.full((len(joints), 13, 3), np.nan)
    return continuous_quaternions(
        quaternion_from_matrix(initial_rotations(rest_skeleton(open_body(), betas), joints, ends, fps))
    )


def _splits(clips: list[dict[str, object]], own: list[str], validation: tuple[str, ...]) -> list[str]:
    """'train' or 'val' for every clip: as asked, else as the source says, else a tenth of the other actors held out.

    Where there is only one actor, clips are held out instead.
    """
    actors = [str(clip["subject"]) for clip in clips]
    if validation:
        names = {actor: {actor, actor.split("/", 1)[1]} for actor in actors}
        held = {actor for actor in actors if names[actor] & set(validation)}
        unknown = set(validation) - set().union(*names.values())
        if unknown or held == set(actors):
            raise TrainingDataError(f"--validation needs some, not all, of: {', '.join(sorted(set(actors))[:30])}.")
        return ["val" if actor in held else "train" for actor in actors]
    if len(set(actors)) == 1 and not any(own):
        actors = [str(clip["name"]) for clip in clips]
    undecided = {actor for actor, split in zip(actors, own, strict=True) if not split}
    held = {actor for actor, split in zip(actors, own, strict=True) if split == "val"}
    share = round(VALIDATION_SHARE * len(undecided)) or (0 if held else 1)
    held |= set(sorted(undecided, key=lambda actor: hashlib.sha256(actor.encode()).digest())[:share])
    if held == set(actors):
        raise TrainingDataError("One clip cannot be trained on and checked with. Add more, or --source cmu_pack.")
    return ["val" if actor in held else "train" for actor in actors]
