from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.adversary import claims, deduce, emergent
from sessionsim.core.ledger import Relation
from sessionsim.core.scene import Position, Taking
from sessionsim.core.view import View

GUARD, REPLICA, OWN_REPLICA = 0, 12, 8
OUT, IN = (GUARD, 1, 2, REPLICA), (GUARD, 5, 6, OWN_REPLICA)


def relations(facts: Any) -> set[Relation]:
    return {fact.relation for fact in facts}


def at_first_hop(stage: Any) -> set[tuple[Relation, str, str]]:
    """Give what every first hop knows of client 0."""
    address = stage.address(0)
    cipher = {"desktop": "aes-gcm", "libsession": "xchacha20"}[stage.style.name]
    return {
        (Relation.ONLINE, address, ""),
        (Relation.SHOWS, address, "transport:https"),
        (Relation.SHOWS, address, f"cipher:{cipher}"),
    }


def test_signed_poll_ties_address_to_account(stage: Any) -> None:
    stage.poll(0, IN)
    joint = stage.claims(GUARD, OWN_REPLICA)
    assert (Relation.ACTS_FOR, stage.address(0), stage.account(0)) in joint
    assert (Relation.ONLINE, stage.account(0), "") in stage.claims(OWN_REPLICA)
    assert (Relation.ONLINE, stage.account(0), "") not in stage.claims(GUARD)


def test_forged_signature_proves_nothing(stage: Any) -> None:
    stage.poll(0, IN, forged=True)
    assert stage.claims(GUARD, OWN_REPLICA) == {
        *at_first_hop(stage),
        (Relation.SEEN, stage.account(0), ""),
        (Relation.NAMED, stage.address(0), stage.account(0)),  # whoever it is, it asked about this account
    }


def test_refused_store_was_not_sent(stage: Any) -> None:
    stage.store(0, 1, OUT, status=406, replicate=False)
    found = relations(stage.facts((GUARD, REPLICA)))
    assert Relation.SENT not in found
    assert Relation.ADDRESSED_TO in found


def test_fetched_messages_go_to_the_address(stage: Any) -> None:
    hash_ = stage.store(0, 1, OUT)
    stage.poll(1, (3, 4, 5, 13))
    joint = stage.claims(3, 13)
    assert (Relation.FETCHED, stage.address(1), f"message:{hash_}") in joint
    assert (Relation.FETCHED, stage.address(1), f"message:{hash_}") not in stage.claims(13)


def test_route_through_the_destination_tells_one_node_both_ends(stage: Any) -> None:
    # Android does not keep the destination out of its path (transport 4): one node is guard and replica.
    stage.poll(0, (8, 5, 6, 8))
    assert (Relation.ACTS_FOR, stage.address(0), stage.account(0)) in stage.claims(8)


def test_connection_with_one_signer_names_the_writer(stage: Any) -> None:
    hash_ = stage.store(0, 1, OUT)
    without = stage.claims(GUARD, REPLICA, OWN_REPLICA)
    assert not any(relation is Relation.WRITTEN_BY for relation, _, _ in without)
    stage.poll(0, IN)
    joint = stage.claims(GUARD, REPLICA, OWN_REPLICA)
    assert (Relation.WRITTEN_BY, f"message:{hash_}", stage.account(0)) in joint
    assert (Relation.TALKS_TO, stage.account(0), stage.account(1)) in joint


def test_connection_with_two_signers_names_nobody(stage: Any) -> None:
    stage.store(0, 1, OUT)
    stage.poll(0, IN)
    stage.accounts[0], stage.accounts[1] = stage.accounts[1], stage.accounts[0]
    stage.poll(0, (GUARD, 5, 6, REPLICA))  # the other account signs from the same connection
    found = relations(stage.facts((GUARD, REPLICA, OWN_REPLICA)))
    assert Relation.WRITTEN_BY not in found
    assert Relation.TALKS_TO not in found


def test_different_guards_are_not_joined(stage: Any) -> None:
    stage.store(0, 1, OUT)
    stage.poll(0, (3, 5, 6, OWN_REPLICA))
    assert Relation.WRITTEN_BY not in relations(stage.facts((GUARD, 3, REPLICA, OWN_REPLICA)))


def test_account_key_opens_what_a_replica_keeps(stage: Any) -> None:
    hash_ = stage.store(0, 1, OUT)
    joint = stage.claims(13, 17)  # a replica and the recipient's device
    assert (Relation.WRITTEN_BY, f"message:{hash_}", stage.account(0)) in joint
    assert not any(relation is Relation.WRITTEN_BY for relation, _, _ in stage.claims(13))


