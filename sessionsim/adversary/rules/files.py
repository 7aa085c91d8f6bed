"""Files by their ids: who uploaded one, who got it, and whom messages and files brought together."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.core.ledger import Relation

_Known = tuple[int, Derive]


def take_files(notes: Notes) -> None:
    """Note which address had a file stored, and to which one it was handed out."""
    closure, meaning = notes.closure, notes.meaning
    for relation, table in ((Relation.SENT, meaning.uploads), (Relation.FETCHED, meaning.downloads)):
        read, file = (column(values) for values in table)
        request = column(meaning.answers[0])[read]
        arrival = notes.arrival[request]
        t_us = closure.t_answered[read]
        if relation is Relation.FETCHED:
            t_us = np.maximum(t_us, np.where(arrival >= 0, closure.t_row[arrival], NEVER))
        for place in np.flatnonzero((notes.client[request] >= 0) & (t_us < NEVER)).tolist():
            asked = int(request[place])
            known_us = max(int(t_us[place]), notes.linked_us(asked))
            why = partial(_steps, notes, asked, int(read[place]), relation is Relation.FETCHED)
            notes.note(relation, notes.address(asked), meaning.names[int(file[place])], known_us, why)


def _steps(notes: Notes, request: int, read: int, delivered: bool) -> Steps:
    call = notes.meaning.calls[request][0]
    steps = (*notes.linked(request), *notes.words.read(request), *notes.words.call(call))
    steps = (*steps, *notes.words.answer(read), "field code: 200")
    if delivered:
        place = int(notes.arrival[request])
        steps = (*steps, *notes.words.delivery(int(notes.client[request]), place))
    return steps


def join_ends(notes: Notes) -> None:
    """Note which address had something stored that was handed to which other one."""
    sent: dict[str, list[tuple[str, _Known]]] = defaultdict(list)
    fetched: dict[str, list[tuple[str, _Known]]] = defaultdict(list)
    for (relation, address, thing), known in notes.known.items():
        if relation is Relation.SENT:
            sent[thing].append((address, known))
        elif relation is Relation.FETCHED:
            fetched[thing].append((address, known))
    for thing, senders in sent.items():
        for one, (sent_us, sending) in senders:
            for other, (fetched_us, fetching) in fetched.get(thing, ()):
                if one != other:
                    why = partial(_both, sending, fetching, thing)
                    notes.note(Relation.REACHED, one, other, max(sent_us, fetched_us), why)


def _both(sending: Derive, fetching: Derive, thing: str) -> Steps:
    return (*sending(), *fetching(), f"both are about {thing}")
