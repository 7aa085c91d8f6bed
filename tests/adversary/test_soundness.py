"""Deduction on a tiny run of the real machines, held against what really happened.

The test may look at truth; the room under test may not.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.adversary import claims
from sessionsim.adversary.observation import dotted
from sessionsim.core.ledger import Fact, Relation

HORIZON_US = 25_000_000  # as in conftest
EPOCH_MS = 1_777_000_000_000  # as in conftest
LINKING = {Relation.ACTS_FOR, Relation.SENT, Relation.FETCHED, Relation.WRITTEN_BY, Relation.TALKS_TO}
# Order of the fields of a request (client-behaviour 2.4).
DESKTOP_ORDER = (
    "shape:jsonrpc method params namespace pubkey pubkey_ed25519 signature timestamp last_hash max_size"
)
ANDROID_ORDER = "shape:method params last_hash max_size signature timestamp pubkey namespace pubkey_ed25519"
IOS_ORDER = "shape:method params last_hash max_size namespace pubkey pubkey_ed25519 signature timestamp"


@pytest.fixture(scope="module")
def run(perform: Any) -> Any:
    return perform(("desktop", "android", "ios") * 2)


@pytest.fixture(scope="module")
def sheet(run: Any) -> dict[Relation, set[tuple[str, str]]]:
    """Give everything that is true, by relation."""
    accounts, messages = run.truth.accounts, run.truth.messages
    ids = [f"account:{account}" for account in accounts["account_id"].tolist()]
    ips = run.world.endpoints["ip"].tolist()
    addresses = [f"addr:{dotted(ips[endpoint])}" for endpoint in run.truth.devices["endpoint"].tolist()]
    true: dict[Relation, set[tuple[str, str]]] = {relation: set() for relation in Relation}
    true[Relation.ACTS_FOR] = set(zip(addresses, ids, strict=True))
    platforms = run.truth.devices["platform"].tolist()
    true[Relation.SHOWS] = {*zip(addresses, platforms, strict=True), *zip(ids, platforms, strict=True)}
    true[Relation.SEEN] = {(name, "") for name in ids}
    true[Relation.NAMED] = set(zip(addresses, ids, strict=True))
    true[Relation.ASKED] = set(zip(addresses, ids, strict=True))  # for the own swarm
    true[Relation.CALLED] = {(name, f"name:Client {k:06d}") for k, name in enumerate(ids)}
    true[Relation.ONLINE] = {(subject, "") for subject in (*addresses, *ids)}
    columns = (messages[name].tolist() for name in ("sender", "recipient", "hash", "sync_hash"))
    for sender, recipient, hash_, sync in zip(*columns, strict=True):
        true[Relation.TALKS_TO].add((ids[sender], ids[recipient]))
        true[Relation.NAMED].add((addresses[sender], ids[recipient]))
        for one, other in ((sender, recipient), (sender, sender)):
            true[Relation.ASKED].add((addresses[one], ids[other]))
            true[Relation.REACHED].add((addresses[one], addresses[other]))
        true[Relation.NAMED].add((f"message:{sync}", ids[recipient]))  # for whom the copy is
        for name, inbox in ((hash_, recipient), (sync, sender)):
            message = f"message:{name}"
            true[Relation.SENT].add((addresses[sender], message))
            true[Relation.FETCHED].add((addresses[inbox], message))
            true[Relation.ADDRESSED_TO].add((message, ids[inbox]))
            true[Relation.WRITTEN_BY].add((message, ids[sender]))
            true[Relation.HOLDS].add((message, "kind:text"))
            true[Relation.HAS_TTL].add((message, f"ms:{14 * 86_400_000}"))
    return true


def true_style(fact: Fact, platforms: set[tuple[str, str]]) -> set[str]:
    """Give what the program of an address or account writes like; a message's form is that of every text."""
    platform = dict(platforms).get(fact.subject, "")
    return {
        "desktop": {"transport:https", "cipher:aes-gcm", DESKTOP_ORDER},
        "android": {"transport:https", "cipher:aes-gcm", ANDROID_ORDER},
        "ios": {"transport:quic", "cipher:xchacha20", IOS_ORDER},
        "": {"form:{1=1 2{1 2 3{1=6 5 7=1 8 11} 4=0}}"},
    }[platform]


