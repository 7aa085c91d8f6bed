"""Strings that mean nothing by themselves, held against the names that the observer has.

A string may be a name written so that its kind doesn't show, a part of one, a key that it follows from, or a
hash: of a name, or of a text that was opened (`likenesses`). Who has both recognises it; who has only the
string, or only the name, learns nothing here. Of two strings that are one value in two spellings, who has
both learns that.
Source: metrics 2i (hash of a held value, known ways from key to key).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.likenesses import LEAST_BYTES, Strings
from sessionsim.adversary.names import STRING, id_term
from sessionsim.adversary.notes import Derive, Known, Notes
from sessionsim.adversary.rules.messages import name_of
from sessionsim.core.ledger import Relation

_IDS: Final = ("account", "group", "blinded", "version")  # written in hex in their terms
_OF_IDS: Final = tuple(f"{kind}:" for kind in _IDS)
_THOROUGH: Final = frozenset((*_IDS, "member", "token", "addr"))  # few of them, so looked at in all ways
_KINDS: Final = _THOROUGH | {"message", "file"}


class _Resolving:
    """Notes where names stand. Args: where: whose strings they are, since when and why, by string."""

    def __init__(self, notes: Notes, where: dict[str, list[tuple[str, Known]]]) -> None:
        self.notes, self._where = notes, where
        self.strings = Strings(where)

    def note(self, text: str, how: str, name: str, known: Known) -> None:
        """Note that a string is a name's, in some way."""
        for subject, (t_us, why) in self._where[text]:
            if subject != name:
                steps = partial(_resolved, why, known[1], f"{STRING}{text} is {how}: {name}")
                self.notes.note(Relation.NAMED, subject, name, max(t_us, known[0]), steps)

    def same(self) -> None:
        """Note strings that are spelled in two ways."""
        for one, other in self.strings.same():
            for subject, (t_us, why) in self._where[one]:
                first_us, first = min((known for _, known in self._where[other]), key=lambda known: known[0])
                steps = partial(_resolved, why, first, f"{STRING}{one} is the same bytes as {STRING}{other}")
                self.notes.note(Relation.NAMED, subject, f"{STRING}{other}", max(t_us, first_us), steps)


def resolve_strings(notes: Notes) -> None:
    """Note which names stand where strings stand. To be asked when all names have been noted."""
    where: dict[str, list[tuple[str, Known]]] = {}
    for (relation, subject, term), known in notes.known.items():
        if relation is Relation.NAMED and term.startswith(STRING) and not term.endswith("…"):
            where.setdefault(term.removeprefix(STRING), []).append((subject, known))
    if not where:
        return
    resolving, names = _Resolving(notes, where), _names(notes)
    _compare(resolving, names)
    for text, owner in resolving.strings.owners():
        if owner in names:
            resolving.note(text, "the Ed25519 key of", owner, names[owner])
    for _, leak in notes.closure.transcript.leaks:
        owner, text = id_term(leak.id), leak.string.removeprefix(STRING)
        if owner in names and text in where:
            resolving.note(text, f"a secret {leak.kind} key of", owner, names[owner])
    ids = {bytes.fromhex(name.partition(":")[2]): name for name in names if name.startswith(_OF_IDS)}
    for raw, (text, how) in resolving.strings.parts_of(ids):
        resolving.note(text, how, ids[raw], names[ids[raw]])
    for number, (t_us, opening) in notes.closure.openings.items():
        text = notes.meaning.openings.contents[number].text
        if text:
            words = notes.meaning.openings.words[opening]
            known = t_us, partial(_opened, words, name_of(notes, number))
            for string, how in resolving.strings.hashed(text.encode(), "its text", thorough=False):
                resolving.note(string, how, name_of(notes, number), known)
    resolving.same()


def _compare(resolving: _Resolving, names: dict[str, Known]) -> None:
    """Hold every name, in all ways to write it, against the strings."""
    strings, keys = resolving.strings, _keys_of_accounts(resolving.notes)
    for name, known in names.items():
        thorough = name.partition(":")[0] in _THOROUGH
        for value, how in _written(name, keys.get(name, b"")):
            likenesses = [*strings.equal(value, how)] if len(value) >= LEAST_BYTES else []
            likenesses += strings.hashed(value, how, thorough=thorough)
            for text, called in likenesses:
                resolving.note(text, called, name, known)
        if name.startswith(_OF_IDS):
            raw = bytes.fromhex(name.partition(":")[2])
            for text, called in strings.around(raw[1:], "its bytes without the first"):
                resolving.note(text, called, name, known)


def _keys_of_accounts(notes: Notes) -> dict[str, bytes]:
    """Give the Ed25519 keys of accounts that stand in requests that could be read."""
    meaning = notes.meaning
    request, signer = (column(values) for values in meaning.signed)
    there = np.flatnonzero(notes.closure.t_read[request] < NEVER)
    places = there[np.unique(signer[there], return_index=True)[1]]
    checks = (meaning.checks[place] for place in places.tolist())
    return {check.signer: check.ed25519 for check in checks if check.ed25519}


def _names(notes: Notes) -> dict[str, Known]:
    """Give all names that the observer has, since when, and how."""
    found: dict[str, Known] = {id_term(one): (notes.first_us, _from_the_start) for one in notes.view.ids}
    for (_, *terms), known in notes.known.items():
        for term in terms:
            if term.partition(":")[0] in _KINDS and (term not in found or known[0] < found[term][0]):
                found[term] = known
    return found


def known_ids(notes: Notes) -> dict[str, Known]:
    """Give the names of 33 bytes that the observer has."""
    return {name: known for name, known in _names(notes).items() if name.startswith(_OF_IDS)}


def _from_the_start() -> Steps:
    return ("this id is known from the start",)


def _written(name: str, key: bytes) -> Iterator[tuple[bytes, str]]:
    """Give the ways to write a name down as bytes, and what they are called. Args: key: its Ed25519 key."""
    kind, _, text = name.partition(":")
    yield text.encode(), "its text"
    if kind in _IDS or kind == "member":
        raw = bytes.fromhex(text)
        yield raw, "its bytes"
        yield text.upper().encode(), "its text"
        if kind != "member":
            yield raw[1:], "its bytes without the first"
            yield text[2:].encode(), "its text without the prefix"
    if key:
        yield key, "its Ed25519 key"
        yield key.hex().encode(), "the text of its Ed25519 key"


def _resolved(one: Derive, other: Derive, reason: str) -> Steps:
    return (*one(), *other(), reason)


def _opened(words: str, message: str) -> Steps:
    return (f"{message}: {words}",)
