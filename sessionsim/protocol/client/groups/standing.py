"""One group as one device knows it: how it may use the swarm, the keys it holds, the group's two configs.

A member shows a subaccount with every request; who holds the group's seed is an admin and signs as the group.
Keys and configs come from polls and are pushed by admins. Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from sessionsim.core.errors import LocalProtocolError, ProtocolError
from sessionsim.protocol import authorisation
from sessionsim.protocol.configs import Config, ConfigRules, group_config
from sessionsim.protocol.configs.group_info import GroupInfo
from sessionsim.protocol.configs.group_members import ACCEPTED, GroupMembers
from sessionsim.protocol.configs.kinds import GROUP_INFO, GROUP_MEMBERS
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups import (
    Authentication,
    Group,
    KeyRing,
    Rekeyed,
    Subaccount,
    authenticate,
    is_out,
    open_keys,
    read_kick,
    rekey,
)
from sessionsim.protocol.groups.identity import group_ed25519
from sessionsim.protocol.identity import Account
from sessionsim.protocol.wire.rpc import Retrieved
from sessionsim.protocol.wire.rpc_write import Asker


class Place(Enum):
    """How a device stands to a group."""

    INVITED = "invited"  # asked, and not yet accepted
    IN = "in"
    LEFT = "left"
    KICKED = "kicked"


OUT: Final = (Place.LEFT, Place.KICKED)


class Standing:
    """What a device holds of a group.

    Args:
        suite: cryptography.
        account: whose device it is.
        group_id: 33 bytes.
        tag: the group's number on this device, from 1.
        access: the group's keys of an admin, or a member's subaccount.
        name: as the invitation gives it.
        place: how it stands to the group.
        active_us: when a message was last there, or is taken to have been; may be before time 0.
        config_rules: the version of the config code.
    """

    def __init__(
        self,
        suite: Suite,
        account: Account,
        group_id: bytes,
        tag: int,
        access: Group | Subaccount,
        name: str,
        place: Place,
        active_us: int,
        config_rules: ConfigRules | None = None,
    ) -> None:
        self._suite, self._account = suite, account
        self.group_id, self.tag, self.access, self.name, self.place = group_id, tag, access, name, place
        self.ring = KeyRing()
        public, signer = group_ed25519(group_id), access.ed if isinstance(access, Group) else None
        self._info = group_config(GROUP_INFO, suite, public, (), signer, config_rules)
        self._members = group_config(GROUP_MEMBERS, suite, public, (), signer, config_rules)
        self.info, self.members = GroupInfo(self._info), GroupMembers(self._members)
        self.active_us = active_us
        self.auth = b""  # the signing value of a member as the invitation gave it, 100 bytes

    @property
    def admin(self) -> Group | None:
        """The group's keys, if this device is an admin's."""
        return self.access if isinstance(self.access, Group) else None

    @property
    def configs(self) -> tuple[Config, Config]:
        """Both configs, in the order in which they are pushed."""
        return self._info, self._members

    @property
    def asker(self) -> Asker:
        """In whose name requests to the swarm are made."""
        access = self.access
        if isinstance(access, Group):
            return Asker(self.group_id)
        return Asker(self.group_id, subaccount=authorisation.Subaccount(access.token, access.token_signature))

    def sign(self, text: bytes) -> bytes:
        """Sign what a request to the swarm has to sign; 64 bytes."""
        signed: Authentication = authenticate(self._suite, self.access, text)
        return signed.signature

    @property
    def can_speak(self) -> bool:
        """Whether there is a key to encrypt with."""
        return self.place is Place.IN and bool(self.ring.opening_keys)

    def is_member(self, account_id: bytes) -> bool:
        """Say whether somebody is listed and not about to be removed."""
        member = self.members.get(account_id)
        return member is not None and not member.removal

    def readers(self) -> tuple[bytes, ...]:
        """Who shall get what is said now, as far as this device knows: ids of all who have accepted."""
        listed = {one.id for one in self.members if one.invitation == ACCEPTED and not one.removal}
        return tuple(sorted(listed | {self._account.id}))

    def promote(self, group: Group) -> None:
        """Take up the group's keys. Raises LocalProtocolError: another group's."""
        if group.id != self.group_id:
            raise LocalProtocolError("the keys of another group")
        self.access = group
        for config in self.configs:
            config.take_signer(group.ed)

    # ---- What polls bring ----

    def take_keys(self, messages: Sequence[Retrieved]) -> None:
        """Take in what namespace 12 holds; what is not for this device, or of no group, changes nothing."""
        reader = self.admin or self._account
        for message in messages:
            try:
                opened = open_keys(self._suite, self.group_id, reader, message.data, message.timestamp_ms)
            except ProtocolError:
                continue
            self.ring.take(opened, message.hash)
        self.use_keys()

    def use_keys(self, *, dirty: bool = False) -> None:
        """Give the configs the ring's keys. Args: dirty: push them again if the newest is a new one."""
        for config in self.configs:
            config.replace_keys(self.ring.opening_keys, dirty=dirty)

    def merge(self, namespace: int, messages: Sequence[Retrieved], now_ms: int) -> None:
        """Take in what namespace 13 or 14 holds; without any key there is nothing to read it with."""
        config = self._info if namespace == GROUP_INFO.namespace else self._members
        if config.keys:
            config.merge([(message.hash, message.data) for message in messages], now_ms)

    def is_kicked_by(self, messages: Sequence[Retrieved]) -> bool:
        """Say whether one of the messages of namespace −11 shuts this account out."""
        for message in messages:
            try:
                generation = read_kick(self._suite, self.group_id, self._account, message.data)
            except ProtocolError:
                continue
            if is_out(generation, self.ring.generation):
                return True
        return False

    # ---- What admins do ----

    def rekey(self) -> Rekeyed:
        """Make the next key, for all who are listed and this account, and hold it as pending.

        Raises:
            LocalProtocolError: this device is no admin's.
        """
        if self.admin is None:
            raise LocalProtocolError("only who holds the group's secret makes its keys")
        readers = {member.id for member in self.members if not member.removal} | {self._account.id}
        made = rekey(self._suite, self.admin, readers, self.ring.next_generation)
        self.ring.propose(made)
        self.use_keys(dirty=True)
        return made

    def removed_ids(self) -> tuple[bytes, ...]:
        """Who is marked as to be removed, by id."""
        return tuple(member.id for member in self.members if member.removal)

    @property
    def has_accepted_promotion(self) -> bool:
        """Whether the own account is listed as an admin who has accepted, or not listed."""
        own = self.members.get(self._account.id)
        return own is None or (own.admin and own.promotion == ACCEPTED)

    def accepts_own_promotion(self) -> bool:
        """Mark the own account as an admin who has accepted; say whether that was to be done."""
        own = self.members.get(self._account.id)
        if self.admin is None or own is None or self.has_accepted_promotion:
            return False
        self.members.set(replace(own, admin=True, promotion=ACCEPTED))
        return True
