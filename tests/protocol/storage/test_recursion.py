"""Calls that concern a whole swarm: every method over connected nodes, some dead, slow, old or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.authorisation import DELETE, READ, WRITE
from sessionsim.protocol.wire import bencode, rpc_read, rpc_signed
from sessionsim.protocol.wire.rpc import batch_body, request_body

Make = Callable[..., Any]
SECOND = 1 << 63  # the other swarm
DAY_MS = 86_400_000
ALL = set(range(7))
ROUTE = (7, 8, 9, 0)
OMQ = 2


def group(make_world: Make, caller: Make, **changes: Any) -> Any:
    world = make_world(**changes)
    return caller(world, world.group(0))


def methods(by: Any) -> dict[str, tuple[Any, Callable[[dict[str, Any]], bytes]]]:
    """Give every recursive method: a call on two stored messages, and what a member signs for its part."""
    one, two = by.put(b"one", b"two")
    now, account = by.world.now_ms, by.person.id
    tokens = [by.subaccount(READ, f"member {n}").asker.subaccount.token for n in range(2)]
    late = now + DAY_MS
    return {
        "delete": (
            by.delete([two, one]),
            lambda f: rpc_signed.deleted_receipt(account, [two, one], f["deleted"]),
        ),
        "delete_all": (
            by.delete_all(),
            lambda f: rpc_signed.swept_receipt(account, now, f["deleted"]),
        ),
        "delete_before": (
            by.delete_before(now + 5),
            lambda f: rpc_signed.swept_receipt(account, now + 5, f["deleted"]),
        ),
        "expire": (
            by.expire([two, one], [late], "shorten"),
            lambda f: rpc_signed.expiry_receipt(
                account, [f["expiry"]], [two, one], f["updated"], f["unchanged"]
            ),
        ),
        "expire_all": (
            by.expire_all(late),
            lambda f: rpc_signed.swept_receipt(account, late, f["updated"]),
        ),
        "revoke_subaccount": (
            by.revoke(tokens),
            lambda f: rpc_signed.tokens_receipt(account, now, tokens),
        ),
        "unrevoke_subaccount": (
            by.revoke(tokens, undo=True),
            lambda f: rpc_signed.tokens_receipt(account, now, tokens),
        ),
    }


METHODS = (
    "delete", "delete_all", "delete_before", "expire", "expire_all", "revoke_subaccount",
    "unrevoke_subaccount",
)  # fmt: skip
SWEEPS = ("delete", "delete_all", "delete_before")


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize("method", METHODS)
def test_every_member_executes_and_signs_what_it_did(
    make_world: Make, caller: Make, method: str, suite: str
) -> None:
    by = group(make_world, caller, suite=suite)
    world = by.world
    call, receipt = methods(by)[method]
    assert call[0].decode() == method
    parts = by.parts(0, call)
    assert parts.keys() == ALL
    results = {orjson.dumps({**part.fields, "signature": ""}) for part in parts.values()}
    assert len(results) == 1
    for node, part in parts.items():
        assert not part.failed
        assert world.suite.verify(world.ed[node].public, receipt(part.fields), part.signature)
    for node in range(7):
        assert len(by.held(node)) == (0 if method in SWEEPS else 2)


@pytest.mark.parametrize("method", METHODS)
def test_all_are_asked_at_once_and_nobody_waits_longer_than_the_slowest(
    make_world: Make, caller: Make, method: str
) -> None:
    by = group(make_world, caller)
    world = by.world
    call, _receipt = methods(by)[method]
    world.slow_us = {3: 4 * US_PER_S}
    start, before = world.now_us, len(world.log)
    assert by.parts(0, call)[3].failed is False
    copies = [row for row in world.log[before:] if row[3] == "sn.storage_cc"]
    assert len(copies) == 6
    assert len({row[0] for row in copies}) == len({row[4] for row in copies}) == 1
    assert world.answers[0][4] - start == 4 * US_PER_S + 4 * world.latency_us


@pytest.mark.parametrize("method", METHODS)
def test_dead_and_slow_members_are_marked_after_five_seconds(
    make_world: Make, caller: Make, method: str
) -> None:
    by = group(make_world, caller)
    world = by.world
    call, _receipt = methods(by)[method]
    world.silent, world.unreachable, world.slow_us = {1}, {2}, {3: 6 * US_PER_S}
    start = world.now_us
    parts = by.parts(0, call)
    assert {node for node, part in parts.items() if part.failed} == {1, 2, 3}
    assert all(parts[node].fields == {"failed": True, "timeout": True} for node in (1, 2, 3))
    assert world.answers[0][4] - start == 5 * US_PER_S + 2 * world.latency_us
    if method in SWEEPS:  # the slow one did it all the same, and so did the one whose answer was lost
        assert [len(by.held(node)) for node in range(7)] == [0, 0, 2, 0, 0, 0, 0]


def test_a_member_that_thinks_the_account_is_elsewhere_shows_its_code_and_reason(
    make_world: Make, caller: Make
) -> None:
    by = group(make_world, caller)
    world = by.world
    call, _receipt = methods(by)["delete_all"]
    moved = world.nodes_with(swarms=(0,) * 6 + (SECOND,) * 6)
    world.tell(6, "swarms", moved, 1)
    part = by.parts(0, call)[6]
    assert part.failed
    assert part.fields["code"] == "421"
    assert orjson.loads(part.fields["reason"])["snodes"]
    assert len(by.held(6)) == 2


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, b"not bencode", {"bad_peer_response": True, "failed": True}),
        (200, b"i5e", {"bad_peer_response": True, "failed": True}),
        (401, b"no", {"code": "401", "failed": True, "reason": "no"}),
        (200, b"d6:failedi1e13:query_failurei1ee", {"failed": 1, "query_failure": 1}),
    ],
)
def test_what_a_member_may_answer_instead(
    make_world: Make, caller: Make, status: int, answer: bytes, expected: dict[str, Any]
) -> None:
    by = group(make_world, caller)
    node, world = by.world.machines[0], by.world
    call, _receipt = methods(by)["delete_all"]
    effects = node.receive(1000, 0, 1, "storage_rpc", request_body(by.style, call), world.now_us)
    copies = [effect for effect in effects if effect[4:5] == ("sn.storage_cc",)]
    for copy in copies:
        final = node.receive(copy[1], OMQ, copy[3], status, answer, world.now_us)
    swarm = orjson.loads(final[0][5])["swarm"]
    own = world.nodes.ed25519[0].hex()
    assert all(entry == expected for key, entry in swarm.items() if key != own)
    assert "signature" in swarm[own]


def test_the_answer_to_a_client_of_the_wrong_swarm_names_the_right_one(
    make_world: Make, caller: Make
) -> None:
    by = group(make_world, caller)
    for method, (call, _receipt) in methods(by).items():
        status, answer = by.ask(8, call)
        assert status == 421, method
        assert {one["pubkey_ed25519"] for one in answer["snodes"]} == {
            by.world.nodes.ed25519[n].hex() for n in ALL
        }
    assert all(len(by.held(node)) == 2 for node in range(7))


def test_only_members_are_forwarded_to_and_only_they_may_forward(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    world = by.world
    call, _receipt = methods(by)["delete_all"]
    before = len(world.log)
    by.parts(0, call)
    (payload,) = {row[4] for row in world.log[before:] if row[3] == "sn.storage_cc"}
    assert {row[2] for row in world.log[before:] if row[3] == "sn.storage_cc"} == ALL - {0}
    # From a client, or over another transport, it gets nothing.
    for src, conn in ((1000, OMQ), (1, 0), (1, 1)):
        assert world.machines[2].receive(src, conn, 9, "sn.storage_cc", payload, world.now_us) == ()
    ((_send, dst, _conn, _exchange, status, _answer, _note),) = world.machines[2].receive(
        5, OMQ, 9, "sn.storage_cc", payload, world.now_us
    )
    assert (dst, status) == (5, 200)


@pytest.mark.parametrize("method", ["retrieve", "batch", "info", "oxend_request", "get_expiries"])
def test_what_is_not_recursive_is_not_taken_from_members(make_world: Make, method: str) -> None:
    world = make_world()
    payload = bencode.encode([method, {b"pubkey": b"\x05" + bytes(32)}])
    ((*_, status, answer, _note),) = world.machines[2].receive(
        1, OMQ, 9, "sn.storage_cc", payload, world.now_us
    )
    assert status == 400
    assert b"non-forwardable" in answer


# Failure of all


def test_if_every_member_fails_the_status_says_so_and_in_2_8_it_does_not(
    make_world: Make, caller: Make
) -> None:
    for changes, expected in (({}, 500), ({"all_failed_is_500": False}, 200)):
        by = group(make_world, caller, disk_max_bytes=0, **changes)
        status, answer = by.ask(0, by.store(b"no room"))
        assert status == expected
        assert len(answer["swarm"]) == 7
        assert all(entry["failed"] for entry in answer["swarm"].values())


def test_one_member_that_did_it_is_enough(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    call, _receipt = methods(by)["delete_all"]
    by.world.silent = ALL - {0}
    parts = by.parts(0, call)
    assert [node for node, part in parts.items() if not part.failed] == [0]


def test_required_deletes_say_404_if_no_member_had_any(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    (known,) = by.put(b"one")
    unknown = "A" * 43
    status, answer = by.ask(0, by.delete([unknown], required=True))
    assert status == 404
    assert len(answer["swarm"]) == 7
    assert by.ask(0, by.delete([unknown]))[0] == 200
    assert by.ask(0, by.delete([unknown, known], required=True))[0] == 200
    assert by.ask(0, by.delete([known], required=True))[0] == 404
    # One member that still has it is enough.
    (again,) = by.put(b"two")
    for node in range(6):
        store = by.world.machines[node].store
        store.remove(store.find(by.person.id, again))
    assert by.ask(0, by.delete([again], required=True))[0] == 200


def test_members_are_not_told_what_concerns_the_first_node_alone(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    by.ask(0, by.delete(["A" * 43], required=True))
    (payload,) = {row[4] for row in by.world.log if row[3] == "sn.storage_cc"}
    assert b"required" not in payload


# Old members


def test_a_swarm_of_both_versions_works_as_one(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller, old=(0, 3))
    for asked in (0, 1):
        for method in METHODS:
            by.world.run(1 * US_PER_S)
            call, receipt = methods(by)[method]
            parts = by.parts(asked, call)
            assert parts.keys() == ALL
            for node, part in parts.items():
                assert by.world.suite.verify(by.world.ed[node].public, receipt(part.fields), part.signature)


def test_old_members_refuse_lists_of_expiries_until_the_hard_fork(make_world: Make, caller: Make) -> None:
    for fork, refused in ((3, True), (4, False)):
        by = group(make_world, caller, old=(3,), hard_fork_revision=fork)
        hashes = by.put(b"one", b"two")
        now = by.world.now_ms
        part = by.parts(0, by.expire(hashes, [now + DAY_MS, now + 2 * DAY_MS]))[3]
        assert part.failed is refused
        if refused:
            assert part.fields["code"] == "403"
            assert by.ask(3, by.expire(hashes, [now + DAY_MS, now + 2 * DAY_MS]))[0] == 403


# Windows of time: 60 s for clients, 70 s for what has been forwarded


@pytest.mark.parametrize("offset_ms", [-60_000, 60_000])
def test_the_window_is_a_minute_and_ends_are_in_it(make_world: Make, caller: Make, offset_ms: int) -> None:
    by = group(make_world, caller)
    by.world.run(2 * US_PER_S)
    step = 1 if offset_ms > 0 else -1
    hop_ms = by.world.latency_us // 1000  # the call is this old when it arrives
    inside, outside = offset_ms + hop_ms, offset_ms + hop_ms + step
    for write, code in (
        (by.delete_all, 406),
        (lambda at_ms, by=by: by.revoke([bytes(36)], at_ms=at_ms), 406),
        (lambda at_ms, by=by: by.revoke([bytes(36)], undo=True, at_ms=at_ms), 406),
        (lambda at_ms, by=by: by.get_expiries(["all"], at_ms=at_ms), 406),
        (by.revoked, 406),
    ):
        assert by.ask(0, write(at_ms=inside))[0] == 200
        status, text = by.ask(0, write(at_ms=outside))
        assert status == code
        assert "too far from current time" in text


def test_forwarded_calls_may_be_ten_seconds_older(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    world = by.world
    world.run(2 * US_PER_S)
    hop_ms = world.latency_us // 1000
    # At the client's end of the window a member sees it 10 ms later still.
    for write in (
        lambda: by.delete_all(at_ms=-60_000 + hop_ms),
        lambda: by.expire_all(world.now_ms - 60_000 + hop_ms),
    ):
        parts = by.parts(0, write())
        assert not any(part.failed for part in parts.values())
    before = len(world.log)
    by.ask(0, by.delete_all())
    payload = next(row[4] for row in world.log[before:] if row[3] == "sn.storage_cc")
    stamp = world.now_us
    for late_s, expected in ((69, 200), (71, 406)):
        ((*_, status, _answer, _note),) = world.machines[2].receive(
            1, OMQ, 9, "sn.storage_cc", payload, stamp + late_s * US_PER_S
        )
        assert status == expected


# Through an onion, in batches and sequences


def test_recursive_calls_work_through_an_onion(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    call, _receipt = methods(by)["delete_all"]
    _outer, status, body = by.world.ask(ROUTE, request_body(by.style, call))
    assert status == 200
    assert len(rpc_read.read_parts(orjson.loads(body))) == 7


def test_a_batch_of_recursive_calls_answers_in_order_when_all_are_done(
    make_world: Make, caller: Make
) -> None:
    by = group(make_world, caller)
    world = by.world
    one, two = by.put(b"one", b"two")
    late = world.now_ms + DAY_MS
    calls = [by.expire([one], [late]), by.get_expiries([one, two]), by.delete([two]), by.delete_all()]
    _status, body = world.direct(0, batch_body(by.style, calls))
    results = orjson.loads(body)["results"]
    assert [result["code"] for result in results] == [200] * 4
    own = world.nodes.ed25519[0].hex()
    assert results[0]["body"]["swarm"][own]["updated"] == [one]
    # Executed here in turn, though the answers of the members come later.
    assert results[1]["body"]["expiries"][one] == late
    assert results[2]["body"]["swarm"][own]["deleted"] == [two]
    assert results[3]["body"]["swarm"][own]["deleted"] == [one]


def test_a_sequence_waits_for_the_swarm_and_stops_at_the_first_refusal(
    make_world: Make, caller: Make
) -> None:
    by = group(make_world, caller)
    world = by.world
    one, two = by.put(b"one", b"two")
    calls = [by.delete([one]), by.delete(["A" * 43], required=True), by.delete([two])]
    _status, body = world.direct(0, batch_body(by.style, calls, b"sequence"))
    assert [result["code"] for result in orjson.loads(body)["results"]] == [200, 404]
    assert by.held(0) == [two]
    # The second is forwarded only after all have answered the first.
    copies = [row for row in world.log if row[3] == "sn.storage_cc" and b"6:delete" in row[4][:12]]
    times = sorted({row[0] for row in copies})
    assert len(copies) == 12
    assert times[1] - times[0] == 2 * world.latency_us


# Rights of subaccounts over the swarm


@pytest.mark.parametrize("flags", [0, READ, READ | WRITE, DELETE, READ | WRITE | DELETE])
def test_what_a_subaccount_may_do(make_world: Make, caller: Make, flags: int) -> None:
    by = group(make_world, caller)
    hashes = by.put(b"one", b"two", b"three")
    sub = by.subaccount(flags)
    now = by.world.now_ms
    late = now + 20 * DAY_MS
    asked = {
        "retrieve": (sub.retrieve(), READ, 401),
        "get_expiries": (sub.get_expiries(["all"]), READ, 401),
        "store": (sub.store(b"four", 11), WRITE, 401),
        "expire": (sub.expire(hashes[:1], [late]), WRITE, 401),
        "extend": (sub.expire(hashes[:1], [late + 1], "extend"), WRITE, 401),
        "shorten": (sub.expire(hashes[:1], [now + DAY_MS], "shorten"), WRITE | DELETE, None),
        "delete": (sub.delete(hashes[:1]), DELETE, 401),
        "delete_before": (sub.delete_before(1_000_000_000), DELETE, 401),
        "expire_all": (sub.expire_all(late), DELETE, 401),
        "revoke": (sub.revoke([bytes(36)]), 1 << 8, 401),
        "unrevoke": (sub.revoke([bytes(36)], undo=True), 1 << 8, 401),
        "revoked": (sub.revoked(), 1 << 8, 401),
        "delete_all": (sub.delete_all(), DELETE, 401),
    }
    for name, (call, needed, refusal) in asked.items():
        status, answer = by.ask(0, call)
        if needed & flags == needed:
            assert status == 200, (name, answer)
        else:
            assert status == (refusal or (400 if flags & WRITE else 401)), (name, answer)


def test_a_subaccount_that_may_not_delete_only_extends(make_world: Make, caller: Make) -> None:
    by = group(make_world, caller)
    (one,) = by.put(b"one")
    held = by.world.machines[0].store.find(by.person.id, one).message.expiry_ms
    sub = by.subaccount(WRITE)
    parts = by.parts(0, sub.expire([one], [by.world.now_ms + DAY_MS]))
    assert all(part.fields["updated"] == [] and "unchanged" not in part.fields for part in parts.values())
    assert by.world.machines[0].store.find(by.person.id, one).message.expiry_ms == held
    later = held + 2 * DAY_MS
    assert by.parts(0, sub.expire([one], [later]))[4].fields["updated"] == [one]
