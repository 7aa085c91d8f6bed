"""How long the payloads of an onion exchange are, by doing one with keys of nobody.

Lengths depend on the client family, the body and the answer alone, not on keys or nodes; so one exchange says
how long all of its kind are (tested against those of a run).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto.layer import AES_GCM, OVERHEAD_BYTES, XCHACHA20, GcmLayer
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.wire.onion import (
    FINAL,
    LAYER_RANDOM_BYTES,
    STYLES,
    Hop,
    build_request,
    decode_inner,
    seal_answer,
)
from sessionsim.protocol.wire.onion_relay import step
from sessionsim.protocol.wire.rpc_answers import Answer

_FRAME_BYTES: Final = 4  # of the length before a blob. Source: transport 3.2
_KEY_BYTES: Final = 32
_HOPS: Final = 4  # guard, middle, last hop, destination. Source: transport 3.1
_NONCE_BYTES: Final = 64  # more than any layer takes


def request_bytes(style: str, body_bytes: int) -> int:
    """Give the length of what a client sends to its guard. Args: style: its family."""
    return body_bytes + _around(style)


@lru_cache(maxsize=8)
def _around(style: str) -> int:
    """Give how long the onion of a body without bytes is."""
    written = STYLES[style]
    key = len(written.key_field) + 2 * _KEY_BYTES + len(b'"}')
    hop = len(b'{"destination":"",') + 2 * _KEY_BYTES + key
    layer = _FRAME_BYTES + _overhead(style)
    return _FRAME_BYTES + len(written.control) + _HOPS * layer + (_HOPS - 1) * hop + len(b"{") + key


def answer_bytes(style: str, status: int, body: bytes) -> int:
    """Give the length of an answer as it comes from the guard; see `seal_answer`."""
    text = str(body, "utf-8", "replace")
    sealed = len(orjson.dumps({"body": text, "status": status})) + _overhead(style)
    return (sealed + 2) // 3 * 4  # base64


def _overhead(style: str) -> int:
    return OVERHEAD_BYTES[AES_GCM if STYLES[style].layer is GcmLayer else XCHACHA20]


def exchange_bytes(suite: Suite, style: str, body_bytes: int, answer: Answer) -> tuple[int, ...]:
    """Give the length of what the client sends, of what three relays pass on, and of the answer.

    Args:
        suite: any; both give the same lengths.
        style: name of the client family, see `STYLES`.
        body_bytes: length of the RPC body.
        answer: what the destination answers.
    """
    pairs = [suite.ephemeral(bytes((hop + 1,)) * 32) for hop in range(_HOPS)]
    route = [Hop(b"%064x" % hop, pair.public) for hop, pair in enumerate(pairs)]
    randoms = [bytes((hop + 11,)) * LAYER_RANDOM_BYTES for hop in range(_HOPS)]
    payload, _ = build_request(suite, STYLES[style], route, bytes(body_bytes), randoms)
    lengths = [len(payload)]
    for hop, pair in enumerate(pairs[:-1]):
        passed = step(suite, pair, payload, hop == 0, _HOPS)
        if passed is None or len(passed) != 2:
            raise LocalProtocolError("an onion of ours that no relay passes on")
        payload = passed[1]
        lengths.append(len(payload))
    opened = step(suite, pairs[-1], payload, False, _HOPS)
    if opened is None or len(opened) == 2:
        raise LocalProtocolError("an onion of ours that does not end")
    layer, plaintext = opened[:2]
    inner = decode_inner(plaintext)
    if inner[0] != FINAL:
        raise LocalProtocolError("an onion of ours that does not end")
    _kind, _body, as_json, as_base64 = inner
    status, body, is_json = answer
    sealed = seal_answer(
        layer, status, body, bytes(_NONCE_BYTES), as_json=bool(as_json) and is_json, as_base64=bool(as_base64)
    )
    return (*lengths, len(sealed))
