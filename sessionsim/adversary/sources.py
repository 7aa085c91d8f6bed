"""Where an exchange's bytes come from, and since when one knows it: times and texts of derivations.

A derivation is a tuple of short steps in order, each naming a row, a key or a field. Texts are made only for
facts that stay in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.adversary.closure import Closure, Exchange, Reading
from sessionsim.core.view import View

Steps = tuple[str, ...]
Derive = Callable[[], Steps]


class Source:
    """Where the bytes of an exchange come from: its one client, its rows, and how they hang together."""

    def __init__(self, closure: Closure, exchange: Exchange, reading: Reading) -> None:
        self._closure, self._exchange, self._reading = closure, exchange, reading
        self._sightings = closure.sightings
        self.client = next(iter(exchange.clients)) if len(exchange.clients) == 1 else None
        self.t_us = max(self._sightings[reading.at].t_us, reading.since_us)

    @property
    def _first(self) -> int:
        assert self.client is not None
        return self._exchange.clients[self.client]

    @property
    def address(self) -> str:
        assert self.client is not None
        return address_of(self._closure.view, self.client)

    @property
    def connection(self) -> tuple[int, int]:
        assert self.client is not None
        return self._sightings[self._first].conn, self.client

    def _latest(self, start: int, end: int) -> int:
        steps = self._closure.path(start, end)
        ends = {start, *(i for step in steps for i in step[:2])}
        return max(self.t_us, *(self._sightings[i].t_us for i in ends))

    @property
    def linked_us(self) -> int:
        """When the request was read and linked to the client's address."""
        return self._latest(self._first, self._reading.at)

    @property
    def answer_us(self) -> int:
        """When request and answer were both read."""
        answered = self._exchange.answered
        assert answered is not None
        return self._latest(self._reading.at, answered.at)

    @property
    def answered_us(self) -> int:
        """When request, answer and address were all there."""
        return max(self.linked_us, self.answer_us)

    @property
    def delivered(self) -> bool:
        """Whether an answer was seen going to the client."""
        return self._delivery is not None

    @property
    def _delivery(self) -> int | None:
        rows = self._sightings
        return next(
            (i for i in self._exchange.sightings if rows[i].direction == 1 and rows[i].dst == self.client),
            None,
        )

    @property
    def delivered_us(self) -> int:
        """When all of it and the answer's way to the client were there."""
        assert self._delivery is not None
        return max(self.answered_us, self._sightings[self._delivery].t_us)

    def delivery(self) -> Steps:
        """How the answer reached the client."""
        assert self._delivery is not None
        return (f"row {self._sightings[self._delivery].row}: answer to {self.address}",)

    def read(self) -> Steps:
        """How the request was read."""
        row = self._sightings[self._reading.at].row
        return tuple(f"row {row}: x25519 key of {owner} opens a layer" for owner in self._reading.keys) or (
            f"row {row}: request in clear",
        )

    def answer(self) -> Steps:
        """How the answer was read."""
        answered = self._exchange.answered
        assert answered is not None
        row = self._sightings[answered.at].row
        how = "answer in clear" if self._reading.cipher is None else "answer opens under the request's cipher"
        return (*self._chain(self._reading.at, answered.at), f"row {row}: {how}")

    def linked(self) -> Steps:
        """How the request hangs together with the client's address."""
        first = self._sightings[self._first]
        other = "from" if first.src == self.client else "to"
        origin = f"row {first.row}: {other} {self.address} on connection {first.conn}"
        return (origin, *self._chain(self._first, self._reading.at))

    def _chain(self, start: int, end: int) -> Steps:
        rows = self._sightings
        return tuple(
            f"rows {rows[a].row} and {rows[b].row} {why}" for a, b, why in self._closure.path(start, end)
        )


def address_of(view: View, endpoint: int) -> str:
    """Write a client's address as a term; by endpoint number where the view does not name it."""
    return f"addr:{view.addresses.get(endpoint, f'endpoint-{endpoint}')}"
