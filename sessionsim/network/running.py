"""Driving a host to its horizon: progress told on the way, and the memory collector kept out of it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from sessionsim.core.units import US_PER_MIN, US_PER_S
from sessionsim.network.host import Host

# Events and payloads rarely form cycles, so the collector may look seldom.
_GC_THRESHOLDS: Final = (500_000, 20, 50)
_SHORT_US: Final = 5 * US_PER_MIN
_TOGETHER: Final = 16  # short runs after which what they have left is thrown away
_SHORT_RUNS: Final = count()
_PROGRESS_STEP_US: Final = US_PER_S  # how often progress is told, in simulated time
_PROGRESS_STEPS: Final = 10_000  # and not much more often than this in one run


def drive(host: Host, horizon_us: int, progress: Callable[[int], None] | None) -> None:
    """Start a host and run it to the end.

    Args:
        progress: told the simulated time reached, once per simulated second, in long runs less often.
    """
    with _seldom_collecting(horizon_us):
        host.start()
        step_us = max(_PROGRESS_STEP_US, horizon_us // _PROGRESS_STEPS)
        for t_us in range(step_us, horizon_us, step_us):
            host.run(t_us)
            if progress is not None:
                progress(t_us)
        host.run(horizon_us)


@contextmanager
def _seldom_collecting(horizon_us: int) -> Iterator[None]:
    """Leave alone what is there already, and look for cycles seldom."""
    # Looking through everything once costs as much as a short run, so it is done for some of these.
    if horizon_us > _SHORT_US or next(_SHORT_RUNS) % _TOGETHER == 0:
        gc.collect()
    ours = not gc.get_freeze_count()  # who has frozen something before keeps it: nothing can be thawed alone
    if ours:
        gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if ours:
            gc.unfreeze()
