"""Crowds: the requests of strangers who poll, in blocks, since a million people's do not fit in memory.

The background names them by whose stream each of them copies and by how far it is turned around the run. An
attack that can weigh some people at a time takes one block of whole strangers after another.

    polls     events of the streams that are copied, `client` being the stream's number from 0 on
    pollers   one row per stranger: `client`, `stream`, `turn_us`
    watch     `horizon_us`, the length around which streams are turned
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import Requests
from sessionsim.core.view import Table, View

Ints = npt.NDArray[np.int64]

_BLOCK: Final = 1 << 20  # Assumption: events laid out at once; some tens of megabytes


def laid_out(
    table: Mapping[str, npt.NDArray[np.generic]], key: str, pollers: tuple[Ints, Ints, Ints], horizon_us: int
) -> Table:
    """Lay out streams of a table, in order of time.

    Args:
        table: events with column `t_us` and the stream's number, from 0 on, in column `key`.
        pollers: number of the new stream, of the one that it copies, and its turn in µs, shape (streams,).
        horizon_us: times are taken modulo this.
    """
    client, drawn, turn = pollers
    owner = np.asarray(table[key]).astype(np.int64)
    order, sizes = np.argsort(owner, kind="stable"), np.bincount(owner)
    begins = np.r_[0, np.cumsum(sizes)[:-1]]
    many = sizes[drawn]
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    rows = order[np.repeat(begins[drawn], many) + within]
    found: Table = {name: np.asarray(column)[rows].astype(np.int64) for name, column in table.items()}
    found["t_us"] = (found["t_us"] + np.repeat(turn, many)) % horizon_us
    found[key] = np.repeat(client, many)
    by_time = np.argsort(found["t_us"], kind="stable")
    return {name: column[by_time] for name, column in found.items()}


def crowds(view: View) -> Iterator[Requests]:
    """Give the requests of all strangers who poll, some whole strangers at a time; nothing if there are none.

    Yields:
        Requests in order of time; a stranger's are in one block, and later blocks have higher numbers.
    """
    if "pollers" not in view.background:
        return
    polls, pollers = view.background["polls"], view.background["pollers"]
    horizon_us = int(view.background["watch"]["horizon_us"][0])
    client, stream, turn = (pollers[name].astype(np.int64) for name in ("client", "stream", "turn_us"))
    ends = np.cumsum(np.bincount(polls["client"].astype(np.int64))[stream])
    begin = 0
    while begin < len(client):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
        some = (client[begin:end], stream[begin:end], turn[begin:end])
        table = laid_out(polls, "client", some, horizon_us)
        t_us, whose, wire = (table[name].astype(np.int64) for name in ("t_us", "client", "wire_bytes"))
        none = np.full(len(t_us), -1, dtype=np.int64)
        yield Requests(t_us, whose, wire, none, none)
        begin = end
