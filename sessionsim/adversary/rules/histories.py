"""What can be read on a device that an observer has, or had: its texts, who wrote them and to whom."""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Notes
from sessionsim.core.ledger import Relation
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import Shown


def take_histories(notes: Notes) -> None:
    """Note what the texts on a device say."""
    for shown in notes.view.history:
        subject, writer = f"message:{shown.hash}", id_term(shown.writer)
        steps = partial(_read, shown)
        notes.note(Relation.HOLDS, subject, "kind:text", shown.t_us, steps)
        notes.note(Relation.WRITTEN_BY, subject, writer, shown.t_us, steps)
        if shown.inbox:
            notes.note(Relation.ADDRESSED_TO, subject, id_term(shown.inbox), shown.t_us, steps)
        if shown.reader and shown.reader != shown.writer:
            notes.note(Relation.TALKS_TO, writer, id_term(shown.reader), shown.t_us, steps)


def _read(shown: Shown) -> Steps:
    to = f" to {id_term(shown.reader)}" if shown.reader else " to a group"
    return (
        f"read on the device: message {shown.hash} of {id_term(shown.writer)}{to},"
        f" there since {shown.since_us / US_PER_S:.6f} s",
    )
