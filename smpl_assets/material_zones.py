"""Which part of the body wears what: a plain suit, shoes, short hair; bare hands, neck and face.

The zones are cut by planes placed from the joints of the rest pose, so they fit every body in SMPL's layout. Each plane
is moved and tilted a little to where the border is shortest: that is where it follows the mesh's own edge loops, and
cuffs and collar come out straight instead of ragged.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .body import Body
from .rotation import matrix_from_axis_angle
from .skeleton import JOINT

SUIT, SKIN, HAIR, SHOES, EYES, IRISES = range(6)
ZONE_NAMES: Final = ("suit", "skin", "hair", "shoes", "eyes", "irises")
ZONE_COLOURS: Final = (
    (0.082, 0.145, 0.205),
    (0.520, 0.310, 0.215),
    (0.030, 0.020, 0.015),
    (0.030, 0.032, 0.036),
    (0.780, 0.770, 0.740),
    (0.050, 0.032, 0.020),
)
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ZoneTable:
    """Material zones of a body.

    names (Z,); colours (Z, 3) linear RGB, 0..1; faces (F,) zone of each triangle; quads (Q,) zone of each quad, None
    for a body that has only triangles. Both triangles of a quad are in its zone.
    """

    names: tuple[str, ...]
    colours: NDArray[np.float32]
    faces: NDArray[np.int64]
    quads: NDArray[np.int64] | None


@lru_cache(maxsize=8)
def material_zones(body: Body) -> ZoneTable:
    """The zones of a body's polygons, from its rest pose and skinning weights."""
    polygons = body.faces if body.quads is None else body.quads
    zones = _zones(_Surface.of(body, polygons), body)
    colours = np.array(ZONE_COLOURS, np.float32)
    if body.quads is None:
        return ZoneTable(ZONE_NAMES, colours, zones, None)
    triangles = np.where(body.quads[:, 2] == body.quads[:, 3], 1, 2)
    return ZoneTable(ZONE_NAMES, colours, np.repeat(zones, triangles), zones)


