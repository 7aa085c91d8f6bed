"""The least fixpoint: which transmissions belong together, and what could be opened in them.

Two rows belong to one exchange when
- they are request and answer of one exchange number on one connection, seen at an operated end of it, or
- they hold one ephemeral key or one ciphertext of an onion layer or answer: fresh random strings, by the wire
  format, that occur in one exchange only.
Node keys, account ids, hashes and stored messages occur in many exchanges and link none.

The rules that produce terms run in two strata. Layers open under keys that are all known from the start, and
each yields at most one further layer, so following every chain to its end is their fixpoint. Answers open
under the ciphers that came out of layers of the same exchange, and yield only leaves. Nothing in a leaf is a
key or a layer, so the closure is complete after one round; a test compares it with exhaustive trial.

Rows are taken in time order and every link is an edge to an earlier row, so the path between two rows of an
exchange is one that was complete as early as any (a minimum bottleneck tree, as in Kruskal's algorithm).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sessionsim.adversary.opening import Keyring, OpenedTable
from sessionsim.adversary.roles import ROLES, roles_of
from sessionsim.adversary.terms import (
    MIN_CIPHERTEXT_BYTES,
    ONION_HEADS,
    Call,
    Innermost,
    Layer,
    Result,
    read_answer_ciphertext,
    read_results,
)
from sessionsim.core.scene import Role
from sessionsim.core.view import ALWAYS_US, AT_ENDPOINT, View
from sessionsim.protocol.crypto.layer import Layer as Cipher

_NO_EXCHANGE: Final = -1
_MAX_LAYERS: Final = 16  # Source: transport 3.5, nodes refuse requests beyond 15 hops


class Sighting(NamedTuple):
    """One row of a view in plain numbers."""

    row: int
    t_us: int
    src: int
    dst: int
    conn: int
    exchange: int
    head: int
    direction: int
    blob: int


class Reading(NamedTuple):
    """A request that was read at one row.

    Args:
        at: index of the sighting.
        calls: what it asks for.
        cipher: opens the answer; None when the request was not onioned.
        as_base64: how the answer is written.
        keys: owners of the keys that opened its layers, outermost first.
        since_us: when the last of these keys was there.
    """

    at: int
    calls: tuple[Call, ...]
    cipher: Cipher | None
    as_base64: bool
    keys: tuple[str, ...]
    since_us: int = ALWAYS_US


class Answered(NamedTuple):
    """The results of a reading's calls. Args: at: index of the sighting that carried them."""

    at: int
    results: tuple[Result, ...]


@dataclass(slots=True)
class Exchange:
    """What one observer has of one exchange.

    Args:
        sightings: indices of its rows, in time order.
        clients: client endpoints among their ends -> index of the first sighting.
        nodes: service nodes among their ends and in the routes that were opened.
        reading: the first place where the request could be read.
        answered: its answer, opened.
    """

    sightings: list[int] = field(default_factory=list)
    clients: dict[int, int] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    reading: Reading | None = None
    answered: Answered | None = None


