"""Reader of AI Hub's "human body / pose 3D" set (dataSetSn 209). Public: read_aihub, parse_actor.

The joints are in SMPL's order and under its names, but their centres come from the maker's own rig: they are not
SMPL's exactly. Training is not harmed: preprocess turns them into rotations and takes the open body's own joints.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ...errors import TrainingDataError
from ..clip import Clip, Explain
from .actor import parse_actor
from .clip_reader import read_clip
from .file_index import ClipFiles, FileIndex, index_files
from .omissions import SHOWN, Omissions

__all__ = ["parse_actor", "read_aihub"]

EXPECTED = (
    "Expected are the folders of the sample (label/2d, label/3d, label/camera) or of the reissue (2D_json, 3D_json and "
    "Camera_json, at any depth) with files like 70_M180D_3_0.json (2D), 3D_70_M180D_0.json (3D) and 70_M180D_3.json "
    "(camera). Give the folder that holds all three kinds."
)


def read_aihub(folder: Path, explain: Explain, *, fps: float = 30.0, max_error: float = 5.0) -> Iterator[Clip]:
    """Clips of the data set under ``folder``: one for each action of each actor, all its cameras as views.

    Any folder names will do (NFC and NFD spelling alike): clips are told from the file names. Only the file names are
    held at once, and the contents of one clip. ``fps`` turns frame numbers into seconds; their gaps stay. Frames
    without 2D in a camera have NaN keypoints there. Positions only: what the files' Euler angles (3d_rot) mean has
    not been verified, so they are not read; nor are the shape parameters, which are not SMPL's betas.
    A camera is used only when the joints, projected, fall within ``max_error`` pixels (median) of its keypoints, a
    clip only when its unit and its up axis hold too. ``explain`` is told, at the start, which files do not pair, and
    at the end what could not be used, with the convention that would fit.
    Raises TrainingDataError when nothing usable is there.
    """
    folder = _spelled_as_on_disk(folder)
    index = index_files(folder)
    paired = [(name, files) for name, files in index.in_order() if _is_paired(name, files, index.omissions)]
    index.omissions.explain(explain)
    unusable = Omissions()
    count = 0
    for name, files in paired:
        clip = read_clip(name, files, unusable, fps, max_error)
        if clip is not None:
            count += 1
            yield clip
    unusable.explain(explain)
    if not count:
        raise TrainingDataError(_nothing_usable(folder, index, len(paired)))


def _spelled_as_on_disk(folder: Path) -> Path:
    """The folder, also where the disk spells its Korean name in the other Unicode form."""
    spellings = [folder, *(Path(unicodedata.normalize(form, str(folder))) for form in ("NFC", "NFD"))]
    for spelling in spellings:
        if spelling.is_dir():
            return spelling
    raise TrainingDataError(f"There is no folder {folder}. {EXPECTED}")


def _is_paired(name: str, files: ClipFiles, omissions: Omissions) -> bool:
    """Does the clip have joints, and a camera with keypoints? What lacks its other half goes to ``omissions``."""
    if not files.keypoints:
        omissions.add("3D without 2D" if files.joints else "camera without 2D and 3D", name)
        return False
    if not files.joints:
        omissions.add("2D without 3D", name)
        return False
    for camera in sorted(files.keypoints.keys() - files.cameras.keys(), key=int):
        omissions.add("2D without a camera file", f"{name}_{camera}")
    for camera in sorted(files.cameras.keys() - files.keypoints.keys(), key=int):
        omissions.add("camera file without 2D", f"{name}_{camera}")
    return not files.cameras.keys().isdisjoint(files.keypoints)


def _nothing_usable(folder: Path, index: FileIndex, paired: int) -> str:
    if paired:
        return (
            f"None of the {paired} clips in {folder} can be used; the lines above say why. If all their cameras ask "
            f"for one other convention, convert the files to it."
        )
    looked = [str(Path(path).relative_to(folder)) for path in index.folders]
    more = f" and {len(looked) - SHOWN} more" if len(looked) > SHOWN else ""
    where = f"JSON files are in {', '.join(looked[:SHOWN])}{more}" if looked else "No JSON file is there"
    return f"No clip of AI Hub's pose 3D set in {folder}. {where}. {EXPECTED}"