def test_online_is_first_and_last_sighting(stage: Any) -> None:
    for _ in range(4):
        stage.poll(0, IN)
    online = [fact for fact in stage.facts([OWN_REPLICA]) if fact.relation is Relation.ONLINE]
    times = [int(t) for t in stage.view([OWN_REPLICA]).rows["t_us"][::2]]
    assert [fact.t_us for fact in online] == [times[0], times[-1]]
    assert all(fact.derivation[-1] == "seen 4 times in all" for fact in online)


def test_facts_are_ordered_and_each_once(stage: Any) -> None:
    stage.poll(0, IN)
    stage.store(0, 1, OUT)
    stage.store(1, 0, (3, 4, 5, 9))
    facts = stage.facts(range(16))
    keys = [(fact.t_us, fact.relation, fact.subject, fact.object) for fact in facts]
    assert keys == sorted(set(keys))
    assert len({key[1:] for key in keys if key[1] is not Relation.ONLINE}) == len(
        [key for key in keys if key[1] is not Relation.ONLINE]
    )


def test_derivations_name_only_rows_of_the_view_and_end_in_time(stage: Any) -> None:
    stage.poll(0, IN)
    stage.store(0, 1, OUT)
    view = stage.view((GUARD, REPLICA, OWN_REPLICA))
    t_of = dict(zip(view.rows["row"].tolist(), view.rows["t_us"].tolist(), strict=True))
    for fact in deduce(view):
        rows = [
            int(row)
            for step in fact.derivation
            for group in re.findall(r"rows? (\d+)(?: and (\d+))?", step)
            for row in group
            if row
        ]
        assert rows
        assert max(t_of[row] for row in rows) == fact.t_us


def test_view_without_bytes_gives_presence_only(stage: Any) -> None:
    stage.store(0, 1, OUT)
    view = stage.view(range(16))
    bare = View("eve", view.suite, view.rows, {}, view.keys, view.nodes, view.own, view.addresses)
    assert claims(deduce(bare)) == {
        (Relation.ONLINE, stage.address(0), ""),
        (Relation.SHOWS, stage.address(0), "transport:https"),
    }


def test_address_without_a_name_is_written_by_endpoint(stage: Any) -> None:
    stage.store(0, 1, OUT)
    view = stage.view([GUARD])
    nameless = View("eve", view.suite, view.rows, view.blobs, view.keys, view.nodes, view.own)
    assert {fact.subject for fact in deduce(nameless)} == {"addr:endpoint-16"}


def test_lost_answer_links_nothing(stage: Any) -> None:
    stage.store(0, 1, OUT)
    view = stage.view([GUARD, REPLICA])
    reaches_guard = (view.rows["direction"] == 1) & np.isin(view.rows["dst"], (GUARD, 16))
    partial = selected(view, ~reaches_guard)
    assert Relation.SENT not in relations(deduce(partial))


def test_answer_that_never_reached_the_client_was_not_fetched(stage: Any) -> None:
    stage.store(0, 1, OUT)
    stage.poll(1, (3, 4, 5, 13))
    view = stage.view(range(16))
    reaches_client = (view.rows["direction"] == 1) & (view.rows["dst"] == 17)
    partial = selected(view, ~reaches_client)
    assert Relation.FETCHED in relations(deduce(view))
    assert Relation.FETCHED not in relations(deduce(partial))
    assert Relation.ACTS_FOR in relations(deduce(partial))


def test_message_under_another_name_than_its_own_is_not_believed(stage: Any) -> None:
    stage.store(0, 1, OUT)
    stage.inboxes[1] = [message._replace(hash="A" * 43) for message in stage.inboxes[1]]
    stage.poll(1, (3, 4, 5, 13))
    assert Relation.FETCHED not in relations(stage.facts((3, 13)))
    assert not any("A" * 43 in subject for _, subject, _ in stage.claims(3, 13))


def test_request_that_came_from_two_addresses_ties_neither(stage: Any) -> None:
    stage.poll(0, IN)
    first = stage.view([GUARD]).blobs[0]
    stage.row(17, GUARD, 99_999, "onion_req", first)  # somebody replays what the first client sent
    found = relations(stage.facts((GUARD, OWN_REPLICA)))
    assert Relation.ONLINE in found
    assert Relation.ACTS_FOR not in found


