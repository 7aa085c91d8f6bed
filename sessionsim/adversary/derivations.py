"""Why a fact holds: short steps in order, each naming a row, a key or a field.

Texts are made only for facts that stay in a ledger, from the closure that led to them.
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.briefs import Brief
from sessionsim.adversary.closure import Closure
from sessionsim.adversary.trees import Link
from sessionsim.core.view import View

Steps = tuple[str, ...]


class Derivations:
    """Words for what a closure did. Rows, connections and exchanges have the numbers of its view."""

    def __init__(self, closure: Closure) -> None:
        self._closure, self._transcript = closure, closure.transcript
        self._order = np.argsort(closure.view.rows["row"])
        self._numbers = closure.view.rows["row"][self._order]
        self._reads: dict[int, Steps] = {}  # of each request that was asked about: several facts rest on it
        self._chains: dict[tuple[int, int], Steps] = {}  # and of each pair of rows

    def row(self, place: int) -> int:
        """Give the number of a row in the run."""
        return int(self._transcript.rows["row"][place])

    def connection(self, place: int) -> int:
        """Give the number of a row's connection."""
        return self._own(place, "conn")

    def _own(self, place: int, column: str) -> int:
        """Look a row up in the observer's own view, by its number."""
        at = self._order[np.searchsorted(self._numbers, self.row(place))]
        return int(self._closure.view.rows[column][at])

    def read(self, request: int) -> Steps:
        """How a request was read."""
        steps = self._reads.get(request)
        if steps is None:
            place, layers = self._closure.reading(request)
            steps = self._opened(place, layers) or (f"row {self.row(place)}: request in clear",)
            self._reads[request] = steps
        return steps

    def layer(self, layer: int) -> Steps:
        """How a layer was opened."""
        return self._opened(*self._closure.opening(layer))

    def _opened(self, place: int, layers: list[tuple[int, int]]) -> Steps:
        row, owners = self.row(place), self._transcript.keys.owners
        return tuple(f"row {row}: x25519 key of {owners[key]} opens a layer" for _, key in layers)

    def frame(self, place: int) -> Steps:
        """How the clear part of a row was read."""
        return (f"row {self.row(place)}: in clear beside the ciphertext",)

    def call(self, call: Brief) -> Steps:
        """What is asked for, and about whom."""
        method = f"field method: {call.method}"
        return (method, f"field pubkey: {call.account.hex()}") if call.account else (method,)

    def answer(self, read: int) -> Steps:
        """How an answer was read. Args: read: its number among the answers of the transcript."""
        transcript = self._transcript
        request, place = transcript.meaning.answers[0][read], self._closure.answered_at(read)
        how = (
            "answer in clear"
            if transcript.ciphers[request][0] is None
            else "answer opens under the request's cipher"
        )
        asked = self._closure.reading(request)[0]
        return (*self._chain(asked, place), f"row {self.row(place)}: {how}")

    def linked(self, client: int, first: int, request: int) -> Steps:
        """How a request hangs together with a client's address. Args: first: place of its first row."""
        return self.reached(client, first, self._closure.request_thing(request))

    def reached(self, client: int, first: int, thing: int) -> Steps:
        """How a row, opened layer or request hangs together with a client's address."""
        rows = self._transcript.rows
        other = "from" if int(rows["src"][first]) == client else "to"
        address = address_of(self._closure.view, client)
        origin = f"row {self.row(first)}: {other} {address} on connection {self.connection(first)}"
        return (origin, *self._chain(first, self._closure.place_of(thing)))

    def delivery(self, client: int, place: int) -> Steps:
        """How an answer reached a client."""
        return (f"row {self.row(place)}: answer to {address_of(self._closure.view, client)}",)

    def _chain(self, start: int, end: int) -> Steps:
        """Say how two rows hang together, from row to row."""
        known = self._chains.get((start, end))
        if known is not None:
            return known
        steps: list[str] = []
        before, through = start, list[Link]()
        for link in self._closure.path(start, end):
            through.append(link)
            if self._closure.is_row(link.other):
                why = self._why(before, link.other, through)
                steps.append(f"rows {self.row(before)} and {self.row(link.other)} {why}")
                before, through = link.other, []
        self._chains[start, end] = tuple(steps)
        return self._chains[start, end]

    def _why(self, before: int, after: int, through: list[Link]) -> str:
        if len(through) == 1:  # two rows without anything between them
            exchange, conn = self._own(after, "exchange"), self._own(after, "conn")
            return f"are request and answer {exchange} on connection {conn}"
        name, mark = self._closure.shared(through[-1].one)
        return f"hold one {name} {mark.hex()}…"


def address_of(view: View, endpoint: int) -> str:
    """Write a client's address as a term; by endpoint number where the view does not name it."""
    return f"addr:{view.addresses.get(endpoint, f'endpoint-{endpoint}')}"
