"""What ufbx finds in an FBX, as JSON: ``python read_with_ufbx.py FILE TAKE SECONDS...``.

A program of its own that looks at each node once and ends without cleaning up: ufbx 0.0.5 counts its own objects
wrongly, and a process that looks twice may crash.
"""

import json
import os
import sys
from typing import Any

import ufbx


def main() -> None:
    """Read and print."""
    path, take, *times = sys.argv[1:]
    scene = ufbx.load_file(path)
    settings, anim = scene.settings, scene.anim
    found: dict[str, Any] = {
        "unit_metres": settings.unit_meters,
        "up": int(settings.axes.up),
        "fps": settings.frames_per_second,
        "has_take": ufbx.find_anim_stack(scene, take) is not None,
        "times": [anim.time_begin, anim.time_end],
        "nodes": {},
        "heads": [],
    }
    for node in scene.nodes:
        at = node.local_transform
        translation, rotation, scale = at.translation, at.rotation, at.scale
        found["nodes"][node.name] = {
            "translation": [translation.x, translation.y, translation.z],
            "rotation": [rotation.w, rotation.x, rotation.y, rotation.z],
            "scale": [scale.x, scale.y, scale.z],
        }
    poses = [scene.evaluate(anim, float(seconds)) for seconds in times]
    for pose in poses:
        places = {node.name: node.node_to_world.c3 for node in pose.nodes}
        found["heads"].append({name: [place.x, place.y, place.z] for name, place in places.items()})
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
