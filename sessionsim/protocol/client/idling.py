"""What a client would do if nothing happened: poll its account and groups again and again, and hear nothing.

Whoever knows that the nodes have nothing for the client need not carry these polls out one by one. Poll i
asks nodes, over paths, under an exchange number that are functions of (client, i); so are the delays of its
transmissions. `IdlePolls` tells all of it for the polls to come of one swarm, `plan` works it out for many of
them, and `Client.skip` goes on behind them as if they had been made (speed notes, rule 5). A client says that
it is idle only when nothing is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.seeds import mix_array
from sessionsim.protocol.client.turns import MOST_PICKED, Ahead, Numbers, Turns, planned

NEVER_US: Final = 1 << 62
Cursors = tuple[tuple[int, str], ...]  # namespace and last hash of each box
PARALLEL_BITS: Final = 2  # a poll asks at most four nodes (ClientRules.poll_nodes)
NUMBER_BITS: Final = 32  # room for the polls of one account in an exchange number
PURPOSE_BITS: Final = 4  # see `exchanges.Purpose`


def exchange_of(tag: int, number: int, parallel: int, purpose: int) -> int:
    """Give the exchange number of a request of a poll. Args: parallel: which of those made at a time."""
    return ((tag << NUMBER_BITS | number) << PARALLEL_BITS | parallel) << PURPOSE_BITS | purpose


class Reread(NamedTuple):
    """What a node gives of the inbox that the client knows already. Args: cursor: the newest hash of it."""

    node: int
    hashes: tuple[str, ...]
    cursor: str


class Extension(NamedTuple):
    """What each poll asks of the whole swarm: to keep messages longer. Args: life_us: from the poll on."""

    hashes: tuple[str, ...]
    life_us: int


@dataclass(slots=True)
class IdlePolls:
    """The polls a client would make from now on of one account, its own or a group's.

    Args:
        account_id: 33 bytes; swarm: the nodes that are asked, as the client knows them; turns: in what order.
        first: number of the next poll; due_us: when it begins, or if `joint` when the last one was over.
        exchange: number of an exchange of poll 0.
        until_us: a poll that begins then or later may differ; NEVER_US for none.
        wait_us: from the beginning of a poll until its requests go out.
        pause_us: gives the time from the last answer of a poll, given when it came, to the next poll; if
            `joint`, given when a round begins, after how long at least it takes this account.
        timeout_us: a poll that takes so long is given up.
        routes: the nodes of each path, guard first; path_luck: address of the choices between them.
        usable: by place in the swarm the positions in `routes` of the paths that may be taken, where these
            are not all.
        least_busy: of these it takes one of those with the fewest requests under way.
        connection: handle of the connections to the guards.
        heard: grows whenever what nodes are told may change.
        cursors: gives what it would tell a node: namespace and last hash of each box.
        style: how the onion is written; body_bytes: gives the length of the body for cursors.
        extension: what goes with each poll; None for nothing.
        token: the subaccount it is made with, empty for the account itself; it may be revoked.
        knows: says whether a message of the inbox, by its hash, would be counted and passed over; None where
            whatever comes counts as news.
        max_size: what the polls say of the inbox, see `PollTemplate`.
        joint: these are polls of another account that are made in the rounds of the own one (`rounds`).
        beside_us: when the client does something else that no poll depends on; see `Client.wake_beside`.
        others: its polls of other accounts meanwhile; all are joint, or none is.
    """

    account_id: bytes
    swarm: tuple[int, ...]
    turns: Turns
    first: int
    due_us: int
    exchange: int
    until_us: int
    wait_us: int
    pause_us: Callable[[int], int]
    timeout_us: int
    routes: tuple[tuple[int, ...], ...]
    path_luck: int
    usable: Mapping[int, tuple[int, ...]]
    least_busy: bool
    connection: int
    heard: int
    cursors: Callable[[int], Cursors]
    style: str
    body_bytes: Callable[[Cursors], int]
    extension: Extension | None = None
    token: bytes = b""
    joint: bool = False
    knows: Callable[[str], bool] | None = None
    max_size: int = 0
    beside_us: int = NEVER_US
    others: tuple[IdlePolls, ...] = ()

    @property
    def streams(self) -> tuple[IdlePolls, ...]:
        """These polls and those of other accounts."""
        return (self, *self.others)

    @property
    def in_rounds(self) -> bool:
        """Whether all accounts are polled in rounds that begin with the first."""
        return bool(self.others) and self.others[0].joint

    def next_of(self, times_us: Sequence[int]) -> int:
        """Give when the next poll begins. Args: times_us: `due_us` of each stream, then or now."""
        return times_us[0] if self.in_rounds else min(times_us)

    def next_nodes(self) -> list[int]:
        """Give the nodes that the first poll asks."""
        return self.turns.coming(self.first, self.swarm)

    @property
    def at_a_time(self) -> int:
        """How many nodes each poll asks."""
        return min(self.turns.at_a_time, len(self.swarm), MOST_PICKED)


class Skip(NamedTuple):
    """How to go on behind idle polls of one account.

    Args:
        account_id: 33 bytes; polls: how many there were.
        next_us: when the next one begins; of joint polls, when the last one was over.
        last: the node that was asked last; -1 for none.
        rereads: what nodes gave that the client knew.
    """

    account_id: bytes
    polls: int
    next_us: int
    last: int
    rereads: tuple[Reread, ...] = ()


class Plan(NamedTuple):
    """The requests of polls to come: account by account, poll by poll. All arrays have the shape (requests,).

    Args:
        whose: which of the given, poll: which of all polls.
        places: of the nodes asked, in the swarms; paths: positions in the routes; exchanges: their numbers.
        drawn: the 64-bit numbers from which paths follow.
    """

    whose: Numbers
    poll: Numbers
    places: Numbers
    paths: Numbers
    exchanges: Numbers
    drawn: npt.NDArray[np.uint64]

    def first(self, rows: int) -> Plan:
        """Give the first requests alone."""
        whose, poll, places, paths, exchanges, drawn = self
        cut = slice(0, rows)
        return Plan(whose[cut], poll[cut], places[cut], paths[cut], exchanges[cut], drawn[cut])


def plan(many: Sequence[IdlePolls], counts: Sequence[int]) -> Plan:
    """Give the requests of the next polls, if all paths are free. Args: counts: of each, at least one."""
    counted, width = np.array(counts), np.array([polls.at_a_time for polls in many])
    places = planned(
        [Ahead(one.turns, one.swarm, one.first, count) for one, count in zip(many, counts, strict=True)]
    )
    whose_poll = np.repeat(np.arange(len(many)), counted)
    every = np.arange(len(whose_poll))
    if width.max() == 1:
        poll = every
        parallel = np.zeros(1, dtype=np.int64)
    else:
        widths = width[whose_poll]
        poll = np.repeat(every, widths)
        parallel = np.arange(len(poll)) - np.repeat(np.cumsum(widths) - widths, widths)
    whose = whose_poll[poll]
    behind = np.array([one.first for one in many]) - (np.cumsum(counted) - counted)
    numbers = poll + behind[whose]
    base = np.array([one.exchange for one in many])[whose]
    exchanges = base + ((numbers << PARALLEL_BITS | parallel) << PURPOSE_BITS)
    # As `PathKeeper.choose` does, if nothing else is under way.
    luck = np.array([one.path_luck for one in many], dtype=np.uint64)[whose]
    drawn = mix_array(luck, exchanges.astype(np.uint64))
    n_paths = np.array([len(one.routes) for one in many], dtype=np.uint64)[whose]
    paths = (drawn % n_paths).astype(np.int64)
    for number, one in enumerate(many):
        for place, usable in one.usable.items():
            at = np.flatnonzero((whose == number) & (places == place))
            paths[at] = np.array(usable)[(drawn[at] % np.uint64(len(usable))).astype(np.int64)]
    return Plan(whose, poll, places, paths, exchanges, drawn)
