"""Measure every export and put the figures into docs/engines/README.md: ``python -m reel2rig.docs.export_figures``.

Run it under each Blender; what was measured under the other one stays (figures.json). Each file is read back by our
own reader, by Blender's importer into an empty file, and by another program's reader where there is one.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE, FIGURES = ROOT / "docs" / "engines" / "README.md", ROOT / "docs" / "engines" / "figures.json"
READERS: Final = ROOT / "tests" / "addon"
FRAMES, LOOKED_AT = 90, (0, 31, 60, 89)
START, END = "<!-- figures of exports -->\n", "<!-- end of figures of exports -->"
COLUMNS: Final = {
    "joint_mm": "own reader, mm",
    "turn_degrees": "own reader, degrees",
    "blender_mm": "Blender's importer, mm",
    "other_mm": "ufbx or pymotion, mm",
}


def measure(folder: Path) -> dict[str, dict[str, dict[str, float | None]]]:
    """Errors of each target and format under the Blender that runs: the largest over all bones and frames looked at."""
    import bpy

    from ..addon.character.character import import_motions
    from ..addon.export.export import export_character
    from ..addon.export.export_sampling import sample_motion
    from ..addon.export.export_targets import FORMATS, TARGETS
    from ..benchmarks.blender import swinging_motion
    from ..lifter.motion_file import write_motion
    from ..smpl_assets.body import open_body

    write_motion(folder / "person.npz", swinging_motion(FRAMES))
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for target in TARGETS:
        for kind in FORMATS:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            scene = bpy.context.scene
            rig = import_motions(scene, [folder / "person.npz"], open_body())[0].rig
            motion = sample_motion(rig, scene, [])
            path = folder / f"{target}.{kind.lower()}"
            report = export_character(rig, path, target, kind, scene)
            places = {name: motion.pose.heads[:, index] for index, name in enumerate(motion.skeleton.names)}
            found.setdefault(target, {})[kind] = {
                "joint_mm": report.max_joint_error_mm,
                "turn_degrees": report.max_turn_error_degrees,
                "blender_mm": _worst(_imported(path, motion.fps), places),
                "other_mm": _worst(_elsewhere(path, motion.take, motion.fps), places),
            }
    return found


def _worst(seen: dict[str, np.ndarray] | None, places: dict[str, np.ndarray]) -> float | None:
    """Largest distance in mm between bones seen (looked at, 3) and where they are; None where nobody looked."""
    if seen is None:
        return None
    frames = list(LOOKED_AT)
    return max(1000.0 * float(np.linalg.norm(seen[name] - places[name][frames], axis=-1).max()) for name in seen)


def _imported(path: Path, fps: float) -> dict[str, np.ndarray] | None:
    """Bones' places (looked at, 3) after Blender's importer read the file into an empty one."""
    import bpy

    importers = {
        ".fbx": lambda: bpy.ops.import_scene.fbx(filepath=str(path)),
        ".glb": lambda: bpy.ops.import_scene.gltf(filepath=str(path)),
        ".bvh": lambda: bpy.ops.import_anim.bvh(filepath=str(path)),
        ".usd": lambda: bpy.ops.wm.usd_import(filepath=str(path)),
    }
    if path.suffix not in importers:
        return None
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = round(fps)
    importers[path.suffix]()
    rig = next(item for item in scene.objects if item.type == "ARMATURE")
    first = int(rig.animation_data.action.frame_range[0])
    places: dict[str, list[Any]] = {bone.name: [] for bone in rig.pose.bones}
    for frame in LOOKED_AT:
        scene.frame_set(first + frame)
        for bone in rig.pose.bones:
            places[bone.name].append(rig.matrix_world @ bone.head)
    return {name: np.array(heads, np.float64) for name, heads in places.items()}


def _elsewhere(path: Path, take: str, fps: float) -> dict[str, np.ndarray] | None:
    """Bones' places (looked at, 3) as ufbx or pymotion finds them."""
    to_z_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    if path.suffix == ".fbx":
        found = _read_with("ufbx", path, take, *(frame / fps for frame in LOOKED_AT))
        bones = set(found["nodes"]) - {"", "Armature", take, f"{take} body"}
        heads = {name: np.array([row[name] for row in found["heads"]]) * found["unit_metres"] for name in bones}
    elif path.suffix == ".bvh":
        found = _read_with("pymotion", path)
        rows = np.array(found["heads"])[list(LOOKED_AT)]
        heads = {name: rows[:, index] for index, name in enumerate(found["names"])}
    else:
        return None
    return {name: places @ to_z_up.T for name, places in heads.items()}


def _read_with(reader: str, path: Path, *words: object) -> dict[str, Any]:
    command = [sys.executable, "-X", "utf8", str(READERS / f"read_with_{reader}.py"), str(path), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    return json.loads(done.stdout)


def table(figures: dict[str, Any]) -> str:
    """A Markdown table: a row for each target and format, both Blenders in each cell."""
    versions = sorted(figures)
    lines = ["| target | format | the engine reads it | " + " | ".join(COLUMNS.values()) + " |"]
    lines.append("|---" * (3 + len(COLUMNS)) + "|")
    reads = json.loads((ROOT / "addon" / "export" / "export_targets.json").read_text("utf-8"))
    for target, formats in figures[versions[0]].items():
        for kind in formats:
            usual = "usual" if kind == reads[target]["default_format"] else "yes"
            takes = usual if kind in reads[target]["reads"] else "no"
            cells = [" / ".join(_cell(figures[version][target][kind][key]) for version in versions) for key in COLUMNS]
            lines.append(
                " | ".join([f"| {target}", kind, takes, *("-" if "-" in cell else cell for cell in cells)]) + " |"
            )
    return f"Blender {' / '.join(versions)}:\n\n" + "\n".join(lines) + "\n"


def page() -> str:
    """The page as it should be."""
    before, rest = PAGE.read_text("utf-8").split(START)
    after = rest.partition(END)[2]
    return before + START + table(json.loads(FIGURES.read_text("utf-8"))) + END + after


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    """Measure under this Blender, keep the other's figures, rewrite the page."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BLENDER_USER_RESOURCES"] = folder  # before bpy: nobody's own Blender settings
        import bpy

        measured = measure(Path(folder))
    figures = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    figures[".".join(str(part) for part in bpy.app.version[:2])] = measured
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=False) + "\n", "utf-8")
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
    sys.stdout.flush()
    os._exit(0)  # Blender 4.5 as a module may wait for ever at exit


if __name__ == "__main__":
    main()
