"""What a client would do if nothing happened: poll the own account again and again, and hear nothing new.

Whoever knows that the nodes have nothing for the client need not carry these polls out one by one. Poll i
asks nodes, over paths, under an exchange number that are functions of (client, i); so are the delays of its
transmissions. `IdlePolls` tells all of it for the polls to come, and `Client.skip` goes on behind them as if
they had been made (speed notes, rule 5). A client says that it is idle only when nothing is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.client.turns import Numbers

NEVER_US: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class IdlePolls:
    """The polls a client would make from now on.

    Args:
        account_id: 33 bytes; swarm: the nodes that are asked, as the client knows them.
        first: number of the next poll; due_us: when it begins.
        until_us: a poll that begins then or later may differ; NEVER_US for none.
        wait_us: from the beginning of a poll until its requests go out.
        pause_us: from the last answer of a poll to the next poll.
        timeout_us: a poll that takes so long is given up.
        routes: the nodes of each path, guard first.
        connection: handle of the connections to the guards.
        plan: gives for n polls, so many ahead of the first, the nodes asked, the positions in `routes` and
            the exchange numbers; shape (n, nodes asked at a time) each.
        cursors: gives what it would tell a node: namespace and last hash of each box.
        style: how the onion is written; body_bytes: gives the length of the body for a node.
    """

    account_id: bytes
    swarm: tuple[int, ...]
    first: int
    due_us: int
    until_us: int
    wait_us: int
    pause_us: int
    timeout_us: int
    routes: tuple[tuple[int, ...], ...]
    connection: int
    style: str
    plan: Callable[[int, int], tuple[Numbers, Numbers, Numbers]]
    cursors: Callable[[int], tuple[tuple[int, str], ...]]
    body_bytes: Callable[[int], int]
