"""From what pip, venv or the system said to what went wrong and what to do. Standard library only."""

import errno
import re
from pathlib import Path
from typing import Final

from ...lifter.errors import CaptureError

# Words in the output, code, message, hint; the first that fits counts.
KNOWN: Final = (
    (
        r"DO NOT MATCH THE HASHES|hashes are required",
        "hash_mismatch",
        "A package is not the one that Reel2Rig was tested with ({detail}). It was not installed.",
        "Fetch it anew. If it comes over the network again like this, somebody between you and the package index "
        "changes files: ask your administrator.",
    ),
    (
        r"No space left on device|not enough space on the disk|Disk quota exceeded",
        "disk_full",
        "The disk is full.",
        "Free some space and press the button again: what was fetched is kept.",
    ),
    (
        r"name resolution|getaddrinfo|nodename nor servname|NewConnectionError|ConnectTimeout|Max retries exceeded"
        r"|Connection (refused|reset)|Network is unreachable|Read timed out|IncompleteRead|SSLError|ProxyError",
        "no_network",
        "The package index could not be reached.",
        "Check the network and the proxy settings, and press the button again: what was fetched is kept. "
        "Without a network: Install from a Folder of Wheels.",
    ),
    (
        r"No matching distribution found|is not a supported wheel",
        "no_wheel",
        "There is no build of a package for this system and Python ({detail}).",
        "Needed: 64-bit Windows, macOS 14 or newer on Apple silicon, or Linux with glibc 2.28 or newer.",
    ),
    (
        r"Permission denied|Access is denied|Read-only file system|\[WinError (5|32)\]",
        "not_writable",
        "The extension's folder may not be written ({detail}).",
        "Free the folder's permissions, or close the program (often a virus scanner) that holds a file of it open, "
        "and press the button again.",
    ),
)
LACKING: Final = "The folder of wheels has no build of a package for this system and Python ({detail})."
LACKING_HINT: Final = (
    "Fill it on a machine with the same system and Python that has a network: see Install in the README."
)


def explained(step: str, output: str, wheels: Path | None = None) -> CaptureError:
    """The error for a failed ``step`` (such as "Fetching numpy"), judged by its output."""
    for pattern, code, message, hint in KNOWN:
        found = re.search(pattern, output, re.IGNORECASE)
        if found is None:
            continue
        if code == "no_wheel" and wheels is not None:
            code, message, hint = "not_in_folder", LACKING, LACKING_HINT
        return CaptureError(code, message.format(detail=_detail(output, found)), hint)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "it said nothing")
    return CaptureError("set_up_failed", f"{step} failed: {last}", "Press the button again, or look at the log.")


def from_os(error: OSError) -> CaptureError:
    """The error for a file operation of ours that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return explained("", "No space left on device")
    where = error.filename or "the environment"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return explained("", f"Permission denied: {where}")
    return CaptureError("set_up_failed", f"{error.strerror or error}: {where}.", "Press the button again.")


def _detail(output: str, found: re.Match[str]) -> str:
    """The first package that is named where the output tells, else the line that tells."""
    package = re.search(r"[\w.-]+==[\w.]+", output[found.start() :])
    if package:
        return package[0]
    start = output.rfind("\n", 0, found.start()) + 1
    return output[start:].partition("\n")[0].strip().removeprefix("ERROR: ")
