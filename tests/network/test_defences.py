"""Defences in a world: what shows of sizes and times on clients' links, and that all still works."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import HEAD_CODE, Cause, split_note
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import File, Intent, Post, Presence, Reader
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.servers import ServerRules
from sessionsim.network.wire_rules import WireRules
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol._defences import DEFENCES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS, settled
from sessionsim.protocol.defences.constant_rate import Config as Rate
from sessionsim.protocol.defences.constant_rate import ConstantRate
from sessionsim.protocol.defences.constant_size import Config as Size
from sessionsim.protocol.defences.constant_size import ConstantSize
from sessionsim.protocol.defences.no_cover import Config as Nothing
from sessionsim.protocol.defences.no_cover import NoCover
from tests.network.test_host import SPEC as EVERYDAY
from tests.network.test_host import rows_of, run

SLOT = US_PER_S
# Paths stay as they are, and requests share connections: the first request over a new one waits for that.
SPEC = replace(
    EVERYDAY,
    client_rules={name: settled(rules) for name, rules in PLATFORMS.items()},
    wire_rules=WireRules(https_parallel="shared"),
)
CASES: dict[str, tuple[Any, ...]] = {
    "none": (),
    "null": (NoCover(Nothing()),),
    "size": (ConstantSize(Size()),),
    "rate": (ConstantRate(Rate()),),
    "both": (ConstantSize(Size()), ConstantRate(Rate())),
}


@cache
def world(case: str) -> tuple[Truth, np.ndarray]:
    truth, rows, _ = run(replace(SPEC, defences=CASES[case]))
    return truth, rows


def of_clients(rows: np.ndarray, direction: int) -> np.ndarray:
    """Onion requests on clients' links, or the answers to them."""
    n = len(build(SPEC).nodes)
    end = rows["src"] if direction == 0 else rows["dst"]
    onions = rows["head"] == HEAD_CODE["onion_req"] if direction == 0 else rows["head"] == 200
    return rows[(end >= n) & (rows["direction"] == direction) & onions]


def test_the_null_member_changes_nothing() -> None:
    assert np.array_equal(world("null")[1], world("none")[1])


@pytest.mark.parametrize("case", ["none", "size", "rate", "both"])
def test_all_messages_arrive(case: str) -> None:
    truth, _ = world(case)
    assert len(truth.deliveries["message"]) >= 4
    assert set(truth.deliveries["outcome"].tolist()) == {"delivered"}


@pytest.mark.parametrize("direction", [0, 1])
def test_one_size_and_no_other(direction: int) -> None:
    sizes = {case: set(of_clients(world(case)[1], direction)["app_bytes"].tolist()) for case in CASES}
    wanted = {(Size().request_bytes, Size().answer_bytes)[direction]}
    assert sizes["size"] == sizes["both"] == wanted
    assert len(sizes["none"]) > 5
    assert len(sizes["rate"]) > 5


def test_relays_see_one_size_per_client_family_and_hop() -> None:
    rows, n = world("size")[1], len(build(SPEC).nodes)
    relayed = rows[(rows["head"] == HEAD_CODE["sn.onion_request"]) & (rows["src"] < n)]
    # Two families of clients, three links between nodes.
    assert len(set(relayed["app_bytes"].tolist())) == 6


def test_every_slot_of_every_client_holds_one_request_and_nothing_leaves_between() -> None:
    _, rows = world("both")
    asked = of_clients(rows, 0)
    assert set((asked["t_sent_us"] % SLOT).tolist()) == {0}
    slots = np.arange(SLOT, SPEC.horizon_us, SLOT)
    for client in np.unique(asked["src"]).tolist():
        assert np.array_equal(asked["t_sent_us"][asked["src"] == client], slots)
    assert len(np.unique(asked["src"])) == len(SPEC.platforms)


def test_requests_in_slots_share_connections_whatever_is_said_of_http() -> None:
    apart = replace(SPEC, wire_rules=WireRules())
    assert apart.wire_rules.https_parallel == "connections"
    assert np.array_equal(run(replace(apart, defences=CASES["both"]))[1], world("both")[1])
    assert not np.array_equal(run(apart)[1], world("none")[1])
    assert not np.array_equal(run(replace(apart, defences=CASES["size"]))[1], world("size")[1])


def test_slots_are_filled_with_dummies_that_nodes_answer() -> None:
    _, rows = world("both")
    for direction in (0, 1):
        cause, _ = split_note(of_clients(rows, direction)["note"])
        counts = {int(code): int((cause == code).sum()) for code in np.unique(cause)}
        assert counts[Cause.DUMMY] > 20
        assert counts[Cause.POLL] > 20
        assert counts[Cause.MESSAGE] == 4
    cause, _ = split_note(of_clients(world("size")[1], 0)["note"])
    assert Cause.DUMMY not in cause


def test_answers_leave_equally_late_whatever_they_are() -> None:
    _, rows = world("both")
    asked = {(r["src"], r["dst"], r["exchange"]): r["t_recv_us"] for r in of_clients(rows, 0)}
    late = [r["t_sent_us"] - asked[r["dst"], r["src"], r["exchange"]] for r in of_clients(rows, 1)]
    assert len(late) > 100
    assert set(np.array(late).tolist()) == {Rate().answer_after_us}


