"""What can be read on a device that an observer has, or had: its texts, calls, reactions and posts."""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Notes
from sessionsim.core.ledger import Relation
from sessionsim.core.units import US_PER_S
from sessionsim.core.view import Shown


def take_histories(notes: Notes) -> None:
    """Note what lies on a device for people to read."""
    for shown in notes.view.history:
        writer, steps = id_term(shown.writer), partial(_read, shown)
        if shown.kind == "post":
            notes.note(Relation.SEEN, writer, "", shown.t_us, steps)
            if shown.reader:  # a device shows which posts are its own
                notes.note(Relation.LINKED, id_term(shown.reader), writer, shown.t_us, steps)
            continue
        if shown.kind == "text":
            subject = f"message:{shown.hash}"
            notes.note(Relation.HOLDS, subject, "kind:text", shown.t_us, steps)
            notes.note(Relation.WRITTEN_BY, subject, writer, shown.t_us, steps)
            if shown.inbox:
                notes.note(Relation.ADDRESSED_TO, subject, id_term(shown.inbox), shown.t_us, steps)
        if shown.reader and shown.reader != shown.writer:
            notes.note(Relation.TALKS_TO, writer, id_term(shown.reader), shown.t_us, steps)


def _read(shown: Shown) -> Steps:
    what = f"message {shown.hash}" if shown.kind == "text" else f"a {shown.kind}"
    to = f" to {id_term(shown.reader)}" if shown.reader else " to a group"
    if shown.kind == "post":
        to = f", its own account's, {id_term(shown.reader)}" if shown.reader else ""
    return (
        f"read on the device: {what} of {id_term(shown.writer)}{to},"
        f" there since {shown.since_us / US_PER_S:.6f} s",
    )
