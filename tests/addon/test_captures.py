"""Captures in a Blender file: collections, camera and clip in time, several side by side, saved and loaded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.character.capture_collection import camera_in, camera_of, capture_of, people_of
from reel2rig.addon.character.character import import_motions
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body

CLIP = Path(__file__).resolve().parents[2] / "examples" / "balancing.mp4"  # 60 frames a second, 100 of them, 1088x1920
KOREAN = "춤추는 사람 🎬"


def saved(motion: Motion, path: Path, **changes: Any) -> Path:
    write_motion(path, replace(motion, **changes))
    return path


def picture_shown(scene: Any, camera: Any, frame: int) -> int:
    """The number, from 0, of the clip's picture that Blender shows behind the camera."""
    scene.frame_set(frame)
    evaluated = camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
    user = evaluated.data.background_images[0].image_user
    return frame - user.frame_start + user.frame_offset


@pytest.mark.parametrize("rate", [24.0, 25.0, 30000 / 1001, 30.0, 60.0, 120.0])
def test_the_picture_behind_the_camera_is_the_one_nearest_in_time(
    scene: Any, motion_path: Path, body: Body, rate: float
) -> None:
    scene.render.fps, scene.render.fps_base = round(rate), round(rate) / rate
    made = import_motions(scene, [motion_path], body, CLIP, frame_rate="scene")[0]
    assert made.warnings == ()
    for frame in (1, 2, 3, 17, 40):
        assert abs(picture_shown(scene, scene.camera, frame) - (frame - 1) / rate * 60.0) <= 0.501
    assert picture_shown(scene, scene.camera, 1 + round(50 * rate)) == pytest.approx(3000, abs=2)  # it goes on and on
    first, last = scene.camera.data.animation_data.action.frame_range
    assert (first, last) == (1, 1 + np.ceil(100 / 60 * rate))  # keys at the clip's ends


