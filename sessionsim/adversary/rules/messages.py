"""Stored messages: what they show by themselves, what held keys open in them, who stored and fetched them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Derive, Notes, earliest, groups
from sessionsim.core.ledger import Relation
from sessionsim.core.view import Haul

# A store that an address had accepted: request, message, since when that is known, and why.
Store = tuple[int, int, int, Derive]


def take_messages(notes: Notes) -> None:
    """Note what stored messages show by themselves, and what held keys open in them."""
    for met_message in met(notes):
        _take_message(notes, *met_message)
    _take_announced(notes)
    _take_signed(notes)
    meaning = notes.meaning
    request, message, ttl_ms, call = (column(values) for values in meaning.lifetimes)
    t_us = notes.closure.t_read[request]
    for (number, lifetime), places in groups((message, ttl_ms), t_us):
        place = places[0]
        steps = partial(stored_steps, notes, int(request[place]), number, int(call[place]))
        notes.note(Relation.HAS_TTL, name_of(notes, number), f"ms:{lifetime}", int(t_us[place]), steps)


def _take_signed(notes: Notes) -> None:
    """Note whose signature a message was stored under, where storing needs one."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    if not meaning.signed_stores[0]:
        return
    places: dict[int, list[int]] = {}
    asked = column(meaning.signed[0])
    for place in np.flatnonzero(np.isin(asked, column(meaning.signed_stores[0]))).tolist():
        places.setdefault(int(asked[place]), []).append(place)
    for request, message, call in zip(*meaning.signed_stores, strict=True):
        inbox = meaning.hashes[message][1]
        for place in places.get(request, ()) if t_read[request] < NEVER else ():
            if meaning.checks[place].account == inbox and meaning.is_signed(place):
                writer, t_us = meaning.names[meaning.signed[1][place]], int(t_read[request])
                steps = partial(_signed_steps, notes, request, message, call, place)
                notes.note(Relation.WRITTEN_BY, name_of(notes, message), writer, t_us, steps)


def _signed_steps(notes: Notes, request: int, message: int, call: int, place: int) -> Steps:
    valid = f"field signature: valid under {notes.meaning.checks[place].verifies.hex()}"
    return (*stored_steps(notes, request, message, call), valid)


def _take_announced(notes: Notes) -> None:
    """Note whose inboxes hold messages that were told by name only."""
    meaning = notes.meaning
    request, message, call = (column(values) for values in meaning.announced)
    t_us = notes.closure.t_read[request]
    for (number,), places in groups((message,), t_us):
        inbox, place = id_term(meaning.hashes[number][1]), places[0]
        told = partial(_announced_steps, notes, int(request[place]), number, int(call[place]))
        notes.note(Relation.ADDRESSED_TO, name_of(notes, number), inbox, int(t_us[place]), told)


def met(notes: Notes) -> Iterator[tuple[int, int, Derive]]:
    """Give every message whose bytes were had, since when, and how."""
    meaning, closure = notes.meaning, notes.closure
    stored, fetched = ([column(values) for values in one] for one in (meaning.in_request, meaning.in_answer))
    hauls = notes.view.hauls
    hauled_us = np.array([haul.t_us for haul in hauls], np.int64)
    hauled = np.array([meaning.hauled[haul.number] for haul in hauls], np.int64)
    t_us = np.concatenate([closure.t_read[stored[0]], closure.t_answered[fetched[0]], hauled_us])
    message = np.concatenate([stored[1], fetched[1], hauled])
    for (number,), places in groups((message,), t_us):
        yield number, int(t_us[places[0]]), partial(_seen, notes, places[0])


def mail_steps(notes: Notes) -> dict[int, Derive]:
    """Give how each letter in a community's inbox was had first."""
    meaning, closure, found = notes.meaning, notes.closure, dict[int, tuple[int, Derive]]()
    ways: list[tuple[int, int, Derive]] = [
        (int(closure.t_read[request]), number, partial(stored_steps, notes, request, number, call))
        for request, number, call in zip(*meaning.mail_in_request, strict=True)
    ]
    ways += [
        (int(closure.t_answered[read]), number, partial(_fetched_steps, notes, read, number, call))
        for read, number, call in zip(*meaning.mail_in_answer, strict=True)
    ]
    for t_us, number, steps in ways:
        if t_us < found.get(number, (NEVER, steps))[0]:
            found[number] = (t_us, steps)
    return {number: steps for number, (_, steps) in found.items()}


def name_of(notes: Notes, message: int) -> str:
    """Write a message as a term."""
    return f"message:{notes.meaning.hashes[message][0]}"


