"""The pinned packages, read from pyproject.toml: the one place where versions are written."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def requirements(groups: tuple[str, ...], root: Path = ROOT) -> list[str]:
    """Requirement lines of the optional groups, and of the capture itself for the group "capture"."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"capture": project["dependencies"], **project["optional-dependencies"]}
    return list(dict.fromkeys(line for group in groups for line in lists[group]))
