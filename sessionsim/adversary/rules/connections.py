"""One client connection is one app, and an app serves one account.

What it signed and what it had stored have one owner, unless it signed for several (client-behaviour 6.1; the
apps of all platforms).
"""

from __future__ import annotations

import numpy as np

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.adversary.rules.messages import name_of, stores
from sessionsim.adversary.rules.signatures import signed_there
from sessionsim.core.ledger import Relation


def join_connections(notes: Notes) -> None:
    """Name the writer of what a connection had stored, when all it signed was for one account."""
    meaning = notes.meaning
    conns = notes.closure.transcript.rows["conn"].astype(np.int64)
    signers: dict[int, list[tuple[int, int, int]]] = {}
    for (conn, number), (place, t_us) in notes.signers(conns[notes.first]).items():
        signers.setdefault(conn, []).append((number, place, t_us))
    for request, message, stored_us, stored in stores(notes):
        first = int(notes.first[request])
        owners = signers.get(int(conns[first]), [])
        if len(owners) != 1:
            continue
        ((number, place, signed_us),) = owners
        inbox, writer = id_term(meaning.hashes[message][1]), meaning.names[number]

        def steps(place: int = place, stored: Derive = stored, first: int = first) -> Steps:
            joined = f"both came over connection {notes.words.connection(first)}"
            return (*signed_there(notes, place), *stored(), joined)

        t_us = max(signed_us, stored_us)
        notes.note(Relation.WRITTEN_BY, name_of(notes, message), writer, t_us, steps)
        if inbox != writer:
            notes.note(Relation.TALKS_TO, writer, inbox, t_us, steps)
