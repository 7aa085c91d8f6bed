"""A store: written with its hash by the client; read, hashed, kept, signed and answered by a node alone.

Each store is another message, so that none is a repetition; boxes are not emptied meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import cycle

import pytest

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import Suite, real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire import rpc
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

EPOCH_MS = 1_777_000_000_000
TTL_MS = 14 * 24 * 3600 * 1000
ACCOUNT = account_from_seed(bytes(16))
MESSAGE_BYTES = 398
HASHED_BYTES = 33 + MESSAGE_BYTES
HTTPS = int(Transport.HTTPS)
CLIENTS = cycle(range(1, 5000))  # so many ask in turn that none asks too often


def lone_node(suite: Suite) -> ServiceNode:
    """Make the only node of the only swarm."""
    ed = real.ed25519_keypair(bytes(32))
    x = real.x25519_of_ed25519(ed)
    nodes = NodeList((ed.public,), (x.public,), (0,), (0x0A000001,), (22021,))
    return ServiceNode(0, ed, x, nodes, suite, Entropy(bytes(32)), NodeRules(), EPOCH_MS)


def body_of(number: int) -> bytes:
    data = number.to_bytes(8, "little") * (MESSAGE_BYTES // 8) + bytes(MESSAGE_BYTES % 8)
    return rpc.request_body(rpc.DESKTOP, rpc.store_call(rpc.DESKTOP, ACCOUNT.id_hex, data, EPOCH_MS, TTL_MS))


def test_write_a_store_and_its_hash(beside: Callable[..., None]) -> None:
    data = bytes(MESSAGE_BYTES)

    def write() -> tuple[bytes, str]:
        call = rpc.store_call(rpc.DESKTOP, ACCOUNT.id_hex, data, EPOCH_MS, TTL_MS)
        return rpc.request_body(rpc.DESKTOP, call), rpc.message_hash(ACCOUNT.id, 0, data)

    work = Primitive("BLAKE2b message hash", primitives.blake2b(HASHED_BYTES))
    beside("write a store and its hash", write, (work,), frame=[write()[0]])


@pytest.mark.parametrize("name", ["sodium", "fast"])
def test_take_a_store(beside: Callable[..., None], name: str) -> None:
    node = lone_node(suite_named(name, memo=False))
    waiting: deque[bytes] = deque()
    number = 0

    def prepare(times: int) -> None:
        nonlocal number
        waiting.extend(body_of(number + k) for k in range(times))
        number += times

    def take() -> object:
        return node.receive(next(CLIENTS), HTTPS, 1, "storage_rpc", waiting.popleft(), 0)

    prepare(1)
    ((*_head, status, answer, _note),) = take()  # type: ignore[misc]
    assert status == 200
    assert b"already" not in answer
    if name == "sodium":
        signed = Primitive("Ed25519 signature of the hash", primitives.signature(43))
    else:
        signed = Primitive("BLAKE2b in place of a signature", primitives.blake2b(43, 64, key_bytes=32))
    beside(
        f"take a store ({name})",
        take,
        (Primitive("BLAKE2b message hash", primitives.blake2b(HASHED_BYTES)), signed),
        frame=[body_of(0), answer] if name == "fast" else (),
        prepare=prepare,
    )
