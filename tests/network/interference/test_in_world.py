"""Interference in whole worlds: the real machines live through it; what does not open is not taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.scene import Position
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_S
from sessionsim.network.faults import KINDS as FAULTS
from sessionsim.network.faults import Fault
from sessionsim.network.interference import KINDS, Interference, compile_interference
from sessionsim.network.kernels import HeapKernel
from sessionsim.network.world import WorldSpec, build

S = US_PER_S
SPEC = WorldSpec(
    date="2026-04-28",
    limit_swarms=6,
    platforms=("desktop", "android", "ios", "desktop"),
    intents=tuple(Intent((5 + 2 * k) * S, k % 4, (k + 1) % 4, f"text {k}") for k in range(12)),
    horizon_us=90 * S,
    measured=(0, 90 * S),
    seeds=Seeds(7),
    epoch_ms=1_777_000_000_000,
)
HOP, RPC = HEAD_CODE["sn.onion_request"], HEAD_CODE["onion_req"]


def act(kind: str, name: str = "x", **settings: Any) -> Interference:
    return Interference(name, kind, "eve", KINDS[kind](**settings))


class Ran:
    """A finished run. Eve operates every node and holds every link, unless said otherwise."""

    def __init__(
        self,
        *acts: Interference,
        place: Position | None = None,
        watched: frozenset[int] | None = None,
        **changes: Any,
    ) -> None:
        kernel = changes.pop("kernel", None)
        spec = replace(SPEC, **changes)
        self.world = build(spec)
        scene = self.world.scene
        n = self.n = len(self.world.nodes)
        clients = frozenset(scene.client_endpoints)
        everywhere = Position(clients, frozenset(range(n)), known=clients)
        positions = {"eve": place or everywhere}
        meddler = compile_interference(acts, positions, scene, spec.seeds, spec.horizon_us, spec.epoch_ms)
        records = MemoryRecords()
        watched = watched if watched is not None else frozenset(range(len(self.world.machines)))
        self.truth: Truth = self.world.run(records, watched, keep_bytes=True, kernel=kernel, meddler=meddler)
        self.rows = records.table()
        self.blobs = records.blobs
        self.log = meddler.actions() if meddler is not None else {}

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(self.truth.messages["outcome"])

    def acts(self, what: str) -> list[dict[str, Any]]:
        at = np.flatnonzero(self.log["what"] == what).tolist()
        return [{name: column[k] for name, column in self.log.items()} for k in at]

    def sent(self, head: int, **wanted: int) -> np.ndarray:
        here = self.rows["head"] == head
        for name, value in wanted.items():
            here &= self.rows[name] == value
        return np.flatnonzero(here)


@pytest.fixture(scope="module")
def quiet() -> Ran:
    return Ran()


def test_without_interference_the_host_does_not_look(quiet: Ran) -> None:
    assert quiet.world.host is not None
    assert quiet.world.host.trouble is None
    assert quiet.world.host._handler == quiet.world.host.handle


@pytest.mark.parametrize("place", ["nodes", "links"])
def test_interference_that_never_acts_leaves_the_same_rows(quiet: Ran, place: str) -> None:
    never = [act(kind, kind, share_prob=0.0, place=place) for kind in ("delay", "drop")]
    never += [act(kind, kind, share_prob=0.0) for kind in ("tag", "replay", "probe")]
    never += [act("equivocate", "late", at_us=89 * S + 999_999)]
    other = Ran(*never)
    for name, column in quiet.rows.items():
        assert column.tolist() == other.rows[name].tolist()
    assert quiet.truth.messages["delivered_us"].tolist() == other.truth.messages["delivered_us"].tolist()


def test_a_guard_holds_the_requests_of_marked_slots_and_passes_them_on_later(quiet: Ran) -> None:
    ran = Ran(act("delay", slot_us=4 * S, hold_us=2 * S))
    held = ran.acts("held")
    assert len(held) > 20
    slots = {(one["client"], one["t_us"] // (4 * S)) for one in ran.acts("slot")}
    assert {(one["client"], one["t_us"] // (4 * S)) for one in held} <= slots
    hops = ran.sent(HOP)
    leaving = set(zip(ran.rows["src"][hops].tolist(), ran.rows["t_sent_us"][hops].tolist(), strict=True))
    for one in held:
        assert one["until_us"] == one["t_us"] + 2 * S
        assert (one["place"], one["until_us"]) in leaving or one["until_us"] > 90 * S
    assert ran.outcomes == quiet.outcomes == Counter(delivered=12)
    assert np.mean(ran.truth.messages["delivered_us"]) > np.mean(quiet.truth.messages["delivered_us"]) + S / 2


def test_a_link_can_be_held_without_any_node(quiet: Ran) -> None:
    place = Position(frozenset(quiet.world.scene.client_endpoints))
    ran = Ran(act("delay", slot_us=4 * S, hold_us=2 * S, place="links"), place=place)
    held = ran.acts("held")
    took: dict[tuple[int, int], list[int]] = {}
    columns = (ran.rows[name].tolist() for name in ("src", "t_sent_us", "t_recv_us"))
    for src, sent, arrived in zip(*columns, strict=True):
        took.setdefault((src, sent), []).append(arrived - sent)
    assert held
    assert all(any(2 * S < us < 3 * S for us in took[one["client"], one["t_us"]]) for one in held)
    assert ran.outcomes == Counter(delivered=12)


def test_what_is_dropped_at_a_guard_goes_no_further_and_clients_live_with_it() -> None:
    ran = Ran(act("drop"))
    dropped = ran.acts("dropped")
    assert len(dropped) > 10
    hops = ran.sent(HOP)
    leaving = set(zip(ran.rows["src"][hops].tolist(), ran.rows["t_sent_us"][hops].tolist(), strict=True))
    assert not {(one["place"], one["t_us"]) for one in dropped} & leaving
    assert ran.outcomes["delivered"] > 6
    assert sum(ran.outcomes.values()) == 12


def test_on_a_link_a_drop_ends_with_its_slot() -> None:
    ran = Ran(act("drop", place="links", slot_us=4 * S))
    slots = {(one["client"], one["t_us"] // (4 * S)) for one in ran.acts("slot")}
    held = ran.acts("held")
    assert held
    ended = [one for one in held if one["until_us"] < 90 * S]
    assert all((one["client"], one["until_us"] // (4 * S)) not in slots for one in ended)
    assert ran.outcomes == Counter(delivered=12)


def test_who_is_isolated_gets_through_in_its_own_slots_only() -> None:
    ran = Ran(act("isolate", slot_us=3 * S))
    slots = {(one["client"], one["t_us"] // (3 * S)) for one in ran.acts("slot")}
    assert len(ran.acts("held")) > 20
    first = ran.sent(HOP)
    by_exchange = {
        (int(dst), int(t)): int(src)
        for src, dst, t in zip(
            *(ran.rows[name][ran.sent(RPC)] for name in ("src", "dst", "t_recv_us")), strict=True
        )
    }
    passed = 0
    for guard, t_us in zip(
        ran.rows["src"][first].tolist(), ran.rows["t_sent_us"][first].tolist(), strict=True
    ):
        client = by_exchange.get((guard, t_us))
        if client is not None:
            passed += 1
            assert (client, t_us // (3 * S)) in slots
    assert passed > 10
    assert ran.outcomes["delivered"] == 12


@pytest.mark.parametrize("suite", ["fast", "sodium"])
def test_no_tag_survives_an_honest_node(suite: str) -> None:
    ran = Ran(act("tag"), suite=suite, horizon_us=45 * S)
    tagged, refused = ran.acts("tagged"), ran.acts("refused")
    assert len(tagged) > 10
    assert not ran.acts("answered")
    # What is not refused was under way when the run ended.
    assert len(tagged) - len(refused) <= 2
    texts = [ran.blobs[int(ran.rows["blob"][k])] for k in ran.sent(400)]
    assert sum(text == b"Invalid ciphertext" for text in texts) >= len(refused)


def test_a_copy_is_answered_once_more_and_stored_once(quiet: Ran) -> None:
    ran = Ran(act("replay", share_prob=1.0, after_us=2 * S))
    copied, answered = ran.acts("copied"), ran.acts("answered")
    assert len(copied) > 50
    assert len(answered) > 0.9 * len(copied)
    assert ran.outcomes == quiet.outcomes
    assert ran.truth.deliveries["repeated"].tolist() == quiet.truth.deliveries["repeated"].tolist()
    # The replica gets the same bytes twice, and answers under two nonces if it says another time.
    hops = ran.sent(HOP)
    often = Counter(zip(ran.rows["dst"][hops].tolist(), ran.rows["blob"][hops].tolist(), strict=True))
    assert Counter(often.values())[2] > 100
    assert max(often.values()) == 2


def test_probes_are_fetched_and_shown_to_nobody(quiet: Ran) -> None:
    ran = Ran(act("probe", size_bytes=3000))
    stored = ran.acts("stored")
    assert len(stored) == len(ran.acts("slot")) > 10
    assert all(one["client"] == -1 for one in (*stored, *ran.acts("slot")))
    assert len(ran.acts("answered")) == len(stored)
    events = ran.truth.events
    assert int((events["what"] == "injected").sum()) == len(stored)
    assert ran.outcomes == quiet.outcomes
    answers = (ran.rows["direction"] == 1) & (ran.rows["dst"] >= ran.n) & (ran.rows["app_bytes"] > 4000)
    plain = (quiet.rows["direction"] == 1) & (quiet.rows["dst"] >= ran.n) & (quiet.rows["app_bytes"] > 4000)
    assert int(answers.sum()) > int(plain.sum()) + len(stored)


def test_a_flood_is_many_probes_at_once() -> None:
    ran = Ran(act("flood", count=5, share_prob=0.2))
    assert len(ran.acts("stored")) == 5 * len(ran.acts("slot"))
    assert ran.outcomes["delivered"] == 12


def test_clients_repeat_the_names_they_are_given_and_show_each_message_once(quiet: Ran) -> None:
    ran = Ran(act("equivocate"))
    told = ran.acts("told")
    names = {one["token"] for one in told}
    assert len(names) == len(told) > 20
    assert any(one["asked"] in names for one in told)
    assert ran.outcomes == quiet.outcomes
    assert ran.truth.deliveries["repeated"].tolist() == quiet.truth.deliveries["repeated"].tolist()


def test_what_a_whole_swarm_hides_does_not_arrive() -> None:
    assert Ran(act("equivocate", hidden_prob=1.0, renames=False)).outcomes["delivered"] == 0


def test_one_hiding_replica_is_made_good_by_the_others(quiet: Ran) -> None:
    one_each = frozenset(nodes[0] for nodes in quiet.world.nodes.members.values())
    ran = Ran(act("equivocate", hidden_prob=1.0, renames=False), place=Position(operated=one_each))
    assert ran.outcomes == Counter(delivered=12)


def test_everything_at_once_crashes_nothing_and_is_the_same_under_both_kernels() -> None:
    acts = [
        act("delay", "a"), act("drop", "b", place="links"), act("tag", "c"), act("replay", "d"),
        act("flood", "e", count=3), act("equivocate", "f", hidden_prob=0.3),
        act("isolate", "g", at_us=60 * S),
    ]  # fmt: skip
    first, second = Ran(*acts), Ran(*acts, kernel=HeapKernel())
    for name, column in first.rows.items():
        assert column.tolist() == second.rows[name].tolist()
    for name, column in first.log.items():
        assert column.tolist() == second.log[name].tolist()
    assert sum(first.outcomes.values()) == 12


def test_idle_polls_in_bulk_leave_out_whoever_is_interfered_with(quiet: Ran) -> None:
    guards = {int(quiet.rows["dst"][k]) for k in quiet.sent(RPC)}
    place = Position(
        operated=frozenset(sorted(guards)[:2]), known=frozenset(quiet.world.scene.client_endpoints)
    )
    acts = [act("delay", "a"), act("tag", "b"), act("probe", "c"), act("equivocate", "d")]
    later = {"horizon_us": 200 * S, "watched": frozenset[int]()}
    each, bulk = (Ran(*acts, place=place, idle_polls=how, **later) for how in ("each", "bulk"))
    assert bulk.world.trains is not None
    assert bulk.world.host is not None
    assert each.world.host is not None
    assert bulk.world.host.transmissions < 0.9 * each.world.host.transmissions
    for name, column in each.log.items():
        assert column.tolist() == bulk.log[name].tolist()
    assert each.truth.messages["delivered_us"].tolist() == bulk.truth.messages["delivered_us"].tolist()


def test_a_crashed_node_sends_nothing_and_what_it_held_is_gone() -> None:
    crash = Fault("down", "crash", FAULTS["crash"](at_us=40 * S))
    acts = [act("probe", "p"), act("delay", "d", share_prob=1.0)]
    ran = Ran(*acts, faults=(crash,))
    nodes = ran.rows["src"] < ran.n
    assert ran.rows["t_sent_us"][nodes].max() < 40 * S
    assert max(one["t_us"] for one in ran.acts("stored")) > 80 * S  # it goes on trying
    assert int((ran.truth.events["what"] == "injected").sum()) < len(ran.acts("stored"))


def test_one_interference_moves_no_draw_of_another() -> None:
    alone = Ran(act("delay", "a"), horizon_us=30 * S)
    beside = Ran(act("replay", "z", share_prob=0.0), act("delay", "a"), horizon_us=30 * S)
    assert [one for one in alone.acts("slot") if one["name"] == "a"] == [
        one for one in beside.acts("slot") if one["name"] == "a"
    ]


@pytest.mark.parametrize(
    ("made", "place", "says"),
    [
        (act("tag"), Position(tapped=frozenset({40})), "operates service nodes"),
        (act("delay"), Position(tapped=frozenset({40})), "operates service nodes"),
        (act("delay", place="links"), Position(operated=frozenset({1})), "taps links"),
        (act("probe"), Position(operated=frozenset({1})), "knows ids"),
        (act("equivocate"), Position(), "operates service nodes"),
    ],
)
def test_a_place_allows_what_it_allows(made: Interference, place: Position, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        Ran(made, place=place)
