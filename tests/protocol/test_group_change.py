"""The group's signature on updates: the exact text, what it covers, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol import groups
from sessionsim.protocol.contents import (
    GroupDeleteContent,
    GroupInfoChange,
    GroupInvite,
    GroupInviteResponse,
    GroupMemberChange,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupPromote,
    GroupUpdate,
    InfoKind,
    MemberKind,
    Message,
    admin_signature,
    is_from_admin,
    read,
    read_change,
    signed_text,
    write,
    write_change,
)
from sessionsim.protocol.crypto import Suite, real, suite_named
from sessionsim.protocol.identity import account_from_seed

SENT_MS = 1_777_000_000_000
ANN, BEN = (b"\x05" + bytes([n]) * 32 for n in (1, 2))
KEY, OTHER = (real.ed25519_keypair(bytes([n]) * 32) for n in (7, 8))
GROUP = b"\x03" + KEY.public
NONE = bytes(64)
SIGNED = [
    (GroupInvite(GROUP, "n", bytes(100), NONE), f"INVITE{'05' + '01' * 32}1777000000000"),
    (GroupInfoChange(InfoKind.NAME, NONE, name="n"), "INFO_CHANGE11777000000000"),
    (GroupInfoChange(InfoKind.DISAPPEARING, NONE, timer_s=5), "INFO_CHANGE31777000000000"),
    (GroupMemberChange(MemberKind.REMOVED, (ANN,), NONE), "MEMBER_CHANGE21777000000000"),
    (
        GroupDeleteContent((ANN, BEN), ("h1", "h2"), NONE),
        f"DELETE_CONTENT1777000000000{'05' + '01' * 32}{'05' + '02' * 32}h1h2",
    ),
]
UNSIGNED = [
    GroupPromote(bytes(32), "n"),
    GroupMemberLeft(),
    GroupMemberLeftNotice(),
    GroupInviteResponse(True),
]


@pytest.fixture(params=["fast", "sodium"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param)


def invited(change: Any) -> dict[str, bytes]:
    return {"invited": ANN} if isinstance(change, GroupInvite) else {}


@pytest.mark.parametrize(("change", "text"), SIGNED)
def test_signed_text_is_that_of_the_clients(change: Any, text: str, suite: Suite) -> None:
    assert signed_text(change, SENT_MS, **invited(change)) == text.encode()
    signature = admin_signature(suite, KEY, change, SENT_MS, **invited(change))
    assert real.ed25519_verify(KEY.public, text.encode(), signature)


@pytest.mark.parametrize("change", [change for change, _ in SIGNED])
def test_signature_of_another_key_time_or_person_is_not_the_groups(change: Any, suite: Suite) -> None:
    signed = replace(change, admin_signature=admin_signature(suite, KEY, change, SENT_MS, **invited(change)))
    assert is_from_admin(suite, GROUP, signed, SENT_MS, **invited(change))
    assert not is_from_admin(suite, GROUP, signed, SENT_MS + 1, **invited(change))
    assert not is_from_admin(suite, b"\x03" + OTHER.public, signed, SENT_MS, **invited(change))
    forged = admin_signature(suite, OTHER, change, SENT_MS, **invited(change))
    assert not is_from_admin(
        suite, GROUP, replace(change, admin_signature=forged), SENT_MS, **invited(change)
    )
    if invited(change):
        assert not is_from_admin(suite, GROUP, signed, SENT_MS, invited=BEN)


def test_deletion_is_bound_to_its_members_and_hashes_but_a_member_change_is_not(suite: Suite) -> None:
    deletion = GroupDeleteContent((ANN,), ("h1",), NONE)
    signed = replace(deletion, admin_signature=admin_signature(suite, KEY, deletion, SENT_MS))
    assert not is_from_admin(suite, GROUP, replace(signed, ids=(BEN,)), SENT_MS)
    assert not is_from_admin(suite, GROUP, replace(signed, hashes=("h2",)), SENT_MS)
    change = GroupMemberChange(MemberKind.REMOVED, (ANN,), NONE)
    signed_change = replace(change, admin_signature=admin_signature(suite, KEY, change, SENT_MS))
    assert is_from_admin(suite, GROUP, replace(signed_change, ids=(BEN,)), SENT_MS)  # as in the clients


@pytest.mark.parametrize("change", UNSIGNED)
def test_updates_without_signature_are_from_no_admin(change: Any, suite: Suite) -> None:
    assert signed_text(change, SENT_MS) is None
    assert not is_from_admin(suite, GROUP, change, SENT_MS)
    with pytest.raises(LocalProtocolError, match="not signed"):
        admin_signature(suite, KEY, change, SENT_MS)


def test_deletion_by_a_member_is_from_no_admin(suite: Suite) -> None:
    assert not is_from_admin(suite, GROUP, GroupDeleteContent(hashes=("h",)), SENT_MS)


def test_invitation_needs_to_know_whom() -> None:
    with pytest.raises(LocalProtocolError, match="id"):
        signed_text(SIGNED[0][0], SENT_MS)


def test_invitation_and_promotion_of_a_group_travel_as_messages(suite: Suite) -> None:
    group, member = groups.group_from_seed(KEY.secret), account_from_seed(b"\x01" * 16)
    for update in (
        groups.write_invite(suite, group, "friends", member.id, SENT_MS),
        groups.write_promotion(group, "friends"),
    ):
        message = Message(SENT_MS, GroupUpdate(read_change(update)))
        part = read(write(message), outer_ms=SENT_MS).part
        assert isinstance(part, GroupUpdate)
        assert write_change(part.change) == update
        if isinstance(part.change, GroupInvite):
            assert is_from_admin(suite, GROUP, part.change, SENT_MS, invited=member.id)
            accepted = groups.read_invite(suite, member, write_change(part.change), SENT_MS)
            assert (accepted.group_id, accepted.name) == (GROUP, "friends")
        else:
            assert groups.read_promotion(write_change(part.change)) == (group, "friends")
