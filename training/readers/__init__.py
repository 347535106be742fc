"""Readers of motion capture: each gives the same clips, whatever the files look like."""

from functools import partial
from pathlib import Path

from ..errors import TrainingDataError
from .aihub import read_aihub
from .bvh import read_bvh
from .clip import Reader
from .cmu_pack import PACK, read_cmu_pack
from .smpl_npz import read_smpl_npz

READERS: dict[str, Reader] = {
    "cmu_pack": read_cmu_pack,
    "bvh": read_bvh,
    "smpl_npz": read_smpl_npz,
    "aihub": read_aihub,
}


def sources(asked: list[list[str]] | None, skeleton: Path | None = None) -> list[tuple[Reader, Path]]:
    """Readers with their folders from (kind, folder) words; the bundled pack when nothing is asked for.

    skeleton: a table of the user's own for bvh. Raises TrainingDataError for an unknown kind, or one without a folder.
    """
    found = []
    for words in asked or [["cmu_pack"]]:
        kind, folder = words[0], words[1] if len(words) > 1 else str(PACK) if words[0] == "cmu_pack" else None
        if kind not in READERS or folder is None or len(words) > 2:
            raise TrainingDataError(f"--source {' '.join(words)}: give one of {', '.join(READERS)} and a folder.")
        reader = partial(read_bvh, table=skeleton) if kind == "bvh" and skeleton else READERS[kind]
        found.append((reader, Path(folder)))
    return found
