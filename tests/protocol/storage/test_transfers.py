"""Messages that nodes hand on when swarms change, over connected nodes of both versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.nodelist import UNASSIGNED
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.wire import bencode, rpc, sn_data

Make = Callable[..., Any]
SECOND, OMQ = 1 << 63, 2
BEFORE = (0,) * 7 + (SECOND,) * 4 + (UNASSIGNED,)
JOINED = (0,) * 7 + (SECOND,) * 4 + (0,)  # node 11 joins the first swarm


def change(world: Any, swarms: tuple[int, ...]) -> None:
    """Tell all nodes, which learn of it at the same time here."""
    nodes = world.nodes_with(swarms)
    for node in range(12):
        world.tell(node, "swarms", nodes, 2_000_000)
    world.nodes = nodes


def start(make_world: Make, caller: Make, **changes: Any) -> tuple[Any, list[str]]:
    world = make_world(swarms=BEFORE, **changes)
    by = caller(world, world.person(0))
    return by, by.put(b"one", b"two") + by.put(b"three", namespace=5)


def sent(world: Any, head: str) -> list[tuple[int, int]]:
    return [(row[1], row[2]) for row in world.log if row[3] == head]


def boxes(by: Any, node: int) -> dict[int, list[str]]:
    store = by.world.machines[node].store
    return {
        namespace: [message.hash for message in store.box(by.person.id, namespace)]
        for namespace in store.namespaces(by.person.id)
    }


def test_a_new_member_asks_each_other_and_gets_the_messages_at_the_next_check(
    make_world: Make, caller: Make
) -> None:
    by, hashes = start(make_world, caller)
    world = by.world
    foreign = world.person(SECOND)  # what is left of a time before, and concerns another swarm
    world.machines[2].store.store(foreign.id, 0, "F" * 43, 1, world.now_ms + 10**9, b"x", world.now_ms)
    change(world, JOINED)
    assert sent(world, "sn.data") == sent(world, "sn.data_ready") == []
    world.run(40 * US_PER_S)
    assert sorted(sent(world, "sn.data_ready")) == [(11, node) for node in range(7)]
    assert sorted(sent(world, "sn.data")) == [(node, 11) for node in range(7)]
    assert boxes(by, 11) == boxes(by, 0) == {0: hashes[:2], 5: hashes[2:]}
    assert not world.machines[11].store.holds(foreign.id)
    asked = [row[0] for row in world.log if row[3] == "sn.data_ready"]
    given = [row[0] for row in world.log if row[3] == "sn.data"]
    assert {t % (10 * US_PER_S) for t in asked + given} == {0}
    assert set(given) == {asked[0] + 10 * US_PER_S}
    assert {row[5] for row in world.log if row[3] in ("sn.data", "sn.data_ready")} == {
        note_of(Cause.REPLICATION)
    }
    assert all(machine.pending == 0 for machine in world.machines)
    # It serves them now, and takes part.
    assert [m["hash"] for m in by.ask(11, by.retrieve())[1]["messages"]] == hashes[:2]
    assert len(by.parts(11, by.delete_all(None))) == 8


def test_old_members_hand_everything_on_at_once_without_the_namespaces(
    make_world: Make, caller: Make
) -> None:
    by, hashes = start(make_world, caller, old=range(12))
    world = by.world
    change(world, JOINED)
    assert sorted(sent(world, "sn.data")) == [(node, 11) for node in range(7)]
    world.run(40 * US_PER_S)
    assert sent(world, "sn.data_ready") == []
    assert boxes(by, 11) == {0: hashes}  # what was in namespace 5 reappears in 0
    # There it is known by its hash, and not stored twice when it is stored again where it belongs.
    by.put(b"three", namespace=5)
    assert boxes(by, 11) == {0: hashes}


def test_a_new_member_among_old_ones_asks_in_vain_and_stops(make_world: Make, caller: Make) -> None:
    by, hashes = start(make_world, caller, old=range(7))
    world = by.world
    for node in range(7):
        del world.machines[node]._side  # an endpoint of 2.8 that does not exist
        world.machines[node]._side = Silent()
    change(world, JOINED)
    world.run(900 * US_PER_S)
    asked = sent(world, "sn.data_ready")
    assert len(asked) == 70
    assert boxes(by, 11) == {0: hashes}


class Silent:
    count = 0

    def answer(self, *_args: Any) -> None:
        return None


def test_it_asks_again_after_half_a_minute_until_all_have_agreed(make_world: Make, caller: Make) -> None:
    by, hashes = start(make_world, caller)
    world = by.world
    world.unreachable = {0}
    change(world, JOINED)
    world.run(65 * US_PER_S)
    assert boxes(by, 11) == {0: hashes[:2], 5: hashes[2:]}  # from the others
    times = [row[0] for row in world.log if row[3] == "sn.data_ready" and row[2] == 0]
    assert len(times) >= 2
    assert times[1] - times[0] == 30 * US_PER_S
    world.unreachable = set()
    world.run(120 * US_PER_S)
    assert (0, 11) in sent(world, "sn.data")
    assert all(machine.pending == 0 for machine in world.machines)


def test_a_member_that_does_not_know_the_newcomer_yet_sends_it_away(make_world: Make, caller: Make) -> None:
    by, _hashes = start(make_world, caller)
    world = by.world
    nodes = world.nodes_with(JOINED)
    for node in (*range(1, 7), 11):
        world.tell(node, "swarms", nodes, 1)
    world.run(25 * US_PER_S)
    answers = {row[4] for row in world.log if row[1] == 0 and row[2] == 11}
    assert answers == {b"Swarm mismatch"}
    world.tell(0, "swarms", nodes, 1)
    world.run(60 * US_PER_S)
    assert (0, 11) in sent(world, "sn.data")


def test_a_new_swarm_gets_its_share_unasked(make_world: Make, caller: Make) -> None:
    by, hashes = start(make_world, caller)
    world = by.world
    # A swarm exactly where the account is, of one node from each old swarm and one from nowhere.
    position = int.from_bytes(by.person.id[1:9], "big")
    for at in range(9, 33, 8):
        position ^= int.from_bytes(by.person.id[at : at + 8], "big")
    change(world, (0,) * 6 + (position,) + (SECOND,) * 3 + (position, position))
    world.run(1 * US_PER_S)
    assert {dst for _, dst in sent(world, "sn.data")} == {6, 10, 11}
    assert boxes(by, 10) == boxes(by, 11) == {0: hashes[:2], 5: hashes[2:]}
    assert by.ask(0, by.retrieve())[0] == 421
    assert len(by.ask(10, by.retrieve())[1]["messages"]) == 2


def test_a_dissolved_swarm_hands_all_it_has_to_those_who_keep_it_now(make_world: Make, caller: Make) -> None:
    by, hashes = start(make_world, caller)
    world = by.world
    change(world, (SECOND,) * 3 + (1 << 62,) * 4 + (SECOND,) * 5)
    world.run(1 * US_PER_S)
    keeps = {rpc.message_hash(by.person.id, 0, b"one") in by.held(node) for node in range(7, 11)}
    assert keeps == {by.ask(7, by.retrieve())[0] == 200}
    owner = 3 if by.ask(7, by.retrieve())[0] == 421 else 7
    assert boxes(by, owner) == {0: hashes[:2], 5: hashes[2:]}


def test_all_that_are_told_at_once_agree_in_the_end(make_world: Make, caller: Make) -> None:
    for old in ((), tuple(range(12)), tuple(range(0, 12, 2))):
        by, hashes = start(make_world, caller, old=old)
        world = by.world
        change(world, JOINED)
        world.run(900 * US_PER_S)
        assert sorted(by.held(11)) == sorted(hashes)


def test_batches_keep_to_the_limit_of_the_version(make_world: Make, caller: Make) -> None:
    world = make_world(swarms=BEFORE, transfer_batch_bytes=1_000, transfer_on_request=False)
    by = caller(world, world.person(0))
    hashes = by.put(*[bytes([n]) * 300 for n in range(8)])
    change(world, JOINED)
    batches = [row[4] for row in world.log if row[3] == "sn.data" and row[1] == 0]
    assert [len(sn_data.read_batch(batch)[0]) for batch in batches] == [2, 2, 2, 2]
    assert all(len(batch) <= 1_000 for batch in batches)
    world.run(1 * US_PER_S)
    assert boxes(by, 11) == {0: hashes}


@pytest.mark.parametrize("prolongs", [True, False])
def test_what_is_handed_on_prolongs_what_is_there_in_newer_versions(
    make_world: Make, caller: Make, prolongs: bool
) -> None:
    by, (one, *_rest) = start(make_world, caller, merge_prolongs=prolongs)
    node = by.world.machines[3]
    held = node.store.find(by.person.id, one)
    for delta, expected in ((-1000, 0), (5000, 5000 if prolongs else 0)):
        changed = held._replace(message=held.message._replace(expiry_ms=held.message.expiry_ms + delta))
        (batch,) = sn_data.write_batches([changed], namespaces=True, most_bytes=9_000_000)
        node.receive(1, OMQ, 5, "sn.data", batch, by.world.now_us)
        assert node.store.find(by.person.id, one).message.expiry_ms == held.message.expiry_ms + expected


@pytest.mark.parametrize("payload", [b"", b"junk", b"\x02le", b"\x01" + bencode.encode([[1, 2]])])
def test_bad_batches_change_nothing_and_are_not_complained_of(
    make_world: Make, caller: Make, payload: bytes
) -> None:
    by, _hashes = start(make_world, caller)
    node = by.world.machines[3]
    before = list(node.store.everything())
    effects = node.receive(1, OMQ, 5, "sn.data", payload, by.world.now_us)
    assert effects == [(0, 1, OMQ, 5, 200, b"", 0)]
    assert list(node.store.everything()) == before


@pytest.mark.parametrize(
    ("src", "payload", "answer"),
    [
        (1, sn_data.write_ready(True), b"OK"),
        (1, sn_data.write_ready(False), b"OK"),
        (1, b"", b"Request payload missing"),
        (1, b"i5e", b"Request payload malformed."),
        (8, sn_data.write_ready(True), b"Swarm mismatch"),
    ],
)
def test_answers_to_the_question(make_world: Make, src: int, payload: bytes, answer: bytes) -> None:
    world = make_world()
    effects = world.machines[0].receive(src, OMQ, 5, "sn.data_ready", payload, world.now_us)
    assert effects[0] == (0, src, OMQ, 5, 200, answer, 0)
    assert (len(effects) == 2) is (payload == sn_data.write_ready(True) and src == 1)  # a wake-up


def test_clients_and_other_transports_hand_nothing_on(make_world: Make) -> None:
    node = make_world().machines[0]
    for src, conn in ((1000, OMQ), (1, 0), (1, 1), (-1, OMQ)):
        for head in ("sn.data", "sn.data_ready", "sn.ping"):
            assert node.receive(src, conn, 5, head, b"\x01le", 0) == ()
