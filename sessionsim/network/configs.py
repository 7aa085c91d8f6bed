"""What the accounts of a run have pushed before it begins: profile, contacts, what they have read, groups.

Contacts are those with whom an account has to do in the run, one way or the other, but for strangers; they
have been contacts for a while, accepted as `approvals` says, and everything from them is read. All devices
have read all of it, from every node of the swarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from sessionsim.core.intents import InboxText, Wish
from sessionsim.core.nodelist import NodeList
from sessionsim.network.approvals import Approved
from sessionsim.network.groups import GroupSetup
from sessionsim.protocol.client.configs.held import StoredConfig, written_before
from sessionsim.protocol.configs.contacts import Contact
from sessionsim.protocol.configs.conversations import Conversation
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.user_groups import JoinedGroup, Membership
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups import Group
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position

# Joining and leaving change the list of groups, meeting strangers and refusing them that of contacts.
NEEDED_FOR: Final = frozenset(("config-change", "group-action", "refusal", "strangers"))
PUSHED_BEFORE_MS: Final = 86_400_000  # Assumption: a day before the run
KNOWN_FOR_S: Final = 90 * 86_400  # Assumption: contacts and groups are a few months old
_LIFE_MS: Final = 30 * 86_400_000  # Source: messages 2.3, 5.7


class ConfigSetup:
    """The configs of all accounts as they stand when the run begins.

    Args:
        wishes: of the run.
        approved, accounts, profiles: by number.
        groups: those of the run; None if there are none.
        suite: cryptography.
        epoch_ms: unix ms at time 0.
        keys: per account, those that its devices share, the newest first, where its configs are under them.
    """

    def __init__(
        self,
        wishes: Iterable[Wish],
        approved: Sequence[Approved],
        accounts: Sequence[Account],
        profiles: Sequence[Profile],
        groups: GroupSetup | None,
        suite: Suite,
        epoch_ms: int,
        keys: Mapping[int, Sequence[bytes]] = MappingProxyType({}),
    ) -> None:
        self._accounts, self._epoch_ms, self._keys = accounts, epoch_ms, keys
        known = _contacts(wishes, len(accounts))
        self._stored = tuple(
            self._written(number, sorted(known[number] - one.strangers), one, profiles, groups, suite)
            for number, one in enumerate(approved)
        )

    def _written(
        self,
        number: int,
        contacts: Sequence[int],
        approved: Approved,
        profiles: Sequence[Profile],
        groups: GroupSetup | None,
        suite: Suite,
    ) -> tuple[StoredConfig, ...]:
        pushed_ms = self._epoch_ms - PUSHED_BEFORE_MS
        since_s = pushed_ms // 1000 - KNOWN_FOR_S
        founded = groups.founded_of(number) if groups is not None else ()
        own = profiles[number]
        entries = [
            Contact(
                self._accounts[other].id, profiles[other].name, picture=_picture(profiles[other]),
                approved=other in approved.given, approved_me=other in approved.got, created_s=since_s,
            )
            for other in contacts
        ]  # fmt: skip
        joined = [
            JoinedGroup(
                one.group_id, one.name, one.access.ed.secret if isinstance(one.access, Group) else b"",
                one.auth, membership=Membership(joined_s=since_s),
            )
            for one in founded
        ]  # fmt: skip
        ids = [*(entry.id for entry in entries), *(one.id for one in joined)]
        read = [Conversation(known_id, pushed_ms) for known_id in ids]
        return written_before(
            suite,
            self._accounts[number],
            own.name,
            _picture(own),
            entries,
            read,
            joined,
            pushed_ms,
            self._keys.get(number),
        )

    def stored_of(self, account: int) -> tuple[StoredConfig, ...]:
        """Give what an account has pushed."""
        return self._stored[account]

    def fill(self, nodes: NodeList, machines: Sequence[Machine]) -> None:
        """Let the swarms keep it. Args: machines: service nodes first."""
        pushed_ms, swarm_ids = self._epoch_ms - PUSHED_BEFORE_MS, sorted(nodes.members)
        for account, stored in zip(self._accounts, self._stored, strict=True):
            swarm = nearest_swarm(swarm_position(account.id[1:]), swarm_ids)
            for node in nodes.members[swarm] if swarm is not None else ():
                machine = machines[node]
                assert isinstance(machine, ServiceNode)
                for one in stored:
                    machine.store.store(
                        account.id, one.namespace, one.hash, pushed_ms, pushed_ms + _LIFE_MS, one.data,
                        self._epoch_ms,
                    )  # fmt: skip


def _contacts(wishes: Iterable[Wish], n_accounts: int) -> Mapping[int, set[int]]:
    """Find who has to do with whom: the two sides of every wish that has two, but for pseudonyms."""
    known: dict[int, set[int]] = {number: set() for number in range(n_accounts)}
    for wish in wishes:
        other = getattr(wish, "recipient", wish.sender)
        if other != wish.sender and not isinstance(wish, InboxText):
            known[wish.sender].add(other)
            known[other].add(wish.sender)
    return known


def _picture(profile: Profile) -> Picture | None:
    return Picture(profile.picture_url, profile.key) if profile.picture_url else None
