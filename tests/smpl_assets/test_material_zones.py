"""The figure is dressed: each zone covers its part of the body, and its borders are clean."""

from dataclasses import replace

import numpy as np
import pytest
from reel2rig.smpl_assets.body import Body, open_body
from reel2rig.smpl_assets.material_zones import EYES, HAIR, IRISES, SHOES, SKIN, SUIT, ZoneTable, material_zones
from reel2rig.smpl_assets.skeleton import JOINT


@pytest.fixture(scope="module")
def body() -> Body:
    return open_body()


@pytest.fixture(scope="module")
def zones(body: Body) -> ZoneTable:
    return material_zones(body)


def zones_of(body: Body, zones: ZoneTable, joint: str) -> set[int]:
    """Zones of the triangles that only one joint moves."""
    rigid = body.weights[body.faces, JOINT[joint]].min(axis=1) > 0.99
    return set(zones.faces[rigid].tolist())


def test_torso_arms_and_legs_are_covered(body: Body, zones: ZoneTable) -> None:
    for joint in ("pelvis", "left_hip", "right_hip", "left_shoulder", "right_knee"):
        assert zones_of(body, zones, joint) == {SUIT}, joint


def test_hands_are_bare_and_feet_wear_shoes(body: Body, zones: ZoneTable) -> None:
    for side in ("left", "right"):
        assert zones_of(body, zones, f"{side}_hand") == {SKIN}
        assert zones_of(body, zones, f"{side}_foot") == {SHOES}


def test_the_head_has_face_hair_and_eyes(body: Body, zones: ZoneTable) -> None:
    assert zones_of(body, zones, "head") == {SKIN, HAIR, EYES, IRISES}
    centres = body.v_template[body.faces].mean(axis=1)
    head = body.joint_template[JOINT["head"]]
    assert (centres[zones.faces == IRISES, 2] > head[2] + 0.05).all()
    assert (centres[zones.faces == HAIR, 1] > head[1] - 0.05).all()


def test_both_sides_are_dressed_alike(body: Body, zones: ZoneTable) -> None:
    centres = body.v_template[body.faces].mean(axis=1)
    for zone in (SUIT, SKIN, HAIR, SHOES, EYES, IRISES):
        left = (zones.faces == zone) & (centres[:, 0] > 0)
        right = (zones.faces == zone) & (centres[:, 0] < 0)
        assert abs(left.sum() - right.sum()) <= 0.01 * left.sum()


def test_borders_are_closed_loops_without_teeth(body: Body, zones: ZoneTable) -> None:
    """Cuffs, shoe tops and collar: each is one ring, whose vertices all have exactly two border edges."""
    assert body.quads is not None
    assert zones.quads is not None
    quads, suited = body.quads, zones.quads == SUIT
    owners: dict[tuple[int, int], list[int]] = {}
    for quad, corners in enumerate(quads.tolist()):
        for first, second in zip(corners, [*corners[1:], corners[0]], strict=True):
            if first != second:
                owners.setdefault((min(first, second), max(first, second)), []).append(quad)
    edges = [edge for edge, sides in owners.items() if len({bool(suited[side]) for side in sides}) == 2]
    counts = np.bincount(np.array(edges).ravel())
    assert set(counts[counts > 0].tolist()) == {2}
    assert 5 * 16 <= len(edges) <= 5 * 48


def test_quads_and_their_triangles_share_a_zone(body: Body, zones: ZoneTable) -> None:
    assert body.quads is not None
    assert zones.quads is not None
    assert len(zones.faces) == len(body.faces)
    assert len(zones.quads) == len(body.quads)
    corner = {tuple(quad[:3]): zone for quad, zone in zip(body.quads.tolist(), zones.quads.tolist(), strict=True)}
    shared = [
        (corner[tuple(face)], zone)
        for face, zone in zip(body.faces.tolist(), zones.faces.tolist(), strict=True)
        if tuple(face) in corner
    ]
    assert len(shared) == len(body.quads)
    assert all(of_quad == of_face for of_quad, of_face in shared)


def test_a_body_of_triangles_without_eyeballs_is_dressed_too(body: Body) -> None:
    """As licensed SMPL meshes are."""
    eyes = np.isin(material_zones(body).faces, (EYES, IRISES))
    plain = replace(body, quads=None, faces=body.faces[~eyes])
    zones = material_zones(plain)
    assert zones.quads is None
    assert set(zones.faces.tolist()) == {SUIT, SKIN, HAIR, SHOES}
    assert zones_of(plain, zones, "left_hand") == {SKIN}
