"""A poll of five namespaces: signed and written by the client; read, checked and answered by the node.

The node is asked without an onion, so what it does is the RPC alone. All boxes are empty, as in most polls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle

import pytest

from sessionsim.core.columns import Transport
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.crypto import Suite, real, suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.poll import PollTemplate
from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

EPOCH_MS = 1_777_000_000_000
ACCOUNT = account_from_seed(bytes(16))
NAMESPACES = len(DESKTOP.namespaces)
SIGNED_BYTES = 22  # "retrieve", namespace, milliseconds
HTTPS = int(Transport.HTTPS)
CLIENTS = cycle(range(1, 5000))  # so many ask in turn that none asks too often
Fill = Callable[[], bytes]


def lone_node(suite: Suite) -> ServiceNode:
    """Make the only node of the only swarm."""
    ed = real.ed25519_keypair(bytes(32))
    x = real.x25519_of_ed25519(ed)
    nodes = NodeList((ed.public,), (x.public,), (0,), (0x0A000001,), (22021,))
    return ServiceNode(0, ed, x, nodes, suite, Entropy(bytes(32)), NodeRules(), EPOCH_MS)


def poll_by(suite: Suite) -> Fill:
    """Give what writes a poll."""
    sizes = [
        DESKTOP.max_size_configs if namespace else DESKTOP.max_size_messages
        for namespace in DESKTOP.namespaces
    ]
    template = PollTemplate(rpc.DESKTOP, ACCOUNT.id_hex, ACCOUNT.ed.public.hex(), DESKTOP.namespaces, sizes)
    sign = partial(suite.sign, ACCOUNT.ed)
    return lambda: template.fill(EPOCH_MS, [""] * NAMESPACES, sign)


@pytest.mark.parametrize("name", ["sodium", "fast"])
def test_sign_a_poll(beside: Callable[..., None], name: str) -> None:
    write = poll_by(suite_named(name, memo=False))
    if name == "sodium":
        work = Primitive("Ed25519 signature", primitives.signature(SIGNED_BYTES), NAMESPACES)
    else:
        call = primitives.blake2b(SIGNED_BYTES, 64, key_bytes=32)
        work = Primitive("BLAKE2b in place of a signature", call, NAMESPACES)
    beside(f"sign a poll of five ({name})", write, (work,), frame=[write()] if name == "fast" else ())


@pytest.mark.parametrize("name", ["sodium", "fast"])
def test_check_a_poll(beside: Callable[..., None], name: str) -> None:
    suite = suite_named(name, memo=False)
    node, body = lone_node(suite), poll_by(suite)()
    ((*_head, status, answer, _note),) = node.receive(next(CLIENTS), HTTPS, 1, "storage_rpc", body, 0)
    assert (status, answer.count(b'"code":200')) == (200, NAMESPACES)
    if name == "sodium":
        work = Primitive("Ed25519 verification", primitives.verification(SIGNED_BYTES), NAMESPACES)
    else:
        call = primitives.blake2b(SIGNED_BYTES, 64, key_bytes=32)
        work = Primitive("BLAKE2b in place of a signature", call, NAMESPACES)
    beside(
        f"check and answer a poll of five ({name})",
        lambda: node.receive(next(CLIENTS), HTTPS, 1, "storage_rpc", body, 0),
        (work,),
        frame=[body, answer] if name == "fast" else (),
    )
