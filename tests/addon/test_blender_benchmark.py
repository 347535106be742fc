"""The measurements of benchmarks/blender.py on a few frames: that they measure what they say, not how fast it is."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.character.character import figures_of
from reel2rig.benchmarks import blender

FRAMES = 5


def a_function_of_the_addon(*_arguments: Any) -> None:
    """Called by Blender at every frame."""


a_function_of_the_addon.__module__ = "reel2rig.addon.capture.capture_panel"


@pytest.fixture
def slowed() -> Iterator[None]:
    """A handler as we must not have one."""
    bpy.app.handlers.frame_change_post.append(a_function_of_the_addon)
    yield
    bpy.app.handlers.frame_change_post.remove(a_function_of_the_addon)


def test_all_measurements_give_figures() -> None:
    results = blender.measure(FRAMES, rounds=1)
    assert results["blender"] == bpy.app.version_string
    for name in blender.MEASUREMENTS:
        assert results[name]
        assert all(math.isfinite(value) and value >= 0 for value in results[name].values()), name
    assert results["fbx"]["megabytes"] > 0.1
    assert not hasattr(bpy.types.Scene, "reel2rig")  # the extension is taken back


def test_the_median_of_the_rounds_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([{"s": 3.0}, {"s": 1.0}, {"s": 2.0}])
    monkeypatch.setattr(blender, "MEASUREMENTS", {"any": lambda count, folder: next(figures)})
    assert blender.measure(FRAMES, rounds=3)["any"] == {"s": 2.0}


@pytest.mark.usefixtures("addon")
def test_nothing_of_ours_runs_at_every_frame(tmp_path: Path) -> None:
    assert blender.handlers(FRAMES, tmp_path)["each_frame"] == 0


@pytest.mark.usefixtures("addon", "slowed")
def test_a_handler_of_ours_would_be_counted(tmp_path: Path) -> None:
    figures = blender.handlers(FRAMES, tmp_path)
    assert figures["each_frame"] == 1
    assert figures["all"] >= 1


@pytest.mark.usefixtures("addon")
def test_the_character_of_the_benchmark_moves_and_its_mesh_with_it(tmp_path: Path) -> None:
    _, rig = blender.import_seconds(blender.swinging_motion(FRAMES), tmp_path)
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (1, FRAMES)
    assert len(rig.pose.bones) >= 24

    def mesh() -> Any:  # as frame_set has left it: this property evaluates nothing
        vertices = figures_of(rig)[0].evaluated_get(bpy.context.view_layer.depsgraph).data.vertices
        places = np.empty(3 * len(vertices), np.float32)
        vertices.foreach_get("co", places)
        return places

    first = mesh()
    blender.frames_per_second()
    assert scene.frame_current == FRAMES
    assert np.abs(mesh() - first).max() > 0.01


@pytest.mark.usefixtures("addon")
def test_keys_stand_on_every_frame(tmp_path: Path) -> None:
    blender.keying(FRAMES, tmp_path)
    keyed = next(action for action in bpy.data.actions if action.name.startswith("keyed"))
    assert tuple(keyed.frame_range) == (1.0, FRAMES)


@pytest.mark.usefixtures("addon")
def test_a_cancelled_operator_is_no_measurement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(blender, "write_motion", lambda path, motion: path.write_bytes(b"broken"))
    with pytest.raises(RuntimeError):
        blender.importing(FRAMES, tmp_path)
