"""What configs ask of the swarm: one sequence of stores and a deletion, confirmation, extension."""

from __future__ import annotations

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.configs import Config, group_config, kinds, user_config
from sessionsim.protocol.configs.conversations import Conversation, Conversations
from sessionsim.protocol.configs.dumps import State
from sessionsim.protocol.configs.pushes import (
    TTL_MS,
    DeleteHashes,
    ExtendHashes,
    StoreConfig,
    plan_extension,
    plan_push,
)
from sessionsim.protocol.configs.sealing import encrypt
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed

SUITE = suite_named("sodium")
OWNER = account_from_ed25519_seed(bytes(31) + b"\1")
DAY_MS = 86_400_000


def configs() -> list[Config]:
    wrapped = [kinds.USER_PROFILE, kinds.CONTACTS, kinds.CONVERSATIONS, kinds.USER_GROUPS]
    return [user_config(kind, SUITE, OWNER) for kind in wrapped]


def test_clean_configs_push_nothing() -> None:
    plan = plan_push(configs(), 0)
    assert (plan.stores, plan.delete, plan.seqnos) == ((), None, ())
    plan.confirm([])


def test_each_dirty_config_is_stored_and_all_it_supersedes_deleted_at_once() -> None:
    profile, contacts, _, groups = held = configs()
    for config, name in ((profile, "old profile"), (contacts, "old contacts")):
        config.set(b"a", to=1)
        config.confirm_pushed(config.push(0).seqno, [name])
        config.set(b"a", to=2)
    groups.set(b"g", to={b"x": 1})
    plan = plan_push(held, 0)
    assert [store.namespace for store in plan.stores] == [2, 3, 5]
    assert {store.ttl_ms for store in plan.stores} == {30 * DAY_MS} == {TTL_MS}
    assert plan.delete == DeleteHashes(("old contacts", "old profile"))
    assert plan.stores[0] == StoreConfig(2, profile.push(0).parts[0])
    plan.confirm(["p", "c", "g"])
    assert [config.state for config in held] == [State.CLEAN] * 4
    assert (profile.current_hashes, groups.current_hashes) == ({"p"}, {"g"})
    assert plan_push(held, 0).stores == ()


def test_stale_conversations_are_removed_before_a_push_and_only_then() -> None:
    held, now_ms = configs(), 1_777_000_000_000
    config, person, other = held[2], b"\5" + bytes(32), b"\5" + b"x" * 32
    conversations = Conversations(config)
    conversations.set(Conversation(person, now_ms), now_ms)
    plan_push(held, now_ms).confirm(["h"])
    assert plan_push(held, now_ms + 50 * DAY_MS).stores == ()
    assert conversations.get(person) is not None
    conversations.set(Conversation(other, now_ms + 50 * DAY_MS), now_ms + 50 * DAY_MS)
    assert len(plan_push(held, now_ms + 50 * DAY_MS).stores) == 1
    assert [one.with_whom for one in conversations] == [other]


def test_parts_are_stored_together_and_confirmed_together() -> None:
    _, contacts, _, groups = held = configs()
    contacts.set(b"noise", to=b"".join(encrypt(b"%d" % i, bytes(32), b"x") for i in range(4000)))
    groups.set(b"g", to={b"x": 1})
    plan = plan_push(held, 0)
    assert [store.namespace for store in plan.stores] == [3, 3, 3, 5]
    with pytest.raises(LocalProtocolError, match="4 stores"):
        plan.confirm(["one"])
    plan.confirm(["a", "b", "c", "d"])
    assert (contacts.current_hashes, groups.current_hashes) == ({"a", "b", "c"}, {"d"})


def test_a_change_after_the_plan_waits_for_the_next() -> None:
    held = configs()
    held[0].set(b"a", to=1)
    plan = plan_push(held, 0)
    held[0].set(b"a", to=2)
    plan.confirm(["h"])
    assert held[0].state is State.DIRTY
    assert [seqno for _, seqno, _ in plan_push(held, 0).seqnos] == [2]


def test_a_forced_push_stores_everything_that_can_be_written() -> None:
    member = group_config(kinds.GROUP_INFO, SUITE, OWNER.ed.public, [bytes(32)])
    admin = group_config(kinds.GROUP_MEMBERS, SUITE, OWNER.ed.public, [bytes(32)], OWNER.ed)
    plan = plan_push([*configs(), member, admin], 0, forced=True)
    assert [store.namespace for store in plan.stores] == [2, 3, 4, 5, 14]


def test_polls_extend_what_is_current_and_what_waits() -> None:
    held = configs()
    assert plan_extension(held, 5, 30 * DAY_MS) is None
    for number, config in enumerate(held[:2]):
        config.set(b"a", to=1)
        config.confirm_pushed(config.push(0).seqno, [f"h{1 - number}"])
    assert plan_extension(held, 5, 30 * DAY_MS) == ExtendHashes(("h0", "h1"), 5 + 30 * DAY_MS)
    assert plan_extension(held, 5, 14 * DAY_MS) == ExtendHashes(("h0", "h1"), 5 + 14 * DAY_MS)
