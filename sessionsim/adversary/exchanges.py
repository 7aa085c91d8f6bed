"""Exchanges as people think of them: gathered from a closure, for tests, lenses and explanations.

The facts do not need these objects; they are made from columns. Here one exchange is a set of rows that
belong together, with who is at its ends and what could be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.columns import column
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.terms import Call, Innermost, Layer, Result


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


@dataclass(slots=True)
class Exchange:
    """What one observer has of one exchange.

    Args:
        sightings: its rows, in time order.
        clients: client endpoints among their ends.
        nodes: service nodes among their ends and in the routes that were opened.
        calls: what the request asks for; None where nobody could read it.
        results: its answer; None where it was not read.
        keys: owners of the keys that opened the request, outermost first.
    """

    sightings: list[Sighting] = field(default_factory=list)
    clients: set[int] = field(default_factory=set)
    nodes: set[int] = field(default_factory=set)
    calls: tuple[Call, ...] | None = None
    results: tuple[Result, ...] | None = None
    keys: tuple[str, ...] = ()


def exchanges(closure: Closure) -> list[Exchange]:
    """Gather all exchanges of a closure, by their first rows."""
    transcript, rows = closure.transcript, closure.view.rows
    numbers = {int(row): at for at, row in enumerate(rows["row"].tolist())}
    found: dict[int, Exchange] = {}
    order = np.lexsort((transcript.rows["row"], closure.t_row))
    for place in order[: int((closure.t_row < NEVER).sum())].tolist():
        exchange = found.setdefault(int(closure.part[place]), Exchange())
        at = numbers[int(transcript.rows["row"][place])]
        seen = Sighting._make(int(rows[name][at]) for name in Sighting._fields)
        exchange.sightings.append(seen)
        for end in (seen.src, seen.dst):
            if end < len(closure.view.nodes):
                exchange.nodes.add(end)
            elif end not in closure.view.servers:
                exchange.clients.add(end)
        exchange.nodes.update(_named(closure, place))
    for request in np.flatnonzero(closure.t_read < NEVER).tolist():
        exchange = found[int(closure.part[closure.request_thing(request)])]
        if exchange.calls is None:
            exchange.calls = transcript.calls_again(request)
            exchange.keys = tuple(transcript.keys.owners[key] for _, key in closure.reading(request)[1])
            exchange.results = _answered(closure, request)
    return list(found.values())


def _answered(closure: Closure, request: int) -> tuple[Result, ...] | None:
    transcript = closure.transcript
    asked = column(transcript.meaning.answers[0])
    for read in np.flatnonzero((asked == request) & (closure.t_answered < NEVER)).tolist():
        answer = transcript.answer_again(request, closure.answered_at(read))
        return None if answer is None else answer.results
    return None


def _named(closure: Closure, place: int) -> set[int]:
    """Give the nodes that the layers of a row name as addressees, as far as they are opened."""
    transcript = closure.transcript
    layer, named = int(transcript.layer[place]), set[int]()
    if layer < 0:
        return named
    for depth, term in enumerate(transcript.unwrapped(place)):
        if isinstance(term, Layer):
            if term.addressee >= 0:
                named.add(term.addressee)
            chain = transcript.inwards(layer)
            if depth >= len(chain) or closure.t_open[chain[depth]] == NEVER:
                break
        elif isinstance(term, Innermost):
            break
    return named
