"""The structural table of metrics 2i, row by row, on one hand-driven message.

client 0 -> guard 0 -> middle 1 -> last 2 -> replica 12, replicated to 13-15, the answer back the same way.
Each row is a node in that one role.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from sessionsim.adversary import Closure, Exchange, claims, deduce, emergent, exchanges
from sessionsim.core.columns import HEADS
from sessionsim.core.ledger import Relation
from sessionsim.core.view import View

GUARD, MIDDLE, LAST, REPLICA, OTHER = 0, 1, 2, 12, 13
ROUTE = (GUARD, MIDDLE, LAST, REPLICA)
ALICE, BOB = 16, 17
CIPHERS = {"desktop": "aes-gcm", "libsession": "xchacha20"}  # transport 3.1


@pytest.fixture
def sent(stage: Any) -> Any:
    stage.hash = stage.store(0, 1, ROUTE)
    return stage


def words(facts: list[Any]) -> set[str]:
    return {word for fact in facts for word in (fact.subject, fact.object)}


def kinds(facts: list[Any]) -> set[str]:
    return {word.partition(":")[0] for word in words(facts) if word}


def ends(view: View) -> set[int]:
    return set(view.rows["src"].tolist()) | set(view.rows["dst"].tolist())


def test_first_hop_sees_the_sender_address_and_no_account(sent: Any) -> None:
    facts = sent.facts([GUARD])
    assert claims(facts) == {
        (Relation.ONLINE, sent.address(0), ""),
        (Relation.SHOWS, sent.address(0), "transport:https"),
        (Relation.SHOWS, sent.address(0), f"cipher:{CIPHERS[sent.style.name]}"),
    }
    (exchange,) = sent.exchanges(GUARD)
    assert exchange.clients == {ALICE}
    assert exchange.nodes == {GUARD, MIDDLE}
    assert exchange.calls is None


def test_middle_sees_neither(sent: Any) -> None:
    assert sent.facts([MIDDLE]) == []
    (exchange,) = sent.exchanges(MIDDLE)
    assert not exchange.clients
    assert exchange.nodes == {GUARD, MIDDLE, LAST}


def test_last_hop_sees_the_replica_and_not_the_account(sent: Any) -> None:
    assert sent.facts([LAST]) == []
    (exchange,) = sent.exchanges(LAST)
    assert not exchange.clients
    assert exchange.nodes == {MIDDLE, LAST, REPLICA}
    assert exchange.calls is None


def test_replica_sees_recipient_size_and_time_and_not_the_sender(sent: Any) -> None:
    facts = sent.facts([REPLICA])
    message = f"message:{sent.hash}"
    assert {fact.relation for fact in facts} == {
        Relation.ADDRESSED_TO,
        Relation.HAS_SIZE,
        Relation.HAS_TTL,
        Relation.STAMPED,
        Relation.SHOWS,
        Relation.SEEN,
    }
    assert (Relation.SHOWS, message, "form:{1=1 2{1 2 3{1=6 5 7=1 8 11} 4=0}}") in claims(facts)
    assert (Relation.ADDRESSED_TO, message, sent.account(1)) in claims(facts)
    assert (Relation.HAS_SIZE, message, "bytes:398") in claims(facts)
    assert (Relation.HAS_TTL, message, "ms:1209600000") in claims(facts)
    assert sent.account(0) not in words(facts)
    assert "addr" not in kinds(facts)
    (onion,) = [e for e in sent.exchanges(REPLICA) if LAST in e.nodes]
    assert onion.nodes == {LAST, REPLICA}
    assert GUARD not in ends(sent.view([REPLICA]))


def test_other_replica_sees_the_message_and_no_way_it_came(sent: Any) -> None:
    assert claims(sent.facts([OTHER])) == claims(sent.facts([REPLICA]))
    assert ends(sent.view([OTHER])) == {REPLICA, OTHER}


def test_recipient_sees_the_sender_account_and_not_its_address(sent: Any) -> None:
    sent.poll(1, (4, 5, 6, 14))
    facts = sent.facts([BOB])
    message = f"message:{sent.hash}"
    assert (Relation.WRITTEN_BY, message, sent.account(0)) in claims(facts)
    assert (Relation.TALKS_TO, sent.account(0), sent.account(1)) in claims(facts)
    assert (Relation.FETCHED, sent.address(1), message) in claims(facts)
    assert sent.address(0) not in words(facts)


def test_first_hop_and_contacted_replica_are_linked_by_the_response(sent: Any) -> None:
    joint = sent.facts([GUARD, REPLICA])
    message = f"message:{sent.hash}"
    surplus = emergent([sent.facts([GUARD]), sent.facts([REPLICA])], joint)
    assert claims(surplus) == {
        (Relation.SENT, sent.address(0), message),
        (Relation.NAMED, sent.address(0), sent.account(1)),
    }
    to_guard = -2  # the last row but one brings the answer from the middle to the guard
    for fact in surplus:
        assert any("answer ciphertext" in step for step in fact.derivation)
        assert fact.t_us == int(sent.records.table()["t_recv_us"][to_guard])


def test_request_direction_alone_links_nothing(make_stage: Any) -> None:
    stage = make_stage("sodium", "desktop")
    stage.hash = stage.store(0, 1, ROUTE)
    view = stage.view([GUARD, REPLICA])
    asking = view.rows["direction"] == 0
    rows = {name: values[asking] for name, values in view.rows.items()}
    facts = deduce(View("eve", view.suite, rows, view.blobs, view.keys, view.nodes, view.own, view.addresses))
    assert not emergent([stage.facts([GUARD]), stage.facts([REPLICA])], facts)
    first, second = seen_bytes(stage.view([GUARD]), 0), seen_bytes(stage.view([REPLICA]), 0)
    assert shared(first, second) == set()


def test_first_hop_and_other_replica_have_nothing_in_common(sent: Any) -> None:
    joint = sent.facts([GUARD, OTHER])
    assert emergent([sent.facts([GUARD]), sent.facts([OTHER])], joint) == []
    assert shared(seen_bytes(sent.view([GUARD])), seen_bytes(sent.view([OTHER]))) == set()


def test_first_hop_and_contacted_replica_do_share_bytes(sent: Any) -> None:
    # The comparison of the tests above can fail.
    assert shared(seen_bytes(sent.view([GUARD])), seen_bytes(sent.view([REPLICA])))


def seen_bytes(view: View, direction: int | None = None) -> list[bytes]:
    return [
        view.blobs[blob]
        for blob, way in zip(view.rows["blob"].tolist(), view.rows["direction"].tolist(), strict=True)
        if direction is None or way == direction
    ]


# What every message of a kind carries: field names and framing. Not secret, the same in all exchanges.
PUBLIC = (
    b'{"ephemeral_key":"', b'"enc_type":"xchacha20","ephemeral_key":"',
    b"8:enc_type9:xchacha2013:ephemeral_key32:", b"8:enc_type7:aes-gcm13:ephemeral_key32:",
)  # fmt: skip


def shared(first: list[bytes], second: list[bytes], width: int = 16) -> set[bytes]:
    """Give the substrings of 16 bytes that occur on both sides and are no public constants."""
    windows = [
        {text[i : i + width] for text in side for i in range(len(text) - width + 1)}
        for side in (first, second)
    ]
    return {
        common for common in windows[0] & windows[1] if not any(common in constant for constant in PUBLIC)
    }


def test_guard_of_both_people_and_two_replicas_know_who_talks_to_whom(sent: Any) -> None:
    sent.poll(0, (GUARD, 5, 6, 8))
    joint = sent.facts([GUARD, REPLICA, 8])
    talks = [fact for fact in joint if fact.relation is Relation.TALKS_TO]
    assert [(fact.subject, fact.object) for fact in talks] == [(sent.account(0), sent.account(1))]
    assert (Relation.ACTS_FOR, sent.address(0), sent.account(0)) in claims(joint)


def test_tap_of_the_sender_sees_presence_only(sent: Any) -> None:
    assert claims(sent.facts(tapped=[ALICE])) == {
        (Relation.ONLINE, sent.address(0), ""),
        (Relation.SHOWS, sent.address(0), "transport:https"),
    }


# The same table on the bytes of the real machines: one message's transmissions, cut out of a run.


class Cut(NamedTuple):
    """One message of a run. Args: rows: its transmissions; roles: guard, middle, last, replica, another."""

    run: Any
    hash: str
    rows: list[int]
    roles: tuple[int, ...]

    def facts(self, *roles: int) -> list[Any]:
        return self.run.facts([self.roles[role] for role in roles], rows=self.rows)

    def view(self, *roles: int) -> View:
        return self.run.view([self.roles[role] for role in roles], rows=self.rows)


@pytest.fixture(params=[("desktop", "fast"), ("ios", "sodium")], ids=lambda param: "-".join(param))
def cut(request: Any, perform: Any) -> Cut:
    platform, suite = request.param
    run = perform((platform,) * 6, suite)
    every = exchanges(Closure(run.view(run.nodes), run.transcript))
    hash_, exchange = single_roles(run, every)
    sightings = exchange.sightings
    route = [seen.dst for seen in sightings if seen.direction == 0]
    forwards = [
        other.sightings
        for other in every
        if other.sightings[0].head == HEADS.index("sn.storage_cc") and other.sightings[0].src == route[-1]
        if sightings[3].t_us <= other.sightings[0].t_us <= sightings[4].t_us
    ]
    assert len(route) == 4
    assert forwards
    rows = sorted({seen.row for some in (sightings, *forwards) for seen in some})
    return Cut(run, hash_, rows, (*route, forwards[0][0].dst))


def single_roles(run: Any, every: list[Exchange]) -> tuple[str, Exchange]:
    """Find a message of the run whose relays are no replicas of it."""
    hashes = set(run.truth.messages["hash"].tolist())
    for exchange in every:
        if not exchange.clients or exchange.results is None:
            continue
        route = [seen.dst for seen in exchange.sightings if seen.direction == 0]
        swarms = {run.world.nodes.swarm[node] for node in route[:3]}
        stored = {result.fields.get("hash") for result in exchange.results} & hashes
        if stored and run.world.nodes.swarm[route[3]] not in swarms:
            return stored.pop(), exchange
    raise AssertionError("no message of this run has relays outside its swarm; change the seed")


def test_structural_table_on_the_real_machines(cut: Cut) -> None:
    message = f"message:{cut.hash}"
    guard, middle, last, replica, other = (cut.facts(role) for role in range(5))
    assert {(fact.relation, kind_of(fact.subject)) for fact in guard} == {
        (Relation.ONLINE, "addr"),
        (Relation.SHOWS, "addr"),  # transport and cipher
    }
    assert middle == []
    assert last == []
    about = {Relation.ADDRESSED_TO, Relation.HAS_SIZE, Relation.HAS_TTL, Relation.STAMPED, Relation.SHOWS}
    assert {fact.relation for fact in replica if fact.relation is not Relation.SEEN} == about
    assert {fact.subject for fact in replica if fact.relation is not Relation.SEEN} == {message}
    (inbox,) = {fact.object for fact in replica if fact.relation is Relation.ADDRESSED_TO}
    assert {fact.subject for fact in replica if fact.relation is Relation.SEEN} == {inbox}
    assert claims(other) == claims(replica)
    joint = cut.facts(0, 3)
    surplus = emergent([guard, replica], joint)
    assert {(fact.relation, kind_of(fact.subject), fact.object) for fact in surplus} == {
        (Relation.SENT, "addr", message),
        (Relation.NAMED, "addr", inbox),
    }
    assert any("answer ciphertext" in step for step in surplus[0].derivation)
    assert emergent([guard, other], cut.facts(0, 4)) == []


def test_guard_and_other_replica_share_no_bytes_of_the_real_machines(cut: Cut) -> None:
    assert shared(seen_bytes(cut.view(0)), seen_bytes(cut.view(4))) == set()
    assert shared(seen_bytes(cut.view(0), 0), seen_bytes(cut.view(3), 0)) == set()
    assert shared(seen_bytes(cut.view(0)), seen_bytes(cut.view(3)))


def kind_of(term: str) -> str:
    return term.partition(":")[0]
