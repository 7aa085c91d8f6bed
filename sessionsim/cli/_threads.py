"""One thread per process for the linear algebra below numpy and scipy.

Replicates run side by side in processes, so more threads inside one take turns on processors that are busy
already: a small matrix times a vector then takes a hundred times as long, spent in waiting. With one thread
the order in which sums are taken, and so their last digits, do not depend on the number of processors either.
"""

from __future__ import annotations

import os
from typing import Final

# Source: documentation of OpenBLAS (in the wheels of numpy and scipy), OpenMP (scikit-learn) and MKL.
NAMES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def use_one_thread() -> None:
    """Ask for one thread, here and in processes started from here; what a person has set stays.

    The libraries look once, when they are loaded: call this before numpy is imported.
    """
    for name in NAMES:
        os.environ.setdefault(name, "1")
