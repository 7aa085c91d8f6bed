"""Requests and answers that repeat earlier ones, as most polls and their empty answers do.

An app asks for its account's messages every few seconds, and mostly nothing is there. All it says is what it
said before, but for the time, and its signatures over that. Once such a request has been read and noted the
general way, the same text with another time and other signatures is noted without reading it: what one says,
the other says too. Of an empty answer to such a request there is nothing to note but that it came.

Which values may differ is found out, not assumed: a text is kept only if it still reads the same once its
times and signatures are exchanged for others, but for these fields. That this loses nothing and adds nothing
is tested against reading everything.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sessionsim.adversary.briefs import Brief
from sessionsim.adversary.fields import base64_bytes
from sessionsim.adversary.known_fields import known_in_answer, usual_in_call
from sessionsim.adversary.meaning import RETRIEVE, Meaning
from sessionsim.adversary.readers import read_node_answer
from sessionsim.adversary.repeats import SIGNATURE_CHARACTERS, Found, Repeats, Span
from sessionsim.adversary.signing import Check, check_of
from sessionsim.adversary.terms import Answer, Body, Call, Innermost, Layer, Result
from sessionsim.adversary.usual import are_usual
from sessionsim.protocol.wire.rpc import signed_start

_LENGTH_BYTES: Final = 4  # before a frame. Source: transport 3.3
_SIGNATURE: Final = re.compile(rb'"signature":"([A-Za-z0-9+/=]{88})"')
_TIME: Final = re.compile(rb'"timestamp":"?([1-9][0-9]{12})(?![0-9])')
_TIME_OF_NODE: Final = re.compile(rb'"t\\?":([1-9][0-9]{12})(?![0-9])')
_made: Final = Check._make
_OTHER_TIME: Final = b"1000000000000"  # as good as any: what is exchanged must show


class Known(NamedTuple):
    """What a request says, whenever it is sent.

    Args:
        style: how its answer is written.
        briefs: what is kept of its calls.
        check: a signature that it carries, None for none; signer: number of who made it; start: what it
            covers, all but the time; signature: its place among all signatures.
        said: number of what its sender says to have; empty for nothing.
        shape: number of the order of its fields; empty for none.
        names: numbers of the names in it, with the places of the calls.
        asked: numbers of the names about whom it asks without a signature.
    """

    style: str
    briefs: tuple[Brief, ...]
    check: Check | None
    signer: int
    start: bytes
    signature: int
    said: tuple[int, ...]
    shape: tuple[int, ...]
    names: tuple[tuple[int, int], ...]
    asked: tuple[int, ...]


class Polls:
    """Requests to nodes that repeat earlier ones.

    Args:
        meaning: where requests are noted.
        read: reads what a layer held.
    """

    def __init__(self, meaning: Meaning, read: Callable[[bytes], Layer | Innermost | None]) -> None:
        self._meaning, self._read = meaning, read
        self._repeats: Repeats[Known] = Repeats()
        self.find = self._repeats.find

    def take(self, found: Found[Known]) -> int:
        """Note a request that was found. Returns its number."""
        meaning, (known, time, signatures) = self._meaning, found
        request = len(meaning.calls)
        meaning.calls.append(known.briefs)
        meaning.retrieving.append(True)
        if known.check is not None:
            signer, account, ed25519, _, _, _, key = known.check
            signature = base64_bytes(signatures[known.signature].decode())
            text = known.start + time
            meaning.signed[0].append(request)
            meaning.signed[1].append(known.signer)
            meaning.checks.append(_made((signer, account, ed25519, None, text, signature, key)))
        requests, names, calls = meaning.named_in_request
        for name, call in known.names:
            requests.append(request)
            names.append(name)
            calls.append(call)
        if known.said:
            _add(meaning.polls, request, *known.said, int(time))
        if known.shape:
            _add(meaning.shapes, request, *known.shape)
        for asked in known.asked:
            _add(meaning.asked, request, asked)
        return request

    def learn(self, plaintext: bytes, term: Innermost, request: int) -> None:
        """Keep a request that was read and noted, if it asks for messages and holds nothing unusual."""
        if not self._meaning.retrieving[request] or not _is_usual(term.body):
            return
        calls, blanks = term.body.calls, _blanks(plaintext, _TIME, _SIGNATURE)
        times = {plaintext[begin:end] for begin, end in blanks if end - begin < SIGNATURE_CHARACTERS}
        if len(times) != 1:
            return
        (time,) = times
        signed = [place for place, call in enumerate(calls) if _is_signed(call)]
        others = [b"%086d==" % number for number in range(len(blanks))]
        expected = tuple(
            _exchanged(call, time, others[signed.index(place)] if place in signed else b"")
            for place, call in enumerate(calls)
        )
        again = self._read(_with(plaintext, blanks, others))
        if again == term._replace(body=term.body._replace(calls=expected)):
            known = self._known(term, request, time, signed)
            if known is not None:
                self._repeats.learn(plaintext, blanks, known)

    def _known(self, term: Innermost, request: int, time: bytes, signed: list[int]) -> Known | None:
        """Give what was noted of a request; None where that differs with its time, or holds something."""
        meaning, calls = self._meaning, term.body.calls
        holding = (meaning.in_request, meaning.announced, meaning.lifetimes, meaning.signed_stores)
        if any(_rows(table, request) for table in holding):
            return None
        signers, said, shapes = (
            _rows(table, request) for table in (meaning.signed, meaning.polls, meaning.shapes)
        )
        briefs, check, start, place = meaning.calls[request], None, b"", 0
        if signers:
            check = meaning.checks[-1]
            place = next(at for at, call in enumerate(calls) if check_of(call) is not None)
            start = signed_start(RETRIEVE, briefs[place].namespace or 0)
            if (
                len(signers) > 1
                or check != check_of(calls[place])
                or check.token is not None
                or check.text != start + time
                or calls[place].method != RETRIEVE
                or place not in signed
                or not _is_timed(calls[place], time)
            ):
                return None
        saying = next((at for at, brief in enumerate(briefs) if brief.cursor), 0)
        if said and not _is_timed(calls[saying], time):
            return None
        return Known(
            term.style,
            briefs,
            check,
            signers[0][0] if signers else 0,
            start,
            signed.index(place) if signers else 0,
            said[0][:1] if said else (),
            shapes[0] if shapes else (),
            tuple((name, call) for name, call in _rows(meaning.named_in_request, request)),
            tuple(name for (name,) in _rows(meaning.asked, request)),
        )


class EmptyAnswers:
    """Answers that bring nothing to requests that ask for messages alone. Args: meaning: as of `Polls`."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._repeats: Repeats[int] = Repeats()  # known: how many calls are answered

    def take(self, request: int, answer: int, text: bytes) -> bool:
        """Note an answer if it is known to bring nothing. Returns whether it is."""
        meaning = self._meaning
        if not meaning.retrieving[request]:
            return False
        found = self._repeats.find(text)
        if found is None or found[0] != len(meaning.calls[request]):
            return False
        meaning.note_answer(request, answer)
        return True

    def learn(self, request: int, text: bytes, read_answer: Answer) -> None:
        """Keep an answer that was read and noted, if it brought nothing but the time of the node."""
        meaning = self._meaning
        if (
            not meaning.retrieving[request]
            or read_answer.beside
            or read_answer.unread
            or not all(_is_empty(result) for result in read_answer.results)
        ):
            return
        blanks = _blanks(text, _TIME_OF_NODE)
        if len({text[begin:end] for begin, end in blanks}) != 1:
            return
        n_calls = len(meaning.calls[request])
        again = read_node_answer(_with(text, blanks, ()), n_calls)
        if again is not None and _timeless(again) == _timeless(read_answer):
            self._repeats.learn(text, blanks, n_calls)


