"""The verb repository: a folder of plain files that any web server can offer to Blender as an extension repository."""

import argparse
import html
import tempfile
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from . import setup
from .console import BuildError, say
from .package import ExtensionTool, build_zip, extension_tool
from .pins import ROOT

PAGE = Path(__file__).with_name("repository_page.html")
INDEX = "index.json"
UNKNOWN_ADDRESS = f"the address of this page, followed by {INDEX}"


def run(arguments: list[str]) -> int:
    """python build.py repository [--url URL]: the extension as a repository to host yourself, in dist/repository."""
    parser = argparse.ArgumentParser("build.py repository", description=run.__doc__)
    parser.add_argument("--url", type=repository_url, help="where the folder will be served, for the install page")
    url = parser.parse_args(arguments).url
    target = ROOT / "dist" / "repository"
    make_repository(extension_tool(setup.ensure()), target, url)
    say(f"{target}  Serve this folder; people open its index.html.")
    return 0


def repository_url(text: str) -> str:
    """The address of the repository's index, from that of its folder or page. Raises ArgumentTypeError."""
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"} or not parts.netloc or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is no web address like https://example.org/reel2rig/")
    folder = text.removesuffix("index.html").removesuffix(INDEX).rstrip("/")
    return f"{folder}/{INDEX}"


def make_repository(tool: ExtensionTool, target: Path, url: str | None = None) -> None:
    """Make ``target`` anew: the zip, index.json and index.html; the old folder stays as it was if anything fails.

    It holds the newest version only. Blender offers one version of an extension and warns of a second for the same
    Blender, so an older zip would be bytes that no client asks for. Raises BuildError when Blender's tool finds fault.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".repository-", dir=target.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        build_zip(tool, made)
        template = Path(scratch) / "page.html"
        template.write_text(page_template(url), "utf-8")
        tool.run("Writing the index", "server-generate", "--repo-dir", made, "--html", "--html-template", template)
        for name in (INDEX, "index.html"):
            if not (made / name).is_file():
                raise BuildError(f"Blender's tool ended without {name}.")
        _exchange(made, target, Path(scratch) / "old")


def page_template(url: str | None) -> str:
    """The install page with the repository's address, ready for Blender's tool, which fills in $body and $date."""
    address = f"<code>{html.escape(url)}</code>" if url else UNKNOWN_ADDRESS
    address = address.replace("$", "$$")  # the tool substitutes once more
    return Template(PAGE.read_text("utf-8")).safe_substitute(address=address)


def _exchange(made: Path, target: Path, old: Path) -> None:
    """Put ``made`` in the place of ``target`` by renaming; the old folder goes to ``old``."""
    if target.exists():
        target.rename(old)
    try:
        made.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
