"""What an admin does to change who is in a group, as steps (messages 4.2, 4.4).

Removing: one `sequence` request stores the kick in −11 and revokes the tokens; only when all of it succeeded
are the members struck from the list, a new key made and pushed (12, then 13 and 14 encrypted with it).
Adding: one `sequence` request stores what the newcomers need to read, then makes tokens valid that may have
been revoked earlier. With history they get the known keys in a supplement, which comes first, so that nobody
meets configs of the new key before it; without it only the new key.

The steps say what to send; sending, and the configs, are not here. Source: session-desktop:
ts/session/utils/job_runners/jobs/GroupPendingRemovalsJob.ts, GroupSyncJob.ts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups.identity import Group
from sessionsim.protocol.groups.key_ring import KeyRing
from sessionsim.protocol.groups.kick import kick_message
from sessionsim.protocol.groups.rekey import Rekeyed, rekey
from sessionsim.protocol.groups.subaccount import subaccount_token
from sessionsim.protocol.groups.supplement import supplement
from sessionsim.protocol.namespaces import GROUP_KEYS, GROUP_MESSAGES, REVOKED_RETRIEVABLE

CONFIG_TTL_MS: Final = 30 * 24 * 60 * 60 * 1000  # of kicks and keys. Source: messages 2.3, 4.4
MESSAGE_TTL_MS: Final = 14 * 24 * 60 * 60 * 1000  # Source: messages 2.3


@dataclass(frozen=True, slots=True)
class Store:
    """Store bytes in a namespace of the group."""

    namespace: int
    data: bytes
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """Make tokens (36 bytes each) invalid."""

    tokens: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Unrevoke:
    """Make revoked tokens valid again."""

    tokens: tuple[bytes, ...]


Step = Store | Revoke | Unrevoke


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done.

    Args:
        sequence: steps of one `sequence` request, in this order.
        afterwards: stores for when all of the sequence succeeded.
        rekeyed: the key stored in one of the two, to be proposed to the ring; None if the key stays.
    """

    sequence: tuple[Step, ...]
    afterwards: tuple[Store, ...]
    rekeyed: Rekeyed | None


def remove_members(
    suite: Suite,
    group: Group,
    ring: KeyRing,
    removed_ids: Sequence[bytes],
    remaining_ids: Collection[bytes],
    nonce24: bytes,
    *,
    announcements: Sequence[bytes] = (),
) -> Change:
    """Plan the removal of members.

    Args:
        remaining_ids: everybody who stays, the admin too.
        nonce24: for the kick.
        announcements: sealed group messages stored along, for example the deletion of what the removed wrote.

    Raises:
        LocalProtocolError: nobody removed, somebody both removed and remaining, or what is no account id.
        CannotOpen: an account id that holds no usable key.
    Source: messages 4.4; session-desktop: GroupPendingRemovalsJob.ts.
    """
    if not removed_ids or not set(removed_ids).isdisjoint(remaining_ids):
        raise LocalProtocolError("a removal names members who do not stay")
    kick = kick_message(suite, group, removed_ids, ring.generation, nonce24)
    tokens = tuple(subaccount_token(group, removed) for removed in removed_ids)
    told = tuple(Store(GROUP_MESSAGES, message, MESSAGE_TTL_MS) for message in announcements)
    made = rekey(suite, group, remaining_ids, ring.next_generation)
    sequence: tuple[Step, ...] = (Store(REVOKED_RETRIEVABLE, kick, CONFIG_TTL_MS), Revoke(tokens), *told)
    return Change(sequence, (Store(GROUP_KEYS, made.message, CONFIG_TTL_MS),), made)


def add_members(
    suite: Suite,
    group: Group,
    ring: KeyRing,
    added_ids: Sequence[bytes],
    member_ids: Collection[bytes],
    *,
    with_history: bool,
    always_rekeys: bool = True,
) -> Change:
    """Plan the addition of members; each still gets an invite as a direct message (`invitation`).

    Args:
        member_ids: everybody who will be in the group, the added too.
        with_history: whether they shall read what was written before.
        always_rekeys: make a new key even with history. Version difference: newer Desktops do, so that
            somebody who is added again holds a newer generation than the old kick names; older ones did not.

    Raises:
        LocalProtocolError: nobody added, somebody added who is no member then, what is no account id, or
            history without any key.
        CannotOpen: an account id that holds no usable key.
    Source: messages 4.2; session-desktop: ts/state/ducks/metaGroups.ts, GroupSyncJob.ts (the order).
    """
    if not added_ids or not set(added_ids) <= set(member_ids):
        raise LocalProtocolError("an addition names people who will be members")
    unrevoked = Unrevoke(tuple(subaccount_token(group, added) for added in added_ids))
    stored, made = [], None
    if with_history:
        stored.append(supplement(suite, group, ring.held, added_ids))
    if always_rekeys or not with_history:
        made = rekey(suite, group, member_ids, ring.next_generation)
        stored.append(made.message)
    stores = tuple(Store(GROUP_KEYS, message, CONFIG_TTL_MS) for message in stored)
    return Change((*stores, unrevoked), (), made)
