"""A poll executed as a whole gives what its retrieves give one by one."""

from __future__ import annotations

import pytest

from sessionsim.core.nodelist import NodeList
from sessionsim.protocol.crypto import SodiumSuite, real
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._storage_rpc import StorageRpc
from sessionsim.protocol.wire.rpc import message_hash, signed_text
from sessionsim.protocol.wire.rpc_answers import batch_answer
from sessionsim.protocol.wire.rpc_node import PollCall, StoreCall

NOW_MS = 1_777_000_000_000
SUITE = SodiumSuite(memo=False)
NODE = real.ed25519_keypair(bytes([1]) * 32)


def node_of_swarms(*swarms: int) -> StorageRpc:
    """Make the first node of a network with one node in each swarm."""
    keys = tuple(real.ed25519_keypair(bytes([k + 1]) * 32).public for k in range(len(swarms)))
    nodes = NodeList(
        ed25519=keys,
        x25519=tuple(real.x25519_public_of_ed25519(key) for key in keys),
        ip=tuple(range(len(swarms))),
        port=(22021,) * len(swarms),
        swarm=swarms,
    )
    return StorageRpc(0, NODE, nodes, SUITE, NodeRules())


def account(k: int) -> Account:
    return account_from_seed(bytes([k]) * 16)


def poll_of(one: Account, ed25519: bytes, signed_ms: int, spoilt: int = -1) -> PollCall:
    parts = []
    for k, (namespace, last_hash, size) in enumerate(
        ((0, "", -2), (2, "A" * 43, -8), (5, "", 100), (0, "", 0))
    ):
        signature = SUITE.sign(one.ed, signed_text("retrieve", namespace, signed_ms))
        parts.append((namespace, last_hash, size, bytes(64) if k == spoilt else signature))
    return PollCall(one.id, ed25519, signed_ms, tuple(parts))


OWN, OTHER = account(1), account(2)
POLLS = {
    "right": poll_of(OWN, OWN.ed.public, NOW_MS),
    "one signature wrong": poll_of(OWN, OWN.ed.public, NOW_MS, spoilt=1),
    "key of another account": poll_of(OWN, OTHER.ed.public, NOW_MS),
    "no key at all": poll_of(OWN, bytes(32), NOW_MS),
    "too late": poll_of(OWN, OWN.ed.public, NOW_MS - 60_001),
    "just in time": poll_of(OWN, OWN.ed.public, NOW_MS + 60_000),
    "another account": poll_of(OTHER, OTHER.ed.public, NOW_MS),
}


@pytest.mark.parametrize("name", POLLS)
@pytest.mark.parametrize("swarms", [(7,), (7, 1 << 63), (1 << 63, 7)])
def test_a_poll_is_what_its_retrieves_are_one_by_one(name: str, swarms: tuple[int, ...]) -> None:
    whole, single = node_of_swarms(*swarms), node_of_swarms(*swarms)
    for node in (whole, single):
        for namespace, text in ((0, b"a"), (0, b"b"), (5, b"c" * 300)):
            hash_ = message_hash(OWN.id, namespace, text)
            node.store_own(
                StoreCall(OWN.id, namespace, NOW_MS, NOW_MS + 10**6, text, hash_, None, None, 0), NOW_MS
            )
    for asked in ("right", name, name):  # what was asked before must not matter
        poll = POLLS[asked]
        one_by_one = batch_answer([single.answer(call, NOW_MS) for call in poll.calls()])
        assert whole.poll(poll, NOW_MS) == one_by_one


def test_the_polls_above_differ_in_their_outcome() -> None:
    node = node_of_swarms(7)
    bodies = {name: node.poll(poll, NOW_MS)[1] for name, poll in POLLS.items()}
    assert b"signature verification failed" in bodies["one signature wrong"]
    assert bodies["key of another account"].count(b'"code":401') == 4
    assert bodies["too late"].count(b'"code":406') == 4
    assert bodies["right"].count(b'"code":200') == 4
