"""The repository folder: served on this machine, Blender's own client installs from it, and later updates."""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import bpy
import pytest
from reel2rig.build_steps.console import BuildError
from reel2rig.build_steps.package import ExtensionTool
from reel2rig.build_steps.repository import make_repository, page_template, repository_url

TOOL = ExtensionTool(Path(sys.executable), Path(bpy.utils.resource_path("LOCAL")) / "scripts")

CLIENT = """
import os
import sys
import bpy

index, link, motion, newer = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
preferences = bpy.context.preferences
preferences.system.use_online_access = True
repositories = preferences.extensions.repos
for other in [each for each in repositories if each.use_remote_url]:
    repositories.remove(other)  # nothing outside this machine is asked
repository = repositories.new(name="Reel2Rig", module="reel2rig_home", remote_url=index)
repository.use_remote_url = True
number = list(repositories).index(repository)
assert bpy.ops.extensions.repo_sync(repo_index=number) == {"FINISHED"}

from bl_pkg.bl_extension_ops import extension_url_find_repo_index_and_pkg_id
from bl_pkg.bl_extension_utils import url_parse_for_blender
address, asked = url_parse_for_blender(link)  # what Blender does with a link that is dropped on it
assert asked == {"repository": index, "blender_version_min": "4.5.0"}, asked
found = extension_url_find_repo_index_and_pkg_id(address)
assert found[0] == number and found[2] == "reel2rig", found

assert bpy.ops.extensions.package_install(repo_index=number, pkg_id="reel2rig") == {"FINISHED"}
name = "bl_ext.reel2rig_home.reel2rig"
assert name in preferences.addons
assert bpy.ops.reel2rig.import_motion(filepath=motion) == {"FINISHED"}
assert any(item.type == "ARMATURE" for item in bpy.context.scene.objects)

print("INSTALLED", flush=True)
sys.stdin.readline()  # the folder is exchanged for one with a newer version
assert bpy.ops.extensions.repo_sync(repo_index=number) == {"FINISHED"}
assert bpy.ops.extensions.package_upgrade_all() == {"FINISHED"}
manifest = open(sys.modules[name].__path__[0] + "/blender_manifest.toml", encoding="utf-8").read()
assert f'version = "{newer}"' in manifest, manifest
assert bpy.ops.reel2rig.import_motion(filepath=motion) == {"FINISHED"}
bpy.ops.preferences.addon_disable(module=name)
print("UPDATED", flush=True)
os._exit(0)  # Blender 4.5 as a module may wait for ever at exit
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without writing a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository folder, made once."""
    target = tmp_path_factory.mktemp("dist") / "repository"
    make_repository(TOOL, target)
    return target


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where the folder is served, with a slash at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/repository/"
        server.shutdown()


def release(folder: Path, version: str) -> None:
    """Put a newer version of the same extension into the folder, as a later run of the verb would."""
    (old,) = folder.glob("*.zip")
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(folder / f"reel2rig-{version}.zip", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("blender_manifest.toml"):
                content = re.sub(rb'(?m)^version = ".*"', f'version = "{version}"'.encode(), content)
            target.writestr(name, content)
    old.unlink()
    TOOL.run("Writing the index", "server-generate", "--repo-dir", folder)


def test_blenders_client_installs_from_the_served_folder_and_updates(
    folder: Path, address: str, motion_path: Path, tmp_path: Path
) -> None:
    (link,) = re.findall(r'href="\./([^"]+)"', (folder / "index.html").read_text("utf-8"))
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "user"), "no_proxy": "127.0.0.1"}
    words = [address + "index.json", address + link, str(motion_path), "99.0.0"]
    command = [sys.executable, "-X", "utf8", "-I", "-c", CLIENT, *words]
    log = tmp_path / "errors.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        ) as client,
    ):
        assert client.stdout is not None
        shown = []
        for line in client.stdout:
            shown.append(line)
            if line == "INSTALLED\n":
                break
        release(folder, "99.0.0")
        rest, _ = client.communicate("go\n", timeout=120)
    assert "UPDATED" in rest, "".join(shown) + rest + log.read_text()
    assert client.returncode == 0


def test_the_folder_holds_what_the_index_says_and_no_more(tmp_path: Path) -> None:
    target = tmp_path / "dist" / "repository"
    make_repository(TOOL, target, "https://example.org/r/index.json")
    (target / "reel2rig-0.0.1.zip").write_bytes(b"an older version")
    make_repository(TOOL, target, "https://example.org/r/index.json")
    (entry,) = json.loads((target / "index.json").read_text("utf-8"))["data"]
    assert {file.name for file in target.iterdir()} == {"index.json", "index.html", entry["archive_url"][2:]}
    assert list(target.parent.iterdir()) == [target]
    assert set(entry["permissions"]) == {"files", "network", "clipboard"}
    assert "platforms" not in entry  # one zip for every system


def test_a_failed_run_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "repository"
    target.mkdir()
    (target / "index.json").write_text("old", "utf-8")
    with pytest.raises(BuildError):
        make_repository(ExtensionTool(Path(sys.executable), tmp_path / "none"), target)
    assert (target / "index.json").read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_page_loads_nothing_and_runs_nothing(folder: Path) -> None:
    page = (folder / "index.html").read_text("utf-8")
    assert not re.search(r"<(script|link|img|iframe)|https?://|@import|url\(|\son\w+=", page)
    assert "the address of this page, followed by index.json" in page


def test_the_page_says_where_it_is_served() -> None:
    assert "<code>https://example.org/a&amp;b$$/index.json</code>" in page_template(
        "https://example.org/a&b$/index.json"
    )


@pytest.mark.parametrize("end", ["", "/", "/index.html", "/index.json"])
def test_folder_page_and_index_are_the_same_address(end: str) -> None:
    assert repository_url(f"https://example.org/reel2rig{end}") == "https://example.org/reel2rig/index.json"


@pytest.mark.parametrize("text", ["", "example.org", "ftp://example.org", "file:///srv", "https://example.org/?a=1"])
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=re.escape(repr(text))):
        repository_url(text)
