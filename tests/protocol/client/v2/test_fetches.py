"""Fetching the keys of others: one fetch at a time, one node after the other, and what each answer means."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol.client.v2.fetches import newest_record
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.v2 import PublicKeys, account_keys, write_record
from sessionsim.protocol.wire.rpc import Retrieved

SECOND_US, HOUR_US = 1_000_000, 3_600_000_000
KEYS = 15  # the purpose of its requests
FETCHED = "keys fetched"


def requests(device: Any) -> list[int]:
    """When requests for keys went out."""
    return [t_us for t_us, exchange, _ in device.sent if exchange & 15 == KEYS]


def members(net: Any, device: Any) -> tuple[int, ...]:
    return net.world.nodes.members[net.swarm(device.client.account)]  # type: ignore[no-any-return]


def test_an_opened_conversation_has_keys_ready_and_the_text_goes_at_once(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(SECOND_US)
    assert ann.values(FETCHED) == [1302]
    net.tell(ann, "send", 0, ben.client.account.id, "hello")
    assert [event[1:] for event in ann.events[-2:]] == [("keys fresh", 0, 0), ("sealed v2", 0, 0)]
    assert ann.times("sealed v2") == [net.now_us]


def test_opening_it_again_within_a_day_asks_nothing(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    for _ in range(3):
        net.tell(ann, "open-conversation", ben.client.account.id)
        net.tell(ann, "open-conversation", ben.client.account.id)
        net.run(7 * HOUR_US)
    assert ann.values(FETCHED) == [1302]
    net.run(4 * HOUR_US)
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(SECOND_US)
    assert ann.values(FETCHED) == [1302, 1302]  # 25 h old: stale


def test_nobody_fetches_the_own_keys_from_others(make_net: Any) -> None:
    net = make_net()
    ann = net.established("ann")
    before = len(ann.sent)
    net.tell(ann, "open-conversation", ann.client.account.id)
    assert len(ann.sent) == before


def test_an_account_without_record_is_refused_for_an_hour(make_net: Any) -> None:
    net = make_net()
    ann, old = net.established("ann"), net.add(net.account("old"), version=1)
    for wait_us in (0, 1800 * SECOND_US, 1700 * SECOND_US, 200 * SECOND_US):
        net.run(wait_us)
        net.tell(ann, "open-conversation", old.client.account.id)
    net.run(SECOND_US)
    assert ann.values(FETCHED) == [0, 0]
    first, second = ann.times(FETCHED)
    assert second - first > HOUR_US


def mute(device: Any, nodes: Any) -> list[int]:
    """Have a device hear nothing from some nodes; gives the nodes it asks for keys, in order."""
    asked, send, muted = [], device.client.requests.send, set(nodes)

    def sending(exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Any:
        asked.append(node) if exchange & 15 == KEYS else None
        heard = done if node not in muted or exchange & 15 != KEYS else lambda *_: []
        return send(exchange, node, body, note, now_us, heard)

    device.client.requests.send = sending
    return asked


def test_a_silent_node_is_waited_for_ten_seconds_then_the_next_is_asked(make_net: Any) -> None:
    net = make_net(key_wait_us=60 * SECOND_US)
    ann, ben = net.established("ann"), net.established("ben")
    first = mute(ann, ())
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(SECOND_US)
    net = make_net(key_wait_us=60 * SECOND_US)  # the same again, and now that node is silent
    ann, ben = net.established("ann"), net.established("ben")
    asked, begun = mute(ann, first), net.now_us
    net.tell(ann, "send", 0, ben.client.account.id, "hello")
    net.run(61 * SECOND_US)
    assert asked[0] == first[0]
    assert len(set(asked)) == len(asked) == 2
    assert ann.values(FETCHED) == [1302]
    assert 10 * SECOND_US < ann.times(FETCHED)[0] - begun < 11 * SECOND_US
    assert ann.values("sealed v2") == [ann.times(FETCHED)[0] - begun]


def test_a_whole_swarm_that_is_silent_ends_the_fetch_within_a_minute_and_proves_nothing(
    make_net: Any,
) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    swarm, begun = members(net, ben), net.now_us
    asked = mute(ann, swarm)
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(120 * SECOND_US)
    assert ann.values(FETCHED) == [-1]
    spent_s = (ann.times(FETCHED)[0] - begun) / SECOND_US
    assert len(asked) == min(6, len(swarm))
    assert 10 * len(asked) <= spent_s <= min(60, 10 * len(asked) + 1)
    mute(ann, ())
    net.tell(ann, "open-conversation", ben.client.account.id)  # not refused: asked again at once
    assert len(asked) == min(6, len(swarm)) + 1


def test_the_limit_of_the_whole_fetch_counts(make_net: Any) -> None:
    net = make_net(fetch_timeout_us=15 * SECOND_US)
    ann, ben = net.established("ann"), net.established("ben")
    asked, begun = mute(ann, members(net, ben)), net.now_us
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(60 * SECOND_US)
    assert len(asked) == 2
    assert ann.times(FETCHED) == [begun + 15 * SECOND_US]


def test_a_late_answer_of_an_earlier_node_changes_nothing(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    kept, send = [], ann.client.requests.send

    def sending(exchange: int, node: int, body: bytes, note: int, now_us: int, done: Any) -> Any:
        kept.append(done) if exchange & 15 == KEYS else None
        heard = done if exchange & 15 != KEYS else lambda *_: []
        return send(exchange, node, body, note, now_us, heard)

    ann.client.requests.send = sending
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(12 * SECOND_US)
    assert len(kept) == 2
    nothing = b'{"messages":[]}'
    assert kept[0](200, nothing, net.now_us) == []
    assert ann.values(FETCHED) == []
    assert kept[1](200, nothing, net.now_us)[0][1:] == (FETCHED, -1, 0)
    assert kept[1](200, nothing, net.now_us) == []


@pytest.mark.parametrize("body", [b"junk", b"[]", b"{}", b'{"messages":[{}]}', b'{"messages":7}'])
def test_an_answer_that_is_none_leads_to_the_next_node(make_net: Any, body: bytes) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    kept, send = [], ann.client.requests.send

    def sending(exchange: int, node: int, request: bytes, note: int, now_us: int, done: Any) -> Any:
        kept.append(done)
        return send(exchange, node, request, note, now_us, done)

    ann.client.requests.send = sending
    net.tell(ann, "open-conversation", ben.client.account.id)
    while not (kept and ann.sent[-1][1] & 15 == KEYS):
        net.run(10_000)
    effects = kept[-1](200, body, net.now_us)
    assert [effect[0] for effect in effects] == [0]  # another request
    assert ann.values(FETCHED) == []


def test_texts_to_one_person_share_one_fetch(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    for ref in range(3):
        net.tell(ann, "send", ref, ben.client.account.id, f"text {ref}")
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(2 * SECOND_US)
    assert ann.values(FETCHED) == [1302]
    assert ann.names().count("sealed v2") == 3


def test_the_wrong_swarm_sends_to_the_right_one(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    wrong = next(s for s in net.world.nodes.members if s != net.swarm(ben.client.account))
    ann.client.swarms._known[ben.client.account.id] = net.world.nodes.members[wrong]
    net.tell(ann, "open-conversation", ben.client.account.id)
    net.run(2 * SECOND_US)
    assert ann.values(FETCHED) == [1302]


# ---- What a record is worth ----

SUITES = pytest.mark.parametrize("suite", ["fast", "sodium"])


def held(*records: bytes) -> list[Retrieved]:
    return [Retrieved("h" * 43, 0, 0, record) for record in records]


@SUITES
def test_the_newest_valid_record_counts(make_net: Any, suite: str) -> None:
    net, crypto = make_net(), suite_named(suite)
    ann, eve = net.account("ann"), net.account("eve")
    old, new = (account_keys(crypto, bytes([k]) * 32).public for k in (1, 2))
    records = [write_record(ann, keys, bytes(64)) for keys in (old, new)]
    foreign = write_record(eve, new, bytes(64))
    assert newest_record(crypto, ann.id, held(*records)) == (new, 1302)
    assert newest_record(crypto, ann.id, held(records[0], foreign, b"junk")) == (old, 1302)
    assert newest_record(crypto, ann.id, held(foreign)) == (None, 0)
    assert newest_record(crypto, ann.id, []) == (None, 0)


@SUITES
def test_keys_that_are_none_are_no_keys_whoever_signed_them(make_net: Any, suite: str) -> None:
    net, crypto = make_net(), suite_named(suite)
    ann, good = net.account("ann"), account_keys(crypto, bytes(32)).public
    for keys in (PublicKeys(b"\xff" * 1184, good.x), PublicKeys(good.kem, bytes(32))):
        assert newest_record(crypto, ann.id, held(write_record(ann, keys, bytes(64)))) == (None, 0)
