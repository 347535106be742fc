"""Corrections on marked ranges are about the right seconds of the clip, and deleting is only for the file's own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.capture import refit
from reel2rig.addon.capture.correct import frames_of, marked_seconds
from reel2rig.addon.character.character import import_motions
from reel2rig.addon.character.confidence import doubtful_stretches
from reel2rig.addon.character.delete_character import delete_character
from reel2rig.lifter.corrections import Correction
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body


def mark(scene: Any, first: int, last: int) -> None:
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, first, last


def held(scene: Any, rig: Any, clip_rate: float) -> list[int]:
    """The clip's frames, from 0, that a correction of the marked range holds."""
    marked = marked_seconds(scene, rig)
    assert marked is not None
    return np.flatnonzero(Correction("swap", 1, *marked).holds(np.arange(60) / clip_rate)).tolist()


@pytest.mark.parametrize("rate", [10, 24, 25, 30, 60, 120, 240])
def test_at_equal_rates_the_marked_frames_are_corrected_and_no_others(
    scene: Any, motion_path: Path, body: Body, rate: int
) -> None:
    scene.render.fps = rate
    rig = import_motions(scene, [motion_path], body, frame_rate="scene")[0].rig
    mark(scene, 4, 10)
    assert held(scene, rig, rate) == [3, 4, 5, 6, 7, 8, 9]
    mark(scene, 1, 1)
    assert held(scene, rig, rate) == [0]


def test_at_other_rates_pictures_between_the_marked_frames_are_corrected_too(
    scene: Any, motion_path: Path, body: Body
) -> None:
    scene.render.fps = 24
    rig = import_motions(scene, [motion_path], body, frame_rate="scene")[0].rig
    mark(scene, 3, 3)
    assert held(scene, rig, 30.0) == [2, 3]  # at 67 and 100 ms, the frame shows 63 to 104 ms
    mark(scene, 3, 4)
    assert held(scene, rig, 60.0) == [4, 5, 6, 7, 8]


def test_seconds_are_those_of_the_rate_that_the_character_was_keyed_at(
    scene: Any, motion_path: Path, body: Body
) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    scene.render.fps = 24
    mark(scene, 16, 31)
    assert held(scene, rig, 30.0) == list(range(15, 31))
    marked = marked_seconds(scene, rig)
    assert marked is not None
    assert frames_of(scene, rig, Correction("swap", 1, *marked)) == (16, 31)


def doubtful(motion: Motion, path: Path, corrections: list[str], low: float = 0.1) -> Path:
    """A capture that saw frames 12 to 19 badly and was fitted with ``corrections``."""
    sure = np.ones((40, 24), np.float32)
    sure[12:20] = low
    write_motion(path, replace(motion, confidence=sure, track_id=7))
    (path.parent / "capture.json").write_text(json.dumps({"corrections": corrections}), encoding="utf-8")
    return path


def test_doubt_is_in_seconds_of_the_clip_whatever_the_scenes_rate(
    scene: Any, motion: Motion, tmp_path: Path, body: Body
) -> None:
    rig = import_motions(scene, [doubtful(motion, tmp_path / "a.npz", [])], body)[0].rig
    scene.render.fps = 12
    assert doubtful_stretches(rig, scene) == [(pytest.approx(12 / 30), pytest.approx(19 / 30))]


@pytest.mark.parametrize(
    ("corrections", "markers"),
    [
        ([], 1),  # nobody was seen: that is worth a look
        (["unseen:7:0.4:0.633", "nonsense", 5], 0),
        (["unseen:7:0.38:0.52", "unseen:7:0.52:0.65"], 0),
        (["swap:7:0.4:0.633", "unseen:1:0.4:0.633"], 1),
    ],
)
def test_what_is_interpolated_already_is_not_marked(
    scene: Any, motion: Motion, tmp_path: Path, body: Body, corrections: list[Any], markers: int
) -> None:
    import_motions(scene, [doubtful(motion, tmp_path / "a.npz", corrections, low=0.0)], body)
    assert len(scene.timeline_markers) == markers


def test_what_is_interpolated_already_is_not_found_again(
    scene: Any, motion: Motion, tmp_path: Path, body: Body
) -> None:
    rig = import_motions(scene, [doubtful(motion, tmp_path / "a.npz", [])], body)[0].rig
    [(start, end)] = doubtful_stretches(rig, scene)
    assert doubtful_stretches(rig, scene, corrections=[Correction("unseen", 7, start, end)]) == []
    assert doubtful_stretches(rig, scene, corrections=[Correction("unseen", 7, start, start)]) != []


@pytest.mark.parametrize("rate", [30, 24, 60, 10])
def test_where_nobody_was_seen_the_fit_has_interpolated_by_itself(
    scene: Any, motion: Motion, tmp_path: Path, body: Body, rate: int
) -> None:
    scene.render.fps = rate
    unseen, hardly = (doubtful(motion, tmp_path / f"{low}.npz", [], low) for low in (0.0, 0.1))
    first, second = (import_motions(scene, [path], body, frame_rate="scene")[0].rig for path in (unseen, hardly))
    assert doubtful_stretches(first, scene) == []
    assert len(doubtful_stretches(second, scene)) == 1


@pytest.mark.usefixtures("addon")
def test_interpolating_twice_finds_nothing_the_second_time(
    motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fit_again(operator: Any, context: Any, rig: Any, corrections: list[Correction]) -> set[str]:
        asked.append(corrections)
        rig[refit.CORRECTIONS] = "\n".join(str(one) for one in corrections)
        return {"FINISHED"}

    monkeypatch.setattr(refit.FitsAgain, "fit_again", fit_again)
    bpy.ops.reel2rig.import_motion(filepath=str(doubtful(motion, tmp_path / "a.npz", [])))
    assert bpy.ops.reel2rig.interpolate_uncertain() == {"FINISHED"}
    assert bpy.ops.reel2rig.interpolate_uncertain() == {"CANCELLED"}
    assert len(asked) == 1


@pytest.mark.usefixtures("addon")
@pytest.mark.parametrize("override", [False, True])
def test_a_linked_character_cannot_be_deleted(motion_path: Path, tmp_path: Path, override: bool) -> None:
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path))
    assert bpy.ops.reel2rig.delete_person.poll()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.collections = ["walk"]
    scene = bpy.context.scene
    linked: Any = wanted.collections[0]
    if override:
        linked = linked.override_hierarchy_create(scene, bpy.context.view_layer)
    else:
        scene.collection.children.link(linked)
    rig = next(item for item in linked.all_objects if item.type == "ARMATURE")
    bpy.context.view_layer.objects.active = rig
    before = sorted(item.name_full for item in bpy.data.objects)
    assert not bpy.ops.reel2rig.delete_person.poll()
    with pytest.raises(InputError, match="linked"):
        delete_character(rig)
    assert sorted(item.name_full for item in bpy.data.objects) == before
