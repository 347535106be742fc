"""The rig in Blender is the body model: same joints, same mesh, same time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view  # pyright: ignore[reportMissingImports] - comes with bpy
from mathutils import Vector
from reel2rig.addon.character.character import active_character, character_name, import_motions
from reel2rig.addon.character.rest_pose import rest_pose
from reel2rig.addon.character.rig import posed_heads
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body, forward
from reel2rig.smpl_assets.skeleton import JOINT_NAMES, PARENTS


def heads_at(scene: Any, rig: Any, frame: float) -> np.ndarray:
    scene.frame_set(int(frame), subframe=frame % 1)
    return posed_heads(rig, bpy.context.evaluated_depsgraph_get())


def vertices_of(figure: Any) -> np.ndarray:
    mesh = figure.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def saved(motion: Motion, folder: Path, name: str = "m.npz") -> Path:
    write_motion(folder / name, motion)
    return folder / name


def test_joints_and_mesh_are_the_body_models_forward_pass(
    scene: Any, motion: Motion, motion_path: Path, body: Body
) -> None:
    made = import_motions(scene, [motion_path], body)[0]
    vertices, joints = forward(body, motion.poses, motion.trans, motion.betas)
    for index in (0, 13, 39):
        heads = heads_at(scene, made.rig, 1 + index)
        assert np.abs(heads[1:] - joints[index]).max() < 1e-5
        assert np.linalg.norm(vertices_of(made.figure) - vertices[index], axis=-1).max() < 1e-4


def test_the_root_bone_walks_on_the_floor_below_the_pelvis(scene: Any, motion_path: Path, body: Body) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    heads = heads_at(scene, rig, 25)
    np.testing.assert_allclose(heads[0], heads[1] * [1, 1, 0], atol=1e-6)
    assert not rig.data.bones["root"].use_deform


def test_bones_carry_smpls_names_and_parents(scene: Any, motion_path: Path, body: Body) -> None:
    bones = import_motions(scene, [motion_path], body)[0].rig.data.bones
    assert set(bones.keys()) == {"root", *JOINT_NAMES}
    for name, parent in zip(JOINT_NAMES, PARENTS, strict=True):
        assert bones[name].parent.name == ("root" if parent < 0 else JOINT_NAMES[parent])
    assert all(bones[name].use_deform for name in JOINT_NAMES)


def test_rest_pose_stands_on_the_floor_and_faces_minus_y(body: Body) -> None:
    rest = rest_pose(body, np.zeros(10))
    assert rest.vertices[:, 2].min() == pytest.approx(0.0)
    np.testing.assert_allclose(rest.heads[0, :2], 0.0, atol=1e-9)
    nose = rest.vertices[np.argmin(np.where(rest.vertices[:, 2] > 1.5, rest.vertices[:, 1], np.inf))]
    assert nose[1] < -0.05
    assert rest.heads[JOINT_NAMES.index("left_wrist"), 0] > 0.4


def test_bending_a_knee_and_an_elbow_turns_about_x(scene: Any, motion_path: Path, body: Body) -> None:
    bones = import_motions(scene, [motion_path], body)[0].rig.data.bones
    axes = {bone.name: bone.matrix_local.to_3x3().transposed() for bone in bones}
    for name in ("left_knee", "right_knee", "left_elbow", "right_elbow", "spine2"):
        assert axes[name][2].dot(Vector((0, -1, 0))) > 0.8  # Z forward, so X is the hinge
    for left, right in (("left_knee", "right_knee"), ("left_elbow", "right_elbow")):
        mirrored = Vector((axes[right][0].x, -axes[right][0].y, -axes[right][0].z))
        assert (axes[left][0] - mirrored).length < 0.05  # one sign bends both sides


def test_every_frame_has_a_key_and_quaternions_never_jump(
    scene: Any, motion: Motion, motion_path: Path, body: Body
) -> None:
    rig = import_motions(scene, [motion_path], body)[0].rig
    animation = rig.animation_data
    curves = animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves
    assert len(curves) == 24 * 4 + 6
    for curve in curves:
        assert [point.co.x for point in curve.keyframe_points] == list(range(1, 41))
        assert curve.group.name in curve.data_path
    quaternions = np.array(
        [[[c.evaluate(f) for c in curves if f'"{n}"].rot' in c.data_path] for n in JOINT_NAMES] for f in range(1, 41)]
    )
    assert (np.sum(quaternions[1:] * quaternions[:-1], axis=-1) >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=-1), 1.0, atol=1e-6)


def test_scene_takes_the_motions_rate_and_range(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    import_motions(scene, [saved(replace(motion, fps=30000 / 1001), tmp_path)], body)
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30000 / 1001, rel=1e-6)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 40, 1)


def test_a_person_who_comes_late_and_is_lost_for_a_while_is_keyed_at_the_right_time(
    scene: Any, motion: Motion, tmp_path: Path, body: Body
) -> None:
    times = (np.arange(40) + np.where(np.arange(40) < 20, 60, 90)) / 30.0
    late, early = saved(replace(motion, times=times), tmp_path, "b.npz"), saved(motion, tmp_path, "a.npz")
    made = import_motions(scene, [early, late], body)
    _, joints = forward(body, motion.poses, motion.trans, motion.betas)
    assert np.abs(heads_at(scene, made[1].rig, 61)[1:] - joints[0]).max() < 1e-5
    assert np.abs(heads_at(scene, made[1].rig, 1 + 90 + 20)[1:] - joints[20]).max() < 1e-5
    assert (scene.frame_start, scene.frame_end) == (1, 130)
    collections = [item.users_collection[0] for item in (made[0].rig, made[1].rig)]
    assert collections[0] != collections[1]


@pytest.mark.parametrize("K", [[900.0, 900, 499.5, 379.5], [910.0, 880, 512.5, 371.0], [700.0, 760, 430.0, 420.0]])
def test_camera_sees_world_points_at_opencvs_pixels(
    scene: Any, motion: Motion, tmp_path: Path, body: Body, K: list[float]
) -> None:
    fx, fy, cx, cy = K
    intrinsics = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    import_motions(scene, [saved(replace(motion, camera_K=intrinsics), tmp_path)], body)
    bpy.context.view_layer.update()
    cam_from_world = np.linalg.inv(motion.camera_world_from_cam)  # type: ignore[arg-type]
    for point in ([0.0, 0, 0], [1.0, 1.0, 1.8], [-0.7, 2.0, 0.4]):
        x, y, z = intrinsics @ (cam_from_world[:3, :3] @ point + cam_from_world[:3, 3])
        u, v, depth = world_to_camera_view(scene, scene.camera, Vector(point))
        pixel = (u * 1000 - 0.5, (1 - v) * 760 - 0.5)
        np.testing.assert_allclose(pixel, (x / z, y / z), atol=0.01)
        assert depth == pytest.approx(z, rel=1e-5)
    assert (scene.render.resolution_x, scene.render.resolution_y) == (1000, 760)


def test_an_amass_file_stands_on_the_floor_in_the_open_bodys_shape(scene: Any, tmp_path: Path, body: Body) -> None:
    poses = np.zeros((5, 156))
    poses[:, 0] = np.pi / 2  # Y up of the body to Z up of the world
    np.savez(tmp_path / "amass.npz", poses=poses, trans=np.full((5, 3), 1.7), betas=np.ones(16), mocap_framerate=120.0)
    made = import_motions(scene, [tmp_path / "amass.npz"], body)[0]
    assert scene.render.fps == 120
    assert made.rig["reel2rig_licence"] == "unknown"
    assert "does not name" in made.warnings[0]
    scene.frame_set(3)
    assert abs(vertices_of(made.figure)[:, 2].min()) < 1e-3


def test_smpl_motion_keeps_the_stricter_licence(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    path = saved(replace(motion, licence="smpl-noncommercial", body="SMPL_NEUTRAL sha256:aa"), tmp_path)
    made = import_motions(scene, [path], body)[0]
    assert made.rig["reel2rig_licence"] == "smpl-noncommercial"
    assert "SMPL_NEUTRAL" in made.warnings[0]


def test_nothing_is_built_when_one_of_the_files_is_bad(
    scene: Any, motion_path: Path, tmp_path: Path, body: Body
) -> None:
    (tmp_path / "bad.npz").write_text("not an archive")
    with pytest.raises(InputError, match="not a readable"):
        import_motions(scene, [motion_path, tmp_path / "bad.npz"], body)
    assert not bpy.data.objects
    assert not bpy.data.actions


def test_times_that_do_not_rise_are_refused(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    with pytest.raises(InputError, match="do not rise"):
        import_motions(scene, [saved(replace(motion, times=np.zeros(40)), tmp_path)], body)


def test_one_frame_is_a_pose(scene: Any, motion: Motion, tmp_path: Path, body: Body) -> None:
    one = replace(motion, poses=motion.poses[:1], trans=motion.trans[:1])
    made = import_motions(scene, [saved(one, tmp_path)], body)[0]
    assert (scene.frame_start, scene.frame_end) == (1, 1)
    assert made.frame_count == 1


def test_names_are_clip_and_person_and_fit_blenders_limit(motion: Motion) -> None:
    assert character_name(Path("person_01.npz"), motion) == "walk_person_01"
    long = character_name(Path("나는 춤을 춘다 🎬" * 9 + ".npz"), replace(motion, source=""))
    assert len(long.encode("utf-8")) <= 48
    assert long.startswith("나는 춤을 춘다 🎬")


def test_the_active_character_is_found_from_its_mesh_too(scene: Any, motion_path: Path, body: Body) -> None:
    first, second = (import_motions(scene, [motion_path], body)[0] for _ in range(2))
    layer = bpy.context.view_layer
    layer.objects.active = None
    assert active_character(bpy.context) is None  # two to choose from
    layer.objects.active = second.figure
    assert active_character(bpy.context) == second.rig
    layer.objects.active = first.rig
    assert active_character(bpy.context) == first.rig
