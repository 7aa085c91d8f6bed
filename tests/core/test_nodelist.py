"""Who stands where in a node list of six."""

from __future__ import annotations

from sessionsim.core.nodelist import ABSENT, UNASSIGNED, NodeList

KEYS = tuple(bytes([i]) * 32 for i in range(6))
NODES = NodeList(KEYS, KEYS, (9, 3, UNASSIGNED, 9, ABSENT, 3), (1 << 16, 0x1234, 2, 3, 4, 5), (1,) * 6)


def test_swarms_have_their_nodes_in_order_and_no_others() -> None:
    assert NODES.members == {3: (1, 5), 9: (0, 3)}
    assert list(NODES.members) == [3, 9]
    assert NODES.swarm_ids == (3, 9)
    assert [NODES.swarm_of(i) for i in range(6)] == [9, 3, None, 9, None, 3]
    assert NODES.active == (0, 1, 3, 5)


def test_a_node_keeps_its_place_and_is_found_by_its_key_as_long_as_it_is_registered() -> None:
    assert len(NODES) == 6
    assert NODES.index[KEYS[2]] == 2
    assert KEYS[4] not in NODES.index
    assert sorted(NODES.index.values()) == [0, 1, 2, 3, 5]


def test_networks_of_an_address() -> None:
    assert (NODES.net24(1), NODES.net16(1)) == (0x12, 0)
    assert NODES.net16(0) == 1
