"""When a node takes requests, what it says while it does not, and pings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.nodelist import UNASSIGNED, NodeList
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._standing import Standing
from sessionsim.protocol.wire.rpc import DESKTOP, info_call, request_body

Make = Callable[..., Any]
HTTPS, QUIC, OMQ = 0, 1, 2
INFO = request_body(DESKTOP, info_call())


def standing(swarm: int = 0, **changes: Any) -> Standing:
    nodes = NodeList((bytes(32), b"\x01" * 32), (bytes(32),) * 2, (swarm, 0), (1, 2), (3, 4))
    return Standing(0, bytes(32), nodes, NodeRules(**changes))


@pytest.mark.parametrize(
    ("swarm", "synced", "changes", "ready"),
    [
        (0, True, {}, True),
        (UNASSIGNED, True, {}, False),
        (0, False, {}, False),
        (0, True, {"hard_fork_revision": 2}, False),
        (0, True, {"hard_fork": 18, "hard_fork_revision": 9}, False),
        (0, True, {"hard_fork": 20, "hard_fork_revision": 0}, True),
        (0, True, {"ready_revision": 6}, False),
        (0, True, {"ready_revision": 6, "hard_fork_revision": 6}, True),
    ],
)
def test_the_rule(swarm: int, synced: bool, changes: dict[str, Any], ready: bool) -> None:
    one = standing(swarm, **changes)
    one.synced = synced
    assert one.is_ready() is ready


def test_what_it_says() -> None:
    name = b"Snode not ready: " + b"00" * 32
    assert standing(guard_not_ready="snode").not_ready(True) == standing().not_ready(False) == name
    new = standing(UNASSIGNED, hard_fork_revision=2)
    new.synced = False
    assert new.not_ready(False) == name
    assert new.not_ready(True) == (
        b"Service node is not ready: not in any swarm; not yet on hardfork 19.3; not done syncing\n"
    )


@pytest.mark.parametrize("conn", [HTTPS, QUIC])
def test_a_node_that_is_not_ready_takes_no_requests_of_clients(make_world: Make, conn: int) -> None:
    world = make_world()
    assert world.direct(0, INFO, conn)[0] == 200
    world.tell(0, "synced", False)
    status, text = world.direct(0, INFO, conn)
    assert status == 503
    assert b"not ready" in text
    assert world.ask((0, 1), INFO, conn=conn)[0] == 503
    assert world.ask((1, 0), INFO, conn=conn)[0] == 503
    world.tell(0, "synced", True)
    assert world.direct(0, INFO, conn)[0] == 200


def test_joining_and_leaving_a_swarm(make_world: Make) -> None:
    world = make_world()
    world.tell(0, "swarms", world.nodes_with((UNASSIGNED,) + (0,) * 11), 7)
    assert world.direct(0, INFO)[0] == 503
    world.tell(0, "swarms", world.nodes_with((5,) + (0,) * 11), 8)
    assert world.direct(0, INFO)[0] == 200


def test_pings(make_world: Make) -> None:
    world = make_world(suite="sodium")
    node = world.machines[0]

    def ping(src: int, conn: int, head: str) -> Any:
        effects = node.receive(src, conn, 5, head, b"", world.now_us)
        return effects[0][4:6] if effects else None

    status, header = ping(1000, HTTPS, "ping_test")
    assert status == 200
    assert header.startswith(b"X-Oxen-Snode-Pubkey: ")
    assert ping(1, OMQ, "sn.ping") == ping(1000, QUIC, "snode_ping") == (200, b"pong")
    for src, conn, head in (
        (1000, OMQ, "sn.ping"), (1, QUIC, "sn.ping"), (1, OMQ, "snode_ping"), (1, OMQ, "ping_test"),
        (1000, HTTPS, "snode_ping"), (1000, QUIC, "ping_test"),
    ):  # fmt: skip
        assert ping(src, conn, head) is None


def test_a_full_disk_fails_new_stores_only(make_world: Make, caller: Make) -> None:
    # Old members say how they failed, newer ones give their status as well; the node itself says it.
    world = make_world(disk_max_bytes=8, old=(3,))
    by = caller(world, world.person(0))
    (hash_,) = by.put(b"12345")
    status, answer = by.ask(0, by.store(b"6789"))
    assert status == 500
    entries = [answer["swarm"][world.nodes.ed25519[node].hex()] for node in range(7)]
    assert all(entry["failed"] for entry in entries)
    assert [entry.get("query_failure") for entry in entries] == [True, None, None, 1, None, None, None]
    assert {entry.get("code") for entry in entries} == {None, "500"}
    assert by.ask(0, by.store(b"12345"))[0] == 200
    assert by.ask(0, by.store(b"123"))[0] == 200
    by.parts(0, by.delete([hash_]))
    assert by.ask(0, by.store(b"6789"))[0] == 200
