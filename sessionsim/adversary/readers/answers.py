"""Answers: their ciphertexts, and what they hold once opened (transport 3.5, 3.7, 3.8, 5.1)."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, Final

from sessionsim.adversary.terms import (
    BASE64,
    MIN_CIPHERTEXT_BYTES,
    NOTHING,
    RAW,
    SERVER_V3,
    SERVER_V4,
    Answer,
    Result,
)
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.crypto.layer import Layer as Cipher
from sessionsim.protocol.wire import bencode, v3, v4
from sessionsim.protocol.wire.frame import decode_object
from sessionsim.protocol.wire.json_text import compact_json, read_json
from sessionsim.protocol.wire.rpc import read_batch, read_equal_results, read_object

_OK: Final = 200
_AROUND: Final = frozenset(("body", "status"))
_MEMBER: Final = frozenset(("code", "body"))
_BUNDLE: Final = frozenset(("results",))


def read_answer_ciphertext(status: int, payload: bytes) -> bytes:
    """Give the ciphertext of an onion answer; empty for error texts, which relays write in clear.

    An answer is base64 unless its request asked for raw bytes; raw bytes can't be told from text here and are
    taken as they are when they are no ASCII (transport 3.5, 3.8).
    """
    if status != _OK:
        return b""
    try:
        ciphertext = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        ciphertext = b"" if payload.isascii() else payload
    return ciphertext if len(ciphertext) >= MIN_CIPHERTEXT_BYTES else b""


def read_answer(cipher: Cipher, style: str, payload: bytes, n_calls: int) -> Answer | None:
    """Open an onion answer under the innermost layer of its request; None where it does not open.

    Args:
        style: how it is written, as the request says.
        n_calls: of the request.
    """
    if style in (BASE64, RAW):
        text = _open_node_answer(cipher, payload, as_base64=style == BASE64)
        return None if text is None else read_node_answer(text, n_calls)
    try:
        if style == SERVER_V4:
            plaintext = cipher.open(payload)
            answer = v4.decode_answer(plaintext)
            beside = {"headers": dict(answer.headers), **v4.passed_over(plaintext)}
            return _of_server(answer.status, beside, answer.body)
        if style == SERVER_V3:
            status, body, more = v3.open_whole_answer(cipher, payload)
            return _of_server(status, {"headers": {}, **more}, body)
    except ProtocolError:
        pass
    return None


def _open_node_answer(cipher: Cipher, payload: bytes, *, as_base64: bool) -> bytes | None:
    """Open the answer of a node; None where it does not open."""
    try:
        return cipher.open(binascii.a2b_base64(payload, strict_mode=True) if as_base64 else payload)
    except (ValueError, ProtocolError):
        return None


def read_node_answer(text: bytes, n_calls: int) -> Answer | None:
    """Read the answer of a node once it is open; None for none. Args: n_calls: of its request."""
    try:
        fields = decode_object(text)
        status, body = fields.get("status"), fields.get("body")
        if type(status) is not int:
            return None
        said = body.encode("utf-8", "replace") if type(body) is str else compact_json(body)
    except ProtocolError:
        return None
    beside = NOTHING if len(fields) <= len(_AROUND) else _more(fields, _AROUND)
    return read_clear_answer(status, said, n_calls, beside)


def read_clear_answer(status: int, body: bytes, n_calls: int, beside: Mapping[str, Any] = NOTHING) -> Answer:
    """Read an answer's body: one result for each of n calls; a sequence that stopped early gives fewer."""
    same = read_equal_results(body)
    if same is not None:
        code, fields, count = same
        return Answer((Result(code, fields),) * min(count, n_calls), beside)
    try:
        fields = read_object(body)
    except ProtocolError:
        found = _bencoded(body)
        results = (Result(status, found),) if n_calls == 1 else ()
        return Answer(results, beside, b"" if found and results else body)
    if "results" not in fields:
        alone = n_calls == 1
        return Answer((Result(status, fields),) if alone else (), beside, b"" if alone else body)
    if len(fields) > 1:
        beside = {**beside, **_more(fields, _BUNDLE)}
    try:
        read = [Result(*member) for member in read_batch(body)]
    except ProtocolError:
        return Answer((), beside, body)
    more = [_beside_member(member) for member in fields["results"]]
    more += [result.fields for result in read[n_calls:]]
    if any(more):
        beside = {**beside, "results": more}
    return Answer(tuple(read[:n_calls]), beside)


def _beside_member(member: Mapping[str, Any]) -> object:
    """Give what stands in one of several results and is read by nobody; nothing for most."""
    body = member.get("body")
    if type(body) is dict or (body is None and len(member) == 1):
        return NOTHING if len(member) <= len(_MEMBER) else _more(member, _MEMBER)
    return {**_more(member, _MEMBER), "body": body}


def _bencoded(body: bytes) -> Mapping[str, Any]:
    """Read an answer between nodes; empty for none."""
    try:
        fields = bencode.decode(body) if body[:1] == b"d" else None
    except ProtocolError:
        return NOTHING
    return {key.decode("latin-1"): value for key, value in fields.items()} if fields else NOTHING


def _of_server(status: int, beside: Mapping[str, Any], body: bytes) -> Answer:
    value: Any = body
    if body[:1] in (b"{", b"["):
        try:
            value = read_json(body)
        except ProtocolError:
            value = body
    if isinstance(value, list):
        parts = [part if isinstance(part, dict) else {"body": part} for part in value]
        codes = [part.get("code") for part in parts]
        results = tuple(
            Result(code if type(code) is int else status, part)
            for code, part in zip(codes, parts, strict=True)
        )
        return Answer(results, beside)
    fields = value if isinstance(value, dict) else {"body": value}
    return Answer((Result(status, fields),), beside)


def _more(fields: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    return {key: value for key, value in fields.items() if key not in known}
