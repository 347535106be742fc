"""Blender with empty settings of its own, and the package under its name wherever this checkout lies."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="reel2rig-tests-")  # read when bpy is imported

if importlib.util.find_spec("reel2rig") is None:
    spec = importlib.util.spec_from_file_location(
        "reel2rig", REPOSITORY / "__init__.py", submodule_search_locations=[str(REPOSITORY)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["reel2rig"] = package
    spec.loader.exec_module(package)

import bpy  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from reel2rig.lifter.motion_file import Motion, write_motion  # noqa: E402
from reel2rig.smpl_assets.body import Body, open_body  # noqa: E402

_exit_status = pytest.ExitCode.INTERNAL_ERROR


def pytest_sessionfinish(exitstatus: int | pytest.ExitCode) -> None:
    """Remember how the tests went."""
    global _exit_status
    _exit_status = pytest.ExitCode(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once: Blender 4.5 as a module may wait for ever when Python ends in the usual way."""
    if not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(_exit_status))


@pytest.fixture
def scene() -> Any:
    """An empty Blender file's scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def addon(scene: Any) -> Iterator[None]:
    """The add-on's classes registered; unregistered afterwards, as Blender 4.5 hangs at its end otherwise."""
    from reel2rig.addon import registration

    registration.register()
    yield
    registration.unregister()


@pytest.fixture(scope="session")
def body() -> Body:
    """The bundled open body."""
    return open_body()


@pytest.fixture
def motion(body: Body) -> Motion:
    """40 frames of any pose and shape, travelling, filmed by a camera two metres up."""
    rng = np.random.default_rng(7)
    travel = np.cumsum(rng.normal(0.02, 0.02, (40, 3)), axis=0) + np.array([0.3, -0.4, 0.9])
    looking_along_y = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    world_from_cam = np.eye(4)
    world_from_cam[:3, :3], world_from_cam[:3, 3] = looking_along_y, [0.2, -5.0, 2.0]
    return Motion(
        poses=rng.normal(0, 0.4, (40, 72)).astype(np.float32),
        trans=travel.astype(np.float32),
        betas=rng.normal(0, 1, 10).astype(np.float32),
        fps=30.0,
        body=body.identity(),
        camera_K=np.array([[910.0, 0, 512.5], [0, 880.0, 371.0], [0, 0, 1]]),
        camera_world_from_cam=world_from_cam,
        image_size=(1000, 760),
        source="walk.mp4 sha256:00ff",
        licence="open",
    )


@pytest.fixture
def motion_path(motion: Motion, tmp_path: Path) -> Path:
    """The motion as a file."""
    path = tmp_path / "person_01.npz"
    write_motion(path, motion)
    return path


class Layout:
    """Stands in for Blender's layout: remembers texts, properties and operators, checks that they exist."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.use_property_split = False

    def column(self, align: bool = False) -> "Layout":
        return self

    def row(self, align: bool = False) -> "Layout":
        return self

    def box(self) -> "Layout":
        return self

    def panel(self, idname: str, default_closed: bool) -> "tuple[Layout, Layout]":
        return self, self

    def separator(self) -> None:
        pass

    def label(self, text: str, icon: str = "NONE", translate: bool = True) -> None:
        self.said.append(text)

    def progress(self, factor: float, text: str) -> None:
        self.said.append(f"{factor:.2f} {text}")

    def prop(self, owner: Any, name: str) -> None:
        assert name in owner.bl_rna.properties
        self.said.append(name)

    def operator_menu_enum(self, name: str, prop: str, text: str) -> None:
        self.operator(name, text=text)

    def operator(self, name: str, icon: str = "NONE", text: str = "") -> Any:
        module, function = name.split(".")
        properties = getattr(getattr(bpy.ops, module), function).get_rna_type().properties
        self.said += [name, text] if text else [name]

        class Properties:
            def __setattr__(self, key: str, value: object) -> None:
                assert key in properties

        return Properties()


@pytest.fixture
def drawn() -> Callable[[Any], list[str]]:
    """A function that draws a panel and returns what it shows."""

    def draw(cls: Any) -> list[str]:
        layout = Layout()
        cls.draw(type("Panel", (), {"layout": layout})(), bpy.context)
        return layout.said

    return draw
