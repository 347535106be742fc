"""What pymotion finds in a BVH, as JSON: ``python read_with_pymotion.py FILE``.

A program of its own: pymotion loads PyTorch where there is one, and Blender 4.5 as a module then never ends.
"""

import json
import sys

from pymotion.io.bvh import BVH
from pymotion.ops.skeleton import fk


def main() -> None:
    """Read and print; heads (T, J, 3) are placed by pymotion's own kinematics."""
    bvh = BVH()
    bvh.load(sys.argv[1])
    rotations, positions, parents, offsets, *_ = bvh.get_data()
    heads, _ = fk(rotations, positions[:, 0], offsets, parents)
    found = {
        "names": [str(name) for name in bvh.data["names"]],
        "parents": parents.tolist(),
        "channels": bvh.data["channels"].tolist(),
        "frame_time": bvh.data["frame_time"],
        "heads": heads.tolist(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
