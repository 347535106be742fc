"""Choose the verb and turn errors into sentences and exit statuses."""

import signal
import sys

from . import capture, checks, lock, package, passing_on, repository, setup
from .console import BuildError

USAGE = """\
usage: python build.py VERB [options]

  setup       make the environments: .venv (everything) and .venv-blender52 (Blender 5.2, for tests)
  demo        capture the bundled clip into demo/: .blend, .fbx, motion file, preview video
  capture     capture CLIP --out FOLDER [--fbx] [--glb] [--target unity|unreal|godot|generic] [capture options]
  test        every check and test; further arguments go to pytest
  bench       measure; prints one JSON object
  train       train the lifter (python -m reel2rig.training)
  package     build the Blender extension into dist/
  repository  make dist/repository, to host the extension yourself: repository [--url URL]
  lock        pin what the extension's set-up fetches, with hashes (after a change of pins; needs uv)

`python build.py VERB --help` tells more. What is missing is set up on the way."""

VERBS = {
    "setup": setup.run,
    "demo": capture.demo,
    "capture": capture.run,
    "test": checks.run,
    "bench": passing_on.bench,
    "train": passing_on.train,
    "package": package.run,
    "repository": repository.run,
    "lock": lock.run,
}
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run one verb. Exit status: 0 done, 1 our fault, 2 the input's fault, 3 cancelled, 130 interrupted."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(USAGE)
        return 0 if arguments else 2
    verb = VERBS.get(arguments[0])
    if verb is None:
        print(f"There is no verb {arguments[0]!r}.\n\n{USAGE}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return verb(arguments[1:])
    except BuildError as error:
        print(f"\n{error.message}\n{error.remedy}".rstrip(), file=sys.stderr, flush=True)
        return error.status
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to continue.", file=sys.stderr, flush=True)
        return INTERRUPTED
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        print(f"\n{reason}\nCheck the disk's free space and the folder's permissions.", file=sys.stderr, flush=True)
        return 1
