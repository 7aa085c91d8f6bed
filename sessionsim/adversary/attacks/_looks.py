"""What a request on a link looks like from outside: its size, that of its answer, and the gaps around it.

Source: metrics 2e (sizes, gaps, symmetric pair).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import FIRST_STRANGER, Requests, answers
from sessionsim.adversary.attacks._trains import rows_of
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import View

Floats = npt.NDArray[np.float64]


def simulated(found: Requests) -> Requests:
    """Leave out the requests of the background, which nobody asks about."""
    here = found.client < FIRST_STRANGER
    return Requests(*(column[here] for column in found))


def looks(view: View, found: Requests, gaps: bool) -> Floats:
    """Give size and size of the next answer to the client; with gaps also the times; shape (n, 2 or 4).

    Args:
        view: holds the answers.
        found: requests in order of time.
        gaps: also how late the answer came, and the time since the client's last request.
    """
    back = answers(view)
    size, late = np.zeros(len(found.t_us)), np.zeros(len(found.t_us))
    gap = np.zeros(len(found.t_us))
    clients, whose = np.unique(found.client, return_inverse=True)
    known = np.flatnonzero(np.isin(back.client, clients))
    theirs = np.searchsorted(clients, back.client[known])
    for mine, place in zip(rows_of(whose, len(clients)), rows_of(theirs, len(clients)), strict=True):
        its, t_us = known[place], found.t_us[mine]
        gap[mine[1:]] = np.diff(t_us)
        if len(its):
            after = np.minimum(np.searchsorted(back.t_us[its], t_us, "right"), len(its) - 1)
            size[mine] = back.wire_bytes[its[after]]
            late[mine] = np.maximum(back.t_us[its[after]] - t_us, 0)
    # Logarithms: what matters of sizes and times is their ratio.
    times = np.stack([np.log10(1 + late), np.log10(1 + gap)], axis=1) / np.log10(US_PER_S)
    sizes = np.stack([np.log2(1 + found.wire_bytes), np.log2(1 + size)], axis=1)
    return np.concatenate([sizes, times], axis=1) if gaps else sizes
