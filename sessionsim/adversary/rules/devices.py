"""Several devices of one account show by what each of them says to have.

A poll names, for each namespace, the newest message that the device got from this very node, and the time
at which it was signed. What one device has of a node only grows, so by the times of signing it is in one
state after another and never comes back. If it does seem to come back, somebody else was in the other state:
as many states as overlap in time, so many devices there are at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import Notes
from sessionsim.adversary.rules.signatures import signature
from sessionsim.core.ledger import Relation


class _Poll(NamedTuple):
    """One poll. Args: stamp_ms: when it was signed; state: what it says; place: of its signature."""

    stamp_ms: int
    state: int
    t_us: int
    place: int


class _Stay(NamedTuple):
    """A state from its first poll to its last."""

    first: _Poll
    last: _Poll


def count_devices(notes: Notes) -> None:
    """Note of how many devices an account or member certainly asks one node."""
    meaning = notes.meaning
    for polls in _polls(notes):
        most = _overlapping(polls)
        if len(most) < 2 or not all(meaning.is_signed(poll.place) for stay in most for poll in stay):
            continue
        subject = meaning.names[meaning.signed[1][polls[0].place]]
        t_us = max(poll.t_us for stay in most for poll in stay)
        notes.note(Relation.HAS_DEVICES, subject, f"devices:{len(most)}", t_us, partial(_steps, notes, most))


def _polls(notes: Notes) -> Iterator[list[_Poll]]:
    """Give the polls of each signer at each node, in the order in which they were signed."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    request, signer = (column(values) for values in meaning.signed)
    asked, said, signed_ms = (column(values) for values in meaning.polls)
    state, stamp_ms = (np.full(len(t_read), -1, np.int64) for _ in range(2))
    state[asked], stamp_ms[asked] = said, signed_ms
    nodes = column(notes.closure.transcript.addressees)
    place = np.flatnonzero((state[request] >= 0) & (t_read[request] < NEVER))
    if not len(place):
        return
    of = request[place]
    order = np.lexsort((t_read[of], stamp_ms[of], signer[place], nodes[of]))
    place, of = place[order], of[order]
    breaks = (signer[place][1:] != signer[place][:-1]) | (nodes[of][1:] != nodes[of][:-1])
    columns = (stamp_ms[of], state[of], t_read[of], place)
    changes = breaks | (state[of][1:] != state[of][:-1])
    for part in np.split(np.arange(len(place)), np.flatnonzero(breaks) + 1):
        # States that follow each other without coming back do not overlap.
        if len(np.unique(state[of[part]])) == 1 + int(changes[part[:-1]].sum()):
            continue
        yield [_Poll._make(row) for row in zip(*(values[part].tolist() for values in columns), strict=True)]


def _overlapping(polls: list[_Poll]) -> list[_Stay]:
    """Give the most states that overlap in the times of their polls; those that do so first, of several."""
    stays: dict[int, _Stay] = {}
    for poll in polls:
        first = stays[poll.state].first if poll.state in stays else poll
        stays[poll.state] = _Stay(first, poll)
    if len(stays) < 2 or all(stay.first is stay.last for stay in stays.values()):
        return []
    best: list[_Stay] = []
    open_: list[_Stay] = []
    for stay in sorted(stays.values(), key=lambda stay: stay.first.stamp_ms):
        begin_ms = stay.first.stamp_ms
        open_ = [
            other for other in open_ if other.last.stamp_ms > begin_ms and other.first.stamp_ms < begin_ms
        ]
        if len(open_) + 1 > len(best):
            best = [*open_, stay]
        open_.append(stay)
    return best if len(best) > 1 else []


def _steps(notes: Notes, stays: list[_Stay]) -> Steps:
    said = tuple(
        f"rows {_row(notes, stay.first)} and {_row(notes, stay.last)} say one last_hash,"
        f" signed at {stay.first.stamp_ms} and {stay.last.stamp_ms} ms"
        for stay in stays
    )
    return (*signature(notes, stays[0].first.place), *said, "what one device has of a node never lessens")


def _row(notes: Notes, poll: _Poll) -> int:
    request = notes.meaning.signed[0][poll.place]
    return notes.words.row(notes.closure.reading(request)[0])