def test_an_unreadable_clip_is_a_warning(scene: Any, motion_path: Path, body: Body, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    for clip in (text, tmp_path / "none.mp4"):
        made = import_motions(scene, [motion_path], body, clip)[0]
        assert "cannot read" in made.warnings[0]
        assert "cannot read" in made.rig["reel2rig_warnings"]
    assert not bpy.data.images
    assert not bpy.data.movieclips


def test_a_capture_is_a_collection_with_its_camera_and_its_people(
    scene: Any, motion: Motion, tmp_path: Path, body: Body
) -> None:
    paths = [saved(motion, tmp_path / f"person_0{n}.npz", source=f"{KOREAN}.mp4 sha256:00") for n in (1, 2)]
    first, second = import_motions(scene, paths, body, CLIP)
    capture = bpy.data.collections[KOREAN]
    assert capture.name in scene.collection.children
    assert [item.name for item in capture.children] == [f"{KOREAN}_person_01", f"{KOREAN}_person_02"]
    assert list(capture.objects) == [scene.camera]
    assert scene.camera.name == f"{KOREAN} camera"
    for made in (first, second):
        assert set(made.rig.users_collection[0].objects) == {made.rig, made.figure}
        assert capture_of(made.rig) == capture
        assert camera_of(made.rig) == scene.camera
    assert people_of(capture["reel2rig_capture_id"]) == [first.rig, second.rig]


def test_a_lone_motion_file_is_a_capture_of_its_own(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    lone = saved(motion, tmp_path / "dance.npz", source="", camera_K=None)
    rig = import_motions(scene, [lone], body)[0].rig
    assert rig.name == "dance"
    assert capture_of(rig) == bpy.data.collections["dance"]
    assert camera_of(rig) is None


def test_two_captures_do_not_touch_each_other(scene: Any, motion: Motion, motion_path: Path, body: Body) -> None:
    one = import_motions(scene, [motion_path], body, CLIP)[0].rig
    camera, lens = scene.camera, scene.camera.data.lens
    keys = [tuple(point.co) for point in curves_of(one)[0].keyframe_points]
    small = saved(
        motion, motion_path.with_name("small.npz"), image_size=(500, 200), fps=25.0, source="run.mp4 sha256:1"
    )
    other = import_motions(scene, [small], body, CLIP)[0].rig
    assert scene.camera == camera_of(one) == camera
    assert camera_of(other) != camera
    assert (scene.render.resolution_x, scene.render.resolution_y, scene.camera.data.lens) == (1000, 760, lens)
    assert keys == [tuple(point.co) for point in curves_of(one)[0].keyframe_points]
    assert capture_of(one) != capture_of(other)
    again = import_motions(scene, [motion_path], body, CLIP)[0].rig  # the same clip once more
    assert capture_of(again) != capture_of(one)
    cameras: list[Any] = [camera_of(rig) for rig in (one, other, again)]
    assert len({camera.data.animation_data.action for camera in cameras}) == 3
    assert [picture_shown(scene, camera, 31) for camera in cameras] == [60, 60, 60]


@pytest.mark.parametrize(("animated", "camera", "stays"), [(1, 1, True), (0, 1, False), (1, 0, False)])
def test_an_animated_scene_keeps_its_own_camera_and_size(
    scene: Any, motion_path: Path, body: Body, animated: int, camera: int, stays: bool
) -> None:
    own = bpy.data.objects.new("Shot 7", bpy.data.cameras.new("Shot 7"))
    scene.collection.objects.link(own)
    scene.camera = own if camera else None
    scene.render.resolution_x, scene.render.resolution_y = 3840, 1608
    if animated:
        own.keyframe_insert("location", frame=1)
    made = import_motions(scene, [motion_path], body, CLIP)[0]
    size = (scene.render.resolution_x, scene.render.resolution_y)
    assert (scene.camera == own) == stays
    assert size == ((3840, 1608) if stays else (1000, 760))
    assert camera_of(made.rig).data.show_background_images  # type: ignore[union-attr]


def test_in_a_copy_of_the_scene_every_character_has_its_own_camera(scene: Any, motion_path: Path, body: Body) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.scene.new(type="FULL_COPY")
    copy = next(item for item in bpy.data.scenes if item != scene)
    for one in (scene, copy):
        one_rig = next(item for item in one.objects if item.type == "ARMATURE")
        assert camera_of(one_rig) == one.camera
    assert camera_of(rig) == scene.camera != copy.camera


def test_a_clip_of_another_shape_is_as_wide_as_the_view(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    def method(size: tuple[int, int]) -> str:
        for item in list(bpy.data.objects):
            bpy.data.objects.remove(item)
        path = saved(motion, tmp_path / "a.npz", image_size=size)
        import_motions(scene, [path], body, CLIP)
        return scene.camera.data.background_images[0].frame_method

    assert method((1088, 1920)) == "STRETCH"
    assert method((1920, 1080)) == "CROP"  # narrower than the view: what stands over is cut
    assert method((500, 1920)) == "FIT"


def curves_of(rig: Any) -> Any:
    animation = rig.animation_data
    return animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves


def test_a_saved_file_holds_everything(scene: Any, motion: Motion, body: Body, tmp_path: Path) -> None:
    path = saved(motion, tmp_path / "사람 1.npz", source=f"{KOREAN}.mp4 sha256:00")
    scene.render.fps = 24
    rig = import_motions(scene, [path], body, CLIP, frame_rate="scene")[0].rig
    before = {key: rig[key] for key in rig.keys()}  # noqa: SIM118 - a rig is no dictionary
    name, shown = rig.name, [picture_shown(scene, scene.camera, frame) for frame in (1, 10, 20)]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    scene, rig = bpy.context.scene, bpy.data.objects[name]
    assert {key: rig[key] for key in rig.keys()} == before  # noqa: SIM118
    assert shown == [picture_shown(scene, scene.camera, frame) for frame in (1, 10, 20)]
    assert camera_in(capture_of(rig)) == scene.camera
    assert scene.camera.data.background_images[0].image.frame_duration == 100
    np.testing.assert_array_equal([point.co.x for point in curves_of(rig)[0].keyframe_points][:3], [1, 2, 3])


def test_undo_takes_an_import_back_whole(addon: None, motion: Motion, tmp_path: Path) -> None:
    low = saved(motion, tmp_path / "사람 1.npz", confidence=np.zeros((40, 24), np.float32))
    window = bpy.context.window_manager.windows[0]
    bpy.context.scene.render.fps = 24
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.reel2rig.import_motion(filepath=str(low), clip=str(CLIP))
    assert bpy.context.scene.timeline_markers
    bpy.ops.ed.undo_push(message="Import Motion")  # a window does this by itself
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.undo()
    scene = bpy.context.scene
    kinds = (bpy.data.objects, bpy.data.actions, bpy.data.collections, bpy.data.images, scene.timeline_markers)
    assert [len(kind) for kind in kinds] == [0, 0, 0, 0, 0]
    assert (scene.render.fps, scene.camera) == (24, None)
    with bpy.context.temp_override(window=window):
        bpy.ops.ed.redo()
    assert picture_shown(bpy.context.scene, bpy.context.scene.camera, 31) == 60


def test_import_motion_keeps_the_scenes_rate_when_told(addon: None, motion_path: Path) -> None:
    bpy.context.scene.render.fps = 24
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path), frame_rate="scene")
    assert bpy.context.scene.render.fps == 24
    assert bpy.context.scene.frame_end == 1 + int(39 / 30 * 24)


def test_no_handler_is_installed(addon: None, motion_path: Path) -> None:
    def handlers() -> list[Any]:
        lists = [getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)]
        return [function for item in lists if isinstance(item, list) for function in item]

    before = handlers()
    bpy.ops.reel2rig.import_motion(filepath=str(motion_path), clip=str(CLIP))
    assert handlers() == before
