"""Strings that mean nothing by themselves, held against the names that the observer has.

A string may be a name without what shows its kind (an id without its first byte, a device's token in some
field), spelled otherwise, or its hash: of a name, or of a text that was opened. Who has both recognises it;
who has only the string, or only the name, learns nothing here. Hashes are computed and compared, never
inverted: nothing is tried but what the observer has.
Source: metrics 2i (hash of a held value).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.names import STRING, id_term
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.adversary.rules.messages import name_of
from sessionsim.adversary.spellings import spellings
from sessionsim.core.ledger import Relation

_IDS: Final = ("account", "group", "blinded", "version", "member")  # written in hex in their terms
_KINDS: Final = frozenset((*_IDS, "token", "message", "addr", "file"))
_LEAST: Final = 10  # bytes; shorter values stand in many places
_HASHES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "MD5": lambda value: hashlib.md5(value, usedforsecurity=False).digest(),
    "SHA-1": lambda value: hashlib.sha1(value, usedforsecurity=False).digest(),
    "SHA-256": lambda value: hashlib.sha256(value).digest(),
    "SHA-512": lambda value: hashlib.sha512(value).digest(),
    "BLAKE2b-256": lambda value: hashlib.blake2b(value, digest_size=32).digest(),
    "BLAKE2b-512": lambda value: hashlib.blake2b(value).digest(),
}
_DIGESTS: Final = (16, 20, 32, 64)  # bytes
_Known = tuple[int, Derive]


def resolve_strings(notes: Notes) -> None:
    """Note which names stand where strings stand. To be asked when all names have been noted."""
    where: dict[str, list[tuple[str, _Known]]] = {}
    for (relation, subject, term), known in notes.known.items():
        if relation is Relation.NAMED and term.startswith(STRING) and not term.endswith("…"):
            where.setdefault(term, []).append((subject, known))
    if not where:
        return
    values: dict[bytes, list[str]] = {}
    for term in where:
        for value in _values_of(term.removeprefix(STRING)):
            values.setdefault(value, []).append(term)
    hashed = any(len(value) in _DIGESTS for value in values)
    for name, known in _names(notes).items():
        for value, how in _written(name):
            _compare(notes, where, values, value, name, known, how, hashed)
    for number, (t_us, opening) in notes.closure.openings.items() if hashed else ():
        text = notes.meaning.openings.contents[number].text
        if text:
            words = notes.meaning.openings.words[opening]
            known = t_us, partial(_opened, words, name_of(notes, number))
            _compare(notes, where, values, text.encode(), name_of(notes, number), known, "its text", True)


def _values_of(text: str) -> set[bytes]:
    """Give what a string may stand for."""
    return {value for value in (text.encode(), *spellings(text)) if len(value) >= _LEAST}


def _names(notes: Notes) -> dict[str, _Known]:
    """Give all names that the observer has, since when, and how."""
    found: dict[str, _Known] = {id_term(one): (notes.first_us, _from_the_start) for one in notes.view.ids}
    for (_, *terms), known in notes.known.items():
        for term in terms:
            if term.partition(":")[0] in _KINDS and (term not in found or known[0] < found[term][0]):
                found[term] = known
    return found


def _from_the_start() -> Steps:
    return ("this id is known from the start",)


def _written(name: str) -> Iterator[tuple[bytes, str]]:
    """Give the ways to write a name down as bytes, and what they are called."""
    kind, _, text = name.partition(":")
    yield text.encode(), "its text"
    if kind in _IDS:
        raw = bytes.fromhex(text)
        yield raw, "its bytes"
        yield text.upper().encode(), "its text"
        if kind != "member":
            yield raw[1:], "its bytes without the first"
            yield text[2:].encode(), "its text without the prefix"


def _compare(
    notes: Notes, where: dict[str, list[tuple[str, _Known]]], values: dict[bytes, list[str]], value: bytes,
    name: str, known: _Known, how: str, hashed: bool,
) -> None:  # fmt: skip
    """Note where a name stands, if a string is one way to write it, or a hash of that."""
    ways = [(value, how)] if len(value) >= _LEAST else []
    if hashed:
        ways += [(digest(value), f"the {hash_name} of {how}") for hash_name, digest in _HASHES.items()]
    for written, called in ways:
        for term in values.get(written, ()):
            for subject, (t_us, why) in where[term]:
                if subject != name:
                    steps = partial(_resolved, why, known[1], f"{term} is {called}: {name}")
                    notes.note(Relation.NAMED, subject, name, max(t_us, known[0]), steps)


def _resolved(one: Derive, other: Derive, reason: str) -> Steps:
    return (*one(), *other(), reason)


def _opened(words: str, message: str) -> Steps:
    return (f"{message}: {words}",)
