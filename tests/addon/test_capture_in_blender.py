"""A real clip through the operators, with the real worker: capture, correct, fit again, export. The rest is faked."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.capture.refit import corrections_of
from reel2rig.addon.character.character import figures_of
from reel2rig.lifter.motion_file import read_motion
from reel2rig.smpl_assets.skeleton import END

DEMO = Path(__file__).resolve().parents[2] / "examples" / "balancing.mp4"
LEFT_HEEL = END["left_heel"]
pytestmark = pytest.mark.usefixtures("addon")


def stature(rig: Any) -> float:
    """Metres from the soles to the crown at rest."""
    heights = [vertex.co.z for vertex in figures_of(rig)[0].data.vertices]
    return max(heights) - min(heights)


def test_from_the_clip_to_the_fbx(scene: Any, tmp_path: Path) -> None:
    scene.render.fps = 24
    part = {"start": 0.5, "end": 1.0, "preset": "fast", "device": "cpu"}
    assert bpy.ops.reel2rig.import_video(filepath=str(DEMO), folder=str(tmp_path / "캡처"), height=1.7, **part) == {
        "FINISHED"
    }
    (rig,) = [item for item in scene.objects if item.type == "ARMATURE"]
    folder = tmp_path / "캡처" / "balancing_capture"
    captured = read_motion(folder / "person_01.npz")
    assert scene.render.fps == 60
    assert tuple(rig.animation_data.action.frame_range) == (31, 31 + len(captured.poses) - 1)
    assert stature(rig) == pytest.approx(1.7, abs=0.01)

    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 35, 45
    assert bpy.ops.reel2rig.correct_range(kind="stand_left") == {"FINISHED"}
    assert [one.kind for one in corrections_of(rig)] == ["stand_left"]
    corrected = read_motion(folder / "person_01.npz")
    assert corrected.ends is not None
    assert corrected.times is not None
    heel = corrected.ends[(corrected.times >= 34 / 60) & (corrected.times <= 44 / 60), LEFT_HEEL]
    assert np.linalg.norm(np.diff(heel, axis=0), axis=-1).max() < 1e-3

    assert bpy.ops.reel2rig.refit(height=1.9) == {"FINISHED"}
    assert stature(rig) == pytest.approx(1.9, abs=0.01)
    assert bpy.ops.reel2rig.remove_correction(index=0) == {"FINISHED"}
    assert bpy.ops.reel2rig.refit(height=1.7) == {"FINISHED"}
    np.testing.assert_allclose(read_motion(folder / "person_01.npz").poses, captured.poses, atol=1e-5)
    assert bpy.ops.reel2rig.export_game(filepath=str(tmp_path / "a.fbx"), target="unity") == {"FINISHED"}
    assert (tmp_path / "a.fbx").stat().st_size > 100_000
