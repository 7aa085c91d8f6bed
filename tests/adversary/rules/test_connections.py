"""What came over one client connection has one owner; hand-driven, between client 0 and node 0."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.adversary import Closure, claims, deduce
from sessionsim.adversary.signing import holds
from sessionsim.core.ledger import Relation
from sessionsim.protocol.groups.identity import group_from_seed
from sessionsim.protocol.groups.subaccount import subaccount_token
from sessionsim.protocol.wire import rpc

GUARD, OWN_REPLICA, GROUP_REPLICA = 0, 8, 3
TO_OWN, TO_GROUP = (GUARD, 5, 6, OWN_REPLICA), (GUARD, 1, 2, GROUP_REPLICA)
GROUP, OTHER = group_from_seed(b"\x05" * 32), group_from_seed(b"\x06" * 32)


def ask_group(stage: Any, client: int, group: Any = GROUP) -> None:
    """Poll a group's swarm alone, over the guard."""
    call = stage.member_poll(client, group, 1_777_000_000_000)
    body = rpc.batch_body(stage.body_style, [call])
    stage.request(16 + client, TO_GROUP, body, (200, b'{"results":[{"code":200,"body":{"messages":[]}}]}'))


def member(client: int, stage: Any, group: Any = GROUP) -> str:
    return f"member:{subaccount_token(group, stage.accounts[client].id).hex()}"


def test_a_token_is_a_name_of_a_member_and_no_account(stage: Any) -> None:
    ask_group(stage, 0)
    known = stage.claims(GROUP_REPLICA)
    assert (Relation.MEMBER_OF, member(0, stage), f"group:{GROUP.id.hex()}") in known
    assert (Relation.ONLINE, member(0, stage), "") in known
    assert not any("account:" in text for _, *texts in known for text in texts)


def test_the_token_is_the_same_at_every_time_and_another_in_every_group(stage: Any) -> None:
    ask_group(stage, 0)
    ask_group(stage, 0)
    ask_group(stage, 0, OTHER)
    ask_group(stage, 1)
    known = stage.claims(GROUP_REPLICA)
    assert {subject for relation, subject, _ in known if relation is Relation.MEMBER_OF} == {
        member(0, stage), member(0, stage, OTHER), member(1, stage),
    }  # fmt: skip
    assert not any(relation is Relation.LINKED for relation, _, _ in known)


def test_a_token_and_an_account_on_one_connection_are_one(stage: Any) -> None:
    stage.poll(0, TO_OWN)
    ask_group(stage, 0)
    own, token = stage.account(0), member(0, stage)
    known = stage.claims(GUARD, OWN_REPLICA, GROUP_REPLICA)
    assert (Relation.LINKED, own, token) in known
    assert (Relation.MEMBER_OF, own, f"group:{GROUP.id.hex()}") in known
    for fewer in ((OWN_REPLICA, GROUP_REPLICA), (GUARD, GROUP_REPLICA), (GUARD, OWN_REPLICA)):
        assert not {
            claim for claim in stage.claims(*fewer)
            if claim[0] is Relation.LINKED and {own, token} <= {*claim[1:]}
        }, fewer  # fmt: skip


def test_a_token_beside_another_account_is_not_its(stage: Any) -> None:
    stage.poll(1, (*TO_OWN[:3], 12))
    ask_group(stage, 0)
    linked = {claim for claim in stage.claims(*range(16)) if claim[0] is Relation.LINKED}
    assert (Relation.LINKED, stage.account(1), member(0, stage)) not in linked


def test_a_token_that_the_group_did_not_sign_makes_no_member(stage: Any) -> None:
    call = stage.member_poll(0, GROUP, 1_777_000_000_000)
    forged = call[1].replace(GROUP.id.hex().encode(), OTHER.id.hex().encode())
    body = rpc.batch_body(stage.body_style, [(call[0], forged)])
    stage.request(16, TO_GROUP, body, (200, b'{"results":[]}'))
    assert not any(relation is Relation.MEMBER_OF for relation, _, _ in stage.claims(GROUP_REPLICA))


def test_two_accounts_on_one_connection_leave_the_writer_open(stage: Any) -> None:
    hash_ = stage.store(0, 1, (GUARD, 1, 2, 12))
    written = (Relation.WRITTEN_BY, f"message:{hash_}", stage.account(0))
    stage.poll(0, TO_OWN)
    assert written in stage.claims(*range(16))
    foreign = stage.accounts[1]
    text = rpc.signed_text("retrieve", 0, 1_777_000_000_000)
    call = rpc.retrieve_call(
        stage.body_style, foreign.id_hex, foreign.ed.public.hex(), 0, "", 1_777_000_000_000,
        stage.suite.sign(foreign.ed, text), -2,
    )  # fmt: skip
    stage.poll(0, TO_OWN, more=[call])
    assert written not in stage.claims(*range(16))


def test_derivation_of_a_link_says_both_signatures_and_the_connection(stage: Any) -> None:
    stage.poll(0, TO_OWN)
    ask_group(stage, 0)
    facts = deduce(stage.view((GUARD, OWN_REPLICA, GROUP_REPLICA)))
    (link,) = [
        fact for fact in facts if fact.relation is Relation.LINKED and fact.subject == stage.account(0)
    ]
    assert sum("valid under" in step for step in link.derivation) == 2
    assert any("connection" in step for step in link.derivation)
    assert claims([link]) <= claims(deduce(Closure(stage.view(range(16))).view))


def test_signatures_are_checked_only_where_a_connection_can_tell_something(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = list[str]()

    def noted(suite: Any, check: Any) -> bool:
        checked.append(check.signer)
        return holds(suite, check)

    monkeypatch.setattr("sessionsim.adversary.meaning.holds", noted)
    for guard in (0, 1, 2, 3):
        stage.poll(0, (guard, 5, 6, OWN_REPLICA))
    deduce(stage.view(range(16)))
    assert len(checked) == 2  # the first and the last, since whoever signs alone owns nothing there
    hash_ = stage.store(0, 1, (3, 1, 2, 12))
    checked.clear()
    known = stage.claims(*range(16))
    assert (Relation.WRITTEN_BY, f"message:{hash_}", stage.account(0)) in known
    assert len(checked) == 2  # the last is also the one on the connection with the store
    ask_group(stage, 0)
    checked.clear()
    assert (Relation.LINKED, stage.account(0), member(0, stage)) in stage.claims(*range(16))
    assert checked.count(stage.account(0)) == 2
