"""Lift and fit a finished capture again, with other options and with corrections, without detecting again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..smpl_assets.body import OPEN_BODY
from .camera import Intrinsics
from .capture_files import read_keypoints
from .capture_folder import published_whole, write_record
from .capture_record import FORMAT, capture_record
from .checked_json import of_type
from .clean_up import CleanUp
from .clip_reader import ClipInfo, probe
from .corrections import Correction, rows_of
from .errors import InputError
from .pipeline import CaptureOptions, Seen, fit_request, lens_of, lift_and_fit, write_preview_of, write_results
from .progress import Reporter
from .providers import Provider, choose_provider
from .records import Keypoints

RECORD, KEYPOINTS, PREVIEW = "capture.json", "keypoints.npz", "preview.mp4"
CLEANING = tuple(part.name for part in fields(CleanUp))
CAPTURE_AGAIN = "Capture the clip again."


@dataclass(frozen=True)
class RefitOptions:
    """What is asked for.

    changes: what is to be other than in capture.json, by the names that CaptureOptions and CleanUp have for it.
    """

    folder: Path
    changes: Mapping[str, Any] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    preview: bool = True


@dataclass(frozen=True)
class _Camera:
    K: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
    source: str


@dataclass(frozen=True)
class _Person:
    track_id: int


@dataclass(frozen=True)
class _Record:
    """What is needed of capture.json."""

    options: CaptureOptions
    clip: ClipInfo
    camera: _Camera
    provider: Provider
    people: tuple[_Person, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    seconds_inside_detect: dict[str, float] = field(default_factory=dict)
    warnings_of_detection: tuple[str, ...] = ()
    refitted: int = 0


def refit(asked: RefitOptions, reporter: Reporter) -> dict[str, Any]:
    """Make the results of the capture in ``asked.folder`` anew and return what its capture.json holds then.

    People keep their numbers, keypoints.npz its rows: corrections are never added to those of before. The new files
    replace the old ones together at the end, or not at all. Raises InputError, CaptureError, CancelledError.
    """
    reporter.stage("open")
    before = _read_record(asked.folder)
    options = _options(before, asked)
    request = fit_request(options, asked.corrections)
    seen = _seen(asked, before, options)
    # one network this small is done on the CPU before CUDA has started
    provider = choose_provider("cpu" if options.device == "auto" else options.device)
    notes = [*provider.warnings, *_idle(asked.corrections, seen.keypoints, options)]
    clip = _clip(before, notes) if asked.preview else None
    fitted = lift_and_fit(seen, request, provider, reporter)
    with published_whole(asked.folder, outdated=[PREVIEW]) as folder:
        write_results(folder, seen, fitted, reporter)
        if clip is not None:
            write_preview_of(options, clip, fitted, folder, reporter)
        reporter.end()
        record = capture_record(options, seen, fitted, before.seconds | {"preview": 0.0} | reporter.seconds)
        record["refitted"] = before.refitted + 1
        record["corrections"] = [str(correction) for correction in asked.corrections]
        record["warnings"] += notes
        write_record(folder / RECORD, record)
    return record


def _read_record(folder: Path) -> _Record:
    """What capture.json says. Raises InputError("no_capture") or ("bad_record")."""
    path = folder / RECORD
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        message = f"There is no capture in {folder}: {RECORD} cannot be read."
        raise InputError("no_capture", message, "Give the folder that a capture was written to.") from error
    except (ValueError, RecursionError) as error:
        raise InputError("bad_record", f"{path} is damaged: it is no JSON.", CAPTURE_AGAIN) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        hint = "Give a folder that this version of Reel2Rig wrote, or capture the clip again."
        raise InputError("bad_record", f"{path} is not the record of a capture ({FORMAT}).", hint)
    try:
        return _checked(of_type(data, _Record, RECORD))
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError("bad_record", f"{path} is damaged: {error}.", CAPTURE_AGAIN) from error


def _checked(record: _Record) -> _Record:
    """The record, if its numbers can be. Raises ValueError."""
    K, ids = np.array(record.camera.K), [person.track_id for person in record.people]
    if min(K[0, 0], K[1, 1]) <= 0 or K[1, 0] != 0 or K[2].tolist() != [0, 0, 1]:
        raise ValueError(f"{RECORD}.camera.K is not that of a lens")
    if not ids or len(set(ids)) < len(ids):
        raise ValueError(f"{RECORD}.people has nobody, or somebody twice")
    cleaning = record.options.cleaning
    if not all(0.0 <= share <= 1.0 for share in (cleaning.smoothing, cleaning.foot_lock, cleaning.floor)):
        raise ValueError(f"{RECORD}.options.cleaning has strengths that are not from 0 to 1")
    return record


def _options(before: _Record, asked: RefitOptions) -> CaptureOptions:
    """The options of before with the changes. Of the paths that a record holds, that of the clip alone is believed."""
    changes = dict(asked.changes)
    cleaning = replace(before.options.cleaning, **{name: changes.pop(name) for name in CLEANING if name in changes})
    if "body" not in changes:
        if before.options.body.name != OPEN_BODY.name:
            message = f"The capture was made with the body {before.options.body.name}."
            raise InputError(
                "which_body", message, f"Give it again with --body, or --body {OPEN_BODY} for the open one."
            )
        changes["body"] = OPEN_BODY
    if "field_of_view" in changes or "camera" in changes:
        changes = {"field_of_view": None, "camera": None} | changes
    return replace(before.options, out=asked.folder, cleaning=cleaning, **changes)


def _seen(asked: RefitOptions, before: _Record, options: CaptureOptions) -> Seen:
    """What the capture had seen, through the lens asked for. Raises InputError("bad_keypoints", "no_such_person")."""
    keypoints, people = read_keypoints(asked.folder / KEYPOINTS), [person.track_id for person in before.people]
    known = set(keypoints.track_id.tolist())
    if keypoints.image_size != before.clip.image_size or not known.issuperset(people):
        message = f"{KEYPOINTS} and {RECORD} in {asked.folder} are not of one capture."
        raise InputError("bad_keypoints", message, CAPTURE_AGAIN)
    for correction in asked.corrections:
        if correction.person not in people:
            hint = f"The people of this capture: {', '.join(map(str, people))}."
            raise InputError("no_such_person", f"{correction} is about nobody in this capture.", hint)
    other_lens = "field_of_view" in asked.changes or "camera" in asked.changes
    same_lens = Intrinsics(np.array(before.camera.K), before.camera.source)
    lens = lens_of(options, before.clip) if other_lens else same_lens
    return Seen(
        before.clip,
        lens,
        replace(keypoints, camera_K=lens.camera_K),
        people,
        before.provider,
        list(before.warnings_of_detection or before.clip.warnings),
        before.seconds_inside_detect,
    )


def _idle(corrections: tuple[Correction, ...], keypoints: Keypoints, options: CaptureOptions) -> list[str]:
    """What a user should know of corrections that change nothing."""
    told = [f"{one} is about no frame of this person." for one in corrections if not rows_of(one, keypoints).any()]
    if options.cleaning.foot_lock == 0 and any(one.kind.startswith("stand") for one in corrections):
        told.append("Feet that are told to stand are not held, since the foot lock is 0.")
    return told


def _clip(before: _Record, notes: list[str]) -> ClipInfo | None:
    """The clip for the preview; None, and a note why, when it is not there as it was."""
    path = before.options.clip
    try:
        clip = probe(path)
    except InputError as error:
        notes.append(f"There is no preview: {error.message}")
        return None
    if clip.sha256 == before.clip.sha256:
        return clip
    notes.append(f"There is no preview: {path.name} is not the clip that was captured any more.")
    return None
