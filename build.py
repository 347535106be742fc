"""The one entry for people and CI: python build.py setup | demo | capture | train | test | bench | package ...

Standard library only. This file stays readable for any Python, so that an old one gets a sentence and not a traceback.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - build.py is started by whatever "python" happens to be
    sys.exit(
        "build.py needs Python 3.11 or newer; this is Python %d.%d (%s).\n"  # noqa: UP031
        "Start it with a newer one, for example: python3.11 build.py test" % (sys.version_info[:2] + (sys.executable,))  # noqa: RUF005
    )

from build_steps.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
