"""How long the payloads of an onion exchange are, by doing one with keys of nobody.

Lengths depend on the client family, the body and the answer alone, not on keys or nodes; so one exchange says
how long all of its kind are (tested against those of a run).
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import LocalProtocolError
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

_HOPS: Final = 4  # guard, middle, last hop, destination. Source: transport 3.1
_NONCE_BYTES: Final = 64  # more than any layer takes


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
