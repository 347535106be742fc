"""Fitted bodies beside the true ones: ``python -m reel2rig.docs.make_pictures.fit_sheets OUT``.

For each of five clips a sheet OUT/NAME.png: three moments, seen from the front and from behind, the true body (grey)
and beside it the one fitted to noisy points and cleaned up (blue). OUT/fit_sheets.jpg holds all of them.
"""

import argparse
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from matplotlib.image import imsave

from ...benchmarks.fit_data import CASES, TruthClip, given_points, truth_clips
from ...benchmarks.fit_ours import cleaned, refined
from ...lifter.fit.skeleton import Posed, local_from_global
from ...lifter.preview import Picture
from ...smpl_assets.body import forward, open_body
from ...smpl_assets.rotation import Array, axis_angle_from_matrix
from .character import over, paint, render
from .sheet import beside, resized, save, stack

# Shares of the clip that are shown.
MOMENTS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "walk": ("cmu_06_01", (0.2, 0.4, 0.6)),
    "kick": ("cmu_10_03", (0.35, 0.5, 0.65)),
    "jump": ("cmu_13_11", (0.45, 0.55, 0.62)),
    "sit": ("cmu_13_01", (0.3, 0.45, 0.55)),
    "dance": ("cmu_05_03", (0.3, 0.5, 0.8)),
}
SIDES = (25.0, 205.0)  # degrees from straight ahead of the true pelvis
TRUE_SUIT, FITTED_SUIT = (0.45, 0.45, 0.45), (0.1, 0.3, 0.7)
SIZE = (330, 360)  # px of one body
METRES = 2.0  # from the lower to the upper edge
BACKGROUND = (238, 240, 243)


def sheet(clip: TruthClip, moments: tuple[float, ...], case: str) -> Picture:
    """Moments in columns, the true and the fitted body beside each other; one line for each side."""
    rows = [round(moment * (len(clip.posed.joints) - 1)) for moment in moments]
    found = refined(given_points(clip, CASES[case]), clip.fps)
    bodies = (
        (_vertices(clip.posed, clip.betas, rows), TRUE_SUIT),
        (_vertices(cleaned(found, clip.fps), found.betas, rows), FITTED_SUIT),
    )
    scene = _empty_scene()
    lines: list[list[list[Picture]]] = [[[] for _ in rows] for _ in SIDES]
    for vertices, suit in bodies:
        mesh = _mesh(vertices[0], suit)
        scene.collection.objects.link(body := bpy.data.objects.new("body", mesh))
        for column, row in enumerate(rows):
            mesh.vertices.foreach_set("co", vertices[column].astype(np.float32).ravel())
            mesh.update()
            for line, side in zip(lines, SIDES, strict=True):
                scene.camera.matrix_world = _view(clip.posed, row, side)
                line[column].append(over(render(scene, 1), BACKGROUND))
        bpy.data.objects.remove(body)
    return stack([beside([np.concatenate(pair, axis=1) for pair in line]) for line in lines])


def _vertices(posed: Posed, betas: Array, rows: list[int]) -> Array:
    """The skin (N, V, 3) m of a posed skeleton in some frames."""
    poses = axis_angle_from_matrix(local_from_global(posed.rotations[rows])).reshape(-1, 72)
    return forward(open_body(), poses, posed.joints[rows, 0] - open_body().rest_joints(betas)[0], betas)[0]


def _view(posed: Posed, row: int, side: float) -> Matrix:
    """A level camera that looks at the middle of the true body, ``side`` degrees off what is before its pelvis."""
    ahead = posed.rotations[row, 0, :, 2]
    direction = np.arctan2(ahead[1], ahead[0]) + np.radians(side)
    back = np.array([np.cos(direction), np.sin(direction), 0.0])
    right = np.cross([0.0, 0.0, 1.0], back)
    points = np.concatenate([posed.joints[row], posed.ends[row]])
    along = points @ np.stack([right, [0.0, 0.0, 1.0], back], axis=1)
    middle = (along.min(axis=0) + along.max(axis=0)) / 2
    place = middle @ np.stack([right, [0.0, 0.0, 1.0], back]) + 5.0 * back
    return Matrix(np.vstack([np.column_stack([right, [0.0, 0.0, 1.0], back, place]), [0.0, 0.0, 0.0, 1.0]]).tolist())


def _empty_scene() -> Any:
    """A scene with a camera without perspective and nothing to see."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.display.shading.show_cavity = True
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    lens = scene.camera.data
    lens.type, lens.sensor_fit, lens.ortho_scale = "ORTHO", "VERTICAL", METRES
    return scene


def _mesh(vertices: Array, suit: tuple[float, float, float]) -> Any:
    """The open body's mesh in its zones' colours, the suit in another."""
    body = open_body()
    assert body.quads is not None
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(vertices.tolist(), [], [list(dict.fromkeys(quad)) for quad in body.quads.tolist()])
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    paint(mesh, suit)
    return mesh


def main() -> None:
    """Write the sheets and the picture of all."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.docs.make_pictures.fit_sheets", description=main.__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the sheets")
    parser.add_argument("--case", choices=tuple(CASES), default="noisy", help="what the fit is given")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clips = {clip.name: clip for clip in truth_clips(tuple(name for name, _ in MOMENTS.values()))}
    sheets = []
    for name, (clip, moments) in MOMENTS.items():
        sheets.append(sheet(clips[clip], moments, options.case))
        imsave(options.out / f"{name}.png", sheets[-1])
    half = [resized(picture, picture.shape[1] // 2, picture.shape[0] // 2) for picture in sheets]
    save(options.out / "fit_sheets.jpg", stack(half))


if __name__ == "__main__":
    main()
