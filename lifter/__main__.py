"""python -m reel2rig.lifter: the command line, also run by the Blender extension as its worker."""

import os
import signal
import sys

# Many small matrices: threads of the linear algebra library only wait for each other. Set before numpy is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Until the command line takes over nothing has been written: a request to stop is simply followed.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(3))

from .cli import main  # noqa: E402 - after the above

sys.exit(main())
