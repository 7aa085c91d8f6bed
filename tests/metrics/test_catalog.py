"""The metrics on replicates whose answers are worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sessionsim.core.columns import Cause
from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.readings import Reading
from sessionsim.core.scene import Position
from sessionsim.core.truth import BLOCKED
from sessionsim.metrics import METRICS, Counts, Replicate, readings, readings_of, tally
from sessionsim.metrics._run import check

Make = Callable[..., Replicate]
SECOND = 1_000_000
IDS = tuple("account:05" + letter * 64 for letter in "abcd")
ADDRESSES = tuple(f"addr:244.0.{k}.1" for k in range(4))


def named(found: list[Reading], metric: str) -> dict[str, Reading]:
    return {reading.name: reading for reading in found if reading.metric == metric}


def fact(relation: Relation, subject: str, target: str = "") -> Fact:
    return Fact("eve", relation, subject, target, 0, ("row 0",))


def test_every_metric_of_the_catalogue_is_found() -> None:
    METRICS.scan()
    ids = {entry.id for entry in METRICS}
    assert ids >= {
        "coalition-coverage",
        "delivery",
        "latency",
        "rank-of-truth",
        "traffic",
        "who-learned-what",
    }


def test_delivery_leaves_unfinished_and_unmeasured_messages_out(make_replicate: Make) -> None:
    outcomes = ["delivered"] * 6 + ["refused", "expired"] + ["waiting"] * 2
    messages = [{"outcome": outcome, "sender": k % 4} for k, outcome in enumerate(outcomes)]
    messages[6]["reason"], messages[7]["reason"] = "status 504", "not fetched in time"
    messages.append({"outcome": "refused", "measured": False})
    found = named(readings([make_replicate(messages=messages)]), "delivery")
    assert found["delivered"].value == pytest.approx(6 / 8)
    assert found["delivered"].counts == {
        "delivered": 6, "waiting": 2, "expired": 1, "lost": 0, "refused": 1, "messages": 10,
        "refused: status 504": 1, "expired: not fetched in time": 1,
    }  # fmt: skip
    assert found["unfinished at the end"].value == pytest.approx(2 / 10)


def test_what_its_reader_has_blocked_is_named_and_counts_neither_way(make_replicate: Make) -> None:
    messages = [{"outcome": "delivered"}] * 3 + [{"outcome": "refused", "reason": BLOCKED}] * 2
    found = named(readings([make_replicate(messages=messages)]), "delivery")["delivered"]
    assert found.value == 1.0
    assert found.counts["messages"] == 3
    assert found.counts["refused"] == 0
    assert found.counts[f"refused: {BLOCKED}"] == 2


def test_every_reader_of_a_message_counts_in_delivery_and_in_latency(make_replicate: Make) -> None:
    times = {"intent_us": 2 * SECOND, "stored_us": 3 * SECOND}
    messages = [{**times, "kind": "group-text", "recipient": -1, "group": 4, "outcome": "expired"}]
    got = {"delivered_us": 5 * SECOND}
    deliveries = [
        {**got, "account": 1, "endpoint": 13},
        {"account": 2, "endpoint": 14, "outcome": "expired", "reason": "not fetched in time"},
        {**got, "account": 3, "endpoint": 15, "delivered_us": 7 * SECOND},
    ]
    replicate = make_replicate(messages=messages, deliveries=deliveries)
    found = named(readings([replicate]), "delivery")
    assert found["delivered"].counts["delivered"] == 2
    assert found["delivered"].counts["expired: not fetched in time"] == 1
    samples = tally(replicate).counts["latency"].samples
    assert samples["end to end"].tolist() == [3 * SECOND, 5 * SECOND]
    assert samples["intent to stored"].tolist() == [SECOND] * 3


def test_signals_are_counted_apart(make_replicate: Make) -> None:
    messages = [{}, {"kind": "typing", "outcome": "expired", "reason": "late"}, {"kind": "receipt"}]
    found = named(readings([make_replicate(messages=messages)]), "delivery")
    assert found["delivered"].counts["messages"] == 1
    signals = found["signals delivered"].counts
    assert (signals["delivered"], signals["expired"], signals["expired: late"]) == (1, 1, 1)
    assert "signals delivered" not in named(readings([make_replicate()]), "delivery")


def test_devices_order_and_repeats_are_counted_per_copy(make_replicate: Make) -> None:
    deliveries = [
        {"delivered_us": 5, "overtaken": "other replicas"},
        {
            "account": 0,
            "endpoint": 16,
            "copy": "sync",
            "delivered_us": 6,
            "repeated": 1,
            "repeat_cause": "twice",
        },
        {"account": 1, "endpoint": 17, "outcome": "waiting", "reason": "in the swarm"},
        {"account": 1, "endpoint": 18, "outcome": "lost", "reason": "no node holds it"},
        {"account": 2, "endpoint": 14, "copy": "beyond", "delivered_us": 7},
    ]
    replicates = [make_replicate(seed=k, deliveries=deliveries) for k in range(3)]
    found = named(readings(replicates), "delivery")
    devices = found["on every device"]
    assert devices.value == pytest.approx(2 / 3)
    assert devices.counts["waiting"] == devices.counts["lost: no node holds it"] == 3
    later = found["shown after a later one"]
    assert later.value == pytest.approx(1 / 3)
    assert later.counts == {"shown": 9, "overtaken": 3, "other replicas": 3}
    assert found["shown once more"].counts == {"shown": 9, "repeated": 3, "twice": 3}
    assert found["delivered"].value == 1.0  # of the reader's devices one has it


def test_delivery_without_loss_is_bounded_and_not_certain(make_replicate: Make) -> None:
    messages = [{"sender": k % 4} for k in range(40)]
    one = named(readings([make_replicate(messages=messages)]), "delivery")["delivered"]
    assert (one.value, one.high, one.n, one.n_unit) == (1.0, 1.0, 4, "account")
    assert one.low == pytest.approx(0.05 ** (1 / 4))


def test_latency_splits_at_the_moment_of_storage(make_replicate: Make) -> None:
    def seed(number: int, shift: int) -> Replicate:
        times = {"intent_us": 2 * SECOND, "stored_us": 3 * SECOND, "delivered_us": 5 * SECOND + shift}
        late = {**times, "outcome": "waiting", "delivered_us": -1}
        return make_replicate(seed=number, messages=[times] * 20 + [late, {**times, "measured": False}])

    found = named(readings([seed(1, 0), seed(2, 3), seed(3, 6)]), "latency")
    assert found["intent to stored, mean"].value == pytest.approx(SECOND)
    assert found["intent to stored, mean"].counts["messages"] == 63  # the one never delivered was stored
    assert found["end to end, mean"].value == pytest.approx(3 * SECOND + 3)
    assert found["end to end, p50"].value == pytest.approx(3 * SECOND + 3)
    assert (found["end to end, p95"].value, found["end to end, p95"].needed) == (None, 200)
    assert found["end to end, p99"].needed == 1000


def test_delivery_seen_before_the_senders_answer_took_no_time(make_replicate: Make) -> None:
    message = {"intent_us": 2 * SECOND, "stored_us": 4 * SECOND, "delivered_us": 3 * SECOND}
    counts = tally(make_replicate(messages=[message])).counts["latency"]
    assert counts.samples["stored to delivered"].tolist() == [0.0]
    assert counts.samples["end to end"].tolist() == [SECOND]


def test_traffic_counts_both_directions_of_watched_clients_by_cause(make_replicate: Make) -> None:
    rows = [
        (2 * SECOND, 12, 0, 1000, Cause.POLL),
        (3 * SECOND, 0, 12, 500, Cause.POLL),
        (4 * SECOND, 13, 0, 300, Cause.MESSAGE),
        (5 * SECOND, 0, 3, 700, Cause.REPLICATION),
        (0, 12, 0, 9999, Cause.POLL),  # before the measured phase
        (5 * SECOND, 14, 0, 8888, Cause.POLL),  # a client nobody watches, seen at the guard
    ]
    replicates = [make_replicate(seed=k, rows=rows, watched=frozenset({0, 12, 13})) for k in range(3)]
    found = named(readings(replicates), "traffic")
    per_day = 86_400 / 10  # ten measured seconds
    assert found["client links, poll"].value == pytest.approx(1500 / 2 * per_day)
    assert found["client links, message"].value == pytest.approx(300 / 2 * per_day)
    assert found["client links, total"].value == pytest.approx(1800 / 2 * per_day)
    assert found["client links, replication"].value == 0
    assert found["client links, poll"].counts["watched clients"] == 6
    assert found["desktop clients, poll"].value == pytest.approx(1500 / 2 * per_day)
    assert found["node links, replication"].value == pytest.approx(700 * per_day)
    assert found["node links, poll"].value == 0


def test_every_device_of_an_account_is_a_client_of_its_own_in_the_mean(make_replicate: Make) -> None:
    rows = [(2 * SECOND, 12, 0, 1000, Cause.POLL), (3 * SECOND, 16, 1, 600, Cause.POLL)]
    replicates = [make_replicate(seed=k, rows=rows, watched=frozenset({12, 16}), further=0) for k in range(3)]
    found = named(readings(replicates), "traffic")
    per_day = 86_400 / 10
    assert found["client links, poll"].value == pytest.approx(1600 / 2 * per_day)
    assert found["desktop clients, poll"].value == pytest.approx(1000 * per_day)
    assert found["ios clients, poll"].value == pytest.approx(600 * per_day)
    counts = found["client links, poll"].counts
    assert (counts["watched clients"], counts["clients"]) == (6, 15)


def test_an_account_stands_behind_the_guards_and_the_addresses_of_all_its_devices(
    make_replicate: Make,
) -> None:
    facts = (
        fact(Relation.ACTS_FOR, "addr:244.0.4.1", IDS[1]),
        fact(Relation.ACTS_FOR, "addr:244.0.4.1", IDS[0]),
    )
    positions = {"eve": Position(operated=frozenset({8, 1}))}
    replicate = make_replicate(positions=positions, ledgers={"eve": facts}, further=1)
    found = named(readings([replicate]), "coalition-coverage")
    assert found["eve: bad guard"].value == 0.5  # node 1 for account 0, node 8 for account 1
    found = named(readings([replicate]), "who-learned-what")
    assert found["eve: S6"].counts["known"] == 1
    assert found["eve: contradicted facts"].value == 1
    assert found["eve: S6"].counts["ceiling"] == 2  # nodes 1 and 8 are also replicas of accounts 1 and 0


def test_a_device_that_is_operated_gives_its_account_away(make_replicate: Make) -> None:
    positions = {"eve": Position(operated=frozenset({16}))}
    replicate = make_replicate(positions=positions, ledgers={"eve": ()}, further=2)
    assert named(readings([replicate]), "who-learned-what")["eve: S6"].counts["ceiling"] == 1


def test_traffic_of_nobody_watched_is_no_number(make_replicate: Make) -> None:
    found = named(readings([make_replicate(seed=k) for k in range(3)]), "traffic")
    assert found["client links, total"].value is None
    assert found["client links, total"].needed == 3


def test_coverage_counts_accounts_by_replica_and_guard(make_replicate: Make) -> None:
    # Accounts 0 and 2 have the even nodes as swarm; guards are 0 1, 2 3, 4 5, 6 7.
    positions = {"two": Position(operated=frozenset({0, 3, 12})), "wire": Position(tapped=frozenset({12}))}
    found = named(readings([make_replicate(positions=positions)]), "coalition-coverage")
    assert found["two: bad replica"].value == 1.0
    assert found["two: bad guard"].value == 0.5
    assert found["two: both"].value == 0.5
    assert found["two: bad guard"].counts["bad nodes"] == 2  # the client's device is no node
    # 12 nodes, 2 bad: C(10, 2)/C(12, 2) = 45/66 miss both guards.
    assert found["two: bad guard"].baseline == pytest.approx(1 - 45 / 66)
    assert found["two: bad replica"].baseline == pytest.approx(1 - 15 / 66)
    assert not any(name.startswith("wire") for name in found)


def test_random_coalitions_come_out_at_the_closed_form(make_replicate: Make) -> None:
    found = named(readings([make_replicate(seed=k) for k in range(4)]), "coalition-coverage")
    for name, reading in found.items():
        assert reading.value is not None
        assert reading.low is not None
        assert reading.high is not None
        assert reading.baseline is not None
        width = reading.high - reading.low
        assert reading.low - width <= reading.baseline <= reading.high + width, name
    assert found["random coalition of 1 %: both"].value == 0  # 1 % of 12 nodes is none


def ledger_of_the_first_pair() -> tuple[Fact, ...]:
    return (
        fact(Relation.SENT, ADDRESSES[0], "message:h0"),
        fact(Relation.ADDRESSED_TO, "message:h0", IDS[1]),
        fact(Relation.ADDRESSED_TO, "message:s0", IDS[0]),
        fact(Relation.SENT, ADDRESSES[0], "message:s0"),
        fact(Relation.WRITTEN_BY, "message:h0", IDS[0]),
        fact(Relation.FETCHED, ADDRESSES[1], "message:h0"),
        fact(Relation.TALKS_TO, IDS[0], IDS[1]),
        fact(Relation.ACTS_FOR, ADDRESSES[0], IDS[0]),
        fact(Relation.ONLINE, IDS[2]),
        fact(Relation.ONLINE, ADDRESSES[3]),
        fact(Relation.HAS_SIZE, "message:h0", "bytes:398"),
        fact(Relation.STAMPED, "message:h0", "ms:1"),
    )


MESSAGES = [
    {"sync_hash": "s0"},
    {"sender": 1, "recipient": 0},
    {"sender": 2, "recipient": 3, "measured": False},
]


def test_each_secret_needs_its_own_relation(make_replicate: Make) -> None:
    ledgers = {"eve": ledger_of_the_first_pair(), "idle": ()}
    found = named(readings([make_replicate(messages=MESSAGES, ledgers=ledgers)]), "who-learned-what")
    known = {name: reading.counts["known"] for name, reading in found.items() if "known" in reading.counts}
    for secret, (number, total, of) in {
        "S1-named": (0, 2, "messages"), "S2-named": (0, 2, "messages"), "S6-named": (0, 4, "accounts"),
        "S1": (1, 2, "messages"), "S1-sync": (1, 1, "sync copies"), "S2": (1, 2, "messages"),
        "S3": (1, 2, "messages"),
        "S4": (1, 2, "messages"),
        "S5": (1, 2, "contacts"), "S6": (1, 4, "accounts"), "S7": (1, 4, "accounts"),
        "S7-address": (1, 4, "accounts"), "S10": (1, 2, "messages"),
    }.items():  # fmt: skip
        assert known[f"eve: {secret}"] == number, secret
        assert found[f"eve: {secret}"].counts[of] == total, secret
        assert known[f"idle: {secret}"] == 0
    assert found["eve: contradicted facts"].value == 0
    assert found["idle: S6"].high == pytest.approx(1 - 0.5101, abs=1e-3)  # Wilson for 0 of 4


def test_signals_and_groups_are_checked_and_not_counted(make_replicate: Make) -> None:
    messages = [
        {"kind": "typing", "sync_hash": "s0"},
        {"kind": "group-text", "recipient": -1, "group": 3},
        {"sender": 1, "recipient": 2},
    ]
    facts = (
        fact(Relation.SENT, ADDRESSES[0], "message:h0"),
        fact(Relation.ADDRESSED_TO, "message:h0", IDS[1]),
        fact(Relation.SENT, ADDRESSES[0], "message:h1"),
        fact(Relation.ADDRESSED_TO, "message:h1", "account:03" + "a" * 64),
        fact(Relation.FETCHED, ADDRESSES[2], "message:h1"),
        fact(Relation.ADDRESSED_TO, "message:h1", IDS[0]),  # wrong: it is the group's
    )
    replicate = make_replicate(messages=messages, ledgers={"eve": facts}, deliveries=[{"message": 2}])
    found = named(readings([replicate]), "who-learned-what")
    for secret, of in (
        ("S1", "messages"),
        ("S3", "messages"),
        ("S4", "messages"),
        ("S1-sync", "sync copies"),
    ):
        assert found[f"eve: {secret}"].counts["known"] == 0
        assert found[f"eve: {secret}"].counts[of] == (secret != "S1-sync")
    assert found["eve: contradicted facts"].value == 1


def test_a_blind_guess_has_as_many_candidates_as_there_are(make_replicate: Make) -> None:
    replicates = [make_replicate(seed=k, messages=MESSAGES, ledgers={"eve": ()}) for k in range(3)]
    found = named(readings(replicates), "who-learned-what")
    assert found["eve: S6"].baseline == 1 / 4  # any of the four addresses
    assert found["eve: S1"].baseline == 1 / 4
    assert found["eve: S5"].baseline == pytest.approx(1 / 3)  # nobody is a contact of their own
    assert found["eve: S10"].baseline is None


def test_the_ceiling_of_links_counts_accounts_seen_from_both_sides_or_from_their_device(
    make_replicate: Make,
) -> None:
    # Accounts 0 and 2 have the even nodes as swarm; guards are 0 1, 2 3, 4 5, 6 7; devices are 12 to 15.
    for operated, ceiling in {(): 0, (0,): 1, (1, 2): 2, (0, 4, 6): 2, (13,): 1, (0, 12, 13): 2}.items():
        positions = {"eve": Position(operated=frozenset(operated))}
        replicate = make_replicate(positions=positions, ledgers={"eve": ()})
        found = named(readings([replicate]), "who-learned-what")
        assert found["eve: S6"].counts["ceiling"] == ceiling, operated


@pytest.mark.parametrize(
    "wrong",
    [
        fact(Relation.SENT, ADDRESSES[1], "message:h0"),
        fact(Relation.SENT, ADDRESSES[0], "message:never"),
        fact(Relation.ADDRESSED_TO, "message:h0", IDS[0]),
        fact(Relation.ADDRESSED_TO, "message:s0", IDS[1]),
        fact(Relation.WRITTEN_BY, "message:h0", IDS[3]),
        fact(Relation.FETCHED, ADDRESSES[0], "message:h0"),
        fact(Relation.TALKS_TO, IDS[0], IDS[3]),
        fact(Relation.ACTS_FOR, ADDRESSES[0], IDS[1]),
        fact(Relation.ACTS_FOR, "addr:1.2.3.4", "account:unknown"),
        fact(Relation.ONLINE, "addr:1.2.3.4"),
        fact(Relation.HAS_SIZE, "message:h0", "bytes:10"),
        fact(Relation.STAMPED, "message:never", "ms:1"),
    ],
    ids=lambda wrong: f"{wrong.relation} {wrong.subject[:14]} {wrong.object[:14]}",
)
def test_a_fact_that_truth_contradicts_is_flagged_and_is_no_knowledge(
    make_replicate: Make, wrong: Fact
) -> None:
    replicate = make_replicate(messages=MESSAGES, ledgers={"eve": (wrong,)})
    found = named(readings([replicate]), "who-learned-what")
    assert found["eve: contradicted facts"].value == 1
    assert all(reading.counts.get("known", 0) == 0 for reading in found.values())


def test_a_coalition_that_knows_less_than_its_member_is_flagged(make_replicate: Make) -> None:
    positions = {"small": Position(operated=frozenset({0})), "large": Position(operated=frozenset({0, 1}))}
    ledgers = {"small": ledger_of_the_first_pair(), "large": ledger_of_the_first_pair()[:-4]}
    replicate = make_replicate(messages=MESSAGES, positions=positions, ledgers=ledgers)
    found = named(readings([replicate]), "who-learned-what")
    assert found["large: secrets lost by joining"].value == 3
    assert found["small: secrets lost by joining"].value == 0


def test_without_kept_bytes_nothing_is_said_about_knowledge(make_replicate: Make) -> None:
    assert named(readings([make_replicate()]), "who-learned-what") == {}


def test_readings_do_not_depend_on_the_order_of_seeds(make_replicate: Make) -> None:
    messages = [{"sender": k % 4, "stored_us": (3 + k % 3) * SECOND} for k in range(30)]
    tallies = [tally(make_replicate(seed=k, messages=messages[k:])) for k in range(4)]
    assert readings_of(tallies) == readings_of(tallies[::-1])


def test_one_seed_twice_is_refused(make_replicate: Make) -> None:
    with pytest.raises(LocalProtocolError, match="two replicates of one seed"):
        readings([make_replicate(seed=5), make_replicate(seed=5)])


def test_counts_of_two_shards_add_up() -> None:
    a = Counts({"x": np.array([1.0, 2.0])}, {"v": np.array([1.0])})
    b = Counts({"x": np.array([3.0, 4.0]), "y": np.array([5.0])}, {"v": np.array([2.0])})
    both = a + b
    assert both.sums["x"].tolist() == [4.0, 6.0]
    assert both.total("y") == 5.0
    assert both.samples["v"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="shapes"):
        a + Counts({"x": np.array([1.0])})


@pytest.mark.parametrize(
    "change",
    [
        {"low": 0.6},
        {"high": 1.2},
        {"low": None},
        {"value": None},
        {"needed": 3},
        {"baseline": -0.1},
        {"n": -1},
    ],
)
def test_a_reading_that_contradicts_itself_is_refused(change: dict[str, float | None]) -> None:
    sound = {
        "metric": "m", "name": "x", "unit": "prob", "value": 0.5, "low": 0.4, "high": 0.6,
        "interval": "i", "n": 3,
        "n_unit": "seed", "baseline": 0.1, "baseline_name": "b", "needed": None, "counts": {},
    }  # fmt: skip
    check(Reading(**sound))  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="contradicts itself"):
        check(Reading(**{**sound, **change}))  # type: ignore[arg-type]


def test_a_reading_that_asks_for_no_more_than_there_is_is_refused() -> None:
    found = Reading("m", "x", "prob", None, None, None, "i", 2, "seed", None, "", 3, {})
    check(found)
    with pytest.raises(LocalProtocolError, match="contradicts itself"):
        check(replace(found, n=3))
