"""One BVH file as arrays: checked, then read by pymotion (MIT, UPC-ViRVIG/pymotion).

The format: Biovision Hierarchy, as described by Meredith and Maddock, Motion Capture File Formats Explained, 2001.
"""

import locale
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array
from ..errors import TrainingDataError

INSTALL = "Reading BVH needs the package upc-pymotion. Install it with: pip install upc-pymotion==0.3.4"


class BvhError(ValueError):
    """One file cannot be used; the message says why."""


@dataclass(frozen=True, eq=False)
class BvhFile:
    """Skeleton and motion of one file, in the file's own axes and length unit.

    names (J,); parents, -1 first, always before their children; offsets (J, 3) joint from parent at zero rotation;
    ends: where a joint without children ends, by joint; rotations (T, J, 3, 3) local; positions (T, J, 3) local,
    the offsets where a joint has no position channels; frame_time in seconds.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    ends: dict[int, Array]
    rotations: Array
    positions: Array
    frame_time: float

    @cached_property
    def world_rotations(self) -> Array:
        """Global rotations (T, J, 3, 3)."""
        world = [self.rotations[:, 0]]
        for joint in range(1, len(self.parents)):
            world.append(world[self.parents[joint]] @ self.rotations[:, joint])
        return np.stack(world, axis=1)

    @cached_property
    def world_positions(self) -> Array:
        """Joint positions (T, J, 3)."""
        points = [self.positions[:, 0]]
        for joint in range(1, len(self.parents)):
            parent = self.parents[joint]
            turned = self.world_rotations[:, parent] @ self.positions[:, joint, :, None]
            points.append(points[parent] + turned[..., 0])
        return np.stack(points, axis=1)


def read_bvh_file(path: Path) -> BvhFile:
    """Read ``path``. Raises BvhError saying what is wrong with it, TrainingDataError where pymotion is missing."""
    try:
        from pymotion.io.bvh import BVH
    except ImportError as error:
        raise TrainingDataError(INSTALL) from error
    try:
        text = _checked(_decoded(path.read_bytes()))
    except OSError as error:
        raise BvhError(f"it cannot be opened ({error.strerror})") from error
    reader = BVH()
    with tempfile.TemporaryDirectory() as folder:
        # pymotion opens files in the locale's encoding
        copy = Path(folder) / "motion.bvh"
        copy.write_text(text, encoding=locale.getpreferredencoding(False), errors="replace")
        try:
            reader.load(str(copy))
        except Exception as error:  # pymotion raises whatever its parsing runs into, Exception itself included
            raise BvhError(f"it cannot be read ({error})") from error
    return _arrays(reader.data)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _checked(text: str) -> str:
    """The text as pymotion understands it: one word a joint name, "End Site" spelled so, no empty line of motion.

    pymotion takes a file that was cut off for one that stands still at its end, so that lines and values are counted.
    """
    header, motion, frames = text.partition("MOTION")
    if not header.lstrip().startswith("HIERARCHY"):
        raise BvhError("it does not begin with HIERARCHY, so it is no BVH file")
    if not motion or header.count("{") != header.count("}"):
        raise BvhError("its hierarchy breaks off")
    count = re.search(r"Frames:\s*(\d+)", frames)
    time = re.search(r"Frame Time:\s*(\S+)[^\n]*\n?", frames)
    if not count or not time:
        raise BvhError("it does not say 'Frames:' and 'Frame Time:'")
    rows = [line for line in frames[time.end() :].splitlines() if line.strip()]
    _check_rows(rows, int(count[1]), sum(map(int, re.findall(r"CHANNELS\s+(\d+)", header))))
    header = re.sub(r"\b(ROOT|JOINT)[ \t]+([^\r\n{]+)", _one_word, header)
    header = re.sub(r"End\s+Site[^\r\n{]*", "End Site", header, flags=re.IGNORECASE)
    header = header.replace("{", "\n{\n").replace("}", "\n}\n")
    return "\n".join([header, "MOTION", f"Frames: {count[1]}", f"Frame Time: {time[1]}", *rows, ""])


def _one_word(match: re.Match[str]) -> str:
    return f"{match[1]} {'_'.join(match[2].split())}"


def _check_rows(rows: list[str], count: int, channels: int) -> None:
    if count == 0 or not rows:
        raise BvhError("it has no frames")
    if count == 1:
        raise BvhError("it has one frame, which is a pose and no motion")
    if len(rows) != count:
        raise BvhError(f"it says {count} frames and holds {len(rows)}; it was cut off or changed by hand")
    short = {len(row.split()) for row in (rows[0], rows[-1])} - {channels}
    if short:
        raise BvhError(f"its skeleton has {channels} channels and a frame holds {min(short)} values; it was cut off")


def _arrays(data: dict[str, Any]) -> BvhFile:
    names, positions = tuple(str(name) for name in data["names"]), np.asarray(data["positions"], np.float64)
    angles, frame_time = np.radians(np.asarray(data["rotations"], np.float64)), float(data["frame_time"])
    if not (np.isfinite(positions).all() and np.isfinite(angles).all()):
        raise BvhError("it holds values that are not finite")
    if not 0 < frame_time < 10:
        raise BvhError(f"its frame time is {frame_time} seconds")
    if len(set(names)) < len(names):
        raise BvhError("two of its joints have one name")
    # Some programs write bone lengths into the position channels only and leave the offsets at zero
    offsets = np.median(positions, axis=0)
    ends = {
        int(joint): np.asarray(end) for joint, end in zip(data["end_sites_parents"], data["end_sites"], strict=True)
    }
    return BvhFile(
        names=names,
        parents=(-1, *(int(parent) for parent in data["parents"][1:])),
        offsets=np.concatenate([np.zeros((1, 3)), offsets[1:]]),
        ends=ends,
        rotations=_matrices(angles, data["rot_order"]),
        positions=positions,
        frame_time=frame_time,
    )


def _matrices(angles: NDArray[np.float64], orders: NDArray[np.str_]) -> Array:
    """Matrices (T, J, 3, 3) of angles (T, J, 3) radians; channels turn about axes that the ones before them turned."""
    axes = np.array([["xyz".index(str(letter)) for letter in order] for order in orders])  # (J, 3 channels)
    first, second, third = (_turns(angles[:, :, channel], axes[:, channel]) for channel in range(3))
    return first @ second @ third


def _turns(angle: NDArray[np.float64], axis: NDArray[np.intp]) -> Array:
    """Matrices (T, J, 3, 3) of ``angle`` (T, J) about the axis 0, 1 or 2 of each joint (J,)."""
    joint, after, last = np.arange(len(axis)), (axis + 1) % 3, (axis + 2) % 3
    matrices = np.zeros((*angle.shape, 3, 3))
    matrices[:, joint, axis, axis] = 1.0
    matrices[:, joint, after, after] = matrices[:, joint, last, last] = np.cos(angle)
    matrices[:, joint, last, after] = np.sin(angle)
    matrices[:, joint, after, last] = -np.sin(angle)
    return matrices