class Closure:
    """All that follows from a view by opening, reading and linking.

    Args:
        view: what the observer has.
        opened: results of earlier openings; shared between observers of one run.
        keyring: how keys are found; None for the index by public key.
    """

    def __init__(self, view: View, opened: OpenedTable | None = None, keyring: Keyring | None = None) -> None:
        self.view = view
        self.opened = opened if opened is not None else OpenedTable(view.suite)
        self.keyring = keyring if keyring is not None else Keyring(view.keys, view.nodes)
        self.sightings = list(_at_endpoints(view))
        self._roles = _receivers(view) if any(key.roles for key in view.keys) else None
        n = len(self.sightings)
        self._root = list(range(n))
        self._edges: dict[int, list[tuple[int, str, bytes]]] = {}  # row -> other row, why, shared string
        self._first: dict[bytes, int] = {}  # random string -> first sighting that holds it
        self._asked: dict[tuple[int, int, int], int] = {}  # connection, requester, number -> request
        self._answers: dict[int, int] = {}  # request -> its answer on the same connection
        self._ciphertexts: dict[int, bytes] = {}  # onion answers, as they were sent
        self._readings: dict[int, Reading] = {}
        self._named: dict[int, list[int]] = {}  # nodes in routes that were opened
        with _collector_paused():
            for i in range(n):
                self._take(i)
            self.exchanges = self._gather()
            for exchange in self.exchanges:
                exchange.answered = self._answer(exchange)

    def _take(self, i: int) -> None:
        """Read one row and link it to earlier ones."""
        seen = self.sightings[i]
        if seen.exchange == _NO_EXCHANGE:
            return
        payload = self.view.blobs.get(seen.blob)
        if seen.direction == 0:
            self._asked[seen.conn, seen.src, seen.exchange] = i
            if payload is not None:
                self._take_request(i, seen, payload)
            return
        asked = self._asked.get((seen.conn, seen.dst, seen.exchange))
        if asked is None:
            return
        self._answers[asked] = i
        self._link(i, asked, "", b"")
        if payload is not None and self.sightings[asked].head in ONION_HEADS:
            ciphertext = read_answer_ciphertext(seen.head, payload)
            if ciphertext:
                self._ciphertexts[i] = payload
                self._meet(i, ciphertext, "answer ciphertext")

    def _take_request(self, i: int, seen: Sighting, payload: bytes) -> None:
        addressee = seen.dst if seen.dst < len(self.view.nodes) else -1
        term = self.opened.read(seen.head, addressee, payload)
        keys: list[str] = []
        since_us = ALWAYS_US
        while isinstance(term, Layer) and len(keys) < _MAX_LAYERS:
            if len(term.ciphertext) < MIN_CIPHERTEXT_BYTES:
                return
            self._meet(i, term.ephemeral, "ephemeral key")
            self._meet(i, term.ciphertext, "ciphertext")
            if term.addressee >= 0:
                self._named.setdefault(i, []).append(term.addressee)
            roles = () if keys or self._roles is None else self._roles[i]
            found = self.opened.layer(term, self.keyring, self.view.nodes, roles)
            if found is None:
                return
            opened, way = found
            keys.append(way.owner)
            since_us = max(since_us, way.since_us)
            if isinstance(opened.inside, Innermost):
                inside = opened.inside
                self._readings[i] = Reading(
                    i, inside.calls, opened.cipher, inside.as_base64, tuple(keys), since_us
                )
                return
            term = opened.inside
        if term and not isinstance(term, Layer):
            self._readings[i] = Reading(i, term, None, False, ())

    def _meet(self, i: int, token: bytes, kind: str) -> None:
        first = self._first.setdefault(token, i)
        if first != i:
            self._link(i, first, kind, token)

    def _link(self, i: int, earlier: int, kind: str, token: bytes) -> None:
        """Note that two rows are of one exchange; without a kind they are request and answer."""
        a, b = self._find(i), self._find(earlier)
        if a != b:
            self._root[max(a, b)] = min(a, b)
            self._edges.setdefault(i, []).append((earlier, kind, token))
            self._edges.setdefault(earlier, []).append((i, kind, token))

    def _find(self, i: int) -> int:
        root = self._root
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    def _gather(self) -> list[Exchange]:
        n_nodes = len(self.view.nodes)
        found: dict[int, Exchange] = {}
        for i, seen in enumerate(self.sightings):
            if seen.exchange == _NO_EXCHANGE:
                continue
            root = self._find(i)
            exchange = found.get(root)
            if exchange is None:
                exchange = found[root] = Exchange()
            exchange.sightings.append(i)
            for end in (seen.src, seen.dst):
                if end < n_nodes:
                    exchange.nodes.add(end)
                elif end not in self.view.servers:
                    exchange.clients.setdefault(end, i)
            if i in self._named:
                exchange.nodes.update(self._named[i])
            if exchange.reading is None and i in self._readings:
                exchange.reading = self._readings[i]
        return list(found.values())

    def _answer(self, exchange: Exchange) -> Answered | None:
        """Open the exchange's answer: the first one that the request's cipher accepts."""
        reading = exchange.reading
        if reading is None:
            return None
        if reading.cipher is None:
            at = self._answers.get(reading.at)
            payload = None if at is None else self.view.blobs.get(self.sightings[at].blob)
            if at is None or payload is None:
                return None
            return Answered(at, read_results(self.sightings[at].head, payload, reading.calls))
        for at in exchange.sightings:
            if at in self._ciphertexts:
                answer = self.opened.answer(reading.cipher, self._ciphertexts[at], reading.as_base64)
                if answer is not None:
                    return Answered(at, read_results(*answer, reading.calls))
        return None

    def path(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """Give the chain of links between two sightings of one exchange: from, to, and why."""
        came: dict[int, tuple[int, str, bytes]] = {start: (start, "", b"")}
        queue = [start]
        for i in queue:
            if i == end:
                break
            for other, kind, token in self._edges.get(i, ()):
                if other not in came:
                    came[other] = (i, kind, token)
                    queue.append(other)
        steps = []
        while end != start:
            before, kind, token = came[end]
            steps.append((before, end, self._reason(end, kind, token)))
            end = before
        return steps[::-1]

    def _reason(self, i: int, kind: str, token: bytes) -> str:
        if kind:
            return f"hold one {kind} {token[:8].hex()}…"
        seen = self.sightings[i]
        return f"are request and answer {seen.exchange} on connection {seen.conn}"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare the collector: terms refer to each other in no circles, and are many to scan."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _at_endpoints(view: View) -> Iterator[Sighting]:
    rows = view.rows
    here = rows["place"] == AT_ENDPOINT
    return map(Sighting._make, zip(*(rows[name][here].tolist() for name in Sighting._fields), strict=True))


def _receivers(view: View) -> list[tuple[Role, ...]]:
    """Give the roles in which each row's receiver got it; one that sends to itself has both ends' roles."""
    here = view.rows["place"] == AT_ENDPOINT
    rows = {name: values[here] for name, values in view.rows.items()}
    sender, receiver = (ends.tolist() for ends in roles_of(rows, view.blobs, len(view.nodes), view.servers))
    to_itself = (rows["src"] == rows["dst"]).tolist()
    numbers = ((s, r) if same else (r,) for s, r, same in zip(sender, receiver, to_itself, strict=True))
    return [tuple(ROLES[number] for number in held if number >= 0) for held in numbers]
