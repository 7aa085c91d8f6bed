"""Subaccounts over the network: revoked and admitted again, at most fifty, and what they still read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.protocol.authorisation import ANY_PREFIX, DELETE, READ, WRITE
from sessionsim.protocol.wire import rpc_read

Make = Callable[..., Any]


@pytest.fixture
def by(make_world: Make, caller: Make) -> Any:
    world = make_world()
    return caller(world, world.group(0))


def token_of(sub: Any) -> bytes:
    return bytes(sub.asker.subaccount.token)


def test_a_revoked_token_is_refused_by_every_member_until_it_is_let_in_again(by: Any) -> None:
    sub = by.subaccount(READ | WRITE | DELETE)
    (one,) = by.put(b"one", namespace=11)
    parts = by.parts(0, by.revoke([token_of(sub)]))
    assert {part.fields["count"] for part in parts.values()} == {1}
    for node in range(7):
        for call in (sub.retrieve(11), sub.get_expiries(["all"]), sub.store(b"x", 11), sub.delete([one])):
            status, text = by.ask(node, call)
            assert (status, text.endswith("verification failed")) == (401, True)
    assert by.ask(3, by.retrieve(11))[0] == 200  # the owner
    assert by.parts(5, by.revoke([token_of(sub)]))[2].fields["count"] == 0
    assert by.parts(5, by.revoke([token_of(sub), bytes(36)], undo=True))[2].fields["count"] == 1
    for node in range(7):
        assert by.ask(node, sub.retrieve(11))[0] == 200


def test_revocation_concerns_one_token_of_one_account(by: Any, caller: Make) -> None:
    revoked, other = by.subaccount(READ, "revoked"), by.subaccount(READ, "other")
    by.parts(0, by.revoke([token_of(revoked)]))
    assert by.ask(0, other.retrieve(11))[0] == 200
    # The same person under other flags has another token.
    assert by.ask(0, by.subaccount(READ | WRITE, "revoked").retrieve(11))[0] == 200
    world = by.world
    person = caller(world, world.person(0))
    person.parts(0, person.revoke([token_of(other)]))
    assert by.ask(0, other.retrieve(11))[0] == 200


@pytest.mark.parametrize(
    ("namespace", "allowed"),
    [(-11, True), (-111, True), (-32711, True), (11, False), (-12, False), (89, False), (-10, False)],
)
def test_a_revoked_token_still_reads_where_kicked_members_learn_of_it(
    by: Any, namespace: int, allowed: bool
) -> None:
    sub = by.subaccount(READ)
    by.parts(0, by.revoke([token_of(sub)]))
    # -10 anybody may read, but what is signed is checked.
    status, _answer = by.ask(0, sub.retrieve(namespace))
    assert status == (200 if allowed else 401)


def test_it_may_not_write_there(by: Any) -> None:
    sub = by.subaccount(READ | WRITE | DELETE)
    assert by.ask(0, sub.store(b"x", -11))[0] == 200
    by.parts(0, by.revoke([token_of(sub)]))
    assert by.ask(0, sub.store(b"y", -11))[0] == 401


def test_fifty_tokens_are_remembered_and_the_oldest_go_first(by: Any) -> None:
    subs = [by.subaccount(READ, f"member {n}") for n in range(52)]
    tokens = [token_of(sub) for sub in subs]
    status, text = by.ask(0, by.revoke(tokens[:51]))
    assert status == 400
    assert "more than 50" in text
    by.parts(0, by.revoke(tokens[:50]))
    by.parts(0, by.revoke(tokens[:1]))  # anew, so it is the youngest now
    by.parts(0, by.revoke(tokens[50:]))
    status, answer = by.ask(4, by.revoked())
    assert status == 200
    assert rpc_read.read_revoked(answer) == sorted(tokens[:1] + tokens[3:])
    assert [by.ask(4, sub.retrieve(11))[0] for sub in subs[:5]] == [401, 200, 200, 401, 401]


def test_the_same_token_twice_counts_once(by: Any) -> None:
    token = token_of(by.subaccount(READ))
    parts = by.parts(0, by.revoke([token, token]))
    assert parts[3].fields["count"] == 1
    assert by.parts(0, by.revoke([token, token], undo=True))[3].fields["count"] == 1


def test_in_one_version_revocations_go_with_the_last_message(make_world: Make, caller: Make) -> None:
    world = make_world(revocations_need_messages=True, revoke_counts=False)
    by = caller(world, world.group(0))
    sub = by.subaccount(READ)
    assert "count" not in by.parts(0, by.revoke([token_of(sub)]))[1].fields
    assert by.ask(1, sub.retrieve(11))[0] == 200  # nothing to tie it to
    by.put(b"one", b"two", namespace=11)
    by.parts(0, by.revoke([token_of(sub)]))
    assert by.ask(1, sub.retrieve(11))[0] == 401
    by.parts(0, by.delete_all(None))
    assert by.ask(1, sub.retrieve(11))[0] == 200


def test_a_person_cannot_ask_which_tokens_are_revoked(make_world: Make, caller: Make) -> None:
    # The server does not look at the Ed25519 key here, and an id of 05 is none.
    world = make_world()
    by = caller(world, world.person(0))
    assert by.ask(0, by.revoked())[0] == 401


def test_tokens_for_any_prefix_and_of_a_person_s_own(make_world: Make, caller: Make) -> None:
    world = make_world()
    by = caller(world, world.person(0))
    assert by.ask(0, by.subaccount(READ).retrieve(5))[0] == 200
    assert by.ask(0, by.subaccount(READ, prefix=3).retrieve(5))[0] == 401
    assert by.ask(0, by.subaccount(READ | ANY_PREFIX, prefix=3).retrieve(5))[0] == 200


def test_a_public_outbox_needs_the_right_to_delete(by: Any) -> None:
    for flags, status in ((WRITE, 401), (DELETE, 401), (WRITE | DELETE, 200)):
        assert by.ask(0, by.subaccount(flags).store(b"x", -21))[0] == status
    assert by.ask(0, by.subaccount(WRITE).store(b"x", 11))[0] == 200
    # Into a public inbox anybody stores, and nothing that is shown counts.
    assert by.ask(0, by.subaccount(0).store(b"x", 10))[0] == 200
    assert by.ask(0, by.subaccount(0).store(b"x", -10))[0] == 200