def places(run: Any) -> list[tuple[Any, Any]]:
    first = run.clients[0]
    third = list(run.nodes)[::3]
    return [
        (run.nodes, ()),
        (third, ()),
        (third, run.clients),
        ((), run.clients),
        ((first,), ()),
        ((*third, first), ()),
        ((*run.nodes, *run.clients), ()),
        *(((node,), ()) for node in run.nodes),
    ]


def test_every_fact_is_true(run: Any, sheet: dict[Relation, set[tuple[str, str]]]) -> None:
    for operated, tapped in places(run):
        for fact in run.facts(operated, tapped):
            assert 0 <= fact.t_us <= HORIZON_US + 5_000_000
            if fact.relation is Relation.STAMPED:
                assert EPOCH_MS <= int(fact.object.removeprefix("ms:")) <= EPOCH_MS + HORIZON_US // 1000
            elif fact.relation is Relation.SHOWS:
                assert fact.object in true_style(fact, sheet[Relation.SHOWS])
            elif fact.relation is Relation.HAS_SIZE:
                assert int(fact.object.removeprefix("bytes:")) in (558, 718)  # messages 2.4, full form
            elif fact.object.startswith("file:"):  # the picture of who wrote it
                assert (fact.relation, fact.subject[:8]) == (Relation.NAMED, "message:")
            else:
                assert (fact.subject, fact.object) in sheet[fact.relation], fact


def test_all_nodes_together_know_what_was_delivered(
    run: Any, sheet: dict[Relation, set[tuple[str, str]]]
) -> None:
    known = claims(run.facts(run.nodes))
    accounts = {pair for pair in sheet[Relation.ACTS_FOR]}
    assert {(s, o) for r, s, o in known if r is Relation.ACTS_FOR} == accounts
    delivered = run.truth.messages["outcome"] == "delivered"
    assert delivered.any()
    for hash_ in run.truth.messages["hash"][delivered].tolist():
        about = {relation for relation, subject, object_ in known if f"message:{hash_}" in (subject, object_)}
        assert {Relation.SENT, Relation.FETCHED, Relation.ADDRESSED_TO, Relation.HAS_SIZE} <= about


def test_taps_alone_know_presence_only(run: Any) -> None:
    facts = run.facts((), run.clients)
    assert {fact.relation for fact in facts} == {Relation.ONLINE, Relation.SHOWS}
    assert all(fact.object.startswith("transport:") for fact in facts if fact.relation is Relation.SHOWS)
    assert {fact.subject.partition(":")[0] for fact in run.facts((), run.clients)} == {"addr"}


def test_single_node_never_links_where_the_destination_is_kept_out_of_the_path(perform: Any) -> None:
    run = perform(("desktop", "ios") * 3)
    for node in run.nodes:
        assert not {fact.relation for fact in run.facts([node])} & LINKING


def test_clock_error_shifts_the_ledger(run: Any) -> None:
    exact, fast = run.facts(run.nodes), run.facts(run.nodes, offset=7_000)
    assert [fact.t_us + 7_000 for fact in exact] == [fact.t_us for fact in fast]
    assert claims(exact) == claims(fast)


def test_both_suites_teach_the_same(run: Any, perform: Any) -> None:
    real = perform(run.world.spec.platforms, "sodium")
    for operated, tapped in places(run)[:3]:
        outlines = [
            sorted(
                (fact.t_us, fact.relation, fact.subject.partition(":")[0])
                for fact in r.facts(operated, tapped)
            )
            for r in (run, real)
        ]
        assert outlines[0] == outlines[1]
