"""Bare keys of ids that the observer knows, in the clear parts of messages and inside those it opens.

A bare key has no form of its own, so who does not know the id learns nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Derive, Known, Notes
from sessionsim.adversary.rules.messages import name_of
from sessionsim.adversary.rules.opened import had_steps, opened_steps
from sessionsim.adversary.rules.strings import known_ids
from sessionsim.core.ledger import Relation


def take_insides(notes: Notes) -> None:
    """Note where bare keys of known ids stand. To be asked when all names have been noted."""
    ids = known_ids(notes)
    found = [*_in_clear(notes, ids), *_inside(notes, ids)]
    had = had_steps(notes) if found else {}
    for number, name, opened in found:
        known_us, known_why = ids[name]
        if opened:
            t_us, opening = notes.closure.openings[number]
            why: Derive = partial(opened_steps, notes.closure, had, opening)
        else:
            t_us, why = int(notes.closure.t_had[number]), had[number]
        where = "inside it" if opened else "in its clear parts"
        steps = partial(_recognised, why, known_why, f"{where} stand the bytes of the key of {name}")
        notes.note(Relation.NAMED, name_of(notes, number), name, max(t_us, known_us), steps)


def _in_clear(notes: Notes, ids: dict[str, Known]) -> Iterator[tuple[int, str, bool]]:
    """Give the messages in whose clear parts the key of another id than that of their inbox stands."""
    meaning, t_had = notes.meaning, notes.closure.t_had
    for name in ids:
        for number in meaning.clear.holding(_key_of(name)):
            if t_had[number] < NEVER and name != id_term(meaning.hashes[number][1]):
                yield number, name, False


def _inside(notes: Notes, ids: dict[str, Known]) -> Iterator[tuple[int, str, bool]]:
    """Give the opened messages inside which the key of a known id stands."""
    if not notes.closure.openings:
        return
    names: dict[bytes, list[str]] = {}
    for name in ids:
        names.setdefault(_key_of(name), []).append(name)
    for number, key in notes.closure.transcript.keys_inside:
        if number in notes.closure.openings:
            yield from ((number, name, True) for name in names.get(key, ()))


def _key_of(name: str) -> bytes:
    return bytes.fromhex(name.partition(":")[2])[1:]


def _recognised(one: Derive, other: Derive, reason: str) -> Steps:
    return (*one(), *other(), reason)
