"""The four configs of an account on one device, and what its own part of them says (messages 5.1, 5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.configs import KINDS, Config, ConfigRules, shared_config, user_config
from sessionsim.protocol.configs.contacts import Contact, Contacts
from sessionsim.protocol.configs.conversations import Conversation, Conversations
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.user_groups import JoinedGroup, UserGroups
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.namespaces import CONTACTS, CONVO_INFO_VOLATILE, USER_GROUPS, USER_PROFILE
from sessionsim.protocol.wire.rpc import message_hash

NAMESPACES: Final = (USER_PROFILE, CONTACTS, CONVO_INFO_VOLATILE, USER_GROUPS)


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """A config that the own swarm holds when the run begins."""

    namespace: int
    hash: str
    data: bytes


class Held:
    """The configs of an account.

    Args:
        suite: cryptography.
        account: whose.
        rules: the version of the config code.
        keys: those that the account's devices share, the newest first (hole H9 of version 2); None where
            configs are under the account's seed.
    """

    def __init__(
        self,
        suite: Suite,
        account: Account,
        rules: ConfigRules | None = None,
        keys: Sequence[bytes] | None = None,
    ) -> None:
        self.by_namespace: dict[int, Config] = {
            namespace: user_config(KINDS[namespace], suite, account, rules)
            if keys is None
            else shared_config(KINDS[namespace], suite, account, keys, rules)
            for namespace in NAMESPACES
        }
        self.profile = UserProfile(self.by_namespace[USER_PROFILE])
        self.contacts = Contacts(self.by_namespace[CONTACTS])
        self.conversations = Conversations(self.by_namespace[CONVO_INFO_VOLATILE])
        self.groups = UserGroups(self.by_namespace[USER_GROUPS])

    @property
    def all(self) -> tuple[Config, ...]:
        """The four, in the order in which they are pushed."""
        return tuple(self.by_namespace.values())

    @property
    def has_keys(self) -> bool:
        """Say whether this device can read and write them."""
        return all(config.keys for config in self.all)

    def rekey(self, keys: Sequence[bytes], *, push: bool) -> None:
        """Take other keys, the newest first. Args: push: push what there is again under a new first key."""
        for config in self.all:
            config.replace_keys(keys, dirty=push and config.seqno > 0)

    def adopt(self, stored: Iterable[StoredConfig], now_ms: int) -> None:
        """Take in what was read before. Args: now_ms: unix time, ms."""
        for one in stored:
            self.by_namespace[one.namespace].merge([(one.hash, one.data)], now_ms)


def written_before(
    suite: Suite,
    account: Account,
    name: str,
    picture: Picture | None,
    contacts: Iterable[Contact],
    read: Iterable[Conversation],
    groups: Iterable[JoinedGroup],
    now_ms: int,
    keys: Sequence[bytes] | None = None,
) -> tuple[StoredConfig, ...]:
    """Write the configs that an account has pushed before the run: one message for each that is not empty.

    Args:
        suite: cryptography.
        account: whose.
        name, picture: its profile.
        contacts, read, groups: what its other configs hold.
        now_ms: when they were written, unix ms.
        keys: see `Held`; not empty.

    Returns:
        In the order of the namespaces; parts of a large config come one after the other.
    """
    held = Held(suite, account, keys=keys)
    held.profile.set_name(name)
    held.profile.set_picture(picture)
    for contact in contacts:
        held.contacts.set(contact)
    for conversation in read:
        held.conversations.set(conversation, now_ms)
    for group in groups:
        held.groups.set_group(group)
    return tuple(
        StoredConfig(namespace, message_hash(account.id, namespace, part), part)
        for namespace, config in held.by_namespace.items()
        if config.needs_push
        for part in config.push(now_ms).parts
    )
