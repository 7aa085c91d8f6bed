"""Coming and going: kicks, the steps of removal and addition, invites and promotions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.groups import (
    Revoke,
    Right,
    Store,
    Unrevoke,
    add_members,
    authenticate,
    group_from_seed,
    is_authentic,
    is_out,
    kick_message,
    open_group,
    read_invite,
    read_kick,
    read_promotion,
    remove_members,
    seal_group,
    subaccount_token,
    write_invite,
    write_promotion,
)
from sessionsim.protocol.groups.admin_signature import (
    delete_content_text,
    info_change_text,
    invite_text,
    member_change_text,
)
from sessionsim.protocol.groups.kick import KICK_DOMAIN
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.multi_encrypt import decrypt_simple, encrypt_simple
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.session_pb2 import GroupUpdateInvite, GroupUpdateMessage, GroupUpdatePromote

DAY_MS = 24 * 60 * 60 * 1000
SENT_MS = 1_777_000_000_000
FAST = suite_named("fast")
GROUP, ALICE = group_from_seed(b"g" * 32), account_from_seed(b"a" * 16)


# ---- Kicks ----


def test_removed_members_find_their_kick_and_others_do_not(cast: Any) -> None:
    raw = kick_message(cast.suite, cast.group, [cast.bob.id, cast.stranger.id], 12, cast.raw("n", 24))
    assert read_kick(cast.suite, cast.group.id, cast.bob, raw) == 12
    assert read_kick(cast.suite, cast.group.id, cast.stranger, raw) == 12
    with pytest.raises(CannotOpen):
        read_kick(cast.suite, cast.group.id, cast.alice, raw)
    with pytest.raises(CannotOpen):
        read_kick(cast.suite, GROUP.id, cast.bob, raw)


def test_kick_holds_key_and_generation(cast: Any) -> None:
    raw = kick_message(cast.suite, cast.group, [cast.bob.id], 12, bytes(24))
    plain = decrypt_simple(cast.suite, raw, cast.bob.x, cast.group.x.public, b"SessionGroupKickedMessage")
    assert plain == cast.bob.x.public + b"12"


@pytest.mark.parametrize(
    ("kicked", "own", "out"), [(0, 0, True), (3, 3, True), (4, 3, True), (2, 3, False)], ids=str
)
def test_kick_from_before_the_own_generation_does_not_count(kicked: int, own: int, out: bool) -> None:
    assert is_out(kicked, own) == out


@pytest.mark.parametrize(
    "plain", [b"", b"5", bytes(32) + b"1", *(ALICE.x.public + g for g in (b"", b"-1", b"01", b"1e3", b" 1"))]
)
def test_malformed_kick_is_refused(plain: bytes) -> None:
    raw = encrypt_simple(FAST, [plain], [ALICE.x.public], bytes(24), GROUP.x, KICK_DOMAIN)
    with pytest.raises(RemoteProtocolError):
        read_kick(FAST, GROUP.id, ALICE, raw)


def test_kick_with_an_endless_generation_is_refused() -> None:
    raw = encrypt_simple(
        FAST, [ALICE.x.public + b"9" * 70_000], [ALICE.x.public], bytes(24), GROUP.x, KICK_DOMAIN
    )
    with pytest.raises(RemoteProtocolError):
        read_kick(FAST, GROUP.id, ALICE, raw)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_no_kick(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_kick(FAST, GROUP.id, ALICE, raw)


# ---- Removal ----


def test_removal_stores_the_kick_revokes_and_then_rekeys(cast: Any) -> None:
    ring = cast.ring(cast.group)
    stays = [cast.admin.id, cast.alice.id]
    announcement = seal_group(cast.suite, cast.admin, cast.group.id, ring, b"x", 1, cast.raw("d", 88))
    change = remove_members(
        cast.suite, cast.group, ring, [cast.bob.id], stays, bytes(24), announcements=[announcement]
    )
    kick, revoke, told = change.sequence
    assert (kick.namespace, kick.ttl_ms) == (-11, 30 * DAY_MS)
    assert read_kick(cast.suite, cast.group.id, cast.bob, kick.data) == ring.generation == 0
    assert revoke == Revoke((subaccount_token(cast.group, cast.bob.id),))
    assert told == Store(11, announcement, 14 * DAY_MS)
    (keys,) = change.afterwards
    assert (keys.namespace, keys.ttl_ms) == (12, 30 * DAY_MS)
    assert change.rekeyed is not None
    assert keys.data == change.rekeyed.message
    assert change.rekeyed.generation == 1

    ring.propose(change.rekeyed)
    later = seal_group(cast.suite, cast.admin, cast.group.id, ring, b"y", 2, cast.raw("l", 88))
    alice, bob = (cast.ring(reader, keys.data) for reader in (cast.alice, cast.bob))
    assert open_group(cast.suite, cast.group.id, alice, later).content == b"y"
    with pytest.raises(CannotOpen):
        open_group(cast.suite, cast.group.id, bob, later)
    assert is_out(read_kick(cast.suite, cast.group.id, cast.bob, kick.data), bob.generation)


@pytest.mark.parametrize("removed", [[], ["alice"], ["alice", "bob"]])
def test_removal_of_nobody_or_of_those_who_stay_is_our_mistake(fast: Any, removed: list[str]) -> None:
    ids = [getattr(fast, name).id for name in removed]
    with pytest.raises(LocalProtocolError):
        remove_members(
            fast.suite, fast.group, fast.ring(fast.group), ids, [fast.admin.id, fast.alice.id], bytes(24)
        )


# ---- Addition ----


@pytest.mark.parametrize(
    ("with_history", "always_rekeys", "stores", "generation"),
    [(True, True, 2, 1), (True, False, 1, 0), (False, True, 1, 1), (False, False, 1, 1)],
)
def test_addition_gives_newcomers_what_they_may_read(
    cast: Any, with_history: bool, always_rekeys: bool, stores: int, generation: int
) -> None:
    ring = cast.ring(cast.group)
    members = [cast.admin.id, cast.alice.id, cast.bob.id, cast.stranger.id]
    change = add_members(
        cast.suite,
        cast.group,
        ring,
        [cast.stranger.id],
        members,
        with_history=with_history,
        always_rekeys=always_rekeys,
    )
    *keys, unrevoke = change.sequence
    assert unrevoke == Unrevoke((subaccount_token(cast.group, cast.stranger.id),))
    assert [(step.namespace, step.ttl_ms) for step in keys] == [(12, 30 * DAY_MS)] * stores
    assert change.afterwards == ()
    newcomer = cast.ring(cast.stranger, *(step.data for step in keys))
    assert newcomer.generation == generation
    assert (cast.made.key in newcomer.opening_keys) == with_history
    assert cast.ring(cast.alice, *(step.data for step in keys)).sending_key == newcomer.sending_key
    assert (change.rekeyed is None) == (generation == 0)


def test_newcomer_who_was_removed_before_ignores_the_old_kick(cast: Any) -> None:
    ring = cast.ring(cast.group)
    removal = remove_members(
        cast.suite, cast.group, ring, [cast.bob.id], [cast.admin.id, cast.alice.id], bytes(24)
    )
    kick = removal.sequence[0].data
    ring = cast.ring(cast.group, removal.afterwards[0].data)
    back = add_members(
        cast.suite, cast.group, ring, [cast.bob.id], [cast.admin.id, cast.bob.id], with_history=False
    )
    bob = cast.ring(cast.bob, removal.afterwards[0].data, back.sequence[0].data)
    assert not is_out(read_kick(cast.suite, cast.group.id, cast.bob, kick), bob.generation)


@pytest.mark.parametrize("added", [[], ["stranger"]])
def test_addition_of_nobody_or_of_no_member_is_our_mistake(fast: Any, added: list[str]) -> None:
    ids = [getattr(fast, name).id for name in added]
    with pytest.raises(LocalProtocolError):
        add_members(fast.suite, fast.group, fast.ring(fast.group), ids, [fast.admin.id], with_history=False)


def test_steps_of_revoking_and_its_contrary_are_not_equal() -> None:
    assert Revoke((b"t",)) != Unrevoke((b"t",))


# ---- Invites ----


def test_invite_gives_access_to_the_swarm(cast: Any) -> None:
    update = write_invite(cast.suite, cast.group, "Gruppe 😀", cast.bob.id, SENT_MS)
    sent = decode(GroupUpdateMessage, update.SerializeToString())
    assert len(sent.invite.memberAuthData) == 100
    assert len(sent.invite.adminSignature) == 64
    invitation = read_invite(cast.suite, cast.bob, sent, SENT_MS)
    assert (invitation.group_id, invitation.name) == (cast.group.id, "Gruppe 😀")
    auth = authenticate(cast.suite, invitation.subaccount, b"retrieve11")
    assert is_authentic(cast.suite, cast.group.id, Right.READ, b"retrieve11", *auth)


def test_invite_of_somebody_else_or_of_another_time_does_not_open(cast: Any) -> None:
    update = write_invite(cast.suite, cast.group, "g", cast.bob.id, SENT_MS)
    with pytest.raises(CannotOpen):
        read_invite(cast.suite, cast.alice, update, SENT_MS)
    with pytest.raises(CannotOpen):
        read_invite(cast.suite, cast.bob, update, SENT_MS + 1)


OF_BOB = write_invite(FAST, GROUP, "g", account_from_seed(b"b" * 16).id, SENT_MS)


def changed(**changes: Any) -> GroupUpdateMessage:
    update = write_invite(FAST, GROUP, "g", ALICE.id, SENT_MS)
    for name, value in changes.items():
        setattr(update.invite, name, value)
    return update


@pytest.mark.parametrize(
    "update",
    [
        GroupUpdateMessage(),
        GroupUpdateMessage(invite=GroupUpdateInvite()),
        changed(groupSessionId=ALICE.id_hex),
        changed(groupSessionId=GROUP.id_hex[:-2]),
        changed(groupSessionId=GROUP.id_hex[:-1] + " "),
        changed(groupSessionId="zz" * 33),
        changed(groupSessionId="03" + "ff" * 32),
        changed(groupSessionId=group_from_seed(bytes(32)).id_hex),
        changed(adminSignature=b""),
        changed(adminSignature=bytes(64)),
        changed(memberAuthData=b""),
        changed(memberAuthData=bytes(100)),
        changed(memberAuthData=OF_BOB.invite.memberAuthData),
        OF_BOB,
    ],
)
def test_wrong_invite_is_refused(update: GroupUpdateMessage) -> None:
    read_invite(FAST, ALICE, changed(), SENT_MS)
    with pytest.raises(RemoteProtocolError):
        read_invite(FAST, ALICE, update, SENT_MS)


def test_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput):
        write_invite(FAST, GROUP, "\ud800", ALICE.id, SENT_MS)
    with pytest.raises(InvalidInput):
        write_promotion(GROUP, "\ud800")


# ---- Promotions ----


def test_promoted_member_becomes_an_admin(cast: Any) -> None:
    sent = decode(GroupUpdateMessage, write_promotion(cast.group, "name").SerializeToString())
    assert sent.promote.groupIdentitySeed == cast.group.ed.secret
    group, name = read_promotion(sent)
    assert (group, name) == (cast.group, "name")
    assert cast.ring(group).sending_key == cast.made.key


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(64)])
def test_promotion_without_a_seed_is_refused(seed: bytes) -> None:
    for update in (GroupUpdateMessage(promote=GroupUpdatePromote(groupIdentitySeed=seed)), changed()):
        with pytest.raises(RemoteProtocolError):
            read_promotion(update)


# ---- What admins sign ----


def test_texts_that_admins_sign() -> None:
    hexed = ALICE.id_hex.encode()
    assert invite_text(ALICE.id, 17) == b"INVITE" + hexed + b"17"
    assert info_change_text(3, 17) == b"INFO_CHANGE317"
    assert member_change_text(2, 17) == b"MEMBER_CHANGE217"
    assert delete_content_text([ALICE.id], ["hash", "more"], 17) == b"DELETE_CONTENT17" + hexed + b"hashmore"
    with pytest.raises(LocalProtocolError):
        invite_text(GROUP.id, 17)
