"""Which label files belong to which clip, told from file names alone, wherever the folders lie.

Names are action _ actor [_ camera] [_ frame]: 70_M180D_3_0.json holds keypoints, 3D_70_M180D_0.json joints and
70_M180D_3.json the camera. So the sample tree, the reissue of 2023 and copies with other folder names are all read
alike, however their Korean folder names are spelled (NFC or NFD).
"""

import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .omissions import Omissions

DEEPEST = 16  # folders inside one another; the real trees have six
_NAME = re.compile(
    r"(?P<prefix>(?P<joints>3D_)?(?P<clip>[0-9]{1,6}_[FM][0-9]{2,3}[A-Z])_(?:(?P<camera>[0-9]{1,6})_)?0*)"
    r"(?P<number>[0-9]{1,9})\.json"
)
# Body shapes and lists of actions lie in folders named so. They hold nothing that a clip needs.
_OTHER_LABELS = re.compile("shape|sequence", re.IGNORECASE)
_REISSUE = re.compile("_0714|230714")


class FrameFiles:
    """The files of one clip, or of one camera in it, that differ in the frame number only.

    Kept as numbers, eight bytes a file: the data set has millions.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], array[int]] = {}

    def add(self, folder: str, prefix: str, number: int) -> None:
        """File ``folder``/``prefix````number``.json."""
        self._numbers.setdefault((folder, prefix), array("q")).append(number)

    def __len__(self) -> int:
        return sum(map(len, self._numbers.values()))

    def paths(self) -> dict[int, str]:
        """Path by frame number, in order of the number. Of a frame that is there twice, the reissue's file is taken."""
        sources = sorted(self._numbers, key=lambda source: (not _REISSUE.search(source[0]), source))
        chosen: dict[int, str] = {}
        for folder, prefix in sources:
            for number in self._numbers[folder, prefix]:
                chosen.setdefault(number, os.path.join(folder, f"{prefix}{number}.json"))  # noqa: PTH118 - many
        return dict(sorted(chosen.items()))


@dataclass
class ClipFiles:
    """The files of one action of one actor; keypoints and cameras by camera number."""

    joints: FrameFiles = field(default_factory=FrameFiles)
    keypoints: dict[str, FrameFiles] = field(default_factory=dict)
    cameras: dict[str, str] = field(default_factory=dict)


@dataclass
class FileIndex:
    """All clips by name (70_M180D), the folders that held JSON files, and the files that belong to no clip."""

    clips: dict[str, ClipFiles] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    omissions: Omissions = field(default_factory=Omissions)

    def in_order(self) -> Iterator[tuple[str, ClipFiles]]:
        """Clips by action, in the order of its number, then by actor."""
        for name in sorted(self.clips, key=lambda name: (int(name.split("_")[0]), name)):
            yield name, self.clips[name]


def index_files(folder: Path) -> FileIndex:
    """Walk ``folder`` (links too, each folder once) and sort its label files by clip. Opens no file."""
    index = FileIndex()
    waiting, seen = [(str(folder), 0)], set()
    while waiting:
        path, depth = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - as scandir, quick on large trees
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            inner = _index_folder(path, index)
        except OSError as error:
            index.omissions.add(f"folders that cannot be read ({error.strerror})", path)
            continue
        if depth < DEEPEST:
            waiting += [(name, depth + 1) for name in sorted(inner, reverse=True)]
        elif inner:
            index.omissions.add(f"folders not looked into, as they lie over {DEEPEST} deep", path)
    return index


def _index_folder(path: str, index: FileIndex) -> list[str]:
    """Take up the files of one folder; returns the folders in it."""
    inner: list[str] = []
    labels = 0
    other = _OTHER_LABELS.search(Path(path).name)
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and entry.is_file():
                labels += 1
                if not other:
                    _index_file(path, entry.name, index)
            elif entry.is_dir():
                inner.append(entry.path)
    if labels:
        index.folders.append(path)
    return inner


def _index_file(folder: str, name: str, index: FileIndex) -> None:
    parts = _NAME.fullmatch(name)
    if parts is None or (parts["joints"] and parts["camera"]):
        if not name.startswith("."):  # what file managers leave behind
            index.omissions.add("files whose name is not action_actor_camera_frame", name)
        return
    clip = index.clips.setdefault(parts["clip"], ClipFiles())
    number = int(parts["number"])
    if parts["joints"]:
        clip.joints.add(folder, parts["prefix"], number)
    elif parts["camera"]:
        camera = str(int(parts["camera"]))
        clip.keypoints.setdefault(camera, FrameFiles()).add(folder, parts["prefix"], number)
    else:
        path = str(Path(folder) / name)
        clip.cameras[str(number)] = min(path, clip.cameras.get(str(number), path))
