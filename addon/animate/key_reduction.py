"""Fewer keys with a promise in metres: no joint strays further from the full motion than allowed. Needs numpy only.

Between two keys a channel runs as a cubic whose handles stand at thirds of the interval, so that Blender's Bezier
interpolation is that cubic in time; handles are fitted by least squares (Schneider, An algorithm for automatically
fitting digitized curves, 1990). Beginning with a key on every frame, every other key of a channel is tried away at a
time, and stays away where all joints that the channel moves stay within the tolerance, seen together with what other
channels have strayed already. A turn's effect on a joint is taken as linear (turn x arm), which small errors allow;
the exact pose is compared at the end, and keys come back where it is too far off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ...smpl_assets.rotation import Array, cross_matrix, matrix_from_quaternion
from ..character.posed_skeleton import PoseChannels, Skeleton, pose_of, unit
from .measured_points import MeasuredPoints

Channel = Literal["location", "rotation_quaternion"]
Indices = NDArray[np.intp]
Marks = NDArray[np.bool_]
ALONE_ROUNDS: Final = 5
SHARED_STEPS: Final = (0.5, 0.75, 0.9, 0.98)  # of the tolerance; the rest is for what is not linear
STEADY: Final = 4.0


@dataclass(frozen=True)
class Moments:
    """kept (T, channels) marks keys that must stay, steady (T, B) bones held to a quarter of the tolerance."""

    kept: Marks
    steady: Marks

    @staticmethod
    def none(frames: int, channels: int, bones: int) -> "Moments":
        """No marks at all."""
        return Moments(np.zeros((frames, channels), bool), np.zeros((frames, bones), bool))


class Shown(Protocol):
    """A body that follows the reduced bones in other ways than a child its parent."""

    def errors(self, channels: PoseChannels) -> Array:
        """Distances (T, P) in metres of its points from where the full motion has them."""
        ...

    def moved_by(self, bone: int, at_all: bool) -> Indices:
        """Points that the reduced ``bone`` moves most, or all that it moves ``at_all``."""
        ...


@dataclass(frozen=True)
class ReducedTrack:
    """One bone's channel: keys (K,) as indices of frames, their values (K, C), handles' values (K - 1, C).

    leaving: right handles of all keys but the last; arriving: left handles of all keys but the first. Both stand at
    thirds of their intervals.
    """

    bone: int
    channel: Channel
    keys: Indices
    values: Array
    leaving: Array
    arriving: Array


def reduce_keys(
    skeleton: Skeleton,
    channels: PoseChannels,
    frames: Array,
    keyed: Sequence[tuple[int, Channel]],
    tolerance: float,
    moments: Moments | None = None,
    shown: Shown | None = None,
) -> list[ReducedTrack]:
    """Keys for the channels ``keyed`` (bone, channel) that keep all measured points within ``tolerance`` (m).

    channels: the full motion at ``frames`` (T,), T > 0, rising. moments: where more care is taken.
    shown: what a rig shows for its controls, which is held to the tolerance too.
    """
    moments = moments or Moments.none(len(frames), len(keyed), len(skeleton.names))
    state = _Reduction(skeleton, channels, frames, tolerance, moments.steady, shown)
    tracks = [_Track.of(state, bone, channel) for bone, channel in keyed]
    for number, track in enumerate(tracks):
        track.kept |= moments.kept[:, number]
    state.reduce(tracks)
    return [track.result() for track in tracks]


def fitted_cubics(values: Array, frames: Array, keys: Indices) -> tuple[Array, Array, Array]:
    """The cubics nearest to values (T, C) between ``keys`` (K,): their values (T, C), handles (K - 1, C) twice.

    keys index frames (T,), from 0 to T - 1. Returns values, right handles of left keys, left handles of right keys.
    """
    if len(keys) < 2:
        nothing = values[:0]
        return values.copy(), nothing, nothing
    starts, counts = keys[:-1], np.diff(keys)
    span = np.repeat(frames[keys[1:]] - frames[starts], counts)
    u = ((frames[:-1] - np.repeat(frames[starts], counts)) / span)[:, None]
    first, last = values[starts], values[keys[1:]]
    chord = np.repeat(first, counts, axis=0) + u * np.repeat(last - first, counts, axis=0)
    near, far = 3.0 * u * (1.0 - u) ** 2, 3.0 * u**2 * (1.0 - u)
    off = values[:-1] - chord
    # normal equations of two unknowns; where one frame lies between two keys, the shortest handles
    a = np.add.reduceat(near * near, starts) + 1e-9
    b = np.add.reduceat(near * far, starts)
    d = np.add.reduceat(far * far, starts) + 1e-9
    e, f = np.add.reduceat(near * off, starts), np.add.reduceat(far * off, starts)
    determinant = a * d - b * b
    leave, arrive = (d * e - b * f) / determinant, (a * f - b * e) / determinant
    result = values.copy()
    result[:-1] = chord + near * np.repeat(leave, counts, axis=0) + far * np.repeat(arrive, counts, axis=0)
    return result, first + (last - first) / 3.0 + leave, first + 2.0 * (last - first) / 3.0 + arrive


class _Reduction:
    """The full motion, and how far (3, T, P) all points have strayed from it so far."""

    def __init__(
        self,
        skeleton: Skeleton,
        channels: PoseChannels,
        frames: Array,
        tolerance: float,
        steady: Marks,
        shown: Shown | None,
    ) -> None:
        self.shown = shown
        self.skeleton, self.channels, self.frames, self.tolerance = skeleton, channels, frames, tolerance
        self.pose = pose_of(skeleton, channels)
        self.measured = MeasuredPoints.of(skeleton)
        self.points = self.measured.places(self.pose).astype(np.float32)
        self.strayed = np.zeros_like(self.points)
        self.strictness = np.where(steady, STEADY, 1.0)[:, self.measured.owners].astype(np.float32)

    def moved_by(self, bone: int, channel: Channel) -> Indices:
        """Points that a bone's channel moves: a turn leaves the bone's own head in place."""
        below = _bones_below(self.skeleton, bone)
        moved = np.isin(self.measured.owners, below)
        if channel == "rotation_quaternion":
            moved &= (self.measured.owners != bone) | self.measured.off_centre
        return np.flatnonzero(moved)

    def reduce(self, tracks: "list[_Track]") -> None:
        depth = max((len(_chain(self.skeleton, track.bone)) for track in tracks), default=1)
        for _ in range(ALONE_ROUNDS):
            for track in tracks:
                track.thin_alone(self.tolerance / (depth + 2))
        for track in tracks:
            self.strayed[:, :, track.points] += track.shift(track.fitted - track.values)
        for share in SHARED_STEPS:
            for track in tracks:
                track.thin_together(share * self.tolerance)
        self._mend(tracks)
        if self.shown is not None:
            self._mend_shown(tracks, self.shown)

    def _mend(self, tracks: "list[_Track]") -> None:
        """Give keys back where the exact pose is too far off; ends, as all keys are exact."""
        while (errors := self._errors(tracks)).max() > self.tolerance:
            for track in tracks:
                track.add_keys(_peaks(errors[:, track.points], self.tolerance))

    def _mend_shown(self, tracks: "list[_Track]", shown: Shown) -> None:
        """The same for what is shown: keys of what moves it most, and where those are all there of what else does."""
        while (errors := shown.errors(self._reduced(tracks))).max() > self.tolerance:
            before = sum(len(track.keys) for track in tracks)
            for at_all in (False, True):
                for track in tracks:
                    track.add_keys(_peaks(errors[:, shown.moved_by(track.bone, at_all)], self.tolerance))
                if sum(len(track.keys) for track in tracks) > before:
                    break
            else:
                return

    def _errors(self, tracks: "list[_Track]") -> Array:
        reduced = pose_of(self.skeleton, self._reduced(tracks))
        return self.measured.apart(self.pose, reduced) * self.strictness

    def _reduced(self, tracks: "list[_Track]") -> PoseChannels:
        locations, quaternions = self.channels.locations.copy(), self.channels.quaternions.copy()
        for track in tracks:
            target = locations if track.channel == "location" else quaternions
            target[:, track.bone] = track.fitted
        return PoseChannels(locations, quaternions)


@dataclass
class _Track:
    """One bone's channel on its way to fewer keys. sway (T, 3, C): turn or shift that a change of values makes."""

    state: _Reduction
    bone: int
    channel: Channel
    values: Array
    sway: Array
    points: Indices
    kept: Marks
    keys: Indices
    fitted: Array
    reach: float
    strictest: Array
    arms: Array | None = field(default=None)

    @staticmethod
    def of(state: _Reduction, bone: int, channel: Channel) -> "_Track":
        source = state.channels.locations if channel == "location" else state.channels.quaternions
        values = source[:, bone]
        points = state.moved_by(bone, channel)
        sway, arms, reach = _own_axes(state, bone, channel), None, 1.0
        if channel == "rotation_quaternion":
            sway = 2.0 * sway @ _quaternion_change(unit(values)) / np.linalg.norm(values, axis=-1)[:, None, None]
            arms = state.points[:, :, points] - state.points[:, :, bone, None]
            reach = float(np.sqrt((arms**2).sum(axis=0).max()))
        return _Track(
            state=state,
            bone=bone,
            channel=channel,
            values=values,
            sway=sway,
            points=points,
            kept=np.zeros(len(values), bool),
            keys=np.arange(len(values)),
            fitted=values.copy(),
            reach=reach,
            strictest=state.strictness[:, points].max(axis=1) ** 2,
            arms=arms,
        )

    def shift(self, change: Array) -> Array:
        """How the points (3, T, P) move when the values change (T, C)."""
        sway = (self.sway @ change[..., None]).astype(np.float32)
        x, y, z = sway[:, 0], sway[:, 1], sway[:, 2]
        if self.arms is None:
            return np.stack([x, y, z])
        a, b, c = self.arms
        return np.stack([y * c - z * b, z * a - x * c, x * b - y * a])

    def thin_alone(self, allowed: float) -> None:
        """Try every other key away, with ``allowed`` metres at the furthest point for this channel by itself."""
        for parity in (0, 1):
            merged, fitted, dropped = self._without_every_other(parity)
            if not len(dropped):
                continue
            sway = (self.sway @ (fitted - self.values)[..., None])[..., 0]
            squared = self.reach**2 * np.einsum("ta,ta->t", sway, sway)
            self._accept(merged, fitted, dropped, squared * self.strictest, allowed)

    def thin_together(self, allowed: float) -> None:
        """Try every other key away, with ``allowed`` metres for what all channels have strayed together."""
        strayed = self.state.strayed
        for parity in (0, 1):
            merged, fitted, dropped = self._without_every_other(parity)
            if not len(dropped):
                continue
            moved = strayed[:, :, self.points] + self.shift(fitted - self.fitted)
            squared = np.einsum("atp,atp->tp", moved, moved) * self.state.strictness[:, self.points] ** 2
            good = self._accept(merged, fitted, dropped, squared.max(axis=1), allowed)
            rows = np.flatnonzero(good)
            strayed[:, rows[:, None], self.points] = moved[:, rows]

    def add_keys(self, rows: Indices) -> None:
        """Put keys on the frames ``rows`` (N,)."""
        if not len(rows):
            return
        self.keys = np.union1d(self.keys, rows)
        self.fitted = fitted_cubics(self.values, self.state.frames, self.keys)[0]

    def result(self) -> ReducedTrack:
        _, leaving, arriving = fitted_cubics(self.values, self.state.frames, self.keys)
        return ReducedTrack(self.bone, self.channel, self.keys, self.values[self.keys], leaving, arriving)

    def _without_every_other(self, parity: int) -> tuple[Indices, Array, Indices]:
        inner = np.arange(1, len(self.keys) - 1)
        dropped = inner[(inner % 2 == parity) & ~self.kept[self.keys[1:-1]]]
        merged = np.delete(self.keys, dropped)
        return merged, fitted_cubics(self.values, self.state.frames, merged)[0], self.keys[dropped]

    def _accept(self, merged: Indices, fitted: Array, dropped: Indices, squared: Array, allowed: float) -> Marks:
        """Take the new intervals that are near enough; returns the frames (T,) on which they are."""
        worst = np.maximum.reduceat(squared[:-1], merged[:-1])
        good = np.zeros(len(squared), bool)
        good[:-1] = np.repeat(worst <= allowed**2, np.diff(merged))
        self.keys = np.sort(np.concatenate([merged, dropped[~good[dropped]]]))
        self.fitted[good] = fitted[good]
        return good


