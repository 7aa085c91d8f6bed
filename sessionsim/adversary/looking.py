"""A view laid open for people: each record with its ends, its size, and how far the observer gets into it.

How far is read off the closure, which opened what the observer's keys open; nothing is tried here. A record
on a link is seen from outside. At an endpoint its bytes are sealed, peeled by some layers, or read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.columns import Ints, column
from sessionsim.adversary.explaining import end_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.layers import NONE
from sessionsim.core.columns import HEADS, Transport
from sessionsim.core.sights import Opening, Record
from sessionsim.core.view import AT_ENDPOINT

_NAMED: Final = 3  # calls of one request that are named
_ENDS: Final = ("client", "node", "server")  # everybody knows nodes and servers, the others are clients


class Looking:
    """One observer's records. Args: closure: what it has, and what it opens. Rows are those of its view."""

    def __init__(self, closure: Closure) -> None:
        self._closure, self._view = closure, closure.view
        self._places = self._find_places()
        requests, answers = (column(values) for values in closure.transcript.meaning.answers)
        here = np.flatnonzero(closure.t_answered < NEVER)
        # Of each answer that is read: the request that it answers.
        self._answered = dict(zip(answers[here].tolist(), requests[here].tolist(), strict=True))

    def _find_places(self) -> Ints:
        """Give where each row stands in the transcript; NONE for rows on links and those of no exchange."""
        rows = self._view.rows
        places = np.full(len(rows["row"]), NONE, np.int64)
        here = np.flatnonzero((rows["place"] == AT_ENDPOINT) & (rows["exchange"] != NONE))
        places[here] = self._closure.transcript.places_of(rows["row"][here].astype(np.int64))
        return places

    def openings(self) -> Ints:
        """Give how far the observer gets into each row, as `Opening`."""
        rows, transcript, places = self._view.rows, self._closure.transcript, self._places
        found = np.full(len(places), int(Opening.SEALED), np.int64)
        empty = rows["app_bytes"].astype(np.int64) <= 0
        found[(rows["place"] != AT_ENDPOINT) | ((places == NONE) & empty)] = Opening.OUTSIDE
        there = np.flatnonzero(places != NONE)
        layer, request, answer, asked = (
            values[places[there]]
            for values in (transcript.layer, transcript.request, transcript.answer, transcript.asked)
        )
        read = np.isin(answer, list(self._answered)) | (request >= 0)
        read |= (answer >= 0) & (asked >= 0) & (transcript.request[asked] >= 0)
        found[there[read]] = Opening.READ
        layered = layer >= 0
        found[there[layered]] = self._of_layers()[layer[layered]]
        return found

    def _of_layers(self) -> Ints:
        """Give how far the observer gets into each layer: as far as into the one inside, if it opens it."""
        layers, opened = self._closure.transcript.layers, self._closure.t_open < NEVER
        child = column(layers.child)
        found = np.where(column(layers.request) >= 0, int(Opening.READ), int(Opening.PEELED))
        found[~opened] = Opening.SEALED
        outer = np.flatnonzero(opened & (child >= 0))
        while True:
            deeper = outer[(found[child[outer]] == Opening.READ) & (found[outer] != Opening.READ)]
            if not len(deeper):
                return found
            found[deeper] = Opening.READ

    def lanes(self) -> tuple[Ints, list[str]]:
        """Give the kind of link of each row by number, and the kinds' names, for example `client – node`."""
        rows, n_nodes = self._view.rows, len(self._view.nodes)
        servers = np.fromiter(self._view.servers, np.int64, len(self._view.servers))
        ends = [
            np.where(end < n_nodes, 1, np.where(np.isin(end, servers), 2, 0))
            for end in (rows[name].astype(np.int64) for name in ("src", "dst"))
        ]
        code = 3 * np.minimum(*ends) + np.maximum(*ends)
        present, numbers = np.unique(code, return_inverse=True)
        return numbers, [f"{_ENDS[one // 3]} – {_ENDS[one % 3]}" for one in present.tolist()]

    def records(self, places: Sequence[int]) -> Iterator[Record]:
        """Describe some rows. Args: places: where they stand in the view."""
        rows, (lane, names) = self._view.rows, self.lanes()
        for at in places:
            row = {name: int(values[at]) for name, values in rows.items()}
            opening, opened = self._opened(at)
            yield Record(
                row=row["row"],
                t_us=row["t_us"],
                source=end_of(self._view, row["src"]),
                target=end_of(self._view, row["dst"]),
                lane=names[lane[at]],
                answer=row["direction"] == 1,
                transport=Transport(row["transport"]).name,
                size_bytes=row["wire_bytes"] if opening is Opening.OUTSIDE else row["app_bytes"],
                opening=opening,
                opened=opened,
            )

    def _opened(self, at: int) -> tuple[Opening, str]:
        """Say how far the observer gets into a row."""
        if int(self._view.rows["place"][at]) != AT_ENDPOINT:
            return Opening.OUTSIDE, "seen from outside"
        place = int(self._places[at])
        if place == NONE:
            if self._view.rows["app_bytes"][at] <= 0:
                return Opening.OUTSIDE, f"{self._head(at)}, nothing inside"
            return Opening.SEALED, f"{self._head(at)}, in no exchange"
        transcript = self._closure.transcript
        layer, request, answer = (
            int(values[place]) for values in (transcript.layer, transcript.request, transcript.answer)
        )
        if layer >= 0:
            return self._peeled(layer)
        if request >= 0:
            return Opening.READ, f"in clear: {self._calls(request)}"
        if answer >= 0:
            asked = self._answered.get(answer, NONE)
            if asked >= 0:
                return Opening.READ, f"answer to: {self._calls(asked)}"
            clear = int(transcript.request[transcript.asked[place]])
            if clear >= 0:
                return Opening.READ, f"answer in clear to: {self._calls(clear)}"
            return Opening.SEALED, "sealed answer"
        kept = self._view.rows["blob"][at] in self._view.blobs
        return Opening.SEALED, f"{self._head(at)}, {'of no known form' if kept else 'bytes not kept'}"

    def _peeled(self, layer: int) -> tuple[Opening, str]:
        transcript, t_open = self._closure.transcript, self._closure.t_open
        chain = transcript.inwards(layer)
        opened = next((k for k, one in enumerate(chain) if t_open[one] >= NEVER), len(chain))
        layers = f"{opened} layer{'' if opened == 1 else 's'} opened"
        if opened == 0:
            return Opening.SEALED, "sealed layer"
        request = transcript.layers.request[chain[opened - 1]]
        if request >= 0:
            return Opening.READ, f"{layers}: {self._calls(request)}"
        return Opening.PEELED, f"{layers}, {'another' if opened < len(chain) else 'no known form'} inside"

    def _calls(self, request: int) -> str:
        """Name what a request asks for."""
        briefs = self._closure.transcript.meaning.calls[request]
        methods = list(dict.fromkeys(brief.method for brief in briefs if brief.method))
        more = f" and {len(methods) - _NAMED} more" if len(methods) > _NAMED else ""
        return ", ".join(methods[:_NAMED]) + more or "bytes without a call"

    def _head(self, at: int) -> str:
        head, answer = int(self._view.rows["head"][at]), int(self._view.rows["direction"][at]) == 1
        if answer:
            return "answer"
        return HEADS[head] if 0 <= head < len(HEADS) else "transmission"
