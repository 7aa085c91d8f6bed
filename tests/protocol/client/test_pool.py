"""What a client knows of the network: shared listings, nodes given up, addressed draws."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.client.pool import Listing, Pool, directory_of, listing_of, number_at

ENTROPY = Seeds(1).entropy("client")
UNASSIGNED = (1 << 64) - 1


def node_list(swarm: tuple[int, ...]) -> NodeList:
    keys = tuple(bytes([i]) * 32 for i in range(len(swarm)))
    return NodeList(keys, keys, swarm, tuple(i << 8 for i in range(len(swarm))), (1,) * len(swarm))


def test_a_listing_has_the_active_nodes_and_their_swarms() -> None:
    listing = listing_of(node_list((7, UNASSIGNED, 3, 7)))
    assert listing.order == (0, 2, 3)
    assert listing.members == {3: (2,), 7: (0, 3)}
    assert listing.swarm_ids == (3, 7)


def test_clients_of_one_list_share_one_listing() -> None:
    nodes, others = node_list((1, 1)), node_list((1, 1))
    first = listing_of(nodes)
    assert listing_of(nodes) is first
    assert listing_of(others) is not first


def test_the_directory_finds_also_nodes_that_are_not_active() -> None:
    assert directory_of(node_list((UNASSIGNED, 5)))[bytes(32)] == 0


def test_nothing_is_known_without_a_list() -> None:
    pool = Pool(None)
    assert len(pool) == 0
    assert pool.pick(ENTROPY, b"a") is None
    assert list(pool.draws(ENTROPY, b"a")) == []


def test_draws_give_every_usable_node_once_in_an_order_of_their_address() -> None:
    pool = Pool(Listing(range(10, 40)))
    pool.drop(12)
    one, two = list(pool.draws(ENTROPY, b"a")), list(pool.draws(ENTROPY, b"b"))
    assert sorted(one) == [node for node in range(10, 40) if node != 12]
    assert one == list(pool.draws(ENTROPY, b"a"))
    assert one != two


def test_giving_up_a_node_moves_no_other_in_the_order() -> None:
    pool = Pool(Listing(range(50)))
    before = list(islice(pool.draws(ENTROPY, b"a"), 20))
    pool.drop(before[3])
    assert list(islice(pool.draws(ENTROPY, b"a"), 19)) == before[:3] + before[4:]


def test_a_pick_is_the_draw_at_its_address_and_every_node_equally_likely() -> None:
    pool = Pool(Listing(range(100, 110)))
    assert pool.pick(ENTROPY, b"x") == 100 + number_at(ENTROPY, b"x", 10)
    count = Counter(pool.pick(ENTROPY, b"p%d" % k) for k in range(3000))
    assert sum((count[node] - 300) ** 2 / 300 for node in range(100, 110)) < 27.9  # 0.1 % point, 9 degrees


def test_a_pick_avoids_what_was_given_up() -> None:
    pool = Pool(Listing(range(6)))
    for node in range(5):
        pool.drop(node)
    assert {pool.pick(ENTROPY, b"%d" % k) for k in range(30)} == {5}
    pool.drop(5)
    assert pool.pick(ENTROPY, b"x") is None


def test_what_is_given_up_for_a_time_comes_back_with_the_time() -> None:
    pool = Pool(Listing(range(6)))
    pool.drop(1, 100)
    pool.drop(2)
    version = pool.version
    pool.forgive(99)
    assert (1 in pool, pool.version) == (False, version)
    pool.forgive(100)
    assert (1 in pool, 2 in pool, pool.version) == (True, False, version + 1)


def test_a_new_list_brings_back_what_was_given_up_for_good_but_not_for_a_time() -> None:
    pool = Pool(Listing(range(6)))
    pool.drop(1, 100)
    pool.drop(2)
    pool.drop(5, 100)
    pool.replace(Listing((1, 2, 3)))
    assert [node for node in range(6) if node in pool] == [2, 3]
    assert len(pool) == 2


def test_a_stranger_cannot_be_given_up() -> None:
    pool = Pool(Listing(range(3)))
    pool.drop(77)
    assert (len(pool), pool.version) == (3, 0)


@pytest.mark.parametrize("below", [1, 7, 1000])
def test_numbers_stay_below_their_bound(below: int) -> None:
    assert all(0 <= number_at(ENTROPY, b"%d" % k, below) < below for k in range(100))
