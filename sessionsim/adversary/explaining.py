"""A derivation told to somebody who wants to check it: each step with the bytes it rests on.

A fact's derivation is a list of short steps. Here each of them is taken up again: the row is looked up in
the observer's own view, the layer opened once more with the observer's key, the field found in what came out.
Only what the derivation itself names is shown, so an explanation gives away no more than the fact.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.terms import Body, Innermost, Layer
from sessionsim.core.columns import HEADS
from sessionsim.core.ledger import Fact, sentence
from sessionsim.core.sights import Step
from sessionsim.core.view import View

_SHOWN: Final = 32  # bytes of a string that are shown at each end
_AROUND: Final = 24  # bytes shown on both sides of what a field holds

_FROM = re.compile(r"row (\d+): (from|to) (\S+) on connection (\d+)\Z")
_HOLD = re.compile(r"rows (\d+) and (\d+) hold one (.+) ([0-9a-f]+)…\Z")
_PAIR = re.compile(r"rows (\d+) and (\d+) are request and answer (\d+) on connection (\d+)\Z")
_OPEN = re.compile(r"row (\d+): x25519 key of (\S+) opens a layer\Z")
_PLAIN = re.compile(r"row (\d+): (request in clear|in clear beside the ciphertext)\Z")
_ANSWER = re.compile(r"row (\d+): answer (in clear|opens under the request's cipher)\Z")
_OPENS = re.compile(r"(?:.+ )?of (\S+) opens (?:Envelope\.content|a .+|the admins' .+)\Z")
_HAUL = re.compile(r"haul (\d+): still in the swarm of (\S+) when the thief asked\Z")
_HASH = re.compile(r"hash ([0-9A-Za-z+/]{43}|[0-9a-f]{64})\Z")
_JOINED = re.compile(r"(\d+) parts are put together, hash ([0-9A-Za-z+/]{43})\Z")
_ID = re.compile(r"[0-9a-f]{24,}")
_FIELD = re.compile(r"field (.+?): (.*)\Z", re.DOTALL)
_STANDS = re.compile(
    r"(?:there|in the same request|in its clear parts|beside it|inside it) stands (.+)\Z", re.DOTALL
)


class Explanation(NamedTuple):
    """A fact explained. Args: says: the fact in words; steps: in order."""

    says: str
    steps: tuple[Step, ...]


def explain(closure: Closure, fact: Fact) -> Explanation:
    """Tell how a fact of a closure's observer came about."""
    teller = _Teller(closure)
    return Explanation(
        sentence(fact.relation, fact.subject, fact.object),
        tuple(Step(step, tuple(teller.tell(step))) for step in fact.derivation),
    )


