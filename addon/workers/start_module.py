"""Run a module of this package in another Python, wherever the package's folder lies.

The folder is not always called ``reel2rig`` (a source checkout), its neighbours must not be importable (in Blender
they are other extensions), and a pip-installed reel2rig must not take its place. So the package is loaded from its
path: ``python -I start_module.py lifter capture CLIP --out DIR``. The standard library is all it needs.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

PACKAGE = "reel2rig"


def load_package(folder: Path) -> None:
    """Make ``folder`` the package ``reel2rig`` of this process."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a Python package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_package(Path(__file__).resolve().parents[2])
    runpy.run_module(f"{PACKAGE}.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
