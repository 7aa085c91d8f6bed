"""What nodes would say to the idle polls of clients: whether there is anything, until when, how many bytes.

What was found out is kept until something may have changed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sessionsim.core.units import US_PER_MS
from sessionsim.network.links import Links
from sessionsim.network.train_jobs import Again
from sessionsim.network.wire_sizes import WireSizes
from sessionsim.protocol.client.idling import NEVER_US, Cursors, IdlePolls, Reread
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.onion_sizes import answer_bytes, exchange_bytes, request_bytes
from sessionsim.protocol.wire.rpc import message_hash
from sessionsim.protocol.wire.rpc_results import json_entry

_TRANSPORT: Final = 7  # the low bits of a connection handle. Source: core.columns.Transport
_SIGNATURE_BYTES: Final = 64
INBOX: Final = 0  # Source: transport 5.3
_ALIKE: Final = 1_000_000_000_000  # unix ms with as many digits as today's


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found out about one account as one client polls it.

    Args:
        until_us: by place in the swarm until when the node has nothing for it; None: it has, or is shunned.
        asks_us, answers_us, mates, again: see `Job`.
    """

    until_us: tuple[int | None, ...]
    asks_us: list[float]
    answers_us: list[tuple[float, ...]]
    mates: list[tuple[int, ...]]
    again: dict[int, Again]


class _Told(NamedTuple):
    """What one node says to a client.

    Args:
        cursors, changes: what it was told, and how often the account's messages there had changed.
        until_us: it has nothing until then; None: it has something, or is shunned.
        ask_us, answers_us, again: see `Job`.
    """

    cursors: Cursors
    changes: int
    until_us: int | None
    ask_us: float
    answers_us: tuple[float, ...]
    again: Again | None = None


class _Known(NamedTuple):
    """What was found out. Args: basis, form: for what it holds, `told` for the former alone."""

    basis: tuple[object, ...]
    form: tuple[int, int]
    told: list[_Told]
    sight: Sight


