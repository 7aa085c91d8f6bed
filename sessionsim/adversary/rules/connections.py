"""One client connection is one app, and an app serves one account.

What it signed and what it had stored have one owner, unless it signed for several accounts (client-behaviour
6.1; the apps of all platforms). Beside its account an app signs in the name of its groups, with a token for
each, and in communities as somebody else in each: these names are one with the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from sessionsim.adversary.columns import Bools, Ints, column
from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.adversary.rules.messages import Store, name_of, stores
from sessionsim.adversary.rules.signatures import signature, signed_there
from sessionsim.core.ledger import Relation

_ACCOUNT = "account:"


class _Signer(NamedTuple):
    """Who signed on a connection. Args: place: of the first signature; t_us: when it was known."""

    term: str
    place: int
    t_us: int


def join_connections(notes: Notes) -> None:
    """Name the owner of what came over a connection, when all it signed was for one account."""
    accepted = stores(notes)
    signers = _signers(notes, accepted)
    for first, owner, others in _owners(notes, signers):
        joined = f"both came over connection {notes.words.connection(first)}"
        for other in others:
            why = partial(_both, notes, owner.place, other.place, joined)
            t_us = max(owner.t_us, other.t_us)
            if not other.term.startswith("group:"):
                notes.note(Relation.LINKED, owner.term, other.term, t_us, why)
            group = id_term(notes.meaning.checks[other.place].account)
            if group.startswith("group:"):
                notes.note(Relation.MEMBER_OF, owner.term, group, t_us, why)
    _name_writers(notes, signers, accepted)


def _signers(notes: Notes, accepted: Iterable[Store]) -> dict[int, list[_Signer]]:
    """Give who signed on each connection, of those on which that says something."""
    conns = _connections(notes)
    telling = _telling(notes, conns, accepted)
    found: dict[int, list[_Signer]] = {}
    for (conn, number), (place, t_us) in notes.signers(conns, telling).items():
        found.setdefault(conn, []).append(_Signer(notes.meaning.names[number], place, t_us))
    return found


def _telling(notes: Notes, conns: Ints, accepted: Iterable[Store]) -> Bools:
    """Say of each request whether it came over a connection with stores, or with several signers at most.

    On any other there is one owner, of nothing: so its signatures need not be checked.
    """
    request, signer = (column(values) for values in notes.meaning.signed)
    some, n = notes.client[request] >= 0, len(notes.meaning.names) + 1
    pairs = np.unique(conns[request[some]] * n + signer[some])
    over, signers = np.unique(pairs // n, return_counts=True)
    stored = np.fromiter((conns[request] for request, *_ in accepted), np.int64)
    return np.isin(conns, np.union1d(over[signers > 1], stored))


def _connections(notes: Notes) -> Ints:
    """Give, of each request, the connection over which its client asked."""
    conns = notes.closure.transcript.rows["conn"].astype(np.int64)
    return conns[notes.first] if len(conns) else np.full(len(notes.first), -1, np.int64)


def _owners(
    notes: Notes, signed: Mapping[int, list[_Signer]]
) -> Iterator[tuple[int, _Signer, list[_Signer]]]:
    """Give, of each connection with one account, a row of it, the account and who else signed there."""
    for signers in signed.values():
        accounts = [signer for signer in signers if signer.term.startswith(_ACCOUNT)]
        if len(accounts) == 1:
            request = notes.meaning.signed[0][accounts[0].place]
            others = [signer for signer in signers if signer is not accounts[0]]
            yield int(notes.first[request]), accounts[0], others


def _name_writers(notes: Notes, signers: Mapping[int, list[_Signer]], accepted: Iterable[Store]) -> None:
    conns = _connections(notes)
    for request, message, stored_us, stored in accepted:
        first = int(notes.first[request])
        accounts = [one for one in signers.get(int(conns[request]), []) if one.term.startswith(_ACCOUNT)]
        if len(accounts) != 1:
            continue
        owner, inbox = accounts[0], id_term(notes.meaning.hashes[message][1])

        def steps(owner: _Signer = owner, stored: Derive = stored, first: int = first) -> Steps:
            joined = f"both came over connection {notes.words.connection(first)}"
            return (*signed_there(notes, owner.place), *stored(), joined)

        t_us = max(owner.t_us, stored_us)
        notes.note(Relation.WRITTEN_BY, name_of(notes, message), owner.term, t_us, steps)
        if inbox != owner.term and inbox.startswith(_ACCOUNT):
            notes.note(Relation.TALKS_TO, owner.term, inbox, t_us, steps)


def _both(notes: Notes, one: int, other: int, joined: str) -> Steps:
    return (*signed_there(notes, one), *signed_there(notes, other), joined)


def take_memberships(notes: Notes) -> None:
    """Note which tokens are of which group: who signs with one shows the group's own signature over it."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    earliest: dict[tuple[str, str], int] = {}
    for place in meaning.token_signed:
        t_us, check = int(t_read[meaning.signed[0][place]]), meaning.checks[place]
        if t_us == NEVER:
            continue
        pair = (check.signer, id_term(check.account))
        known = earliest.get(pair)
        sooner = known is None or t_us < int(t_read[meaning.signed[0][known]])
        if sooner and meaning.is_signed(place):
            earliest[pair] = place
    for (member, group), place in earliest.items():
        t_us = int(t_read[meaning.signed[0][place]])
        notes.note(Relation.MEMBER_OF, member, group, t_us, partial(signature, notes, place))
