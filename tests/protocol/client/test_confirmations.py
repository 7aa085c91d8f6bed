"""What the answer to a store says of the members of a swarm, and when it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.protocol.client.confirmations import are_proved, confirmed
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import EVENT
from tests.protocol.client.stores import FULL, LATE, deleted, held

PAIRS = [account_from_seed(bytes([k]) * 16).ed for k in range(1, 7)]
BOTH = pytest.mark.parametrize("suite", ["fast", "sodium"])


def told(
    fields: dict[str, Any], share: float, suite: str = "fast", **more: Any
) -> tuple[bool, dict[str, int]]:
    believed, effects = confirmed(suite_named(suite), fields, share, 7, **more)
    assert all(effect[0] == EVENT and effect[2] == 7 for effect in effects)
    return believed, {effect[1]: effect[3] for effect in effects}


@BOTH
def test_a_store_that_all_have_signed_is_believed_and_nothing_is_told(suite: str) -> None:
    assert told(held(suite_named(suite), PAIRS), 1.0, suite) == (True, {})


@pytest.mark.parametrize(("holders", "believed"), [(3, True), (2, False), (0, False)])
def test_half_of_those_who_are_named_must_have_signed(holders: int, believed: bool) -> None:
    late = {f"{k:064x}": LATE for k in range(6 - holders)}
    fields = held(suite_named("fast"), PAIRS[:holders], **late)
    assert told(fields, 0.5) == (believed, {"member-silent": 6 - holders})
    assert told(fields, 0.0) == (True, {"member-silent": 6 - holders})


def test_late_and_refusing_members_are_told_apart_and_so_are_copies() -> None:
    others = {"a" * 64: LATE, "b" * 64: FULL, "c" * 64: {"failed": True, "code": "500"}, "d" * 64: 7}
    fields = held(suite_named("fast"), PAIRS, **others)
    assert told(fields, 0.5) == (True, {"member-silent": 1, "member-failed": 3})
    assert told(fields, 0.5, ours=True) == (True, {"copy-member-silent": 1, "copy-member-failed": 3})


@BOTH
@pytest.mark.parametrize(
    "what", ["other hash", "other key", "bit", "no hash", "no text", "long", "name", "short"]
)
def test_a_signature_that_does_not_fit_counts_for_nothing(suite: str, what: str) -> None:
    fields = held(suite_named(suite), PAIRS[:2])
    swarm = fields["swarm"]
    key, entry = next(iter(swarm.items()))
    good = entry["signature"]
    if what == "other hash":
        entry["hash"] = "y"
    elif what == "other key":
        swarm[PAIRS[4].public.hex()] = swarm.pop(key)
    elif what == "bit":
        entry["signature"] = ("A" if good[0] != "A" else "B") + good[1:]
    elif what == "no hash":
        del entry["hash"]
    elif what == "no text":
        entry["signature"] = 7
    elif what == "long":
        entry["signature"] = good + good
    elif what == "name":
        swarm["z" * 64] = swarm.pop(key)
    else:
        swarm[key[:-2]] = swarm.pop(key)
    assert told(fields, 0.5, suite) == (True, {"member-unproved": 1})
    assert told(fields, 0.6, suite) == (False, {"member-unproved": 1})
    assert told(fields, 0.0, suite) == (True, {})


@pytest.mark.parametrize("swarm", [None, [], 7, {}, "x"])
def test_an_answer_without_members_is_not_believed_where_that_is_checked(swarm: Any) -> None:
    assert told({"swarm": swarm}, 0.5) == (False, {})
    assert told({"swarm": swarm}, 0.0) == (True, {})


# --- stores and deletions beside messages -------------------------------------------------------------------

OWNER = b"\x05" + bytes(range(32))
STORE = (b"store", b'{"namespace":2}')
DELETE = (b"delete", b'{"messages":["b","a"]}')


def proved(*answers: dict[str, Any], suite: str = "fast", share: float = 0.5, deleters: int = 1) -> bool:
    calls = [STORE if "hash" in one else DELETE for one in answers]
    told = [(200, one) for one in answers]
    return are_proved(suite_named(suite), OWNER, calls, told, share, deleters)


@BOTH
def test_every_store_and_every_deletion_of_a_push_must_be_proved(suite: str) -> None:
    real = suite_named(suite)
    good, gone = held(real, PAIRS), deleted(real, PAIRS, OWNER, ["b", "a"], ["a"])
    assert proved(good, good, gone, suite=suite)
    forged = held(real, PAIRS)
    for entry in forged["swarm"].values():
        entry["hash"] = "y"
    assert not proved(good, forged, gone, suite=suite)
    assert proved(good, forged, gone, suite=suite, share=0.0)
    bare = deleted(real, PAIRS, OWNER, ["b", "a"], ["a"])
    for entry in bare["swarm"].values():
        del entry["signature"]
    assert not proved(good, bare, suite=suite)
    assert proved(good, bare, suite=suite, deleters=0)


def test_as_many_members_as_are_wanted_must_have_signed_a_deletion() -> None:
    fast = suite_named("fast")
    late = {f"{k:064x}": LATE for k in range(5)}
    one = deleted(fast, PAIRS[:1], OWNER, ["b", "a"], [], **late)
    assert proved(one)
    assert not proved(one, deleters=2)
    assert not proved(deleted(fast, [], OWNER, ["b", "a"], [], **late))
    assert not proved({"t": 1})
    assert not proved({"swarm": ["no table"]})


@BOTH
@pytest.mark.parametrize("what", ["other account", "other request", "other deletion", "order", "type", "key"])
def test_a_signature_over_another_deletion_counts_for_nothing(suite: str, what: str) -> None:
    real = suite_named(suite)
    owner = b"\x05" + bytes(32) if what == "other account" else OWNER
    asked = {"other request": ["b", "c"], "order": ["a", "b"]}.get(what, ["b", "a"])
    fields = deleted(real, PAIRS[:1], owner, asked, ["a"])
    ((_, entry),) = fields["swarm"].items()
    if what == "other deletion":
        entry["deleted"] = ["a", "b"]
    elif what == "type":
        entry["deleted"] = [7]
    elif what == "key":
        fields["swarm"] = {PAIRS[1].public.hex(): entry}
    assert not proved(fields, suite=suite)
    assert proved(deleted(real, PAIRS[:1], OWNER, ["b", "a"], ["a"]), suite=suite)


def test_other_calls_are_believed_by_their_status() -> None:
    calls = [(b"revoke_subaccount", b"{}"), (b"expire", b"{}")]
    assert are_proved(suite_named("fast"), OWNER, calls, [(200, {}), (200, {"swarm": {}})], 1.0, 5)