def test_guards_pass_requests_on_with_the_slots_wherever_their_clients_are() -> None:
    _, rows = world("both")
    asked = of_clients(rows, 0)
    n = len(build(SPEC).nodes)
    came = {(int(r["dst"]), int(r["t_recv_us"]) // SLOT + 1) for r in asked if r["t_recv_us"] >= 0}
    on = rows[(rows["head"] == HEAD_CODE["sn.onion_request"]) & (rows["src"] < n)]
    first = on[(on["t_sent_us"] % SLOT) == 0]
    assert len(first) >= len(asked) - 2 * len(SPEC.platforms)  # some are on their way at the end
    assert {(int(r["src"]), int(r["t_sent_us"]) // SLOT) for r in first} <= came
    # Without the defence they go on as they come.
    plain = world("size")[1]
    on = plain[(plain["head"] == HEAD_CODE["sn.onion_request"]) & (plain["src"] < n)]
    assert ((on["t_sent_us"] % SLOT) == 0).mean() < 0.01


SERVED: dict[str, Any] = {
    "date": "2026-04-28", "platforms": ("desktop", "android", "ios"), "horizon_us": 60 * SLOT,
    "measured": (0, 60 * SLOT), "seeds": Seeds(5), "epoch_ms": 1_777_377_600_000, "limit_swarms": 6,
    "suite": "fast",
}  # fmt: skip


def served(defences: tuple[Any, ...], **changed: Any) -> tuple[Truth, np.ndarray, int]:
    """A minute in which people send a file each and read a community; the file server may be off."""
    files = (File("voice", 3_000),)
    wishes: list[Any] = [Reader(0, 0, 0)]
    wishes += [Intent((k + 1) * SLOT, k, (k + 1) % 3, f"look {k}", files=files) for k in range(3)]
    wishes.append(Post(9 * SLOT, 0, 0, "to all", 0))
    built = build(WorldSpec(**{**SERVED, "intents": tuple(wishes), "defences": defences, **changed}))
    records = MemoryRecords()
    truth = built.run(records, frozenset(range(len(built.machines))))
    return truth, rows_of(records), len(built.nodes)


@pytest.mark.parametrize("off", [(), ("file",)], ids=["servers answer", "a server is off"])
def test_answers_of_servers_and_refusals_have_the_size_of_all(off: tuple[str, ...]) -> None:
    truth, rows, n = served(CASES["size"], server_rules=ServerRules(off=off))
    outcomes = truth.messages["outcome"].tolist()
    assert ("delivered" in outcomes) == (not off) or len(set(outcomes)) > 1
    onions = {HEAD_CODE["onion_req"], HEAD_CODE["storage_rpc"]}
    asked = rows[(rows["src"] >= n) & (rows["dst"] < n) & np.isin(rows["head"], list(onions))]
    assert set((asked["app_bytes"] % Size().request_bytes).tolist()) == {0}
    given = rows[(rows["dst"] >= n) & (rows["src"] < n) & (rows["direction"] == 1) & (rows["head"] >= 100)]
    assert set((given["app_bytes"] % Size().answer_bytes).tolist()) == {0}
    assert (given["head"] != 200).any() == bool(off)
    plain = served(())[1]
    assert len(set(plain[(plain["dst"] >= n) & (plain["direction"] == 1)]["app_bytes"].tolist())) > 10


def test_a_client_that_sleeps_sends_nothing_and_makes_nothing_up_later() -> None:
    gone = (10 * US_PER_S + 1, 20 * US_PER_S + 1)
    times = ((0, True), (gone[0], False), (gone[1], True))
    wishes = [Presence(t_us, 0, 0, "online", on, number) for number, (t_us, on) in enumerate(times)]
    intents = sorted((*SPEC.intents, *wishes), key=lambda wish: wish.t_us)
    _, rows, _ = run(replace(SPEC, intents=tuple(intents), defences=CASES["both"]))
    asked = of_clients(rows, 0)
    mine = asked["t_sent_us"][asked["src"] == asked["src"].min()]
    assert not ((mine > gone[0]) & (mine <= gone[1])).any()
    assert set((mine % SLOT).tolist()) == {0}
    assert np.unique(mine, return_counts=True)[1].max() == 1
    assert (mine > gone[1]).sum() >= 18


def test_the_same_under_both_kernels() -> None:
    spec = replace(SPEC, defences=CASES["both"], horizon_us=15 * US_PER_S)
    assert np.array_equal(run(spec)[1], run(spec, HeapKernel())[1])


def test_idle_polls_are_not_drawn_as_trains_under_a_defence() -> None:
    for case in ("size", "rate"):
        built = build(replace(SPEC, defences=CASES[case]))
        client = next(machine for machine in built.machines if isinstance(machine, Client))
        client.start(0)
        assert client.idle(0) is None


def test_polls_ask_for_no_more_than_an_answer_holds() -> None:
    rules = ConstantSize(Size(answer_bytes=8_000)).rules(SPEC.client_rules["desktop"])
    assert rules.max_size_messages == 2250
    assert rules.max_size_configs == 2250 // 4


def test_an_answer_that_base64_cannot_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="four"):
        Size(answer_bytes=8_001)


def test_the_family_has_a_null_member() -> None:
    DEFENCES.scan()
    assert [entry.id for entry in DEFENCES] == ["constant-rate", "constant-size", "no-cover"]