class _Teller:
    """Takes the steps of one derivation up in order; openings of one row follow each other inwards."""

    def __init__(self, closure: Closure) -> None:
        self._closure, self._view = closure, closure.view
        self._depth: dict[int, int] = {}
        self._text = b""  # what was read last
        self._message = ""  # hash of the stored message that was named last
        self._rules: Mapping[re.Pattern[str], Callable[..., list[str]]] = {
            _FROM: self._origin, _HOLD: self._shared, _PAIR: self._paired, _OPEN: self._opened,
            _PLAIN: self._plain, _ANSWER: self._answered, _FIELD: self._field, _STANDS: self._stands,
            _OPENS: self._unsealed, _HAUL: self._hauled, _JOINED: self._joined,
        }  # fmt: skip

    def tell(self, step: str) -> list[str]:
        """Say what there is to see at a step; nothing for one that speaks for itself."""
        for pattern, rule in self._rules.items():
            match = pattern.match(step)
            if match is not None:
                return rule(*match.groups())
        return []

    def _row(self, number: str) -> dict[str, int]:
        at = self._at(number)
        return {name: int(values[at]) for name, values in self._view.rows.items()}

    def _at(self, number: str) -> int:
        """Give where a row stands in the view."""
        return int(np.flatnonzero(self._view.rows["row"] == int(number))[0])

    def _payload(self, number: str) -> bytes:
        return self._view.blobs.get(self._row(number)["blob"], b"")

    def _place(self, number: str) -> int:
        row = self._view.rows["row"][self._at(number)]
        return int(self._closure.transcript.places_of(row.reshape(1))[0])

    def _origin(self, number: str, way: str, address: str, _conn: str) -> list[str]:
        row, payload = self._row(number), self._payload(number)
        who = end_of(self._view, row["dst"] if way == "from" else row["src"])
        how = HEADS[row["head"]] if row["direction"] == 0 and 0 <= row["head"] < len(HEADS) else "an answer"
        happens = "gets" if way == "from" else "sends"
        return [
            f"At {row['t_us'] / 1e6:.6f} s {who} {happens} {len(payload):,} bytes ({how}); the other end of"
            f" the connection is {address.removeprefix('addr:')}.",
            *_hex(payload),
        ]

    def _shared(self, one: str, other: str, what: str, mark: str) -> list[str]:
        begin = bytes.fromhex(mark)
        lines = []
        for number in (one, other):
            row, payload = self._row(number), self._payload(number)
            ends = f"{end_of(self._view, row['src'])} to {end_of(self._view, row['dst'])}"
            at = payload.find(begin)
            where = (
                f"from byte {at} on"
                if at >= 0
                else "at the beginning of what the base64 text decodes to"
                if _decoded(payload).startswith(begin)
                else "inside the layer that is opened"
            )
            lines.append(f"Row {number}, {ends}: {len(payload):,} bytes; {begin.hex(' ')} … stands {where}.")
        lines.append(
            f"An {what} has a fresh random beginning and a random end: two equal ones are one and the same."
            if what.startswith("answer")
            else f"A {what} is as random as its nonce: two equal ones are one and the same."
        )
        return lines

    def _paired(self, one: str, other: str, exchange: str, conn: str) -> list[str]:
        return [
            f"Who answers on connection {conn} says which request it answers, number {exchange} here: rows"
            f" {one} and {other} belong together for both ends of the connection."
        ]

    def _opened(self, number: str, owner: str) -> list[str]:
        depth = self._depth.get(int(number), 0)
        self._depth[int(number)] = depth + 1
        peeled = list(self._closure.transcript.peeled(self._place(number)))
        layer, (inside, opened) = peeled[depth][0], peeled[depth + 1]
        if not isinstance(layer, Layer) or opened is None:
            return []
        self._text = opened.plaintext
        found = (
            "another layer"
            if isinstance(inside, Layer)
            else f"the request itself, {len(inside.body.calls)} calls"
            if isinstance(inside, Innermost)
            else "bytes"
        )
        return [
            f"The layer names the passing key {_short(layer.ephemeral)} and the cipher {layer.enc_type}."
            f" {owner} has the secret of {_short(opened.node)}; both together give the key.",
            f"The cipher accepts {len(layer.ciphertext):,} bytes, so the key is right, and gives"
            f" {len(opened.plaintext):,} bytes: {found}.",
            *_hex(opened.plaintext),
        ]

    def _plain(self, number: str, how: str) -> list[str]:
        self._text = self._payload(number)
        row = self._row(number)
        ends = f"{end_of(self._view, row['src'])} to {end_of(self._view, row['dst'])}"
        return [f"{len(self._text):,} bytes from {ends}, no key needed.", *_hex(self._text)]

    def _answered(self, number: str, how: str) -> list[str]:
        payload = self._payload(number)
        if how == "in clear":
            self._text = payload
            return [f"{len(payload):,} bytes, no key needed.", *_hex(payload)]
        return [
            f"{len(payload):,} bytes were sealed once, by whom the request was for, under the key of its"
            " innermost layer; who opened that layer can open the answer.",
            *_hex(payload),
        ]

    def _hauled(self, number: str, owner: str) -> list[str]:
        haul = next(one for one in self._view.hauls if one.number == int(number))
        self._text = haul.data
        return [
            f"At {haul.t_us / 1e6:.6f} s the thief asks the swarm of {_brief(owner)} with what it stole and"
            f" gets {len(haul.data):,} stored bytes from namespace {haul.namespace}.",
            *_hex(haul.data),
        ]

    def _joined(self, count: str, whole: str) -> list[str]:
        self._message, self._text = whole, b""
        return [f"Each of the {count} parts names the hash of the whole, and in order they give it."]

    def _unsealed(self, owner: str) -> list[str]:
        """Say with what the stored message that was named last was opened, and what it is."""
        meaning, found = self._closure.transcript.meaning, None
        if self._message:
            number = next(at for at, (name, _) in enumerate(meaning.hashes) if name == self._message)
            found = meaning.openings.contents.get(number)
        if found is None:
            return []
        self._text = b""
        return [
            f"This secret came out of a message opened before, for it is one of {_brief(owner)}."
            if owner.startswith("group:")
            else f"The observer has the secrets of {_brief(owner)}.",
            f"The cipher accepts the {meaning.message(number).size_bytes:,} stored bytes: the key is right."
            f" Inside: {found.kind}, made by {_brief(found.writer)}, {_brief(found.made)}.",
        ]

    def _field(self, name: str, value: str) -> list[str]:
        named = _HASH.search(value)
        self._message = named[1] if named else self._message
        word = value.removeprefix("valid under ").split(",")[0].split(" ")[0]
        shown = _around(self._text, word) or _around(self._text, name.split(".")[-1])
        lines = [shown] if shown else []
        if name == "signature":
            lines.append(
                f"Ed25519 accepts the signature under {_short(bytes.fromhex(word))}: only who has that key's"
                " secret can have written this request."
            )
        return lines

    def _stands(self, term: str) -> list[str]:
        shown = _around(self._text, term.partition(":")[2])
        return [shown] if shown else []


def end_of(view: View, endpoint: int) -> str:
    """Say who an endpoint is, as the observer knows it."""
    if endpoint < len(view.nodes):
        return f"node {endpoint}"
    if endpoint in view.servers:
        return f"the {view.servers[endpoint]} server"
    return view.addresses.get(endpoint, f"client {endpoint}")


def _decoded(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def _brief(text: str) -> str:
    """Cut long ids in a text, so that people can read it."""
    return _ID.sub(lambda found: found[0][:10] + "…", text)


def _short(raw: bytes) -> str:
    return f"{raw[:8].hex()}…"


def _hex(raw: bytes) -> list[str]:
    """Show the beginning and the end of bytes, in hex and as text."""
    parts = [(0, raw)] if len(raw) <= 2 * _SHOWN else [(0, raw[:_SHOWN]), (len(raw) - _SHOWN, raw[-_SHOWN:])]
    lines = []
    for start, part in parts:
        for at in range(0, len(part), 16):
            some = part[at : at + 16]
            text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in some)
            lines.append(f"  {start + at:6d}  {some.hex(' '):<47}  {text}")
    if len(parts) > 1:
        lines.insert(2, "       …")
    return lines


def _around(text: bytes, word: str) -> str:
    """Show where a word stands in bytes, with what is around it; empty where it does not."""
    at = text.find(word.encode()) if word else -1
    if at < 0:
        return ""
    begin, end = max(0, at - _AROUND), min(len(text), at + len(word) + _AROUND)
    shown = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in text[begin:end])
    return f"bytes {begin} to {end - 1}: {'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"


def body_of(term: object) -> Body | None:
    """Give the request in a term, if it holds one."""
    return term.body if isinstance(term, Innermost) else term if isinstance(term, Body) else None