class Scouts:
    """Finds out what nodes have for clients.

    Args:
        machines: of the run.
        links, sizes, families, suite: see `Trains`.
        watched: endpoints that somebody watches.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        links: Links,
        sizes: WireSizes,
        families: bytes,
        suite: Suite,
        watched: frozenset[int],
    ) -> None:
        self._machines, self._links, self._sizes = machines, links, sizes
        self._families, self._suite, self._watched = families, suite, watched
        self._lengths: dict[tuple[object, ...], tuple[int, ...]] = {}
        self._answers: dict[tuple[object, ...], int] = {}
        self._known: dict[tuple[int, bytes], _Known] = {}
        # How often the messages of an account have changed, at all and at each node.
        self._changes: dict[bytes, int] = {}
        self._changes_at: dict[tuple[bytes, int], int] = {}

    def change(self, account_id: bytes, node: int) -> None:
        """Learn that the messages of an account change at a node."""
        self._changes[account_id] = self._changes.get(account_id, 0) + 1
        at = account_id, node
        self._changes_at[at] = self._changes_at.get(at, 0) + 1

    def look(
        self,
        endpoint: int,
        polls: IdlePolls,
        due_us: int,
        now_us: int,
        afflicted: frozenset[int],
        node_changes: int,
    ) -> Sight:
        """Find out about one account.

        Args:
            due_us: when it is polled next at the earliest.
            node_changes: how often nodes have changed.
        """
        basis = (polls.swarm, polls.connection, afflicted, polls.extension, polls.token, node_changes)
        form = polls.heard, self._changes.get(polls.account_id, 0)
        key = (endpoint, polls.account_id)
        known = self._known.get(key)
        before: Sequence[_Told | None] = [None] * len(polls.swarm)
        if known is not None and known.basis == basis:
            lasts = all([told.until_us is None or told.until_us > now_us for told in known.told])
            if known.form == form and lasts:
                return known.sight
            if polls.extension is None:
                before = known.told
        spread = None
        if polls.extension is not None:
            spread = self._spread(endpoint, polls, due_us, now_us, afflicted)
        told = [
            self._ask(endpoint, polls, node, one, spread, now_us, afflicted)
            for node, one in zip(polls.swarm, before, strict=True)
        ]
        sight = Sight(
            tuple([one.until_us for one in told]),
            [one.ask_us for one in told],
            [one.answers_us for one in told],
            [] if spread is None else [self._node(node).mates for node in polls.swarm],
            {place: one.again for place, one in enumerate(told) if one.again is not None},
        )
        self._known[key] = _Known(basis, form, told, sight)
        return sight

    def _ask(
        self,
        endpoint: int,
        polls: IdlePolls,
        node: int,
        before: _Told | None,
        spread: _Spread | None,
        now_us: int,
        afflicted: frozenset[int],
    ) -> _Told:
        """Find out what one node says. Args: before: what it said before, perhaps to the same."""
        cursors, changes = polls.cursors(node), self._changes_at.get((polls.account_id, node), 0)
        if (
            before is not None
            and before.cursors == cursors
            and before.changes == changes
            and before.until_us is not None
            and before.until_us > now_us
        ):
            return before
        if node in self._watched or node in afflicted or (polls.extension and spread is None):
            return _Told(cursors, changes, None, 0.0, (0.0,))
        until_us = self._node(node).idle_until_us(polls.account_id, cursors, now_us, polls.token)
        if until_us is None:
            return self._ask_again(endpoint, polls, node, cursors, changes, now_us)
        if spread is not None:
            until_us = min(until_us, spread.until_us)
        lines_us = self._lines_us(
            endpoint, polls, cursors, [()] if spread is None else spread.entries, now_us
        )
        return _Told(cursors, changes, until_us, *lines_us)

    def _ask_again(
        self, endpoint: int, polls: IdlePolls, node: int, cursors: Cursors, changes: int, now_us: int
    ) -> _Told:
        """Find out whether a node has nothing but what the client knows from others."""
        news, knows, machine = _Told(cursors, changes, None, 0.0, (0.0,)), polls.knows, self._node(node)
        if knows is None or polls.extension is not None:
            return news
        found = machine.find_again(polls.account_id, cursors, polls.max_size, now_us)
        if found is None:
            return news
        again, until_us = found
        hashes = tuple([message_hash(polls.account_id, INBOX, one.data) for one in again.messages])
        if not all([knows(hash_) for hash_ in hashes]):
            return news
        newest = again.messages[-1].hash
        then = tuple([(box, newest if box == INBOX else hash_) for box, hash_ in cursors])
        # Answers with messages of one length differ in their letters alone.
        form = (polls.style, len(cursors), again.place, tuple([len(one.data) for one in again.messages]))
        if form not in self._answers:
            status, body, _ = machine.idle_answer(len(cursors), now_us, again=again)
            self._answers[form] = answer_bytes(polls.style, status, body)
        ask_us, answer_us = self._wires_us(
            endpoint,
            polls,
            request_bytes(polls.style, polls.body_bytes(cursors)),
            self._answers[form],
        )
        first = Again(Reread(node, hashes, newest), ask_us, answer_us)
        return _Told(cursors, changes, until_us, *self._lines_us(endpoint, polls, then, [()], now_us), first)

    def _lines_us(
        self,
        endpoint: int,
        polls: IdlePolls,
        cursors: Cursors,
        entries: Sequence[tuple[bytes, ...]],
        now_us: int,
    ) -> tuple[float, tuple[float, ...]]:
        """Give how long the bytes of an exchange that brings nothing take; see `_Told`."""
        body_bytes = polls.body_bytes(cursors)
        lengths = [self._exchange_bytes(polls, body_bytes, len(cursors), one, now_us) for one in entries]
        wires = [self._wires_us(endpoint, polls, lengths[0][0], one[-1]) for one in lengths]
        return wires[0][0], tuple([back for _, back in wires])

    def _wires_us(
        self, endpoint: int, polls: IdlePolls, request_bytes: int, answer_bytes: int
    ) -> tuple[float, float]:
        """Give how long a request and an answer take on the client's line."""
        # All guards are as fast as each other.
        out, guard, transport = self._links.us_per_byte, polls.routes[0][0], polls.connection & _TRANSPORT
        ask, _ = self._sizes.wire(transport, 0, request_bytes, self._families[endpoint])
        back, _ = self._sizes.wire(transport, 1, answer_bytes, self._families[guard])
        return ask * out(endpoint, guard), back * out(guard, endpoint)

    def _node(self, node: int) -> ServiceNode:
        machine = self._machines[node]
        assert isinstance(machine, ServiceNode)
        return machine

    def _spread(
        self, endpoint: int, polls: IdlePolls, due_us: int, now_us: int, afflicted: frozenset[int]
    ) -> _Spread | None:
        """Find out what the swarm would say to an extension; None if that is not the same everywhere."""
        client, swarm, asked = self._machines[endpoint], polls.swarm, polls.extension
        assert isinstance(client, Client)
        assert asked is not None
        nodes = [self._node(node) for node in swarm]
        if len(swarm) < 2 or not all([node.is_ready for node in nodes]):
            return None
        if any([node in self._watched or node in afflicted for node in swarm]):
            return None
        for node, machine in zip(swarm, nodes, strict=True):
            if {node, *machine.mates} != set(swarm) or len(machine.mates) != len(swarm) - 1:
                return None
        held_ms = nodes[0].expiries_ms(polls.account_id, asked.hashes)
        if held_ms is None or any(
            [machine.expiries_ms(polls.account_id, asked.hashes) != held_ms for machine in nodes]
        ):
            return None
        asked_ms = client.wire_ms(due_us) + asked.life_us // US_PER_MS
        if any([machine.latest_expiry_ms(due_us) < asked_ms for machine in nodes]):
            return None
        # What expires before it is extended anew is not foreseen; what lives longer changes its part then.
        now_ms = client.wire_ms(now_us)
        lasts_ms = [expiry_ms - now_ms for expiry_ms in held_ms]
        lasts_ms += [expiry_ms - asked_ms for expiry_ms in held_ms if expiry_ms >= asked_ms]
        renewed = [hash_ for hash_, t_ms in zip(asked.hashes, held_ms, strict=True) if t_ms < asked_ms]
        first, later = (
            json_entry(
                {
                    "expiry": _ALIKE,
                    "updated": hashes,
                    "unchanged": {hash_: _ALIKE for hash_ in asked.hashes if hash_ not in hashes},
                },
                bytes(_SIGNATURE_BYTES),
            )
            for hashes in (renewed, [])
        )
        every = len(swarm)
        late = range(every + 1 if polls.at_a_time > 1 else 1)
        entries = [(first,) * (every - count) + (later,) * count for count in late]
        return _Spread(now_us + min(lasts_ms) * US_PER_MS, entries)

    def _exchange_bytes(
        self, polls: IdlePolls, body_bytes: int, boxes: int, entries: tuple[bytes, ...], now_us: int
    ) -> tuple[int, ...]:
        """Give the lengths of the payloads of an exchange that brings nothing."""
        # The answers of one length differ in their times alone.
        form = (polls.style, body_bytes, boxes, entries)
        if form not in self._lengths:
            answer = self._node(polls.swarm[0]).idle_answer(boxes, now_us, entries)
            self._lengths[form] = exchange_bytes(self._suite, polls.style, body_bytes, answer)
        return self._lengths[form]


@dataclass(frozen=True, slots=True)
class _Spread:
    """What a swarm says to an extension.

    Args:
        until_us: it says so.
        entries: what all members say, by how many of them had heard the same in the same poll before.
    """

    until_us: int
    entries: list[tuple[bytes, ...]]


def never_if_none(t_us: int | None) -> int:
    """Give a time, or one before all others."""
    return -NEVER_US if t_us is None else t_us
