"""Stored messages: what they show by themselves, what held keys open in them, who stored and fetched them."""

from __future__ import annotations

from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER, NO_KEY
from sessionsim.adversary.notes import Derive, Notes, account_term, earliest, groups
from sessionsim.core.ledger import Relation


def take_messages(notes: Notes) -> None:
    """Note what stored messages show by themselves, and what held keys open in them."""
    meaning, closure = notes.meaning, notes.closure
    stored, fetched = (
        [column(values) for values in table] for table in (meaning.in_request, meaning.in_answer)
    )
    t_us = np.concatenate([closure.t_read[stored[0]], closure.t_answered[fetched[0]]])
    message = np.concatenate([stored[1], fetched[1]])
    for (number,), places in groups((message,), t_us):
        _take_message(notes, number, int(t_us[places[0]]), partial(_seen, notes, places[0]))
    request, message, ttl_ms, _ = (column(values) for values in meaning.lifetimes)
    t_us = closure.t_read[request]
    for (number, lifetime), places in groups((message, ttl_ms), t_us):
        name, place = name_of(notes, number), places[0]
        where = tuple(meaning.lifetimes[k][place] for k in (0, 1, 3))
        notes.note(
            Relation.HAS_TTL, name, f"ms:{lifetime}", int(t_us[place]), partial(stored_steps, notes, *where)
        )


def name_of(notes: Notes, message: int) -> str:
    """Write a message as a term."""
    return f"message:{notes.meaning.messages[message].hash}"


def _seen(notes: Notes, place: int) -> Steps:
    meaning = notes.meaning
    stored = len(meaning.in_request[0])
    if place < stored:
        return stored_steps(notes, *(values[place] for values in meaning.in_request))
    return _fetched_steps(notes, *(values[place - stored] for values in meaning.in_answer))


def stored_steps(notes: Notes, request: int, message: int, call: int) -> Steps:
    """Say how a message was read in a request."""
    about = notes.meaning.messages[message]
    return (
        *notes.words.read(request),
        *notes.words.call(notes.meaning.calls[request][call]),
        f"field data: {about.size_bytes} bytes, hash {about.hash}",
    )


def _fetched_steps(notes: Notes, read: int, message: int, call: int) -> Steps:
    about, request = notes.meaning.messages[message], notes.meaning.answers[0][read]
    return (
        *notes.words.read(request),
        *notes.words.call(notes.meaning.calls[request][call]),
        *notes.words.answer(read),
        f"field messages: {about.size_bytes} bytes, hash {about.hash}",
    )


def _take_message(notes: Notes, number: int, t_us: int, steps: Derive) -> None:
    about = notes.meaning.messages[number]
    subject, inbox = name_of(notes, number), account_term(about.inbox)
    notes.note(Relation.ADDRESSED_TO, subject, inbox, t_us, steps)
    notes.note(Relation.HAS_SIZE, subject, f"bytes:{about.size_bytes}", t_us, steps)
    if about.stamp_ms is not None:
        clear = f"field Envelope.timestamp: {about.stamp_ms}"
        notes.note(Relation.STAMPED, subject, f"ms:{about.stamp_ms}", t_us, lambda: (*steps(), clear))
    since_us = int(notes.closure.held.since_us[about.key]) if about.key != NO_KEY else NEVER
    if about.letter is None or since_us == NEVER:
        return
    letter, t_us = about.letter, max(t_us, since_us)
    writer, target = account_term(letter.sender_id), letter.sync_target or about.inbox

    def read() -> Steps:
        opened = f"key x25519 of {inbox} opens Envelope.content"
        return (*steps(), opened, f"signed by {letter.sender_id.hex()}")

    notes.note(Relation.WRITTEN_BY, subject, writer, t_us, read)
    if letter.sender_id != target:
        named = f"field syncTarget: {target.hex()}" if letter.sync_target else "written to this inbox"
        notes.note(Relation.TALKS_TO, writer, account_term(target), t_us, lambda: (*read(), named))


def stores(notes: Notes) -> list[tuple[int, int, int, Derive]]:
    """Give every store that an address had accepted: request, message, since when that is known, and why."""
    found: list[tuple[int, int, int, Derive]] = []
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