def _seen(notes: Notes, place: int) -> Steps:
    meaning = notes.meaning
    stored = len(meaning.in_request[0])
    if place < stored:
        return stored_steps(notes, *(values[place] for values in meaning.in_request))
    fetched = len(meaning.in_answer[0])
    if place < stored + fetched:
        return _fetched_steps(notes, *(values[place - stored] for values in meaning.in_answer))
    return _hauled_steps(notes, notes.view.hauls[place - stored - fetched])


def _hauled_steps(notes: Notes, haul: Haul) -> Steps:
    """Say how a message was got from a swarm."""
    about = notes.meaning.message(notes.meaning.hauled[haul.number])
    return (
        f"haul {haul.number}: still in the swarm of {id_term(haul.account)} when the thief asked",
        f"field data: {about.size_bytes} bytes, hash {about.hash}",
    )


def stored_steps(notes: Notes, request: int, message: int, call: int) -> Steps:
    """Say how a message was read in a request."""
    about = notes.meaning.message(message)
    return (
        *notes.words.read(request),
        *notes.words.call(notes.meaning.calls[request][call]),
        f"field data: {about.size_bytes} bytes, hash {about.hash}",
    )


def _announced_steps(notes: Notes, request: int, message: int, call: int) -> Steps:
    asked = notes.words.call(notes.meaning.calls[request][call])
    return (*notes.words.read(request), *asked, f"field hash: {notes.meaning.hashes[message][0]}")


def _fetched_steps(notes: Notes, read: int, message: int, call: int) -> Steps:
    about, request = notes.meaning.message(message), notes.meaning.answers[0][read]
    return (
        *notes.words.read(request),
        *notes.words.call(notes.meaning.calls[request][call]),
        *notes.words.answer(read),
        f"field messages: {about.size_bytes} bytes, hash {about.hash}",
    )


def _take_message(notes: Notes, number: int, t_us: int, steps: Derive) -> None:
    about = notes.meaning.message(number)
    subject, inbox = name_of(notes, number), id_term(about.inbox)
    notes.note(Relation.ADDRESSED_TO, subject, inbox, t_us, steps)
    notes.note(Relation.HAS_SIZE, subject, f"bytes:{about.size_bytes}", t_us, steps)
    if about.stamp_ms is not None:
        clear = f"field Envelope.timestamp: {about.stamp_ms}"
        notes.note(Relation.STAMPED, subject, f"ms:{about.stamp_ms}", t_us, lambda: (*steps(), clear))


def stores(notes: Notes) -> list[Store]:
    """Give every store that an address had accepted."""
    found: list[Store] = []
    meaning, closure = notes.meaning, notes.closure
    for read, message, call in zip(*meaning.accepted, strict=True):
        request = meaning.answers[0][read]
        if notes.client[request] < 0 or closure.t_answered[read] == NEVER:
            continue
        t_us = max(notes.linked_us(request), int(closure.t_answered[read]))
        found.append((request, message, t_us, partial(_sent_steps, notes, request, read, message, call)))
    return found


def _sent_steps(notes: Notes, request: int, read: int, message: int, call: int) -> Steps:
    stored = stored_steps(notes, request, message, call)
    return (*notes.linked(request), *stored, *notes.words.answer(read), "field code: 200")


def take_deliveries(notes: Notes) -> None:
    """Note which address had a message stored, and to which it was handed out."""
    for asking, number, t_us, sent in stores(notes):
        notes.note(Relation.SENT, notes.address(asking), name_of(notes, number), t_us, sent)
    closure = notes.closure
    read, message, call = (column(values) for values in notes.meaning.in_answer)
    request = column(notes.meaning.answers[0])[read]
    arrival = notes.arrival[request]
    delivered_us = np.where(arrival >= 0, closure.t_row[arrival], NEVER)
    least_us = np.maximum(np.maximum(notes.least_us[request], closure.t_answered[read]), delivered_us)

    def exact_us(place: int) -> int:
        return max(notes.linked_us(int(request[place])), int(least_us[place]))

    def steps(place: int) -> Steps:
        asked = int(request[place])
        return (
            *notes.linked(asked),
            *_fetched_steps(notes, int(read[place]), int(message[place]), int(call[place])),
            *notes.words.delivery(int(notes.client[asked]), int(arrival[place])),
        )

    for (client, number), places in groups((notes.client[request], message), least_us):
        best = earliest(places, least_us[places].tolist(), exact_us, lambda place: True)
        if best is not None:
            address = address_of(notes.view, client)
            notes.note(Relation.FETCHED, address, name_of(notes, number), best[1], partial(steps, best[0]))
