"""What members of a swarm are said to have stored and deleted, which a client holds against signatures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sessionsim.protocol.client.confirmations import are_proved, confirmed
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.wire import rpc
from tests.fuzz.decoder import Decoder
from tests.fuzz.table._keys import FRIEND
from tests.protocol.client.stores import FULL, LATE, deleted, held

_SUITE: Final = suite_named("sodium")
_MEMBERS: Final = [account_from_seed(bytes([k]) * 16).ed for k in range(1, 4)]
_ASKED: Final = ("b", "a")
_STORE: Final = (b"store", b'{"namespace":2}')
_DELETE: Final = (b"delete", b'{"messages":["b","a"]}')
_STORED = held(_SUITE, _MEMBERS, **{"a" * 64: LATE, "b" * 64: FULL})
_DELETED = deleted(_SUITE, _MEMBERS, FRIEND.id, _ASKED, ["a"])


def _are_proved(calls: Sequence[rpc.Call], raw: bytes) -> object:
    fields = rpc.read_object(raw)
    return are_proved(_SUITE, FRIEND.id, calls, [(200, fields)] * len(calls), 0.5, 1)


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


DECODERS = (
    Decoder(
        "client.confirmations.confirmed",
        "json",
        lambda raw: confirmed(_SUITE, rpc.read_object(raw), 0.5, 7),
        (_json(_STORED),),
        share=2,
    ),
    Decoder(
        "client.confirmations.are_proved/stores",
        "json",
        partial(_are_proved, (_STORE, _STORE)),
        (_json(_STORED),),
        share=2,
    ),
    Decoder(
        "client.confirmations.are_proved/deletions",
        "json",
        partial(_are_proved, (_DELETE,)),
        (_json(_DELETED),),
        share=2,
    ),
)
