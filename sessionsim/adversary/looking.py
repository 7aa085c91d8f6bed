"""A view laid open for people: each record with its ends, its size, and how far the observer gets into it.

How far is read off the closure, which opened what the observer's keys open; nothing is tried here. A record
on a link is seen from outside. At an endpoint its bytes are sealed, peeled by some layers, or read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.columns import Ints, column
from sessionsim.adversary.explaining import end_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.layers import NONE
from sessionsim.adversary.terms import UNKNOWN
from sessionsim.core.columns import HEADS, Transport
from sessionsim.core.sights import Opening, Record
from sessionsim.core.view import AT_ENDPOINT, View

_NAMED = 3  # calls of one request that are named


class Looking:
    """One observer's records. Args: closure: what it has, and what it opens. Rows are those of its view."""

    def __init__(self, closure: Closure) -> None:
        self._closure, self._view = closure, closure.view
        transcript = closure.transcript
        by_number = {int(number): place for place, number in enumerate(transcript.rows["row"].tolist())}
        numbers = self._view.rows["row"].tolist()
        at_end = (self._view.rows["place"] == AT_ENDPOINT).tolist()
        self._places = [
            by_number.get(number, NONE) if end else NONE for number, end in zip(numbers, at_end, strict=True)
        ]
        self._answered = self._answers_read()

    def _answers_read(self) -> dict[int, int]:
        """Give, for each answer that the observer reads, the request that it answers."""
        requests, answers = (column(values) for values in self._closure.transcript.meaning.answers)
        here = np.flatnonzero(self._closure.t_answered < NEVER)
        return dict(zip(answers[here].tolist(), requests[here].tolist(), strict=True))

    def openings(self) -> Ints:
        """Give how far the observer gets into each row, as `Opening`."""
        return np.array([self._opened(at)[0] for at in range(len(self._places))], np.int64)

    def lanes(self) -> list[str]:
        """Give the kind of link of each row, for example `client – node`; the client's end first."""
        rows = self._view.rows
        kinds = {end: kind_of(self._view, end) for name in ("src", "dst") for end in set(rows[name].tolist())}
        ends = zip(rows["src"].tolist(), rows["dst"].tolist(), strict=True)
        return [" – ".join(sorted((kinds[src], kinds[dst]))) for src, dst in ends]

    def records(self, places: Sequence[int]) -> Iterator[Record]:
        """Describe some rows. Args: places: where they stand in the view."""
        rows, lanes = self._view.rows, self.lanes()
        for at in places:
            row = {name: int(values[at]) for name, values in rows.items()}
            opening, opened = self._opened(at)
            yield Record(
                row=row["row"],
                t_us=row["t_us"],
                source=end_of(self._view, row["src"]),
                target=end_of(self._view, row["dst"]),
                lane=lanes[at],
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
        place = self._places[at]
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
        return Opening.PEELED, f"{layers}, another inside"

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


def kind_of(view: View, endpoint: int) -> str:
    """Say what kind of end an endpoint is: everybody knows nodes and servers, the others are clients."""
    if endpoint == UNKNOWN:
        return "unknown"
    if endpoint < len(view.nodes):
        return "node"
    return "server" if endpoint in view.servers else "client"
