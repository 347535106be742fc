"""python -m reel2rig.lifter: the command line, also run by the Blender extension as its worker."""

import os
import sys

# Many small matrices: threads of the linear algebra library only wait for each other. Set before numpy is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from .cli import main

sys.exit(main())