def test_of_two_ways_to_a_fact_the_earlier_one_stays(stage: Any) -> None:
    stage.poll(0, IN)
    stage.poll(0, IN)
    view = stage.view([GUARD, OWN_REPLICA])
    order = np.argsort(view.rows["t_us"])
    half = len(order) // 2
    late = {"t_us": view.rows["t_us"].copy()}
    first_answers = order[:half][view.rows["direction"][order[:half]] == 1]
    late["t_us"][first_answers] += 1_000_000_000  # the first poll is answered long after the second
    resorted = np.argsort(late["t_us"], kind="stable")
    rows = {name: values[resorted] for name, values in {**view.rows, **late}.items()}
    slow = View("eve", view.suite, rows, view.blobs, view.keys, view.nodes, view.own, view.addresses)
    (fact,) = [fact for fact in deduce(slow) if fact.relation is Relation.ACTS_FOR]
    assert fact.t_us < 1_000_000_000


def selected(view: View, rows: Any) -> View:
    kept = {name: values[rows] for name, values in view.rows.items()}
    return View("eve", view.suite, kept, view.blobs, view.keys, view.nodes, view.own, view.addresses)


def test_emergent_facts_are_the_surplus_of_joining(stage: Any) -> None:
    stage.poll(0, IN)
    members = [stage.facts([GUARD]), stage.facts([OWN_REPLICA])]
    joint = stage.facts([GUARD, OWN_REPLICA])
    assert claims(emergent(members, joint)) == {
        (relation, stage.address(0), stage.account(0)) for relation in (Relation.ACTS_FOR, Relation.NAMED)
    }
    assert emergent([joint], joint) == []
    assert emergent([], joint) == joint


places = st.frozensets(st.integers(0, 17), max_size=8)


@pytest.fixture(scope="module")
def talk(make_stage: Any) -> Any:
    stage = make_stage()
    stage.poll(0, IN)
    stage.store(0, 1, OUT)
    stage.store(1, 0, (3, 4, 0, 9))
    stage.poll(1, (3, 4, 5, 13))
    return stage


@settings(deadline=None, max_examples=60, derandomize=True)
@given(first=places, second=places)
def test_a_coalition_knows_at_least_what_its_members_know(
    talk: Any, first: frozenset[int], second: frozenset[int]
) -> None:
    assert talk.claims(*(first | second)) >= talk.claims(*first) | talk.claims(*second)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(first=places, second=places)
def test_a_coalition_knows_no_later_than_its_members(
    talk: Any, first: frozenset[int], second: frozenset[int]
) -> None:
    joint = earliest(talk.facts(first | second))
    assert all(
        joint[claim] <= t_us
        for place in (first, second)
        for claim, t_us in earliest(talk.facts(place)).items()
    )


def earliest(facts: Any) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for fact in facts:
        found.setdefault((fact.relation, fact.subject, fact.object), fact.t_us)
    return found


def test_stolen_phrase_opens_what_an_archive_kept(stage: Any) -> None:
    """A swarm member kept a ciphertext; whoever learns the recipient's phrase later reads it then."""
    hash_ = stage.store(0, 1, (0, 1, 2, 12))
    archive, end = Position(operated=frozenset({12})), 17
    theft_us = stage.now_us + 1_000_000
    thief = Position(taken=frozenset({Taking(end, theft_us, stays=False)}))
    assert deduce(stage.at(thief)) == []
    alone, joint = deduce(stage.at(archive)), deduce(stage.at(archive | thief))
    surplus = emergent([alone, []], joint)
    assert {(fact.relation, fact.object) for fact in surplus} == {
        (Relation.HOLDS, "kind:text"),
        (Relation.WRITTEN_BY, stage.account(0)),
        (Relation.TALKS_TO, stage.account(1)),
    }
    assert {fact.t_us for fact in surplus} == {theft_us}
    assert [fact for fact in joint if fact.subject == f"message:{hash_}" and fact.t_us < theft_us]


def test_stolen_device_reads_its_own_requests_from_the_theft_on(stage: Any) -> None:
    stage.poll(1, (3, 4, 5, 13))
    theft_us = stage.now_us
    stage.poll(1, (3, 4, 6, 14))
    thief = Position(taken=frozenset({Taking(17, theft_us, stays=True)}))
    acts = [fact for fact in deduce(stage.at(thief)) if fact.relation is Relation.ACTS_FOR]
    assert [(fact.subject, fact.object) for fact in acts] == [(stage.address(1), stage.account(1))]
    assert acts[0].t_us > theft_us