@dataclass(frozen=True, eq=False)
class _Surface:
    """Polygons with what a border between them costs: centres (N, 3), neighbours (E, 2), edge lengths (E,)."""

    polygons: NDArray[np.int64]
    centres: Floats
    neighbours: NDArray[np.int64]
    lengths: Floats

    @classmethod
    def of(cls, body: Body, polygons: NDArray[np.int64]) -> "_Surface":
        vertices = body.v_template.astype(np.float64)
        edges = np.sort(np.stack([polygons, np.roll(polygons, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
        owners = np.repeat(np.arange(len(polygons)), polygons.shape[1])
        order = np.lexsort(edges.T)
        edges, owners = edges[order], owners[order]
        shared = (edges[1:] == edges[:-1]).all(axis=1) & (owners[1:] != owners[:-1])
        ends = vertices[edges[1:][shared]]
        return cls(
            polygons,
            vertices[polygons].mean(axis=1),
            np.stack([owners[:-1][shared], owners[1:][shared]], axis=1),
            np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1),
        )

    def border_length(self, mask: Mask) -> float:
        """Length in metres of the border of a set of polygons."""
        return float(self.lengths[mask[self.neighbours[:, 0]] != mask[self.neighbours[:, 1]]].sum())

    def shortest(self, candidates: list[Mask]) -> Mask:
        """The candidate with the shortest border."""
        return min(candidates, key=self.border_length)

    def trimmed(self, mask: Mask, rounds: int = 8) -> Mask:
        """The mask without teeth: polygons with most of their outline beyond the border change sides."""
        first, second = self.neighbours.T
        for _ in range(rounds):
            differs = np.where(mask[first] != mask[second], self.lengths, -self.lengths)
            gain = np.bincount(first, differs, len(mask)) + np.bincount(second, differs, len(mask))
            mask = mask ^ (gain > 0)
        return mask

    def beyond(self, point: Floats, normals: list[Floats], offsets: Floats) -> Mask:
        """Polygons beyond the plane with the shortest border, of those through ``point + offset * normal``."""
        heights = [(self.centres - point) @ normal for normal in normals]
        return self.shortest([height > offset for height, offset in product(heights, offsets)])


def _zones(surface: _Surface, body: Body) -> NDArray[np.int64]:
    joints = body.joint_template.astype(np.float64)
    zones = np.full(len(surface.polygons), SUIT)
    for side in ("left", "right"):
        zones[_hand(surface, joints, side)] = SKIN
        zones[_shoe(surface, joints, side)] = SHOES
    head = _neck_and_head(surface, joints)
    zones[head] = SKIN
    zones[head & _hair(surface, joints, head)] = HAIR
    for eye in _eyes(body):
        zones[eye[surface.polygons[:, 0]]] = EYES
        zones[eye[surface.polygons[:, 0]] & _iris(surface, body.v_template[eye])] = IRISES
    return zones


def _hand(surface: _Surface, joints: Floats, side: str) -> Mask:
    wrist, elbow = joints[JOINT[f"{side}_wrist"]], joints[JOINT[f"{side}_elbow"]]
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    return surface.beyond(wrist, [_tilted(along, degrees, 2) for degrees in (-10, 0, 10)], np.linspace(-0.03, 0.0, 13))


def _shoe(surface: _Surface, joints: Floats, side: str) -> Mask:
    ankle = joints[JOINT[f"{side}_ankle"]]
    own_side = np.sign(surface.centres[:, 0]) == np.sign(ankle[0])
    downwards = [_tilted(np.array([0.0, -1.0, 0.0]), degrees, 0) for degrees in (-10, 0, 10)]
    return own_side & surface.beyond(ankle, downwards, np.linspace(-0.06, -0.02, 17))


def _neck_and_head(surface: _Surface, joints: Floats) -> Mask:
    neck = joints[JOINT["neck"]]
    upwards = [_tilted(np.array([0.0, 1.0, 0.0]), degrees, 0) for degrees in range(10, 45, 5)]
    return surface.beyond(neck, upwards, np.linspace(-0.01, 0.04, 21))


def _hair(surface: _Surface, joints: Floats, head: Mask) -> Mask:
    """Above the forehead, and behind the ears down to the nape; sizes are shares of the height from neck to crown."""
    neck = joints[JOINT["neck"]]
    crown = surface.centres[head, 1].max()
    size = crown - neck[1]
    _, y, z = ((surface.centres - [0.0, neck[1], joints[JOINT["head"]][2]]) / size).T
    candidates = [
        surface.trimmed(head & ((y - slope * z > top) | ((z < behind) & (y > nape))))
        for slope, top, behind, nape in product(
            (-0.15, 0.0, 0.15), np.linspace(0.66, 0.74, 5), np.linspace(-0.14, -0.06, 3), np.linspace(0.26, 0.38, 4)
        )
    ]
    return surface.shortest(candidates)


def _iris(surface: _Surface, eyeball: NDArray[np.float32]) -> Mask:
    """Polygons that look forward within 27 degrees as seen from the middle of an eyeball (n, 3)."""
    direction = surface.centres - (eyeball.min(axis=0) + eyeball.max(axis=0)) / 2
    return direction[:, 2] > np.cos(np.radians(27)) * np.linalg.norm(direction, axis=1)


def _eyes(body: Body) -> list[Mask]:
    """Eyeballs as vertex masks: separate pieces of the mesh, smaller than a tenth of it, moved by the head alone."""
    pieces = _connected_pieces(len(body.v_template), body.faces)
    labels, counts = np.unique(pieces, return_counts=True)
    small = labels[counts < 0.1 * len(pieces)]
    masks = [pieces == label for label in small]
    return [mask for mask in masks if (body.weights[mask, JOINT["head"]] > 0.99).all()]


def _connected_pieces(vertex_count: int, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each vertex the lowest vertex number of the piece of mesh it belongs to."""
    label = np.arange(vertex_count)
    while True:
        lowest = label[faces].min(axis=1)
        spread = label.copy()
        for corner in faces.T:
            np.minimum.at(spread, corner, lowest)
        spread = spread[spread]
        if (spread == label).all():
            return label
        label = spread


def _tilted(direction: Floats, degrees: float, axis: int) -> Floats:
    """A direction turned about one of the axes x, y, z."""
    turn = np.zeros(3)
    turn[axis] = np.radians(degrees)
    return matrix_from_axis_angle(turn) @ direction
