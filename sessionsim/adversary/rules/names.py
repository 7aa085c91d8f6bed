"""Names in bytes: seen at all, and standing in what an address sent, somebody signed, or a message shows.

Nothing is concluded from a name but that it stood there. That is certain whatever the field is called, and is
how something shows that nobody thought of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from sessionsim.adversary.columns import Ints, column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.layers import NONE
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Notes, earliest, groups
from sessionsim.adversary.rules.messages import met, name_of, stored_steps
from sessionsim.adversary.rules.signatures import signature
from sessionsim.core.ledger import Relation


class _Table(NamedTuple):
    """Names in one kind of place.

    Args:
        name: number of each name.
        t_us: when it could be read.
        thing: what holds it, as the closure numbers things.
        steps: how it was read, given its place in the table.
    """

    name: Ints
    t_us: Ints
    thing: Ints
    steps: Callable[[int], Steps]


def take_names(notes: Notes) -> None:
    """Note every name that could be read, and which address sent it or got it."""
    tables = tuple(_tables(notes))
    name, t_us, thing = (np.concatenate([table[k] for table in tables]) for k in range(3))
    ends = np.cumsum([len(table.name) for table in tables])
    part = notes.closure.part[thing]
    client, first, _ = (of_part[part] for of_part in notes.closure.clients)

    def steps(place: int) -> Steps:
        kind = int(np.searchsorted(ends, place, side="right"))
        before = int(ends[kind - 1]) if kind else 0
        found = tables[kind].steps(place - before)
        return (*found, f"there stands {notes.meaning.names[int(name[place])]}")

    for (number,), places in groups((name,), t_us):
        notes.note(
            Relation.SEEN, notes.meaning.names[number], "", int(t_us[places[0]]), partial(steps, places[0])
        )

    first_us = np.where(first >= 0, notes.closure.t_row[first], NEVER)
    least_us = np.where(t_us < NEVER, np.maximum(first_us, t_us), NEVER)

    def exact_us(place: int) -> int:
        joined_us = notes.closure.linked_us(int(first[place]), int(thing[place]))
        return max(int(t_us[place]), joined_us)

    def linked(place: int) -> Steps:
        origin = notes.words.reached(int(client[place]), int(first[place]), int(thing[place]))
        return (*origin, *steps(place))

    for (end, number), places in groups((client, name), least_us):
        best = earliest(places, least_us[places].tolist(), exact_us, lambda place: True)
        if best is not None and end >= 0:
            place, known_us = best
            address, term = address_of(notes.view, end), notes.meaning.names[number]
            if term != address:
                notes.note(Relation.NAMED, address, term, known_us, partial(linked, place))


def _tables(notes: Notes) -> Iterator[_Table]:
    closure, meaning = notes.closure, notes.meaning
    row, name = (column(values) for values in meaning.named_in_row)
    yield _Table(name, closure.t_row[row], row, lambda at: notes.words.frame(int(row[at])))
    layer, name = (column(values) for values in meaning.named_in_layer)
    yield _Table(
        name,
        closure.t_open[layer],
        closure.layer_thing(0) + layer,
        lambda at: notes.words.layer(int(layer[at])),
    )
    request, name, _call = (column(values) for values in meaning.named_in_request)
    yield _Table(
        name,
        closure.t_read[request],
        closure.request_thing(0) + request,
        lambda at: notes.words.read(int(request[at])),
    )
    read, name = (column(values) for values in meaning.named_in_answer)
    asked = column(meaning.answers[0])[read]
    yield _Table(
        name,
        closure.t_answered[read],
        closure.request_thing(0) + asked,
        lambda at: notes.words.answer(int(read[at])),
    )


def take_companions(notes: Notes) -> None:
    """Note which names stand in requests that somebody signed, and in messages or beside them."""
    _beside_signers(notes)
    _beside_messages(notes)
    had: dict[int, tuple[int, Callable[[], Steps]]] = {}
    for number, t_us, steps in met(notes):
        had[number] = (t_us, steps)
        about, subject = notes.meaning.message(number), name_of(notes, number)
        if about.form:
            notes.note(Relation.SHOWS, subject, f"form:{about.form}", t_us, steps)
        for term in about.names:
            notes.note(Relation.NAMED, subject, term, t_us, partial(_inside, steps, term))
    for term, numbers in notes.meaning.clear.repeated.items():
        held = [number for number in dict.fromkeys(numbers) if number in had]
        for number in held if len(held) > 1 else ():
            t_us, steps = had[number]
            notes.note(Relation.NAMED, name_of(notes, number), term, t_us, partial(_inside, steps, term))


def _inside(steps: Callable[[], Steps], term: str) -> Steps:
    return (*steps(), f"in its clear parts stands {term}")


def _beside_signers(notes: Notes) -> None:
    """Note the names in signed requests beside the signer's own."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    request, signer = (column(values) for values in meaning.signed)
    named, name, _ = (column(values) for values in meaning.named_in_request)
    place, other = _joined(request, named)
    other = name[other]
    apart = signer[place] != other
    place, other = place[apart], other[apart]
    for (by, number), places in groups((signer[place], other), t_read[request[place]]):
        for candidate in places:
            if meaning.is_signed(int(place[candidate])):
                t_us = int(t_read[request[place[candidate]]])
                why = partial(_signed_beside, notes, int(place[candidate]), meaning.names[number])
                notes.note(Relation.NAMED, meaning.names[by], meaning.names[number], t_us, why)
                break


def _joined(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Pair the places of equal values in two columns, each with each."""
    order = np.argsort(one, kind="stable")
    begins, ends = (np.searchsorted(one[order], other, side=side) for side in ("left", "right"))
    counts = ends - begins
    right = np.repeat(np.arange(len(other)), counts)
    within = np.arange(len(right)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.repeat(begins, counts) + within], right


def _signed_beside(notes: Notes, place: int, term: str) -> Steps:
    return (*signature(notes, place), f"in the same request stands {term}")


def _beside_messages(notes: Notes) -> None:
    """Note the names beside a message in the request that hands it over; around it, where it is alone."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    held: dict[tuple[int, int], int] = {}
    alone: dict[int, tuple[int, int]] = {}
    for request, message, call in zip(*meaning.in_request, strict=True):
        held[request, call] = message
        alone[request] = (NONE, NONE) if request in alone else (message, call)
    named, name, where = (column(values) for values in meaning.named_in_request)
    some = np.flatnonzero(np.isin(named, np.fromiter(alone, np.int64, len(alone))) & (t_read[named] < NEVER))
    for asked, number, place in zip(*(values[some].tolist() for values in (named, name, where)), strict=True):
        message, call = alone[asked] if place == NONE else (held.get((asked, place), NONE), place)
        term = meaning.names[number]
        if message == NONE or term == id_term(meaning.hashes[message][1]):
            continue
        steps = partial(stored_steps, notes, asked, message, call)
        notes.note(
            Relation.NAMED, name_of(notes, message), term, int(t_read[asked]), partial(_with, steps, term)
        )


def _with(steps: Callable[[], Steps], term: str) -> Steps:
    return (*steps(), f"beside it stands {term}")
