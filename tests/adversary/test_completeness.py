"""Nothing certain is missed on a real run: the ledger against what a coalition must see, counted from truth.

An answer is one byte string on all four links of its path, so the rows of a fully recorded run show, without
opening anything, which client asked which replica through which guard. A coalition with that guard and that
replica can link the client's address with what was asked, and no other coalition of nodes can.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest

from sessionsim.core.columns import Cause, split_note
from sessionsim.core.ledger import Relation

PLATFORMS = ("desktop", "android", "ios", "desktop", "android", "ios")


class Onion(NamedTuple):
    """One exchange, from truth. Args: replica: the node that answered; ref: message number or -1."""

    client: int
    guard: int
    replica: int
    cause: Cause
    ref: int


def onions(run: Any) -> list[Onion]:
    table, n_nodes = run.records.table(), len(run.nodes)
    causes, refs = split_note(table["note"])
    ways: dict[int, list[int]] = defaultdict(list)
    own = (Cause.MESSAGE, Cause.SYNC, Cause.POLL)
    for row in np.flatnonzero((table["direction"] == 1) & np.isin(causes, own)).tolist():
        ways[int(table["blob"][row])].append(row)
    found = []
    for rows in ways.values():
        src, dst = table["src"][rows].tolist(), table["dst"][rows].tolist()
        if len(rows) == 4:  # else the run ended before the answer had come back
            (home,) = [k for k in range(4) if dst[k] >= n_nodes]
            first = min(range(4), key=lambda k: int(table["t_sent_us"][rows[k]]))
            cause, ref = Cause(int(causes[rows[0]])), int(refs[rows[0]])
            found.append(Onion(dst[home], src[home], src[first], cause, ref))
    return found


@pytest.mark.parametrize("draw", range(6))
def test_a_coalition_of_nodes_links_what_passed_its_guard_and_its_replica_and_nothing_else(
    perform: Any, draw: int
) -> None:
    run = perform(PLATFORMS)
    operated = np.random.default_rng(draw).choice(len(run.nodes), (6, 12, 18)[draw % 3], replace=False)
    bad, accounts, messages = set(operated.tolist()), run.truth.accounts, run.truth.messages
    ends = run.truth.devices["endpoint"].tolist()
    account = dict(zip(ends, (f"account:{name}" for name in accounts["account_id"]), strict=True))
    address = {end: f"addr:{run.view((), tapped=[end]).addresses[end]}" for end in ends}
    linked, sent = set(), set()
    for onion in onions(run):
        if onion.guard in bad and onion.replica in bad:
            if onion.cause is Cause.POLL:
                linked.add((address[onion.client], account[onion.client]))
            else:
                column = "hash" if onion.cause is Cause.MESSAGE else "sync_hash"
                sent.add((address[onion.client], f"message:{messages[column][onion.ref]}"))
    facts = run.facts(sorted(bad))
    held = {
        relation: {(fact.subject, fact.object) for fact in facts if fact.relation is relation}
        for relation in (Relation.ACTS_FOR, Relation.SENT)
    }
    assert held[Relation.ACTS_FOR] == linked
    assert held[Relation.SENT] == sent
    assert linked or draw % 3 == 0  # the comparison is about something


def test_every_node_together_links_every_address_every_message_and_every_pair(perform: Any) -> None:
    run = perform(PLATFORMS)
    facts = run.facts(run.nodes)
    acting = {fact.object for fact in facts if fact.relation is Relation.ACTS_FOR}
    assert acting == {f"account:{name}" for name in run.truth.accounts["account_id"]}
    stored = run.truth.messages["stored_us"] >= 0
    sent = {fact.object for fact in facts if fact.relation is Relation.SENT}
    assert {f"message:{name}" for name in run.truth.messages["hash"][stored]} <= sent
    arrived = run.truth.messages["delivered_us"] >= 0
    fetched = {fact.object for fact in facts if fact.relation is Relation.FETCHED}
    assert arrived.any()
    assert {f"message:{name}" for name in run.truth.messages["hash"][arrived]} <= fetched
    talks = {(fact.subject, fact.object) for fact in facts if fact.relation is Relation.TALKS_TO}
    names = [f"account:{name}" for name in run.truth.accounts["account_id"]]
    pairs = zip(run.truth.messages["sender"], run.truth.messages["recipient"], strict=True)
    assert talks == {(names[a], names[b]) for a, b in pairs}