def _peaks(errors: Array, limit: float) -> Indices:
    """Frames at which the worst of errors (T, P) is above ``limit`` and not below the frames beside."""
    worst = errors.max(axis=1, initial=0.0)
    beside = np.maximum(np.r_[worst[1:], 0.0], np.r_[0.0, worst[:-1]])
    return np.flatnonzero((worst > limit) & (worst >= beside))


def _own_axes(state: _Reduction, bone: int, channel: Channel) -> Array:
    """Axes (T, 3, 3) in which the bone's channel acts: a location before the bone's own turn, a turn after it."""
    turned = state.pose.axes[:, bone]
    if channel == "rotation_quaternion":
        return turned
    return turned @ np.swapaxes(matrix_from_quaternion(unit(state.channels.quaternions[:, bone])), -1, -2)


def _quaternion_change(quaternions: Array) -> Array:
    """Matrices (T, 3, 4) that take a small change of unit quaternions (T, 4) to half the turn, in the turned axes."""
    change = np.empty((len(quaternions), 3, 4))
    change[..., 0] = -quaternions[:, 1:]
    change[..., 1:] = quaternions[:, :1, None] * np.eye(3) - cross_matrix(quaternions[:, 1:])
    return change


def _chain(skeleton: Skeleton, bone: int) -> list[int]:
    chain = []
    while bone >= 0:
        chain.append(bone)
        bone = skeleton.parents[bone]
    return chain


def _bones_below(skeleton: Skeleton, bone: int) -> list[int]:
    return [other for other in range(len(skeleton.names)) if bone in _chain(skeleton, other)]
