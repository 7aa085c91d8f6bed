"""Answers to a store, as members of a swarm sign them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from sessionsim.protocol.crypto.suite import KeyPair, Suite
from sessionsim.protocol.wire.rpc_signed import deleted_receipt

LATE: dict[str, Any] = {"failed": True, "timeout": True}
FULL: dict[str, Any] = {"failed": True, "query_failure": True}


def held(suite: Suite, members: Sequence[KeyPair], hash_: str = "x", **others: Any) -> dict[str, Any]:
    """The body of an answer. Args: members: who hold the message; others: further entries of `swarm`."""
    swarm = {
        pair.public.hex(): {
            "hash": hash_,
            "signature": base64.b64encode(suite.sign(pair, hash_.encode())).decode(),
            "expiry": 1,
        }
        for pair in members
    }
    return {"hash": hash_, "swarm": swarm | others, "t": 1, "hf": [19, 3]}


def deleted(
    suite: Suite, members: Sequence[KeyPair], account_id: bytes, asked: Sequence[str], gone: Sequence[str],
    **others: Any,
) -> dict[str, Any]:  # fmt: skip
    """The body of an answer to a deletion. Args: asked, gone: hashes as asked for, and those there were."""
    text = deleted_receipt(account_id, asked, gone)
    swarm = {
        pair.public.hex(): {
            "deleted": list(gone),
            "signature": base64.b64encode(suite.sign(pair, text)).decode(),
        }
        for pair in members
    }
    return {"swarm": swarm | others, "t": 1, "hf": [19, 3]}