def _blanks(text: bytes, *patterns: re.Pattern[bytes]) -> list[Span]:
    """Find the values that may differ, in a text or behind the length of a frame."""
    found = (match for pattern in patterns for match in pattern.finditer(text, _LENGTH_BYTES))
    return sorted(match.span(1) for match in found)


def _with(text: bytes, blanks: Sequence[Span], signatures: Sequence[bytes]) -> bytes:
    """Exchange what is in the blanks: every time, and the signatures in their order."""
    parts, before, number = list[bytes](), 0, 0
    for begin, end in blanks:
        parts.append(text[before:begin])
        signature = end - begin == SIGNATURE_CHARACTERS
        parts.append(signatures[number] if signature else _OTHER_TIME)
        before, number = end, number + signature
    return b"".join((*parts, text[before:]))


def _is_signed(call: Call) -> bool:
    """Say whether a call has a signature that may be a blank."""
    signature = call.fields.get("signature")
    return type(signature) is str and len(signature) == SIGNATURE_CHARACTERS


def _is_timed(call: Call, time: bytes) -> bool:
    """Say whether the time of a call may be a blank."""
    value = call.fields.get("timestamp")
    return type(value) in (int, str) and str(value) == time.decode()


def _exchanged(call: Call, time: bytes, signature: bytes) -> Call:
    """Give a call with another time and signature, where it has such."""
    fields = dict(call.fields)
    if signature:
        fields["signature"] = signature.decode()
    if _is_timed(call, time):
        fields["timestamp"] = type(fields["timestamp"])(_OTHER_TIME)
    return call._replace(fields=fields)


def _is_usual(body: Body) -> bool:
    """Say whether a request holds nothing but calls, and these nothing but what such calls hold."""
    return not body.beside and all(are_usual(call.fields, usual_in_call(call.method)) for call in body.calls)


def _is_empty(result: Result) -> bool:
    """Say whether the answer to a retrieve says that there is nothing, and nothing else."""
    return result.fields.get("messages") == [] and are_usual(result.fields, known_in_answer(RETRIEVE))


def _timeless(answer: Answer) -> Answer:
    """Give an answer without the times of the node."""
    results = tuple(
        one._replace(fields={name: value for name, value in one.fields.items() if name != "t"})
        for one in answer.results
    )
    return answer._replace(results=results)


def _rows(table: tuple[array[int], ...], number: int) -> list[tuple[int, ...]]:
    """Give what a table says of the last thing that was noted, by its number."""
    n = len(table[0])
    while n and table[0][n - 1] == number:
        n -= 1
    return list(zip(*(column[n:] for column in table[1:]), strict=True))


def _add(table: tuple[array[int], ...], *row: int) -> None:
    for column, value in zip(table, row, strict=True):
        column.append(value)
