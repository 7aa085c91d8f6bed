"""Whoever sees a client's link sees when its address is there, also from outside."""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.notes import Notes


def sight_addresses(notes: Notes) -> None:
    """Note when client addresses were seen sending anything, first and last."""
    rows, view = notes.view.rows, notes.view
    source = rows["src"].astype(np.int64)
    servers = np.fromiter(view.servers, np.int64, len(view.servers))
    sending = np.flatnonzero((source >= len(view.nodes)) & ~np.isin(source, servers))
    sources, starts, counts = np.unique(source[sending], return_index=True, return_counts=True)
    ends = len(sending) - 1 - np.unique(source[sending][::-1], return_index=True)[1]
    columns = (sources.tolist(), counts.tolist(), sending[starts].tolist(), sending[ends].tolist())
    for endpoint, count, first, last in zip(*columns, strict=True):
        address = address_of(view, endpoint)
        for at in (first, last):

            def steps(at: int = at, address: str = address) -> Steps:
                row, conn = int(rows["row"][at]), int(rows["conn"][at])
                return (f"row {row}: {address} sends on connection {conn}",)

            notes.see(address, int(rows["t_us"][at]), count, steps)
