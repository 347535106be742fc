"""Videos of people whose pose is known exactly: python -m reel2rig.benchmarks.render_people DIR --clips cmu_06_14:20

Each clip of the motion pack, from a frame on, is put on the open body in a random shape and clothes, before a random
camera and light, and rendered with Cycles. What comes out is what `measure` of the training and the benchmark
rendered_truth read: DIR/CLIP/view0.mp4 and truth.npz. Needs Blender as a module, as `build.py setup` installs it.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ..lifter.atomic_file import written_whole
from ..smpl_assets.body import Body, forward, open_body
from ..smpl_assets.material_zones import SKIN, SUIT, material_zones
from ..smpl_assets.rotation import Array, axis_angle_from_quaternion, matrix_from_axis_angle
from ..training.readers.clip import Clip
from ..training.readers.cmu_pack import PACK, read_cmu_pack

FPS = 30
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # from Y up
OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])  # Blender's cameras look along -Z with Y up
ROOM = 14.0  # metres from the person to the walls


@dataclass(frozen=True)
class Scene:
    """What is rendered and known. vertices (T, V, 3) and joints (T, 24, 3) m, Z up; poses (T, 72) rad, Y up."""

    vertices: Array
    joints: Array
    poses: Array
    betas: Array


def posed(clip: Clip, start: int, frames: int, random: np.random.Generator) -> Scene:
    """A stretch of a clip on a random shape, its lowest points on the floor."""
    assert "rotations" in clip
    body = open_body()
    poses = axis_angle_from_quaternion(clip["rotations"][start : start + frames]).reshape(-1, 72)
    _, preset = body.presets[random.integers(len(body.presets))]
    betas = preset * random.uniform(0.3, 1.0)
    pelvis = clip["joints"][start : start + frames, 0]
    vertices, joints = (points @ Z_UP.T for points in forward(body, poses, pelvis - body.rest_joints(betas)[0], betas))
    lift = np.array([0.0, 0.0, np.percentile(vertices[..., 2].min(axis=1), 10)])
    return Scene(vertices - lift, joints - lift, poses, betas)


def render(scene: Scene, folder: Path, random: np.random.Generator, size: int, samples: int) -> None:
    """Write view0.mp4 (size x size pixels) and truth.npz into ``folder``, each whole or not at all."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = _person(open_body(), random)
    camera = _stage(scene.joints, random)
    settings = bpy.context.scene.render
    settings.engine, settings.use_persistent_data = "CYCLES", True
    settings.resolution_x = settings.resolution_y = size
    cycles = bpy.context.scene.cycles
    cycles.samples, cycles.use_denoising, cycles.max_bounces = samples, False, 2
    with written_whole(folder / "view0.mp4") as part:
        _write_video(scene.vertices, mesh, part, size)
    focal = size / 2 / np.tan(camera.data.angle_x / 2)
    middle = size / 2 - 0.5
    with written_whole(folder / "truth.npz") as part:
        np.savez_compressed(
            part,
            poses_body_yup=scene.poses.astype(np.float32),
            betas=scene.betas.astype(np.float32),
            joints=scene.joints.astype(np.float32),
            global_rotation_world=(Z_UP @ matrix_from_axis_angle(scene.poses[:, :3])).astype(np.float32),
            K=np.array([[[focal, 0, middle], [0, focal, middle], [0, 0, 1]]]),
            world_from_cam=(np.array(camera.matrix_world) @ OPENCV)[None],
        )


def _person(body: Body, random: np.random.Generator) -> Any:
    """The body's mesh in clothes and skin of random colours."""
    import bpy

    assert body.quads is not None
    mesh = bpy.data.meshes.new("person")
    mesh.from_pydata(body.v_template.tolist(), [], [list(dict.fromkeys(quad)) for quad in body.quads.tolist()])
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    zones = material_zones(body)
    colours = zones.colours.copy()
    colours[SUIT] = random.uniform(0.02, 0.8, 3)
    colours[SKIN] = random.uniform(0.25, 1.0) * np.array([0.75, 0.5, 0.38])
    for name, colour in zip(zones.names, colours, strict=True):
        mesh.materials.append(_material(name, colour))
    mesh.polygons.foreach_set("material_index", np.asarray(zones.quads, np.int32))
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("person", mesh))
    return mesh


