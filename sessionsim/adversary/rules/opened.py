"""Opened messages: what they are, who wrote them, what they say, and the names in them.

Everything here stands in bytes that a secret opened. Where that secret itself came out of a message, the
derivation first tells how.
"""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.derivations import Derivations, Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.names import id_term
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.adversary.opened import Content
from sessionsim.adversary.rules.messages import mail_steps, met, name_of
from sessionsim.core.ledger import Relation

_MOST_SECRETS = 8  # Assumption: no secret is further from a held one


def take_opened(notes: Notes) -> None:
    """Note what opened messages say."""
    if not notes.closure.openings:
        return
    had = had_steps(notes)
    for number, (t_us, opening) in notes.closure.openings.items():
        content = notes.meaning.openings.contents[number]
        steps = partial(opened_steps, notes.closure, had, opening)
        _take(notes, name_of(notes, number), t_us, content, steps)
    for opening, told in notes.meaning.openings.told.items():
        t_us = notes.closure.opened_us(opening)
        steps = partial(opened_steps, notes.closure, had, opening)
        for relation, who, what, field in told if t_us < NEVER else ():
            notes.note(relation, who, what, t_us, partial(_and, steps, f"field {field}: {what}"))


def had_steps(notes: Notes) -> dict[int, Derive]:
    """Give how each message was had, of several parts too."""
    had = {number: steps for number, _, steps in met(notes)}
    had |= mail_steps(notes)
    for whole, parts in notes.meaning.openings.wholes.items():
        if all(part in had for part in parts):
            had[whole] = partial(_joined, notes, [had[part] for part in parts], whole)
    return had


def _take(notes: Notes, subject: str, t_us: int, content: Content, steps: Derive) -> None:
    notes.note(Relation.HOLDS, subject, f"kind:{content.kind}", t_us, steps)
    if content.writer:
        notes.note(Relation.WRITTEN_BY, subject, content.writer, t_us, partial(_and, steps, content.made))
    if content.target and content.target != content.writer:
        told = partial(_and, steps, content.made, f"written to {content.target}")
        notes.note(Relation.TALKS_TO, content.writer, content.target, t_us, told)
    for relation, who, what, field in content.said:
        notes.note(relation, who, what, t_us, partial(_and, steps, f"field {field}: {what}"))
    for term in content.names:
        notes.note(Relation.NAMED, subject, term, t_us, partial(_and, steps, f"inside it stands {term}"))


def _joined(notes: Notes, parts: list[Derive], whole: int) -> Steps:
    """Say how the parts of a whole were had."""
    steps = tuple(step for part in parts for step in part())
    return (*steps, f"{len(parts)} parts are put together, hash {notes.meaning.hashes[whole][0]}")


def _and(steps: Derive, *more: str) -> Steps:
    return (*steps(), *more)


def _leak_steps(closure: Closure, secret: int) -> Steps:
    """Say how a secret was read in clear."""
    words = Derivations(closure)
    told = {"row": words.frame, "layer": words.layer, "request": words.read, "answer": words.answer}
    leaks = [leak for number, leak in closure.transcript.leaks if number == secret]
    _, kind, place, leak = min(
        (*reading, leak) for leak in leaks for reading in closure.readings(leak.string)
    )
    return (
        *told[kind](place),
        f"there stands {leak.string}",
        f"it is a secret {leak.kind} key, and from it follows {id_term(leak.id)}",
    )


def opened_steps(closure: Closure, had: dict[int, Derive], opening: int) -> Steps:
    """Say how a message was opened: first how the secret was had, then the message itself."""
    openings, chain = closure.transcript.meaning.openings, list[Steps]()
    while opening >= 0 and len(chain) < _MOST_SECRETS:
        message, secret = (values[opening] for values in openings.opened)
        chain.append((*had[message](), openings.words[opening]))
        opening = closure.handed_by(secret)
    if chain and closure.t_own[secret] < closure.held.since_us[secret]:
        chain.append(_leak_steps(closure, secret))
    return tuple(step for steps in reversed(chain) for step in steps)
