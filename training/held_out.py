"""Pairs to evaluate on: every held-out clip from its first frame to its last, at 30 frames a second, before several
random cameras. The same seed gives the same people and cameras in every case, so that two cases differ in the one thing
that their names say."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .detector_noise import DetectorNoise
from .errors import TrainingDataError
from .motion_set import MotionSet, Shards
from .synthesis import Augmentation, Batch, PairMaker

FPS = 30.0
LONGEST_PIECE = 81  # frames; longer clips are cut evenly
SHORTEST_PIECE = 3  # frames that an acceleration needs
LARGEST_SHARE = 0.8  # of the picture's height that a person's stature may fill
WIDTH, HEIGHT = 0.9, 1.2  # room that a person needs about the pelvis, arms and perspective counted; statures


@dataclass(frozen=True)
class Lens:
    """A lens in the place of each drawn one. field_of_view: degrees across the longer side.

    same_framing False: the camera stays where it is, so that a wide lens shows the person smaller. True: it moves until
    the person fills the same share of the picture, so that perspective changes with the lens.
    """

    field_of_view: tuple[float, float]
    same_framing: bool = False


@dataclass(frozen=True)
class Case:
    """What is evaluated. With a ``lens``, the whole person is in the picture, moves on the spot and keeps its place
    in fractions of the picture: then cases differ in the lens alone."""

    augmentation: Augmentation
    noise: DetectorNoise
    lens: Lens | None = None


class HeldOutPairs(PairMaker):
    """Deterministic batches, each one piece of a clip before ``cameras`` cameras and with as many body shapes."""

    def __init__(
        self, motions: MotionSet, case: Case, *, cameras: int, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(motions, seed, augmentation=case.augmentation, noise=case.noise, device=device)
        self.motions, self.case, self.cameras, self.seed = motions, case, cameras, seed
        self.pieces = pieces(motions)
        self.piece = self.pieces[0]

    def __iter__(self) -> Iterator[Batch]:
        """All pieces. Each has random numbers of its own, whatever was drawn for the ones before."""
        for number, piece in enumerate(self.pieces):
            self.piece = piece
            self.random.manual_seed(self.seed * 1_000_003 + number)
            yield self.batch(self.cameras, len(piece[1]))

    def _windows(self, count: int, frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Clip (B,), quaternions (B, T, 24, 4), pelvis (B, T, 3), fps (B,): the same motion for all cameras."""
        clip, position = self.piece
        below = np.minimum(position.astype(np.int64), self.motions.length[clip] - 2)
        rows = self.motions.start[clip] + below
        part = (position - below).astype(np.float32)[:, None]
        pelvis, quaternions = (
            between(values, rows, part) for values in (self.motions.pelvis, self.motions.quaternions)
        )
        quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
        if self.case.lens is not None:
            pelvis = pelvis * np.array([0.0, 1.0, 0.0], np.float32)
        moved, turned = (
            torch.as_tensor(values, device=self.device)[None].expand(count, *values.shape)
            for values in (pelvis, quaternions)
        )
        return (
            torch.full((count,), clip, device=self.device),
            turned,
            moved,
            torch.full((count,), FPS, device=self.device),
        )

    def _cameras(self, count: int, stature: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        drawn = super()._cameras(count, stature)
        if self.case.lens is None:
            return drawn
        return through_lens(*drawn, stature, self.augmentation.field_of_view, self.case.lens)


def pieces(motions: MotionSet) -> list[tuple[int, np.ndarray]]:
    """Clip and positions in its frames (T,) of every piece: all clips whole, or in even parts of up to 81 frames.

    Raises TrainingDataError when all clips are shorter than 3 frames at 30 frames a second.
    """
    found = []
    for clip, (length, fps) in enumerate(zip(motions.length, motions.fps, strict=True)):
        positions = np.arange(0, length - 1 + 1e-6, fps / FPS)
        if length >= 2 and len(positions) >= SHORTEST_PIECE:
            parts = -(-len(positions) // LONGEST_PIECE)
            found += [(clip, part) for part in np.array_split(positions, parts)]
    if not found:
        raise TrainingDataError("All validation clips are too short to evaluate on. Preprocess longer motion.")
    return found


def between(values: np.ndarray | Shards, rows: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Values (T, ...) between the frames ``rows`` (T,) and the next ones, ``part`` (T, 1) of the way."""
    share = part.reshape(len(rows), *[1] * (len(values.shape) - 1))
    return values[rows] * (1 - share) + values[rows + 1] * share


def through_lens(
    to_camera: Tensor,
    up: Tensor,
    offset: Tensor,
    half: Tensor,
    stature: Tensor,
    drawn_from: tuple[float, float],
    lens: Lens,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same views (camera_from_body (B, 3, 3), up (B, 3), place (B, 3) m, half picture (B, 2)) through ``lens``.

    The fields of view ``drawn_from`` are mapped in order to those of the lens. Before that, the person is moved until
    it is in the picture as a whole: back to LARGEST_SHARE of its height, and towards its middle.
    """
    longer = half.amax(1, keepdim=True)
    order = (torch.rad2deg(2 * torch.atan(longer)) - drawn_from[0]) / (drawn_from[1] - drawn_from[0])
    degrees = lens.field_of_view[0] + order * (lens.field_of_view[1] - lens.field_of_view[0])
    new_half = half / longer * torch.tan(torch.deg2rad(degrees) / 2)
    share = (stature / (2 * half[:, 1] * offset.norm(dim=1))).clamp_max(LARGEST_SHARE)
    reach = torch.stack([WIDTH * half[:, 1] / half[:, 0], torch.full_like(share, HEIGHT)], 1) * share[:, None]
    room = (1 - reach).clamp_min(0)
    place = (offset[:, :2] / offset[:, 2:] / half).clamp(-room, room)
    new_ray = _ray(place * new_half)
    if lens.same_framing:
        new_offset = new_ray * (stature / (2 * new_half[:, 1] * share))[:, None]
    else:
        distance = _ray(place * half).norm(dim=1) * stature / (2 * half[:, 1] * share)
        new_offset = new_ray / new_ray.norm(dim=1, keepdim=True) * distance[:, None]
    turn = _turn_between(offset, new_ray)
    return turn @ to_camera, (turn @ up[..., None])[..., 0], new_offset, new_half


def _ray(slopes: Tensor) -> Tensor:
    return torch.cat([slopes, torch.ones_like(slopes[:, :1])], 1)


def _turn_between(first: Tensor, second: Tensor) -> Tensor:
    """The shortest rotations (B, 3, 3) from directions (B, 3) to others: a person carried across the picture is seen
    from the same side."""
    a, b = (v / v.norm(dim=1, keepdim=True) for v in (first, second))
    v = torch.linalg.cross(a, b)
    zero = torch.zeros_like(v[:, 0])
    rows = [zero, -v[:, 2], v[:, 1], v[:, 2], zero, -v[:, 0], -v[:, 1], v[:, 0], zero]
    skew = torch.stack(rows, 1).reshape(-1, 3, 3)
    scale = 1 / (1 + (a * b).sum(1))
    return torch.eye(3, device=first.device) + skew + skew @ skew * scale[:, None, None]
