"""Readers of motion capture: each gives the same clips, whatever the files look like."""

from .clip import Reader
from .cmu_pack import read_cmu_pack

READERS: dict[str, Reader] = {"cmu_pack": read_cmu_pack}
