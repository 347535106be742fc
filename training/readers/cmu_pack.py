"""The motion pack that ships: a selection of the CMU motion capture database (data/cmu_pack/README_PACK.md)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...lifter.motion_file import NOT_AN_ARCHIVE
from ...smpl_assets.rotation import quaternion_from_axis_angle
from ..errors import TrainingDataError
from .clip import Clip, Explain

PACK = Path(__file__).parent.parent / "data" / "cmu_pack"


def read_cmu_pack(folder: Path, explain: Explain) -> Iterator[Clip]:
    """Clips of train_*.npz and val_*.npz; the pack itself says which people are for validation.

    Raises TrainingDataError when there are none or one is damaged.
    """
    shards = sorted(folder.glob("train_*.npz")) + sorted(folder.glob("val_*.npz"))
    if not shards:
        raise TrainingDataError(f"No motion pack in {folder}: expected train_*.npz and val_*.npz.")
    for path in shards:
        try:
            with np.load(path, allow_pickle=False) as shard:
                clips = list(_clips({key: shard[key] for key in shard.files}))
        except (*NOT_AN_ARCHIVE, KeyError) as error:
            raise TrainingDataError(f"{path} is no shard of a motion pack ({error}). Get the pack again.") from error
        yield from clips


def _clips(data: dict[str, NDArray]) -> Iterator[Clip]:
    for row, (start, length) in enumerate(zip(data["start"], data["length"], strict=True)):
        frames = slice(int(start), int(start) + int(length))
        pose = data["pose"][frames].astype(np.float32) * np.float32(data["pose_scale"])
        yield Clip(
            name=str(data["name"][row]),
            source="cmu_pack",
            actor=str(data["subject"][row]),
            action=str(data["desc"][row]) or str(data["name"][row]),
            split=str(data["split"][row]),
            time=np.arange(int(length)) / float(data["fps"]),
            joints=data["joints"][frames].astype(np.float32) * np.float32(data["joint_scale"]),
            rotations=quaternion_from_axis_angle(pose).astype(np.float32),
        )
