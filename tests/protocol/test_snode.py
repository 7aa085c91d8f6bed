"""The service node: what it relays, stores, replicates, answers and refuses, over a small network."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.machine import NOTHING
from sessionsim.protocol.wire import bencode, rpc
from sessionsim.protocol.wire.onion import DESKTOP, LIBSESSION, Style, decode_hop, encode_hop, open_answer
from sessionsim.protocol.wire.rpc_answers import quic_error_text

MakeWorld = Callable[..., Any]
SECOND = 1 << 63
ROUTE = (7, 8, 9, 0)  # guard, middle and last hop of the other swarm, then a member of swarm 0
CLIENT, HTTPS, QUIC, OMQ = 1000, 0, 1, 2
DAY_MS = 86_400_000


def store(world: Any, person: Any, payload: bytes = b"hello", **changes: Any) -> bytes:
    fields = {
        "pubkey": person.id_hex,
        "timestamp": world.now_ms,
        "ttl": 14 * DAY_MS,
        "data": base64.b64encode(payload).decode(),
    } | changes
    return orjson.dumps({"method": "store", "params": fields})


def retrieve(world: Any, person: Any, namespace: int = 0, last: str = "", **changes: Any) -> dict[str, Any]:
    stamp = changes.pop("stamp", world.now_ms)
    signer = changes.pop("signer", person)
    text = rpc.signed_text("retrieve", namespace, stamp)
    fields = {
        "pubkey": person.id_hex,
        "pubkey_ed25519": signer.ed_hex,
        "namespace": namespace,
        "signature": base64.b64encode(world.suite.sign(signer.ed, text)).decode(),
        "timestamp": stamp,
        "last_hash": last,
    } | changes
    return {
        "method": "retrieve",
        "params": {name: value for name, value in fields.items() if value is not ...},
    }


def fetch(world: Any, node: int, person: Any, **changes: Any) -> tuple[int, Any]:
    status, body = world.direct(node, orjson.dumps(retrieve(world, person, **changes)))
    return status, orjson.loads(body) if body[:1] == b"{" else body.decode()


# Storing and retrieving through an onion


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize(("style", "conn"), [(DESKTOP, HTTPS), (LIBSESSION, QUIC)])
def test_stored_message_is_on_every_member_and_signed_by_each(
    make_world: MakeWorld, suite: str, style: Style, conn: int
) -> None:
    world = make_world(suite=suite)
    person = world.person(0)
    outer, status, body = world.ask(ROUTE, store(world, person), style, conn)
    assert (outer, status) == (200, 200)
    fields = orjson.loads(body)
    assert orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) == body
    hash_, signed = rpc.read_stored(fields)
    assert hash_ == rpc.message_hash(person.id, 0, b"hello")
    assert set(signed) == {world.nodes.ed25519[i] for i in range(7)}
    assert all(world.suite.verify(key, hash_.encode(), signature) for key, signature in signed.items())
    assert fields["hf"] == [19, 3]
    asked = next(row[0] for row in world.log if row[3] == "sn.storage_cc")
    assert fields["t"] == asked // 1000 + world.epoch_ms
    assert [len(machine.store) for machine in world.machines] == [1] * 7 + [0] * 5
    for node in (0, 6):
        status, got = fetch(world, node, person)
        assert status == 200
        assert [message.data for message in rpc.read_retrieved(got)[0]] == [b"hello"]


def test_one_store_takes_eight_transmissions_and_two_per_other_member(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask(ROUTE, store(world, world.person(0)))
    heads = [head for _t, _src, _dst, head, _payload, _note in world.log]
    assert heads == ["sn.onion_request"] * 3 + ["sn.storage_cc"] * 6 + [200] * 6 + [200] * 4


def test_members_are_asked_at_once_before_the_answer_and_marked_as_replication(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask(ROUTE, store(world, world.person(0)))
    copies = [row for row in world.log if row[3] == "sn.storage_cc"]
    assert [row[2] for row in copies] == [1, 2, 3, 4, 5, 6]
    assert {row[0] for row in copies} == {copies[0][0]}
    assert {row[5] for row in copies} == {note_of(Cause.REPLICATION)}
    assert len({id(row[4]) for row in copies}) == 1
    assert {row[5] for row in world.log if row[3] != "sn.storage_cc"} == {0}


def test_response_passes_back_unchanged_over_every_hop(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask(ROUTE, rpc.request_body(rpc.DESKTOP, rpc.info_call()))
    answers = [row[4] for row in world.log if row[3] == 200]
    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_hop_counter_rises_by_one_per_relay(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask(ROUTE, rpc.request_body(rpc.DESKTOP, rpc.info_call()))
    assert [decode_hop(row[4])[3] for row in world.log if row[3] == "sn.onion_request"] == [1, 2, 3]


def test_answer_nonce_depends_on_request_and_answer_alone(make_world: MakeWorld) -> None:
    def answers(before: int) -> list[bytes]:
        """Ask others, then send one request twice: its answers as ciphertexts, the first and the second."""
        world = make_world()
        for i in range(before):
            world.ask(ROUTE, b"{}", name=f"other {i}")
        payload, _layer = world.onion(ROUTE, b"{}", DESKTOP, "r")
        found = []
        for _ in range(2):
            world.log.clear()
            world.answers.clear()
            world.put(ROUTE[0], HTTPS, 77, "onion_req", payload)
            world.run(answers=1)
            found.append(base64.b64decode(next(row[4] for row in world.log if row[3] == 200)))
        return found

    # An error says no time, so the answer is the same bytes, whenever and however often it is given.
    assert len({*answers(0), *answers(2)}) == 1


def test_a_replayed_request_gets_its_other_answer_under_another_nonce(make_world: MakeWorld) -> None:
    world = make_world()
    payload, layer = world.onion(ROUTE, rpc.request_body(rpc.DESKTOP, rpc.info_call()), DESKTOP, "r")
    sealed = []
    for _ in range(2):
        world.log.clear()
        world.put(ROUTE[0], HTTPS, 77, "onion_req", payload)
        world.run(answers=1)
        world.answers.clear()
        sealed.append(next(row[4] for row in world.log if row[3] == 200))
    first, second = (open_answer(layer, one) for one in sealed)
    assert first != second  # they tell the time
    assert base64.b64decode(sealed[0])[:12] != base64.b64decode(sealed[1])[:12]


def test_duplicate_is_reported_and_kept_once(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    world.ask(ROUTE, store(world, person))
    _outer, status, body = world.ask(ROUTE, store(world, person), name="again")
    swarm = orjson.loads(body)["swarm"]
    assert status == 200
    assert swarm[world.nodes.ed25519[0].hex()]["already"] is True
    assert all(entry["already"] == 1 for entry in swarm.values())
    assert len(world.machines[3].store) == 1


def test_swarm_of_one_answers_at_once(make_world: MakeWorld) -> None:
    world = make_world(swarms=(0, SECOND, SECOND, SECOND))
    _outer, status, body = world.ask((1, 2, 3, 0), store(world, world.person(0)))
    assert (status, list(orjson.loads(body)["swarm"])) == (200, [world.nodes.ed25519[0].hex()])


# Replication under failure


def test_silent_member_is_marked_after_five_seconds_and_the_rest_counts(make_world: MakeWorld) -> None:
    world = make_world()
    world.silent = {3, 5}
    start = world.now_us
    _outer, status, body = world.ask(ROUTE, store(world, world.person(0)))
    swarm = orjson.loads(body)["swarm"]
    late = {world.nodes.ed25519[3].hex(), world.nodes.ed25519[5].hex()}
    assert status == 200
    assert {key for key, entry in swarm.items() if "failed" in entry} == late
    assert all(swarm[key] == {"failed": True, "timeout": True} for key in late)
    assert world.answers[0][4] - start == 5 * US_PER_S + 8 * world.latency_us
    assert [machine.pending for machine in world.machines] == [0] * 12


def test_unreachable_member_counts_as_timed_out_like_a_silent_one(make_world: MakeWorld) -> None:
    world = make_world()
    world.unreachable = {4}
    start = world.now_us
    _outer, _status, body = world.ask(ROUTE, store(world, world.person(0)))
    entry = orjson.loads(body)["swarm"][world.nodes.ed25519[4].hex()]
    assert entry == {"failed": True, "timeout": True}
    assert world.answers[0][4] - start > 5 * US_PER_S


def test_refusing_member_shows_code_and_reason(make_world: MakeWorld) -> None:
    world = make_world()
    node, person = world.machines[0], world.person(0)
    effects = node.receive(CLIENT, HTTPS, 1, "storage_rpc", store(world, person), world.now_us)
    copies = [effect for effect in effects if effect[4:5] == ("sn.storage_cc",)]
    assert len(copies) == 6
    for copy in copies[:-1]:
        assert node.receive(copy[1], OMQ, copy[3], 503, b"busy", world.now_us) == []
    (final,) = node.receive(copies[-1][1], OMQ, copies[-1][3], 200, b"not bencode", world.now_us)
    assert final[4] == 200  # it stored the message itself
    swarm = orjson.loads(final[5])["swarm"]
    assert swarm[world.nodes.ed25519[1].hex()] == {"code": "503", "failed": True, "reason": "busy"}
    assert swarm[world.nodes.ed25519[6].hex()] == {"bad_peer_response": True, "failed": True}


def test_store_fails_when_every_member_failed(make_world: MakeWorld) -> None:
    world = make_world(disk_max_bytes=2)
    outer, status, body = world.ask(ROUTE, store(world, world.person(0)))
    assert (outer, status) == (200, 500)
    fields = orjson.loads(body)
    assert "hash" not in fields
    assert all(entry["failed"] for entry in fields["swarm"].values())


def test_what_a_member_is_told_is_numbered_by_what_it_was_told_before(make_world: MakeWorld) -> None:
    """Not by what others were told: so a node that joins a swarm sees nothing of what it did before."""
    world = make_world()
    whole, without = (0,) * 7 + (1 << 63,) * 5, (0,) * 6 + (1 << 63,) * 6  # the seventh leaves for a while
    numbers = []
    for height, swarms in enumerate((whole, without, without, whole), start=1):
        world.machines[0].command(("swarms", world.nodes_with(swarms), height), world.now_us)
        world.now_us += US_PER_S
        told = world.machines[0].receive(
            CLIENT, HTTPS, height, "storage_rpc", store(world, world.person(0)), world.now_us
        )
        numbers.append({one[1]: one[3] for one in told if one[4:5] == ("sn.storage_cc",)})
    assert [sorted(told) for told in numbers] == [
        [1, 2, 3, 4, 5, 6],
        *[[1, 2, 3, 4, 5]] * 2,
        [1, 2, 3, 4, 5, 6],
    ]
    assert [told[1] for told in numbers] == [1, 2, 3, 4]
    assert (numbers[0][6], numbers[3][6]) == (1, 2)


def test_forwarded_store_is_not_forwarded_again(make_world: MakeWorld) -> None:
    world = make_world()
    forward = world.machines[0].receive(
        CLIENT, HTTPS, 1, "storage_rpc", store(world, world.person(0)), world.now_us
    )[0][5]
    ((_send, dst, conn, exchange, status, answer, note),) = world.machines[2].receive(
        0, OMQ, 9, "sn.storage_cc", forward, world.now_us
    )
    assert (dst, conn, exchange, status, note) == (0, OMQ, 9, 200, 0)
    assert sorted(bencode.decode(answer)) == [b"expiry", b"hash", b"signature"]


def test_member_of_another_swarm_refuses_a_forward_with_the_right_swarm(make_world: MakeWorld) -> None:
    world = make_world()
    forward = world.machines[0].receive(
        CLIENT, HTTPS, 1, "storage_rpc", store(world, world.person(0)), world.now_us
    )[0][5]
    ((*_, status, answer, _note),) = world.machines[8].receive(
        0, OMQ, 9, "sn.storage_cc", forward, world.now_us
    )
    assert status == 421
    assert len(rpc.read_swarm(orjson.loads(answer))) == 7


# Checks of store and retrieve


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"ttl": 9_999}, 403, b"Provided expiry/TTL is not valid."),
        ({"ttl": 10_000}, 200, None),
        ({"ttl": 14 * DAY_MS + 1}, 403, b"Provided expiry/TTL is not valid."),
        ({"ttl": 14 * DAY_MS + 1, "namespace": 5}, 401, b"store: signature required to store to namespace 5"),
        ({"ttl": 30 * DAY_MS + 1, "namespace": 5}, 403, b"Provided expiry/TTL is not valid."),
        ({"ahead": 10_000 + 15}, 406, b"Timestamp error: check your clock"),
        ({"ahead": 9_000}, 200, None),
        ({"ahead": -30_000, "ttl": 15_000}, 406, b"Timestamp error: check your clock"),
        ({"ahead": -20_000, "ttl": 15_000}, 200, None),
        ({"namespace": -10}, 200, None),
        ({"data": "A" * 102_404}, 400, None),
        ({"data": "A" * 102_400}, 200, None),
    ],
)
def test_store_limits(
    make_world: MakeWorld, changes: dict[str, Any], status: int, text: bytes | None
) -> None:
    world = make_world()
    stamp = world.now_ms + changes.pop("ahead", 0)
    got, body = world.direct(0, store(world, world.person(0), timestamp=stamp, **changes))
    assert got == status
    assert text is None or body == text


@pytest.mark.parametrize(
    ("away_ms", "status"), [(0, 200), (59_000, 200), (-59_000, 200), (61_000, 406), (-61_000, 406)]
)
def test_signed_store_needs_a_signature_of_this_minute(
    make_world: MakeWorld, away_ms: int, status: int
) -> None:
    world = make_world()
    person = world.person(0)
    stamp = world.now_ms + away_ms
    signature = world.suite.sign(person.ed, rpc.signed_text("store", 3, stamp))
    signed = {
        "namespace": 3,
        "sig_timestamp": stamp,
        "pubkey_ed25519": person.ed_hex,
        "signature": base64.b64encode(signature).decode(),
    }
    got, body = world.direct(0, store(world, person, **signed))
    assert got == status
    if status == 200:
        assert len(rpc.read_stored(orjson.loads(body))[1]) == 7  # members checked it as well
    wrong = signed | {"namespace": 4}
    assert world.direct(0, store(world, person, **wrong))[0] == (401 if status == 200 else 406)


def test_retrieve_of_an_inbox_needs_its_owner(make_world: MakeWorld) -> None:
    world = make_world()
    person, other = world.person(0), world.person(SECOND)
    world.direct(0, store(world, person))
    unsigned = {"method": "retrieve", "params": {"pubkey": person.id_hex}}
    assert world.direct(0, orjson.dumps(unsigned)) == (401, b"retrieve: request signature required")
    failed = (401, "retrieve signature verification failed")
    assert fetch(world, 0, person, signer=other) == failed
    assert fetch(world, 0, person, signature="A" * 86) == failed
    assert fetch(world, 0, person, pubkey_ed25519=...) == failed
    assert fetch(world, 0, person, pubkey_ed25519="ff" * 32) == failed  # no point of the curve
    assert fetch(world, 0, person, stamp=world.now_ms - 61_000) == (
        406,
        "retrieve timestamp too far from current time",
    )
    assert fetch(world, 0, person)[0] == 200


def test_open_namespaces_are_read_without_signature(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    world.direct(0, store(world, person, namespace=-10))
    status, body = world.direct(
        1, orjson.dumps({"method": "retrieve", "params": {"pubkey": person.id_hex, "namespace": -10}})
    )
    assert (status, len(orjson.loads(body)["messages"])) == (200, 1)


def test_wrong_swarm_gets_421_with_the_right_one_in_the_same_body_as_get_swarm(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(SECOND)
    lookup = world.direct(3, rpc.request_body(rpc.DESKTOP, rpc.get_swarm_call(rpc.DESKTOP, person.id_hex)))
    for body in (store(world, person), orjson.dumps(retrieve(world, person))):
        status, answer = world.direct(3, body)
        assert status == 421
        right = orjson.loads(answer)
        assert rpc.read_swarm(right) == sorted(world.nodes.ed25519[7:])
        assert right["snodes"] == orjson.loads(lookup[1])["snodes"]
        assert right["swarm"] == "8000000000000000"
    assert lookup[0] == 200


def test_retrieve_goes_on_after_the_last_hash_and_says_if_there_is_more(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    for name in (b"a", b"b", b"c"):
        world.direct(0, store(world, person, name))
    first = fetch(world, 0, person, max_count=2)[1]
    messages, more = rpc.read_retrieved(first)
    assert ([m.data for m in messages], more) == ([b"a", b"b"], True)
    rest, more = rpc.read_retrieved(fetch(world, 0, person, last=messages[-1].hash)[1])
    assert ([m.data for m in rest], more) == ([b"c"], False)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({}, 2),
        ({"max_size": -1}, 10),
        ({"max_size": -5}, 2),
        ({"max_size": 1000}, 4),
        ({"max_size": 1 << 30}, 10),
        ({"max_size": 1}, 1),
        ({"max_size": -(1 << 31) + 1}, 1),
        ({"max_count": 3}, 3),
        ({"max_count": -3}, 1),
        ({"max_count": 3, "max_size": 500}, 2),
    ],
)
def test_size_rules_of_retrieve(make_world: MakeWorld, changes: dict[str, int], messages: int) -> None:
    world = make_world(retrieve_max_bytes=2470)  # ten messages of 43 + 100 + 104 count 247 each
    person = world.person(0)
    for i in range(10):
        world.direct(0, store(world, person, b"%078d" % i))
    assert len(fetch(world, 0, person, **changes)[1]["messages"]) == messages


def test_expired_message_is_not_retrieved(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    world.direct(0, store(world, person, ttl=60_000))
    world.now_us += 59 * US_PER_S
    assert len(fetch(world, 1, person)[1]["messages"]) == 1
    world.now_us += 12 * US_PER_S  # past the expiry and the clean-up after it
    assert fetch(world, 1, person)[1]["messages"] == []


# Batches


def test_batch_answers_in_order_and_waits_for_replication(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    parts = [
        {"method": "info", "params": {}},
        orjson.loads(store(world, person)),
        retrieve(world, person),
        retrieve(world, person, namespace=2, signature="A" * 86),
    ]
    body = orjson.dumps({"method": "batch", "params": {"requests": parts}})
    _outer, status, answer = world.ask(ROUTE, body)
    results = rpc.read_batch(answer)
    assert status == 200
    assert [code for code, _body in results] == [200, 200, 200, 401]
    assert results[0][1]["version"] == [2, 11, 3]
    assert len(results[1][1]["swarm"]) == 7
    assert len(results[2][1]["messages"]) == 1  # executed here before the members had answered
    assert results[3][1] == {"error": "retrieve signature verification failed"}


def test_each_part_of_a_batch_is_judged_for_its_own_account(make_world: MakeWorld) -> None:
    world = make_world()
    ours, theirs = world.person(0), world.person(SECOND)
    parts = [retrieve(world, person) for person in (ours, theirs, ours, theirs)]
    _status, body = world.direct(0, orjson.dumps({"method": "batch", "params": {"requests": parts}}))
    assert [code for code, _body in rpc.read_batch(body)] == [200, 421, 200, 421]


def test_batch_of_two_stores_replicates_both_at_once(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    parts = [orjson.loads(store(world, person, data)) for data in (b"a", b"b")]
    _outer, _status, answer = world.ask(
        ROUTE, orjson.dumps({"method": "batch", "params": {"requests": parts}})
    )
    copies = [row for row in world.log if row[3] == "sn.storage_cc"]
    assert (len(copies), len({row[0] for row in copies})) == (12, 1)
    assert [len(body["swarm"]) for _code, body in rpc.read_batch(answer)] == [7, 7]


def test_sequence_starts_the_next_when_the_last_is_answered(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    parts = [orjson.loads(store(world, person, data)) for data in (b"a", b"b")]
    parts.append({"method": "info", "params": {}})
    _outer, _status, answer = world.ask(
        ROUTE, orjson.dumps({"method": "sequence", "params": {"requests": parts}})
    )
    times = sorted({row[0] for row in world.log if row[3] == "sn.storage_cc"})
    assert times[1] - times[0] == 2 * world.latency_us
    assert [code for code, _body in rpc.read_batch(answer)] == [200, 200, 200]


def test_sequence_stops_after_the_first_failure(make_world: MakeWorld) -> None:
    world = make_world()
    person = world.person(0)
    parts = [
        orjson.loads(store(world, person)),
        orjson.loads(store(world, person, ttl=1)),
        {"method": "info", "params": {}},
    ]
    _outer, status, answer = world.ask(
        ROUTE, orjson.dumps({"method": "sequence", "params": {"requests": parts}})
    )
    assert status == 200
    assert [code for code, _body in rpc.read_batch(answer)] == [200, 403]


def test_sequence_goes_on_when_a_member_stays_silent(make_world: MakeWorld) -> None:
    world = make_world()
    world.silent = {6}
    person = world.person(0)
    parts = [orjson.loads(store(world, person, data)) for data in (b"a", b"b")]
    start = world.now_us
    _outer, _status, answer = world.ask(
        ROUTE, orjson.dumps({"method": "sequence", "params": {"requests": parts}})
    )
    assert [code for code, _body in rpc.read_batch(answer)] == [200, 200]
    assert world.now_us - start > 10 * US_PER_S
    assert world.machines[0].pending == 0


# Relaying and its errors


def test_unknown_next_node_is_named_in_clear_to_the_client(make_world: MakeWorld) -> None:
    world, stranger = make_world(), make_world(swarms=(0,) * 20)
    payload, _layer = stranger.onion((0, 1, 15, 2), b"{}")
    world.put(0, HTTPS, 5, "onion_req", payload)
    world.run()
    ((_src, _exchange, status, answer, _t),) = world.answers
    assert (status, answer) == (502, b"Next node not found: " + stranger.nodes.ed25519[15].hex().encode())


def test_an_older_node_lets_the_request_to_an_unreachable_one_time_out(make_world: MakeWorld) -> None:
    world = make_world(tells_unreachable=False)
    world.unreachable = {9}
    start = world.now_us
    assert world.ask(ROUTE, b"{}") == (504, 0, b"Request time out")
    assert world.now_us - start > 30_000_000


def test_unreachable_next_node_is_named_and_errors_travel_back_unchanged(make_world: MakeWorld) -> None:
    world = make_world()
    world.unreachable = {9}
    name = world.nodes.ed25519[9].hex().encode()
    assert world.ask(ROUTE, b"{}") == (502, 0, b"Next node is currently unreachable: " + name)
    assert [machine.pending for machine in world.machines] == [0] * 12


def test_error_to_a_quic_client_is_text_with_its_code(make_world: MakeWorld) -> None:
    world = make_world()
    world.unreachable = {9}
    status, _inner, answer = world.ask(ROUTE, b"{}", LIBSESSION, QUIC)
    assert status == 502
    assert answer.startswith(b"502 Bad Gateway\n\nNext node is currently unreachable: ")
    assert quic_error_text(answer).startswith(b"Next node")


def test_relay_gives_up_after_thirty_seconds(make_world: MakeWorld) -> None:
    world = make_world()
    world.silent = {9}
    start = world.now_us
    assert world.ask(ROUTE, b"{}") == (504, 0, b"Request time out")
    # The guard waits for its own 30 s, which began first.
    assert world.now_us - start >= 30 * US_PER_S
    assert world.answers[0][4] - start == 30 * US_PER_S + 2 * world.latency_us
    assert [machine.pending for machine in world.machines] == [0] * 12


def test_many_relayed_requests_share_one_wake_up(make_world: MakeWorld) -> None:
    world = make_world()
    body = rpc.request_body(rpc.DESKTOP, rpc.info_call())
    for i in range(50):
        world.put(7, HTTPS, i, "onion_req", world.onion(ROUTE, body, name=f"many {i}")[0])
        world.run(100_000)
    assert len(world.answers) == 50
    world.run(120 * US_PER_S)
    # 5 s of traffic, so each of three relays wakes once or twice and then never again.
    assert world.wakes <= 6
    assert not world._queue


def test_late_answer_after_the_time_is_up_is_dropped(make_world: MakeWorld) -> None:
    world = make_world()
    node = world.machines[7]
    payload, _layer = world.onion(ROUTE, b"{}")
    send, wake = node.receive(CLIENT, HTTPS, 5, "onion_req", payload, 0)
    assert wake[1] == 30 * US_PER_S
    ((_kind, dst, _conn, exchange, status, text, _note),) = node.wake(30 * US_PER_S)
    assert (dst, exchange, status, text) == (CLIENT, 5, 504, b"Request time out")
    assert node.receive(send[1], OMQ, send[3], 200, b"too late", 31 * US_PER_S) == NOTHING


def test_early_wake_only_arms_again(make_world: MakeWorld) -> None:
    node = make_world().machines[7]
    payload, _layer = make_world().onion(ROUTE, b"{}")
    node.receive(CLIENT, HTTPS, 5, "onion_req", payload, 0)
    assert node.wake(10 * US_PER_S) == [(1, 30 * US_PER_S)]
    assert make_world().machines[0].wake(5) == NOTHING


def test_shorter_wait_of_replication_arms_an_earlier_wake_up(make_world: MakeWorld) -> None:
    world = make_world()
    node = world.machines[0]
    payload, _layer = world.onion((0, 8, 9, 7), b"{}")
    assert node.receive(CLIENT, HTTPS, 5, "onion_req", payload, world.now_us)[-1] == (
        1,
        world.now_us + 30 * US_PER_S,
    )
    effects = node.receive(CLIENT, HTTPS, 6, "storage_rpc", store(world, world.person(0)), world.now_us)
    assert effects[-1] == (1, world.now_us + 5 * US_PER_S)
    effects = node.receive(
        CLIENT, HTTPS, 7, "storage_rpc", store(world, world.person(0), b"2"), world.now_us + 1
    )
    assert effects[-1][0] == 0  # no second wake-up


def test_hop_counter_beyond_fifteen_is_refused(make_world: MakeWorld) -> None:
    world = make_world()
    for hop, status in ((15, 200), (16, 400)):
        payload, _layer = world.onion((0,), rpc.request_body(rpc.DESKTOP, rpc.info_call()))
        size = int.from_bytes(payload[:4], "little")
        key = bytes.fromhex(orjson.loads(payload[4 + size :])["ephemeral_key"])
        message = encode_hop(payload[4 : 4 + size], key, "aes-gcm", hop)
        ((*_, got, text, _note),) = world.machines[0].receive(5, OMQ, 1, "sn.onion_request", message, 0)
        assert got == status
    assert text == b"onion request max path length exceeded"


def test_node_without_swarm_is_not_ready(make_world: MakeWorld) -> None:
    world = make_world(swarms=(0, 0, 0, (1 << 64) - 1))
    name = world.nodes.ed25519[3].hex().encode()
    assert world.ask((3, 0, 1, 2), b"{}") == (503, 0, b"Service node is not ready: not in any swarm\n")
    assert world.ask((3, 0, 1, 2), b"{}", conn=QUIC)[2].endswith(b"\n\nSnode not ready: " + name)
    assert world.ask((0, 3, 1, 2), b"{}") == (503, 0, b"Snode not ready: " + name)
    assert world.direct(3, b"{}") == (503, b"Service node is not ready: not in any swarm\n")
    older = make_world(swarms=(0, 0, 0, (1 << 64) - 1), guard_not_ready="snode")
    assert older.ask((3, 0, 1, 2), b"{}") == (503, 0, b"Snode not ready: " + name)
    person = world.person(0)
    assert world.direct(0, store(world, person))[0] == 200


def test_busy_relay_says_so(make_world: MakeWorld) -> None:
    world = make_world(relays_max=2)
    node = world.machines[7]
    for i in range(3):
        effects = node.receive(
            CLIENT, HTTPS, i, "onion_req", world.onion(ROUTE, b"{}", name=f"busy {i}")[0], 0
        )
    ((*_, status, text, _note),) = effects
    assert (status, text) == (503, b"Server busy, try again later")


def test_wrong_key_gets_invalid_ciphertext_in_clear(make_world: MakeWorld) -> None:
    world = make_world()
    payload, _layer = world.onion((1, 8), b"{}")
    ((*_, status, text, _note),) = world.machines[0].receive(CLIENT, HTTPS, 1, "onion_req", payload, 0)
    assert (status, text) == (400, b"Invalid ciphertext")


def test_layer_without_json_gets_a_sealed_refusal(make_world: MakeWorld) -> None:
    world = make_world()
    broken = Style(DESKTOP.name, DESKTOP.layer, b"{broken", DESKTOP.key_field)
    assert world.ask(ROUTE, b"x", broken) == (200, 400, b"Invalid json")


def test_answer_is_embedded_and_raw_where_the_request_asks(make_world: MakeWorld) -> None:
    world = make_world()
    style = Style(
        DESKTOP.name, DESKTOP.layer, b'{"headers":{},"json":true,"base64":false}', DESKTOP.key_field
    )
    for body, wanted in (
        (rpc.request_body(rpc.DESKTOP, rpc.info_call()), dict),
        (b"no json", str),
    ):
        payload, layer = world.onion((0,), body, style)
        ((*_, status, answer, _note),) = world.machines[0].receive(CLIENT, HTTPS, 1, "onion_req", payload, 0)
        opened = orjson.loads(layer.open(answer))
        assert status == 200
        assert type(opened["body"]) is wanted


@pytest.mark.parametrize(
    ("control", "outer", "inner", "text"),
    [
        (b'{"host":"example.org","target":"/loki/v3/lsrpc"}', 502, 0, b"Could not resolve host: example.org"),
        (b'{"host":"example.org","target":"/etc/passwd"}', 200, 400, b"Invalid url"),
        (b'{"host":"example.org","target":"/loki/x?/lsrpc"}', 200, 400, b"Invalid url"),
        (b'{"host":"example.org"}', 200, 400, b"Invalid json"),
    ],
)
def test_server_requests_are_refused_one_way_or_another(
    make_world: MakeWorld, control: bytes, outer: int, inner: int, text: bytes
) -> None:
    style = Style(DESKTOP.name, DESKTOP.layer, control, DESKTOP.key_field)
    assert make_world().ask((7, 8, 9), b"x", style) == (outer, inner, text)


def test_two_worlds_of_the_same_seed_do_the_same(make_world: MakeWorld) -> None:
    logs = []
    for _ in range(2):
        world = make_world(suite="sodium")
        world.silent = {2}
        world.ask(ROUTE, store(world, world.person(0)))
        logs.append(world.log)
    assert logs[0] == logs[1]


def test_fast_and_real_suite_send_the_same_sizes_at_the_same_times(make_world: MakeWorld) -> None:
    shapes = []
    for suite in ("fast", "sodium"):
        world = make_world(suite=suite)
        person = world.person(0)
        world.ask(ROUTE, store(world, person))
        world.ask(ROUTE, orjson.dumps(retrieve(world, person)), name="poll")
        shapes.append([(t, src, dst, head, len(payload)) for t, src, dst, head, payload, _note in world.log])
    assert shapes[0] == shapes[1]
