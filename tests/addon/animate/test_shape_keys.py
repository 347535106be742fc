"""Shape keys are the body model's own directions, and correctives make the mesh its forward pass."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from reel2rig.addon.animate.body_shape_keys import corrective_names, shape_names
from reel2rig.addon.animate.fit_sliders import fit_sliders
from reel2rig.addon.animate.shape_keys import add_pose_correctives, body_of
from reel2rig.addon.character.character import import_motions
from reel2rig.lifter.errors import InputError
from reel2rig.lifter.motion_file import Motion, write_motion
from reel2rig.smpl_assets.body import Body, forward, open_body


@pytest.fixture
def corrected(body: Body) -> Body:
    """A body as licensed files are: with pose directions (made up here), centimetres large."""
    directions = np.random.default_rng(3).normal(0, 0.005, (*body.v_template.shape, 207))
    return replace(body, name="test", sha256="12", licence="smpl-noncommercial", posedirs=directions.astype(np.float32))


@pytest.fixture
def short(motion: Motion, corrected: Body) -> Motion:
    """Six frames of wild poses on that body."""
    return replace(motion, poses=2 * motion.poses[:6], trans=motion.trans[:6], body=corrected.identity())


@pytest.fixture
def made(scene: Any, short: Motion, corrected: Body, tmp_path: Path) -> Any:
    """Those as a character."""
    write_motion(tmp_path / "m.npz", short)
    return import_motions(bpy.context.scene, [tmp_path / "m.npz"], corrected)[0]


def vertices_at(figure: Any, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    mesh = figure.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def test_with_correctives_the_mesh_is_the_bodys_forward_pass(made: Any, short: Motion, corrected: Body) -> None:
    truth, _ = forward(corrected, short.poses, short.trans, short.betas)
    without = np.linalg.norm(vertices_at(made.figure, 4) - truth[3], axis=-1).max()
    assert without > 0.01
    assert add_pose_correctives(made.rig, corrected) == 6
    for frame in (1, 4, 6):
        assert np.linalg.norm(vertices_at(made.figure, frame) - truth[frame - 1], axis=-1).max() < 1e-4


def test_all_correctives_are_keyed_and_none_is_clipped(made: Any, corrected: Body) -> None:
    add_pose_correctives(made.rig, corrected)
    keys = made.figure.data.shape_keys
    blocks = [keys.key_blocks[name] for name in corrective_names(corrected)]
    assert len(blocks) == 207
    animation = keys.animation_data
    curves = animation.action.layers[0].strips[0].channelbag(animation.action_slot).fcurves
    values = np.array([[curve.evaluate(frame) for curve in curves] for frame in range(1, 7)])
    assert values.shape == (6, 207)
    assert np.abs(values).max() > 1
    for block, column in zip(blocks, values.T, strict=True):
        assert block.slider_min <= column.min() <= column.max() <= block.slider_max


def test_correctives_are_keyed_anew_after_the_motion_changed(made: Any, corrected: Body) -> None:
    add_pose_correctives(made.rig, corrected)
    keys = made.figure.data.shape_keys
    count, actions = len(keys.key_blocks), len(bpy.data.actions)
    add_pose_correctives(made.rig, corrected)
    assert (len(keys.key_blocks), len(bpy.data.actions)) == (count, actions)


def test_shape_keys_move_the_mesh_as_betas_do_and_start_at_the_person(walker: Any, walk: Motion, body: Body) -> None:
    figure = walker.children[0]
    before = vertices_at(figure, 30)
    assert bpy.ops.reel2rig.add_shape_keys() == {"FINISHED"}
    np.testing.assert_allclose(vertices_at(figure, 30), before, atol=1e-6)
    blocks = figure.data.shape_keys.key_blocks
    assert list(blocks.keys()) == ["Basis", *shape_names(body)]
    assert {(block.slider_min, block.slider_max) for block in blocks[1:]} == {(-5.0, 5.0)}
    walker.animation_data.action = None
    for bone in walker.pose.bones:
        bone.matrix_basis.identity()
    basis = np.array([point.co for point in blocks["Basis"].data])
    blocks[1].value, blocks[3].value = 1.5, -2.0
    mixed = figure.shape_key_add(name="mixed", from_mix=True)
    moved = np.array([point.co for point in mixed.data]) - basis
    betas = np.array([1.5, 0, -2.0])
    wanted = (body.rest_vertices(betas) - body.rest_vertices(np.zeros(3))) @ np.array(
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    )
    np.testing.assert_allclose(moved, wanted, atol=1e-5)


def test_shape_keys_are_added_once(walker: Any) -> None:
    bpy.ops.reel2rig.add_shape_keys()
    with pytest.raises(RuntimeError, match="already"):
        bpy.ops.reel2rig.add_shape_keys()


def test_copies_of_the_mesh_get_all_keys_once_or_none(walker: Any) -> None:
    figure: Any = walker.children[0]
    sharing, own = figure.copy(), figure.copy()
    own.data = figure.data.copy()
    own.shape_key_add(name="Basis")
    own.shape_key_add(name=shape_names(open_body())[0])
    for twin in (sharing, own):
        bpy.context.scene.collection.objects.link(twin)
    with pytest.raises(RuntimeError, match="already"):
        bpy.ops.reel2rig.add_shape_keys()
    assert not figure.data.shape_keys
    bpy.data.objects.remove(own)
    assert bpy.ops.reel2rig.add_shape_keys() == {"FINISHED"}
    assert len(figure.data.shape_keys.key_blocks) == 11


def test_the_open_body_has_no_correctives(walker: Any) -> None:
    with pytest.raises(RuntimeError, match="has no pose correctives"):
        bpy.ops.reel2rig.add_pose_correctives()


def test_a_body_that_is_not_at_hand_is_named(made: Any, corrected: Body) -> None:
    assert body_of(made.rig, corrected) is corrected
    with pytest.raises(InputError, match="made on the body test") as caught:
        body_of(made.rig, open_body())
    assert "preferences" in caught.value.hint


def test_a_mesh_with_other_vertices_is_refused(walker: Any) -> None:
    figure = walker.children[0]
    mesh = bpy.data.meshes.new("cut")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    figure.data = mesh
    with pytest.raises(RuntimeError, match="has 3 vertices"):
        bpy.ops.reel2rig.add_shape_keys()
    bpy.data.objects.remove(figure)
    with pytest.raises(RuntimeError, match="no mesh"):
        bpy.ops.reel2rig.add_shape_keys()


@pytest.mark.parametrize("importer", ["import_scene.fbx", "wm.fbx_import"])
def test_correctives_come_back_from_an_fbx_unclipped(
    addon: None, made: Any, corrected: Body, tmp_path: Path, importer: str
) -> None:
    add_pose_correctives(made.rig, corrected)
    wanted = vertices_at(made.figure, 4)
    for item in bpy.context.view_layer.objects:
        item.select_set(item in (made.rig, made.figure))
    path = str(tmp_path / "a.fbx")
    bpy.ops.export_scene.fbx(
        filepath=path,
        use_selection=True,
        bake_anim_simplify_factor=0.0,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        apply_scale_options="FBX_SCALE_UNITS",
    )
    known = set(bpy.data.objects)
    module, name = importer.split(".")
    getattr(getattr(bpy.ops, module), name)(filepath=path, anim_offset=0.0)
    figure = next(item for item in bpy.data.objects if item not in known and item.type == "MESH")
    bpy.context.view_layer.objects.active = figure.parent
    assert bpy.ops.reel2rig.fit_sliders() == {"FINISHED"}
    assert np.linalg.norm(placed(figure, 4) - wanted, axis=-1).max() < 1e-4


def test_sliders_wide_enough_are_left_alone(made: Any, corrected: Body) -> None:
    add_pose_correctives(made.rig, corrected)
    keys = made.figure.data.shape_keys
    assert fit_sliders(keys) == 0
    keys.key_blocks[5].slider_min = 0.0
    keys.key_blocks[5].slider_max = 0.1
    assert fit_sliders(keys) == 1


def test_fitting_sliders_needs_keyed_shape_keys(walker: Any) -> None:
    assert not bpy.ops.reel2rig.fit_sliders.poll()
    bpy.context.view_layer.objects.active = None
    assert not bpy.ops.reel2rig.fit_sliders.poll()


def placed(figure: Any, frame: int) -> np.ndarray:
    vertices, place = vertices_at(figure, frame), np.array(figure.matrix_world)
    return vertices @ place[:3, :3].T + place[:3, 3]