def _material(name: str, colour: NDArray[np.floating]) -> Any:
    import bpy

    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour.tolist(), 1.0)
    return material


def _stage(joints: Array, random: np.random.Generator) -> Any:
    """Floor, walls, sun, sky, and a camera that sees all of the motion; the camera object."""
    import bpy
    from mathutils import Vector

    x, y, _ = joints[:, 0].mean(axis=0)
    _plane((x, y, 0.0), (0.0, 0.0, 0.0), random)
    for quarter in np.arange(4) * np.pi / 2:
        place = (x + ROOM * np.cos(quarter), y + ROOM * np.sin(quarter), 0.0)
        wall = _plane(place, (np.pi / 2, 0.0, quarter + np.pi / 2), random)
        wall.visible_shadow = wall.visible_diffuse = False
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = random.uniform(1.5, 4.0), 0.2
    sun.rotation_euler = (*random.uniform(-0.9, 0.9, 2), 0.0)
    world = bpy.context.scene.world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[1].default_value = random.uniform(0.9, 1.6)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.angle_x = np.radians(random.uniform(35, 75))
    reach = max(1.15, float(np.abs(joints - joints[:, :1].mean(axis=(0, 1))).max()) + 0.1)
    distance = min(reach / np.tan(camera.data.angle_x / 2) * random.uniform(0.95, 1.1), ROOM - 3)
    side = random.uniform(0, 2 * np.pi)
    camera.location = (x + distance * np.sin(side), y - distance * np.cos(side), random.uniform(0.6, 2.4))
    aim = Vector((x, y, 0.95)) - camera.location
    camera.rotation_euler = aim.to_track_quat("-Z", "Y").to_euler()
    for thing in (sun, camera):
        bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = camera
    bpy.context.view_layer.update()
    return camera


def _plane(place: tuple[float, ...], turn: tuple[float, ...], random: np.random.Generator) -> Any:
    import bpy

    bpy.ops.mesh.primitive_plane_add(size=60, location=place, rotation=turn)
    plane = bpy.context.object
    plane.data.materials.append(_material("surface", random.uniform(0.3, 0.8, 3)))
    return plane


def _write_video(vertices: Array, mesh: Any, path: Path, size: int) -> None:
    import bpy

    with tempfile.TemporaryDirectory() as scratch, av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=Fraction(FPS), options={"crf": "18"})
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        bpy.context.scene.render.filepath = picture = str(Path(scratch) / "frame.png")
        for points in vertices:
            mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
            mesh.update()
            bpy.ops.render.render(write_still=True)
            with av.open(picture) as still:
                pixels = next(still.decode(video=0)).to_ndarray(format="rgb24")
            video.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        video.mux(stream.encode(None))


def main() -> None:
    """Render the clips given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.benchmarks.render_people", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("out", type=Path, metavar="DIR")
    parser.add_argument(
        "--clips", nargs="+", required=True, metavar="NAME:START", help="clips of the pack, first frame"
    )
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--size", type=int, default=560, help="pixels")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp())  # nobody's own Blender settings
    wanted = dict(word.partition(":")[::2] for word in options.clips)
    for clip in read_cmu_pack(options.pack, print):
        if clip["name"] in wanted:
            random = np.random.default_rng([options.seed, *clip["name"].encode()])
            scene = posed(clip, int(wanted[clip["name"]] or 0), options.frames, random)
            render(scene, options.out / clip["name"], random, options.size, options.samples)
            print(options.out / clip["name"])


if __name__ == "__main__":
    main()
