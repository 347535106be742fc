"""From the last words of a failed command to what a person can do about it."""

import re

_REMEDIES = (
    (
        r"no space left on device|not enough space on the disk|disk quota exceeded",
        "The disk is full. Free some space and run the same command again; it continues where it stopped.",
    ),
    (
        r"name resolution|getaddrinfo|newconnectionerror|connecttimeout|max retries exceeded|connection (refused|reset)"
        r"|network is unreachable|read timed out|could not fetch url|sslerror|proxyerror",
        "The package index could not be reached. Check the network (and the proxy settings) and run the same command "
        "again; it continues where it stopped. Without a network: python build.py setup --offline-wheels FOLDER",
    ),
    (
        r"no matching distribution found",
        "A pinned package has no build for this system and Python. Needed: 64-bit Linux, Windows or macOS.",
    ),
    (
        r"ensurepip|no module named venv",
        "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv python3-pip",
    ),
    (
        r"cannot open shared object file|importerror: lib",
        "A system library that Blender needs is missing. On Debian and Ubuntu: "
        "apt install libxrender1 libxi6 libxfixes3 libxkbcommon0 libsm6 libgl1 libegl1",
    ),
    (r"permission denied|access is denied", "The folder may not be written. Move the project to a folder of your own."),
)


def pip_remedy(output: str) -> str:
    """What to do after a failed installation, judged by its output."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, output, re.IGNORECASE):
            return remedy
    return "Run the same command again. If it fails again, delete the folders .venv and .venv-blender52 first."
