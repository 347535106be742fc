"""A character in a Blender file: building it from a motion file, finding it again, and what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...lifter.errors import InputError
from ...lifter.motion_file import Motion, read_motion
from ...smpl_assets.body import Body
from . import scene_setup
from .body_choice import ChosenBody, choose_body
from .bone_channels import bone_channels
from .capture_collection import CAPTURE_ID, new_capture, new_person
from .capture_report import RECORD, report_lines
from .clip_background import show_clip
from .confidence import key_confidence, mark_doubtful
from .keying import key_bones
from .recorded_corrections import recorded_corrections
from .resample import seconds_of
from .rest_pose import rest_pose
from .rig import build_armature, rest_axes, rest_heads
from .skin import build_mesh
from .take import mark_take

LICENCE: Final = "reel2rig_licence"
BODY: Final = "reel2rig_body"
SOURCE: Final = "reel2rig_source"
WARNINGS: Final = "reel2rig_warnings"
EXPORT: Final = "reel2rig_export"
CAPTURE: Final = "reel2rig_capture"
"""The folder of the capture, absolute; only on characters that came out of one."""
MOTION: Final = "reel2rig_motion"
"""The name of the motion file."""
TRACK: Final = "reel2rig_track"
"""The person's number in the capture's keypoints."""
REPORT: Final = "reel2rig_report"
CORRECTIONS: Final = "reel2rig_corrections"
"""What the capture says of itself, a text of lines."""
INT_RANGE: Final = (-(2**31), 2**31 - 1)  # what a property holds
FrameRate = Literal["auto", "clip", "scene"]
NAME_BYTES: Final = 48  # Blender 4.5 cuts names at 63 bytes and adds .001 where they meet


@dataclass(frozen=True)
class ImportedCharacter:
    """One motion in the scene: its armature object and mesh object, frames keyed and warnings for the user."""

    rig: Any
    figure: Any
    frame_count: int
    warnings: tuple[str, ...]


class _Take(NamedTuple):
    path: Path
    frames: NDArray[np.float64]
    motion: Motion


def import_motions(
    scene: Any, paths: Sequence[Path], body: Body, clip: Path | None = None, frame_rate: FrameRate = "auto"
) -> list[ImportedCharacter]:
    """Build a character for each motion file, and set frame rate, range and camera.

    Each capture gets a collection named after its clip, with its camera, ``clip`` behind the first capture's, and a
    collection for each person. What is in the file already is not touched.

    ``frame_rate``: "clip" gives the scene the first motion's rate, "scene" keeps the scene's own, "auto" keeps it
    where something is animated already. Motions of another rate keep their time, resampled onto whole frames.
    Nothing is built unless every file can be read. Raises InputError for a file that is no motion.
    """
    motions = [(path, read_motion(path)) for path in map(Path, paths)]
    if not motions:
        raise InputError(
            "no_motion", "There is no motion to import: nobody was found.", "Choose another clip or person."
        )
    for _, motion in motions:
        seconds_of(motion)  # raises before anything is changed
    animated = scene_setup.is_animated(scene)
    if frame_rate == "clip" or (frame_rate == "auto" and not animated):
        scene_setup.set_frame_rate(scene, motions[0][1].fps)
    takes = [_Take(path, *scene_setup.on_whole_frames(motion, scene)) for path, motion in motions]
    characters = []
    for number, people in enumerate(_by_capture(takes)):
        characters += _build_capture(scene, people, body, clip if number == 0 else None)
    first, last = min(take.frames[0] for take in takes), max(take.frames[-1] for take in takes)
    scene_setup.cover_frames(scene, first, last, only_widen=animated)
    return characters


def build_character(
    scene: Any, name: str, motion: Motion, chosen: ChosenBody, frames: Any, capture: Any | None = None
) -> ImportedCharacter:
    """Armature, skinned mesh and keys for one person in a collection of its own, inside ``capture``'s (or a new one).

    frames (T,): the scene frame of each of the motion's.
    """
    collection = new_person(capture or new_capture(scene, name), name)
    rest = rest_pose(chosen.body, chosen.betas)
    rig = build_armature(name, rest, collection)
    figure = build_mesh(f"{name} body", chosen.body, rest.vertices, rig, collection)
    rig[CAPTURE_ID], figure[BODY] = collection[CAPTURE_ID], chosen.body.identity()
    animate(scene, rig, name, frames, motion, chosen)
    describe(rig, motion, chosen)
    return ImportedCharacter(rig, figure, len(frames), chosen.warnings)


def animate(scene: Any, rig: Any, name: str, frames: NDArray[np.float64], motion: Motion, chosen: ChosenBody) -> None:
    """Key ``motion`` on scene ``frames`` (T,), a row a frame, into a new action ``name``, with its confidence."""
    rig[scene_setup.RATE] = scene_setup.frame_rate(scene, rig)
    channels = bone_channels(motion.poses24, chosen.pelvis, rest_axes(rig), rest_heads(rig)[0])
    action = key_bones(rig, name, frames, channels)
    key_confidence(rig, frames, motion.confidence)
    mark_take(action)


def describe(rig: Any, motion: Motion, chosen: ChosenBody) -> None:
    """Let ``rig`` remember what it was made from and what it may be used for."""
    rig[LICENCE], rig[BODY], rig[SOURCE] = chosen.licence, chosen.body.identity(), motion.source
    rig[WARNINGS] = "\n".join(chosen.warnings)
    rig[TRACK] = int(np.clip(motion.track_id, *INT_RANGE))


def remember_file(rig: Any, path: Path) -> None:
    """Let ``rig`` remember its motion file and, where one lies around it, the capture and what that says of itself."""
    path = Path(path).resolve()
    rig[MOTION] = path.name
    if (path.parent / RECORD).is_file():
        rig[CAPTURE] = str(path.parent)
        rig[REPORT] = "\n".join(report_lines(path.parent, path.name))
        if CORRECTIONS not in rig:  # the file may be of a capture that was corrected before
            rig[CORRECTIONS] = "\n".join(str(one) for one in recorded_corrections(path.parent, rig[TRACK]))
    else:
        rig.pop(CAPTURE, None)
        rig.pop(REPORT, None)


def mark_what_to_check(rig: Any, scene: Any) -> None:
    """Markers where the capture is in doubt, except where its corrections have dealt with that."""
    known = recorded_corrections(Path(rig[CAPTURE]), rig[TRACK]) if CAPTURE in rig else []
    mark_doubtful(rig, scene, known)


def capture_name(path: Path, motion: Motion) -> str:
    """Name of the capture: its clip's, else the motion file's, cut to what Blender keeps."""
    return _cut(_clip_of(motion) or path.stem)


def character_name(path: Path, motion: Motion) -> str:
    """Name of the character and its take: the clip's name and the motion file's, cut to what Blender keeps."""
    clip = _clip_of(motion)
    return _cut(f"{clip}_{path.stem}" if clip and not path.stem.startswith(clip) else path.stem)


def _clip_of(motion: Motion) -> str:
    return Path(motion.source.split(" sha256:")[0]).stem


def _cut(name: str) -> str:
    return name.encode("utf-8")[:NAME_BYTES].decode("utf-8", "ignore")


def is_character(item: Any) -> bool:
    """Whether an object is an armature made by this add-on."""
    return item is not None and item.type == "ARMATURE" and LICENCE in item


def active_character(context: Any) -> Any | None:
    """The character the user means: the active object's armature, else the scene's only character."""
    active = context.view_layer.objects.active
    if active is not None:
        for item in (active, active.parent):
            if is_character(item):
                return item
    found = [item for item in context.scene.objects if is_character(item)]
    return found[0] if len(found) == 1 else None


def figures_of(rig: Any) -> list[Any]:
    """The mesh objects that ``rig`` deforms as its children."""
    return [child for child in rig.children if child.type == "MESH"]


def own_figures(rig: Any) -> list[Any]:
    """The meshes that were made with ``rig``; others that the user parented to it are not among them."""
    return [figure for figure in figures_of(rig) if BODY in figure]


def _by_capture(takes: list[_Take]) -> list[list[_Take]]:
    """Motions of one clip together; one that does not name its clip is alone."""
    captures: dict[str, list[_Take]] = {}
    for take in takes:
        captures.setdefault(take.motion.source or str(take.path), []).append(take)
    return list(captures.values())


def _build_capture(scene: Any, people: list[_Take], body: Body, clip: Path | None) -> list[ImportedCharacter]:
    name = capture_name(people[0].path, people[0].motion)
    capture = new_capture(scene, name)
    camera = scene_setup.add_camera(scene, capture, people[0].motion, f"{name} camera")
    characters = [
        build_character(scene, character_name(path, motion), motion, choose_body(motion, body), frames, capture)
        for path, frames, motion in people
    ]
    for person, character in zip(people, characters, strict=True):
        remember_file(character.rig, person.path)
        mark_what_to_check(character.rig, scene)
    warning = show_clip(scene, camera, clip) if camera is not None and clip is not None else None
    if warning is not None:
        characters[0] = _with_warning(characters[0], warning)
    return characters


def _with_warning(character: ImportedCharacter, warning: str) -> ImportedCharacter:
    warnings = (*character.warnings, warning)
    character.rig[WARNINGS] = "\n".join(warnings)
    return ImportedCharacter(character.rig, character.figure, character.frame_count, warnings)
