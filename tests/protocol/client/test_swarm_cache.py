"""The swarms a client knows: one lookup at a time, its tries, who waits, and what a 421 changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.protocol.client.pool import Pool, listing_of
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, ClientRules
from sessionsim.protocol.client.swarm_cache import SwarmCache
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import LOG, SEND, Effect
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.rpc_answers import swarm_body

NODES = NodeList(
    tuple(bytes([i]) * 32 for i in range(12)),
    tuple(bytes([100 + i]) * 32 for i in range(12)),
    (0,) * 7 + (1 << 63,) * 5,
    tuple(i << 8 for i in range(12)),
    (22021,) * 12,
)
OWN, FRIEND, OTHER = (account_from_seed(bytes([i]) * 16) for i in (1, 2, 3))

LOOKUP_TRIES, MINIMUM_SWARM = DESKTOP.lookup_tries, DESKTOP.swarm_minimum


class Asked(NamedTuple):
    exchange: int
    node: int
    body: bytes
    note: int
    done: Any


class FakeRequests:
    """Takes requests down instead of sending them."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pool = Pool(listing_of(NODES))

    def send(self, exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Effect:
        self.asked.append(Asked(exchange, node, body, note, done))
        return (SEND, exchange)


class FakeClient:
    """What a swarm cache needs of its client."""

    def __init__(self, rules: ClientRules = DESKTOP) -> None:
        self.account: Account = OWN
        self.rules = rules
        self.body_style = rpc.BODY_STYLES[rules.body_style]
        self.entropy: Entropy = Seeds(5).entropy("client")
        self.requests = FakeRequests()
        self.cache = SwarmCache(self, NODES)  # type: ignore[arg-type]
        self.told: list[tuple[str, tuple[int, ...], int]] = []

    def find(self, account: Account, name: str = "", now_us: int = 0) -> list[Effect]:
        def found(swarm: tuple[int, ...], t_us: int) -> list[Effect]:
            self.told.append((name, swarm, t_us))
            return [(LOG, name)]

        return self.cache.find(account.id, now_us, found)

    @property
    def asked(self) -> list[Asked]:
        return self.requests.asked


def snodes(*keys: str) -> dict[str, Any]:
    return {"snodes": [{"pubkey_ed25519": key} for key in keys]}


def named(*nodes: int) -> dict[str, Any]:
    return snodes(*(NODES.ed25519[node].hex() for node in nodes))


def test_an_unknown_swarm_is_asked_of_one_node_and_then_known() -> None:
    client = FakeClient()
    assert client.find(FRIEND, "first") == [(SEND, client.asked[0].exchange)]
    ((exchange, node, body, note, done),) = client.asked
    request = orjson.loads(body)
    assert (request["method"], request["params"]["pubkey"]) == ("get_swarm", FRIEND.id_hex)
    assert exchange & 15 == Purpose.LOOKUP
    assert note == note_of(Cause.LOOKUP)
    assert 0 <= node < len(NODES)
    assert client.told == []
    answer = swarm_body(NODES, 1 << 63, 0, b"[19,3]")
    assert done(200, answer, 77) == [(LOG, "first")]
    assert client.told == [("first", (7, 8, 9, 10, 11), 77)]
    assert client.find(FRIEND, "second", 88) == [(LOG, "second")]
    assert client.told[1] == ("second", (7, 8, 9, 10, 11), 88)
    assert len(client.asked) == 1


def test_who_asks_meanwhile_waits_for_the_same_lookup() -> None:
    client = FakeClient()
    client.find(FRIEND, "one")
    assert client.find(FRIEND, "two") == []
    assert client.find(FRIEND, "three") == []
    assert len(client.asked) == 1
    effects = client.asked[0].done(200, swarm_body(NODES, 0, 0, b"[19,3]"), 5)
    assert effects == [(LOG, "one"), (LOG, "two"), (LOG, "three")]
    assert [name for name, _, _ in client.told] == ["one", "two", "three"]


def test_lookups_of_different_accounts_run_side_by_side() -> None:
    client = FakeClient()
    client.find(FRIEND, "friend")
    client.find(OTHER, "other")
    assert len(client.asked) == 2
    client.asked[1].done(200, swarm_body(NODES, 0, 0, b"[19,3]"), 5)
    assert [name for name, _, _ in client.told] == ["other"]


NO_SWARM = [
    (0, b""),
    (504, b""),
    (421, swarm_body(NODES, 0, 0, b"[19,3]")),
    (200, b"\xff\x00"),
    (200, b"[]"),
    (200, b"{}"),
    (200, b'{"snodes":7}'),
    (200, b'{"snodes":[7]}'),
    (200, b'{"snodes":[{}]}'),
    (200, b'{"snodes":[{"pubkey_ed25519":[]}]}'),
    (200, orjson.dumps(snodes("zz" * 32))),
    (200, orjson.dumps(snodes(*(" " * 64,) * 3))),
    (200, orjson.dumps(snodes(*("ab" * 32,) * 5))),  # nodes that are in no list
    (200, orjson.dumps(named(1, 2))),  # too few
    (200, orjson.dumps(named(1, 1, 1, 2, 2))),  # too few, repeated
    (200, b"[" * 2000),
]


@pytest.mark.parametrize(("status", "body"), NO_SWARM)
def test_an_answer_without_a_usable_swarm_is_asked_again_elsewhere(status: int, body: bytes) -> None:
    client = FakeClient()
    client.find(FRIEND)
    (effect,) = client.asked[0].done(status, body, 5)
    assert effect == (SEND, client.asked[1].exchange)
    assert client.asked[1].exchange != client.asked[0].exchange
    assert client.told == []


def test_after_the_last_try_everybody_is_told_that_there_is_none() -> None:
    client = FakeClient()
    client.find(FRIEND, "one")
    client.find(FRIEND, "two")
    for k in range(LOOKUP_TRIES):
        assert client.told == []
        client.asked[k].done(0, b"", k)
    assert client.told == [("one", (), LOOKUP_TRIES - 1), ("two", (), LOOKUP_TRIES - 1)]
    assert len(client.asked) == LOOKUP_TRIES == 9
    assert len({asked.node for asked in client.asked}) > 2
    client.find(FRIEND, "later")  # a new lookup, with all its tries
    for asked in client.asked[LOOKUP_TRIES:]:
        assert asked.exchange not in {a.exchange for a in client.asked[:LOOKUP_TRIES]}
    for k in range(LOOKUP_TRIES, 2 * LOOKUP_TRIES):
        client.asked[k].done(0, b"", k)
    assert client.told[-1] == ("later", (), 2 * LOOKUP_TRIES - 1)


def test_somebody_who_asks_anew_when_told_starts_a_new_lookup() -> None:
    client = FakeClient()

    def again(swarm: tuple[int, ...], t_us: int) -> list[Effect]:
        return client.find(FRIEND, "again")

    client.cache.find(FRIEND.id, 0, again)
    for k in range(LOOKUP_TRIES):
        effects = client.asked[k].done(0, b"", k)
    assert effects == [(SEND, client.asked[LOOKUP_TRIES].exchange)]


def test_draws_of_one_account_do_not_depend_on_lookups_of_others() -> None:
    alone, busy = FakeClient(), FakeClient()
    alone.find(FRIEND)
    alone.find(OWN)
    busy.find(FRIEND)
    busy.find(OTHER)
    for k in range(4):
        busy.asked[k].done(0, b"", k)
    busy.find(OWN)
    assert (busy.asked[0].exchange, busy.asked[0].node) == (alone.asked[0].exchange, alone.asked[0].node)
    assert (busy.asked[-1].exchange, busy.asked[-1].node) == (alone.asked[1].exchange, alone.asked[1].node)


def test_lookup_exchanges_are_unique_and_fit() -> None:
    client = FakeClient()
    for account in (OWN, FRIEND, OTHER):
        client.find(account)
    for k in range(24):
        client.asked[k].done(0, b"", k)
    numbers = [asked.exchange for asked in client.asked]
    assert len(set(numbers)) == len(numbers) == 27
    assert all(0 <= number < 1 << 63 for number in numbers)


@pytest.mark.parametrize("rules", [DESKTOP, ANDROID])
def test_a_421_replaces_the_swarm_and_repeats_nobody(rules: ClientRules) -> None:
    client = FakeClient(rules)
    client.cache.correct(FRIEND.id, named(3, 1, 3, 2, 1) | {"hf": 7})
    client.find(FRIEND)
    assert client.told == [("", (3, 1, 2), 0)]


@pytest.mark.parametrize("fields", [{}, {"error": "x"}, {"snodes": None}, named(1, 2), snodes("00")])
def test_a_421_that_names_no_swarm_makes_the_client_ask_again(fields: dict[str, Any]) -> None:
    client = FakeClient()
    client.cache.correct(FRIEND.id, named(1, 2, 3))
    client.cache.correct(FRIEND.id, fields)
    client.find(FRIEND)
    assert client.told == []
    assert len(client.asked) == 1


def test_nodes_out_of_our_list_are_left_out() -> None:
    client = FakeClient()
    fields = named(1, 2, 3)
    fields["snodes"].insert(1, {"pubkey_ed25519": "ee" * 32})
    client.cache.correct(FRIEND.id, fields)
    client.find(FRIEND)
    assert client.told == [("", (1, 2, 3), 0)]
    assert MINIMUM_SWARM == 3


@pytest.mark.parametrize("account", [OWN, FRIEND, OTHER])
def test_ios_computes_the_swarm_and_asks_nobody(account: Account) -> None:
    client = FakeClient(IOS)
    assert client.find(account, "x", 9) == [(LOG, "x")]
    swarm = nearest_swarm(swarm_position(account.id[1:]), sorted(NODES.members))
    assert client.told == [("x", NODES.members[swarm], 9)]
    assert client.asked == []


def test_a_421_holds_for_ios_too_until_it_is_forgotten() -> None:
    client = FakeClient(IOS)
    client.cache.correct(FRIEND.id, named(1, 2, 3))
    client.find(FRIEND)
    client.cache.correct(FRIEND.id, {})
    client.find(FRIEND)
    assert client.told[0][1] == (1, 2, 3)
    assert client.told[1][1] in NODES.members.values()
    assert client.asked == []


def test_tries_of_a_lookup_and_the_smallest_swarm_can_be_set() -> None:
    client = FakeClient(replace(DESKTOP, lookup_tries=2, swarm_minimum=2))
    client.find(FRIEND, "two")
    client.asked[0].done(200, orjson.dumps(named(7)), 1)
    assert len(client.asked) == 2
    client.asked[1].done(200, orjson.dumps(named(7, 8)), 2)
    assert client.told == [("two", (7, 8), 2)]
    client.find(OTHER, "none")
    client.asked[2].done(200, orjson.dumps(named(7)), 3)
    client.asked[3].done(0, b"", 4)
    assert client.told[-1] == ("none", (), 4)
    assert len(client.asked) == 4
