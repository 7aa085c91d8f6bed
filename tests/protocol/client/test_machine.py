"""The client machine, driven by hand. The other side peels the onion with the nodes' keys and answers.

In the first half the answers are scripted; at the end real service nodes answer.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.rules import ANDROID, DESKTOP, IOS, PLATFORMS, ClientRules
from sessionsim.protocol.crypto.layer import GcmLayer
from sessionsim.protocol.identity import Account
from sessionsim.protocol.versions.v1 import encode_text, seal_direct
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.onion import (
    seal_answer,
)
from sessionsim.protocol.wire.rpc_answers import swarm_body
from tests.protocol.client.stores import held
from tests.protocol.client.table import (
    EPOCH_MS,
    EVERY,
    FRIEND,
    OWN,
    STRANGER,
    Asked,
    Table,
    batched,
    honest,
    named,
    swarm_of,
)


def stored(world: Any, sender: Account, body: str, number: int = 1, **options: Any) -> dict[str, Any]:
    """A message to OWN as a retrieve gives it."""
    sent_ms = options.get("sent_ms", EPOCH_MS)
    content = encode_text(body, sent_ms, sync_target=options.get("sync_target", b""))
    random = Seeds(number).entropy("seal").draw(b"a") + Seeds(number).entropy("seal").draw(b"b")
    data = seal_direct(world.suite, sender, OWN.id, content, EPOCH_MS, random)
    return {
        "hash": rpc.message_hash(OWN.id, 0, data), "timestamp": EPOCH_MS, "expiration": EPOCH_MS + 1,
        "data": base64.b64encode(data).decode(),
    }  # fmt: skip


def poll_answer(
    asked: Asked, inbox: Iterable[dict[str, Any]], configs: Iterable[dict[str, Any]] = ()
) -> bytes:
    """The answer of a poll with messages in namespace 0 and in the config namespaces."""
    found = [list(configs if call.get("namespace") else inbox) for call in asked.calls]
    return orjson.dumps({"results": [batched(200, {"messages": messages}) for messages in found]})


@pytest.fixture(scope="module")
def world(make_world: Any) -> Any:
    return make_world()


# --- polling ------------------------------------------------------------------------------------------------


@EVERY
def test_a_poll_asks_for_all_namespaces_in_order_with_the_platforms_sizes(world, rules) -> None:
    now, asked = Table(world, rules).polling()
    for request in asked:
        assert request.method == "batch"
        assert [call.get("namespace", 0) for call in request.calls] == list(rules.namespaces)
        assert [call["max_size"] for call in request.calls] == [-8 if n else -2 for n in rules.namespaces]
        assert all(call["timestamp"] == EPOCH_MS + now // 1000 for call in request.calls)
        for call in request.calls:
            text = rpc.signed_text("retrieve", call.get("namespace", 0), call["timestamp"])
            assert world.suite.verify(OWN.ed.public, text, base64.b64decode(call["signature"]))
        assert request.note == note_of(Cause.POLL)


def test_order_of_namespaces_is_that_of_the_real_clients() -> None:
    assert DESKTOP.namespaces == (0, 2, 3, 5, 4)
    assert ANDROID.namespaces == (2, 3, 4, 5, 0)
    assert IOS.namespaces == (0, 2, 3, 4, 5)


def test_ios_polls_without_a_lookup_and_the_others_after_one(world) -> None:
    methods = {}
    for name, rules in PLATFORMS.items():
        table = Table(world, rules)
        table.start()
        methods[name] = [request.method for request in table.wake()[1]]
    assert methods == {"ios": ["batch"], "desktop": ["get_swarm"], "android": ["get_swarm"]}


def test_first_polls_are_spread_over_the_interval(world) -> None:
    phases = [Table(world, DESKTOP, Seeds(4).entropy("client", k)).start() for k in range(60)]
    assert all(0 <= phase < 5 * US_PER_S for phase in phases)
    assert min(phases) < US_PER_S
    assert max(phases) > 4 * US_PER_S


@EVERY
def test_the_interval_counts_from_the_last_answer_of_the_round(world, rules) -> None:
    table = Table(world, rules)
    now, asked = table.polling()
    for k, request in enumerate(asked):
        table.natural(request, now + 100_000 * (k + 1))
    end = now + 100_000 * len(asked)
    assert table.wake_us == end + rules.poll_interval_us
    assert {5_000_000: 5, 2_000_000: 2, 1_500_000: 1.5}[
        rules.poll_interval_us
    ] * US_PER_S == table.wake_us - end
    assert all(request.method == "batch" for request in table.wake()[1])


def test_the_round_ends_with_the_time_out_of_the_node_that_is_silent(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    table.natural(asked[0], now + 50_000)
    assert table.wake_us == now + DESKTOP.request_timeout_us
    assert table.wake()[1] == []
    assert table.wake_us == now + DESKTOP.request_timeout_us + DESKTOP.poll_interval_us


@pytest.mark.parametrize(
    ("rules", "pauses_ms"),
    [
        (DESKTOP, [5000] * 6),
        (ANDROID, [4000, 6000, 8000, 10_000, 10_000, 10_000]),
        (IOS, [300, 600, 900, 1200, 1500, 1800]),
        (replace(ANDROID, poll_interval_us=60 * US_PER_S), [60_000] * 3),
        (replace(IOS, poll_retry_cap_us=US_PER_S), [300, 600, 900, 1000, 1000]),
    ],
    ids=["desktop", "android", "ios", "slow", "capped"],
)
def test_after_failed_rounds_the_pause_is_that_of_the_platform(world, rules, pauses_ms) -> None:
    table = Table(world, rules)
    now, asked = table.polling()
    for pause in pauses_ms:
        for request in asked:
            table.answer(request, 400, b"Sorry", now + 10)  # costs no path and no node
        assert table.wake_us == now + 10 + pause * US_PER_MS
        now, asked = table.wake()
    for request in asked:
        table.natural(request, now + 10)
    assert table.wake_us == now + 10 + rules.poll_interval_us  # one good round, and all is forgotten


def first_start(world: Any, rules: ClientRules) -> tuple[Table, int, list[Asked]]:
    """Start an app for the first time, with the list it ships with."""
    table = Table(world, replace(rules, first_start=True, ships_list=True))
    table.start()
    now, asked = table.wake()
    return table, now, table.natural(asked[0], now) if asked[0].method == "get_swarm" else asked


def test_android_asks_every_node_for_the_profile_at_its_first_start_and_then_polls_at_once(world) -> None:
    table, now, asked = first_start(world, ANDROID)
    assert sorted(request.route[-1] for request in asked) == sorted(world.nodes.members[swarm_of(world, OWN)])
    for request in asked:
        assert [call["namespace"] for call in request.calls] == [2]
        (call,) = request.calls
        assert call["max_size"] == -8
        text = rpc.signed_text("retrieve", 2, call["timestamp"])
        assert world.suite.verify(OWN.ed.public, text, base64.b64decode(call["signature"]))
    taken: list[str] = []
    table.client.takers[2] = lambda message, _now_us: taken.append(message.hash) or []
    profile = stored(world, STRANGER, "profile")
    body = orjson.dumps({"results": [batched(200, {"messages": [profile]})]})
    for k, request in enumerate(asked[:-1]):
        assert table.answer(request, 200, body, now + k) == []
    now += len(asked)
    assert table.answer(asked[-1], 500, b"", now) == []
    assert len(taken) == len(asked) - 1
    assert table.wake_us == now
    _, (poll,) = table.wake()
    assert [call.get("namespace", 0) for call in poll.calls] == list(ANDROID.namespaces)
    table.natural(poll, now)
    assert table.wake_us == now + ANDROID.poll_interval_us


@pytest.mark.parametrize("rules", [DESKTOP, IOS, replace(ANDROID, first_poll="usual")])
def test_others_begin_with_a_poll_as_ever(world, rules) -> None:
    _, _, asked = first_start(world, replace(rules, guard_test="none"))
    assert len(asked) == rules.poll_nodes
    assert all(len(request.calls) == len(rules.namespaces) for request in asked)


def test_an_android_that_ran_before_does_not_ask_for_the_profile(world) -> None:
    _, (poll,) = Table(world, ANDROID).polling()
    assert len(poll.calls) == 5


def rounds(table: Table, count: int) -> list[list[int]]:
    """The nodes asked in each of so many rounds."""
    now, asked = table.polling()
    nodes = []
    for _ in range(count):
        nodes.append([request.route[-1] for request in asked])
        for request in asked:
            table.natural(request, now + 30_000)
        now, asked = table.wake()
    return nodes


def test_desktop_asks_two_different_nodes_anew_each_time(world) -> None:
    nodes = rounds(Table(world), 60)
    members = world.nodes.members[swarm_of(world, OWN)]
    assert all(len(set(pair)) == 2 for pair in nodes)
    assert {node for pair in nodes for node in pair} == set(members)
    assert len({tuple(pair) for pair in nodes}) > 10


def test_android_asks_each_node_once_and_then_again_in_another_order(world) -> None:
    members = set(world.nodes.members[swarm_of(world, OWN)])
    nodes = [node for (node,) in rounds(Table(world, ANDROID), 6 * len(members))]
    turns = [nodes[k : k + len(members)] for k in range(0, len(nodes), len(members))]
    assert all(set(turn) == members for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 2


def test_ios_stays_with_a_node_for_six_polls_and_then_takes_another(world) -> None:
    nodes = [node for (node,) in rounds(Table(world, IOS), 48)]
    terms = [nodes[k : k + 6] for k in range(0, 48, 6)]
    assert all(len(set(term)) == 1 for term in terms)
    assert all(a[0] != b[0] for a, b in pairwise(terms))


def test_when_the_swarm_grows_android_still_asks_no_node_twice_in_a_turn(world) -> None:
    table = Table(world, ANDROID)
    table.client.swarms.correct(OWN.id, named(world, range(5)))
    table.start()
    now, asked = table.wake()
    nodes = []
    for k in range(19):
        nodes.append(asked[0].route[-1])
        if k == 5:
            table.client.swarms.correct(OWN.id, named(world, range(7)))
        table.natural(asked[0], now)
        now, asked = table.wake()
    assert set(nodes[:5]) == set(range(5))
    assert set(nodes[7:14]) == set(range(7))


# --- what a poll brings -------------------------------------------------------------------------------------


@EVERY
def test_a_message_is_delivered_once_however_many_nodes_give_it(world, rules) -> None:
    table = Table(world, rules)
    message = stored(world, FRIEND, "hello")
    now, asked = table.polling()
    for _ in range(4):
        for request in asked:
            table.answer(request, 200, poll_answer(request, [message, message]), now)
        now, asked = table.wake()
    assert table.delivered == [(FRIEND.id, EPOCH_MS, "hello", message["hash"])]


def test_whoever_reads_a_namespace_gets_its_messages_and_is_told_of_its_end(world) -> None:
    table = Table(world)
    told: list[tuple[Any, ...]] = []
    table.client.takers[3] = lambda message, now_us: told.append((message.data, message.expiry_ms)) or []
    table.client.read_to_end[3] = lambda now_us: told.append(("end", now_us)) or []
    now, asked = table.polling()
    message = {"hash": "h" * 43, "timestamp": EPOCH_MS, "expiration": EPOCH_MS + 9, "data": "YWI="}
    for more, request in zip((True, False), asked, strict=True):
        results = [
            batched(200, {"messages": [message] if call["namespace"] == 3 else [], "more": more})
            for call in request.calls
        ]
        table.answer(request, 200, orjson.dumps({"results": results}), now)
    assert told == [(b"ab", EPOCH_MS + 9), (b"ab", EPOCH_MS + 9), ("end", now)]
    told.clear()
    for request in table.wake()[1]:
        table.answer(request, 500, b"Sorry", now + 7)
    assert told == []


def test_the_cursor_is_kept_for_each_node_and_namespace(world) -> None:
    table = Table(world)
    one, two = stored(world, FRIEND, "one", 1), stored(world, FRIEND, "two", 2)
    config = stored(world, STRANGER, "three", 3)
    now, asked = table.polling()
    known: dict[tuple[int, int], str] = {}
    for turn in range(12):
        for request in asked:
            node = request.route[-1]
            for call in request.calls:
                assert call["last_hash"] == known.get((node, call["namespace"]), "")
            inbox = [one, two] if turn % 2 else [one]
            table.answer(request, 200, poll_answer(request, inbox, [config]), now)
            known |= {(node, n): config["hash"] for n in (2, 3, 4, 5)}
            known[node, 0] = inbox[-1]["hash"]
        now, asked = table.wake()
    assert len({node for node, _ in known}) > 3
    assert [delivery[2] for delivery in table.delivered] == ["one", "two"]  # configs are no messages


def test_what_does_not_open_is_dropped_and_what_follows_is_delivered(world) -> None:
    table = Table(world)
    good = stored(world, FRIEND, "good", 1)
    bent = stored(world, FRIEND, "bent", 2)
    raw = bytearray(base64.b64decode(bent["data"]))
    raw[len(raw) // 2] ^= 1
    bent["data"] = base64.b64encode(raw).decode()
    junk = good | {"hash": "A" * 43, "data": "AAAA"}
    empty = good | {"hash": "B" * 43, "data": ""}
    now, asked = table.polling()
    table.answer(asked[0], 200, poll_answer(asked[0], [bent, junk, empty, good]), now)
    assert [delivery[2] for delivery in table.delivered] == ["good"]


def test_sync_copies_of_another_own_device_are_delivered_and_forged_ones_are_not(world) -> None:
    table = Table(world)
    own = stored(world, OWN, "mine", 1, sync_target=FRIEND.id)
    forged = stored(world, STRANGER, "forged", 2, sync_target=FRIEND.id)
    now, asked = table.polling()
    table.answer(asked[0], 200, poll_answer(asked[0], [own, forged]), now)
    assert [delivery[:1] + delivery[2:3] for delivery in table.delivered] == [(OWN.id, "mine")]


def test_what_a_device_stores_in_its_own_inbox_is_no_news_to_it(world) -> None:
    table = Table(world)
    made = stored(world, OWN, "mine", 1, sync_target=FRIEND.id)
    table.client.inbox.made(made["hash"], 0)
    now, asked = table.polling()
    table.answer(asked[0], 200, poll_answer(asked[0], [made]), now)
    assert table.delivered == []


def test_a_sender_may_claim_any_time(world) -> None:
    table = Table(world)
    latest = (1 << 64) - 1
    message = stored(world, STRANGER, "from the future", 1, sent_ms=latest)
    now, asked = table.polling()
    table.answer(asked[0], 200, poll_answer(asked[0], [message]), now)
    assert table.delivered == [(STRANGER.id, latest, "from the future", message["hash"])]


def test_a_fault_in_one_namespace_keeps_what_was_read_before(world) -> None:
    table = Table(world)
    message = stored(world, FRIEND, "hello")
    now, asked = table.polling()
    body = {"results": [batched(200, {"messages": [message]}), batched(200, {"messages": 7})]}
    table.answer(asked[0], 200, orjson.dumps(body), now)
    assert [delivery[2] for delivery in table.delivered] == ["hello"]


@pytest.mark.parametrize("whole", [False, True])
def test_421_replaces_the_own_swarm_for_the_next_round(world, whole: bool) -> None:
    table = Table(world)
    others = named(
        world, world.nodes.members[next(s for s in world.nodes.members if s != swarm_of(world, OWN))]
    )
    now, asked = table.polling()
    for request in asked:
        body = others if whole else {"results": [batched(421, others)] * 5}
        table.answer(request, 421 if whole else 200, orjson.dumps(body), now)
    _, asked = table.wake()
    assert {world.nodes.swarm[request.route[-1]] for request in asked} != {swarm_of(world, OWN)}
    assert all(request.method == "batch" for request in asked)


def test_421_without_a_swarm_leads_to_a_new_lookup(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    for request in asked:
        table.answer(request, 200, orjson.dumps({"results": [batched(421, "Wrong swarm")] * 5}), now)
    _, asked = table.wake()
    assert [request.method for request in asked] == ["get_swarm"]


def test_polling_goes_on_when_nobody_tells_the_swarm(world) -> None:
    table = Table(world)
    table.start()
    now, asked = table.wake()
    for _ in range(8):
        (again,) = table.answer(asked[0], 503, b"", now)
        asked = [again]
    assert table.answer(asked[0], 503, b"", now) == []
    assert table.wake_us == now + DESKTOP.poll_interval_us
    assert table.wake()[1][0].method == "get_swarm"


# --- who may answer -----------------------------------------------------------------------------------------


def test_only_the_guard_that_was_asked_can_answer_and_only_once(world) -> None:
    table = Table(world)
    message = stored(world, FRIEND, "hello")
    now, asked = table.polling()
    request = asked[0]
    body = poll_answer(request, [message])
    for guard, conn, exchange in (
        (request.guard + 1, request.conn, request.exchange),
        (request.guard, request.conn + 1, request.exchange),
        (request.guard, request.conn, request.exchange + 1 << 40),
        (request.guard, request.conn, -1),
    ):
        wrong = request._replace(guard=guard, conn=conn, exchange=exchange)
        assert table.answer(wrong, 200, body, now) == []
        assert table.delivered == []
    table.answer(request, 200, body, now)
    assert len(table.delivered) == 1
    other = poll_answer(request, [stored(world, STRANGER, "again", 2)])
    assert table.answer(request, 200, other, now) == []
    assert len(table.delivered) == 1


def test_late_answers_are_ignored(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    late, _ = table.wake()
    assert late == now + DESKTOP.request_timeout_us
    wake_us = table.wake_us
    body = poll_answer(asked[0], [stored(world, FRIEND, "hello")])
    assert table.answer(asked[0], 200, body, late + 1) == []
    assert (table.delivered, table.wake_us) == ([], wake_us)


def test_a_request_is_no_answer(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    request = asked[0]
    payload = seal_answer(request.layer, 200, honest(world, request), bytes(24))
    assert (
        table.client.receive(request.guard, request.conn, request.exchange, "onion_req", payload, now) == ()
    )


def test_an_answer_under_another_key_is_a_failure(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    stranger = GcmLayer(b"a" * 32, b"b" * 32, b"c" * 32)
    for request in asked:
        body = poll_answer(request, [stored(world, FRIEND, "hello")])
        table.answer(request._replace(layer=stranger), 200, body, now)
    assert table.delivered == []
    assert table.wake_us == now + DESKTOP.poll_interval_us


def test_a_guard_cannot_replace_a_swarm_by_an_answer_of_its_own(world) -> None:
    """Only what the last node sealed counts: a plain 421 of the guard is a failed attempt and no more."""
    table = Table(world)
    table.polling()
    (request,) = send(table, 100)
    others = orjson.dumps(named(world, range(3)))
    assert table.raw(request, 421, others, 200) == []
    swarm_asked, now = [], 200
    for _ in range(2):
        now += DESKTOP.send_backoff_us
        new = [r for r in table.take(table.client.wake(now)) if r.method == "sequence"]
        swarm_asked += [world.nodes.swarm[r.route[-1]] for r in new]
        table.raw(new[0], 421, others, now)
    assert swarm_asked == [swarm_of(world, FRIEND)] * 2
    assert table.logs[-1] == ("failed", 1, "no answer")


def test_an_unreachable_guard_fails_the_request_at_once(world) -> None:
    table = Table(world)
    now, asked = table.polling()
    for request in asked:
        failed = table.client.failed(request.guard, request.conn, request.exchange, "unreachable", now + 9)
        assert table.take(failed) == []
        assert table.client.failed(request.guard, request.conn, request.exchange, "refused", now + 9) == ()
    assert table.wake_us == now + 9 + DESKTOP.poll_interval_us


# --- sending ------------------------------------------------------------------------------------------------


def send(table: Table, now_us: int, ref: int = 1, person: Account = FRIEND) -> list[Asked]:
    """Have a text sent, the lookup answered; give the store."""
    asked = table.command(now_us, "send", ref, person.id, "hello")
    if asked and asked[0].method == "get_swarm":
        asked = table.natural(asked[0], now_us)
    return asked


def store_answer(rules: ClientRules, code: int, body: Any) -> tuple[int, bytes]:
    if rules.send_form == "store":
        return code, orjson.dumps(body)
    return 200, orjson.dumps({"results": [batched(code, body)]})


@EVERY
def test_a_text_goes_to_the_recipients_swarm_and_then_to_the_own(world, rules) -> None:
    table = Table(world, rules)
    table.start()
    (request,) = send(table, 10)
    assert world.nodes.swarm[request.route[-1]] == swarm_of(world, FRIEND)
    asked = table.answer(request, *store_answer(rules, 200, held(world.suite, world.ed[:1])), 500)
    if asked[0].method == "get_swarm":
        asked = table.natural(asked[0], 500)
    assert world.nodes.swarm[asked[0].route[-1]] == swarm_of(world, OWN)
    table.answer(asked[0], *store_answer(rules, 200, held(world.suite, world.ed[:1])), 900)
    assert [log[0] for log in table.logs] == [
        "hash", "attempts", "stored", "sync_hash", "sync_stored",
    ]  # fmt: skip


@EVERY
def test_a_store_at_the_wrong_swarm_is_repeated_at_once_at_the_one_it_names(world, rules) -> None:
    table = Table(world, rules)
    table.start()
    (request,) = send(table, 10)
    right = next(s for s in world.nodes.members if s != swarm_of(world, FRIEND))
    named_swarm = orjson.loads(swarm_body(world.nodes, right, 0, b"[19,3]"))
    (again,) = table.answer(request, *store_answer(rules, 421, named_swarm), 77)
    assert world.nodes.swarm[again.route[-1]] == right


@EVERY
def test_a_store_answered_under_another_key_is_repeated(world, rules) -> None:
    table = Table(world, rules)
    table.start()
    (request,) = send(table, 10)
    other = GcmLayer(b"a" * 32, b"b" * 32, b"c" * 32)
    assert (
        table.answer(
            request._replace(layer=other), *store_answer(rules, 200, held(world.suite, world.ed[:1])), 77
        )
        == []
    )
    assert [log[0] for log in table.logs] == ["hash", "attempts"]
    again = table.take(table.client.wake(77 + rules.send_backoff_us))
    assert again[-1].route[-1] in world.nodes.members[swarm_of(world, FRIEND)]
    assert table.logs[-1] == ("attempts", 1, 2)


def test_a_store_that_times_out_is_repeated_and_its_late_answer_ignored(world) -> None:
    table = Table(world, replace(DESKTOP, poll_interval_us=1000 * US_PER_S))
    table.start()
    (request,) = send(table, 10)
    now, asked = table.wake()
    assert (now, asked) == (10 + DESKTOP.request_timeout_us, [])
    now, asked = table.wake()
    assert now == 10 + DESKTOP.request_timeout_us + DESKTOP.send_backoff_us
    assert len(asked) == 1
    table.answer(request, *store_answer(DESKTOP, 200, {}), now + 1)
    assert [log[0] for log in table.logs] == ["hash", "attempts", "attempts"]


def test_an_unknown_command_is_our_mistake(world) -> None:
    with pytest.raises(LocalProtocolError, match="unknown command"):
        Table(world).client.command(("dance",), 0)


def test_polls_can_be_commanded(world) -> None:
    table = Table(world, replace(IOS, poll_interval_us=100 * US_PER_S))
    table.start()
    (request,) = table.command(5, "poll")
    table.natural(request, 90)
    now, asked = table.wake()
    while not asked:
        now, asked = table.wake()
    assert now == 90 + 100 * US_PER_S  # the interval counts from the round that was commanded


# --- hostile answers ----------------------------------------------------------------------------------------

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ("results", "code", "body", "messages", "snodes", "hash", "data", "pubkey_ed25519", "timestamp",
             "expiration", "swarm", "status", "more")
        ) | st.text(max_size=3),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip
_shaped = st.one_of(
    _json,
    st.builds(
        lambda code, body: {"results": [{"code": code, "body": body}] * 5}, st.sampled_from((200, 421)), _json
    ),
    st.builds(lambda m: {"results": [{"code": 200, "body": {"messages": m}}] * 5}, _json),
    st.builds(lambda m: {"results": [{"code": 200, "body": {"messages": [m]}}] * 5}, _json),
    st.builds(lambda s: {"snodes": s}, _json),
)


def restart(world: Any, rules: ClientRules) -> tuple[Table, list[Asked]]:
    """A client that waits for a lookup or a store, and for polls."""
    table = Table(world, rules)
    table.polling()
    lookups = table.command(10, "send", 1, FRIEND.id, "hello")
    return table, [*table.asked[-3:], *lookups]


def unharmed(table: Table) -> None:
    """The client still has a wake to come, and nothing was delivered."""
    assert table.wake_us is not None
    assert table.delivered == []


@EVERY
@given(payload=st.binary(max_size=80), head=st.sampled_from((200, 200, 100, 404, 421, 502, 999)))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_random_bytes_never_raise(world, rules, payload: bytes, head: int) -> None:
    table, asked = restart(world, rules)
    for request in asked:
        table.raw(request, head, payload, 20)
    unharmed(table)


@EVERY
@given(value=_shaped, status=st.sampled_from((200, 200, 421, 0, -1)))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_sealed_json_of_any_shape_never_raises(world, rules, value: Any, status: int) -> None:
    table, asked = restart(world, rules)
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _writable(value) else b"{}"
    for request in asked:
        table.answer(request, status, body, 20)
    unharmed(table)


@EVERY
@given(value=_shaped)
@settings(deadline=None, max_examples=40, derandomize=True)
def test_sealed_answer_objects_of_any_shape_never_raise(world, rules, value: Any) -> None:
    table, asked = restart(world, rules)
    text = orjson.dumps(value) if _writable(value) else b"[]"
    for request in asked:
        for sealed in (text, b'{"status":200,"body":%b}' % text):
            table.raw(request, 200, base64.b64encode(request.layer.seal(sealed, bytes(24))), 20)
    unharmed(table)


def _writable(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


@EVERY
@pytest.mark.parametrize("depth", [100, 253, 254, 255, 900, 1000, 1019, 1023, 1024, 1025, 100_000])
def test_deep_nesting_never_raises(world, rules, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    shapes = (
        b"%b",
        b'{"results":[{"code":200,"body":%b}]}',
        b'{"results":[{"code":421,"body":{"snodes":%b}}]}',
        b'{"results":[{"code":200,"body":{"messages":%b}}]}',
        b'{"snodes":%b}',
    )
    for shape in shapes:
        table, asked = restart(world, rules)
        for request in asked:
            table.answer(request, 200, shape % deep, 20)
        unharmed(table)
        table, asked = restart(world, rules)
        for request in asked:
            sealed = request.layer.seal(b'{"status":200,"body":%b}' % (shape % deep), bytes(24))
            table.raw(request, 200, base64.b64encode(sealed), 20)
        unharmed(table)


@EVERY
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
@settings(deadline=None, max_examples=60, derandomize=True)
def test_a_bent_answer_is_a_failed_one(world, rules, place: float, bit: int, cut: bool) -> None:
    table = Table(world, rules)
    now, asked = table.polling()
    for request in asked:
        body = poll_answer(request, [stored(world, FRIEND, "hello")])
        payload = bytearray(seal_answer(request.layer, 200, body, bytes(24)))
        at = int(place * len(payload))
        if cut:
            del payload[at:]
        else:
            payload[at] ^= 1 << bit
        table.raw(request, 200, bytes(payload), now)
    unharmed(table)


# --- the client is always woken -----------------------------------------------------------------------------


class Loop:
    """A loop that answers a client by a given list of fates, to see that it never falls asleep."""

    def __init__(self, table: Table, fates: list[tuple[str, int]]) -> None:
        self.table, self.fates, self.now = table, fates, 0
        self.fate = 0
        self.queue: list[tuple[int, int, str, Asked]] = []
        self.steps_us: list[int] = []  # whenever something was asked, or the client was woken

    def post(self, asked: list[Asked]) -> None:
        """Decide what becomes of each request."""
        for request in asked:
            self.steps_us.append(self.now)
            what, delay_us = self.fates[self.fate % len(self.fates)]
            self.fate += 1
            if what != "silent":
                heappush(self.queue, (self.now + delay_us, self.fate, what, request))

    def run(self, until_us: int) -> None:
        table = self.table
        while True:
            assert table.wake_us is not None, "asleep"
            if self.queue and self.queue[0][0] < table.wake_us:
                self.now, _, what, request = heappop(self.queue)
                self.post(self.end(what, request))
            else:
                self.now, new = table.wake()
                self.steps_us.append(self.now)
                self.post(new)
            if self.now > until_us:
                return

    def end(self, what: str, request: Asked) -> list[Asked]:
        """Have a request end in its fate."""
        table, now = self.table, self.now
        if what == "failed":
            return table.take(
                table.client.failed(request.guard, request.conn, request.exchange, "refused", now)
            )
        if what == "honest":
            return table.natural(request, now)
        if what == "421":
            return table.answer(request, 421, b"{}", now)
        return table.raw(request, 200, b"junk", now)


_fates = st.lists(
    st.tuples(
        st.sampled_from(("honest", "honest", "silent", "failed", "421", "junk")),
        st.sampled_from((0, 1, 1000, 400_000, 1_500_000, 9_999_999, 10_000_000, 10_000_001, 130_000_000)),
    ),
    min_size=1,
    max_size=20,
)


@EVERY
@given(fates=_fates, texts=st.integers(0, 3))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_no_schedule_of_answers_leaves_the_client_without_a_wake(world, rules, fates, texts) -> None:
    table = Table(world, replace(rules, request_timeout_us=10 * US_PER_S))
    table.start()
    loop = Loop(table, fates)
    for ref in range(texts):
        loop.post(table.command(0, "send", ref, (FRIEND, STRANGER, FRIEND)[ref].id, "hello"))
    loop.run(300 * US_PER_S)
    # It never rests for longer than one time-out and the longest pause between polls, even when all nodes
    # have been given up and no seed node is there.
    longest = max(b - a for a, b in pairwise([0, *loop.steps_us, loop.now]))
    assert longest <= 10 * US_PER_S + 15 * US_PER_S
    exchanges = [request.exchange for request in table.asked]
    assert len(set(exchanges)) == len(exchanges)
    assert all(0 <= exchange < 1 << 63 for exchange in exchanges)
    # A text has its copy; beside these there are a path test, and a refresh where few nodes are left.
    refresh = rules.list_sources if rules.unused_minimum else 0
    assert len(table.client.requests) <= rules.poll_nodes + 2 * texts + 1 + refresh


# --- real nodes ---------------------------------------------------------------------------------------------


def converse(table: Table, until_us: int) -> None:
    """Let real service nodes answer until the world's clock says `until_us`."""
    world = table.world
    under_way = {request.exchange: request for request in table.asked}
    while True:
        world.answers.clear()
        assert table.wake_us is not None
        world.run(for_us=min(table.wake_us, until_us) - world.now_us, answers=1)
        if table.wake_us > until_us and not world.answers:
            return
        if world.answers:
            ((_src, exchange, status, payload, now),) = world.answers
            new = table.raw(under_way.pop(exchange), status, payload, now)
        else:
            now, new = table.wake()
            world.now_us = now
        for request in new:
            under_way[request.exchange] = request
            world.put(request.guard, request.conn, request.exchange, "onion_req", request.payload)


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@EVERY
def test_over_real_nodes_a_text_is_stored_synced_and_delivered_once(make_world, rules, suite: str) -> None:
    real = make_world(suite=suite)
    sender = Table(real, rules)
    sender.start(real.now_us)
    new = sender.command(real.now_us, "send", 0, FRIEND.id, "hello")
    new += sender.command(real.now_us, "send", 1, FRIEND.id, "again")
    for request in new:
        real.put(request.guard, request.conn, request.exchange, "onion_req", request.payload)
    converse(sender, real.now_us + 12 * US_PER_S)
    real.run(for_us=US_PER_S)  # what is still on its way comes to nobody
    told = [log[:2] for log in sender.logs]
    for ref in (0, 1):
        names = [name for name, of in told if of == ref]
        assert names == ["hash", "attempts", "stored", "sync_hash", "sync_stored"]
    assert sender.delivered == []  # its own sync copies came back, and were recognised
    recipient = Table(real, rules, Seeds(9).entropy("recipient"), FRIEND)
    recipient.start(real.now_us)
    converse(recipient, real.now_us + 40 * US_PER_S)
    hashes = {ref: text for what, ref, text in sender.logs if what == "hash"}
    assert [(d[0], d[2], d[3]) for d in recipient.delivered] == [
        (OWN.id, "hello", hashes[0]),
        (OWN.id, "again", hashes[1]),
    ]
    polled = {request.route[-1] for request in recipient.asked if request.method == "batch"}
    assert len(polled) > 2  # each node gave both texts; they were delivered once


def test_a_store_in_the_wrong_swarm_finds_the_right_one_over_real_nodes(make_world) -> None:
    for rules in PLATFORMS.values():
        real = make_world()
        sender = Table(real, rules)
        sender.start(real.now_us)
        wrong = next(s for s in real.nodes.members if s != swarm_of(real, FRIEND))
        sender.client.swarms.correct(FRIEND.id, named(real, real.nodes.members[wrong]))
        for request in sender.command(real.now_us, "send", 0, FRIEND.id, "hello"):
            real.put(request.guard, request.conn, request.exchange, "onion_req", request.payload)
        converse(sender, real.now_us + 5 * US_PER_S)
        assert [log[:3] for log in sender.logs if log[0] == "attempts"] == [
            ("attempts", 0, 1),
            ("attempts", 0, 2),
        ]
        assert ("stored", 0) in [log[:2] for log in sender.logs]


def test_the_same_client_sends_the_same_bytes(world) -> None:
    def run() -> list[bytes]:
        table = Table(world)
        now, asked = table.polling()
        for request in asked:
            table.natural(request, now)
        send(table, now + 5)
        return [request.payload for request in table.asked]

    assert run() == run()
