"""What a thief finds that lets it use the swarms of an account's groups.

An admin's config of groups holds the group's seed, a member's the signing value that the invitation brought;
a device holds the same for the groups it knows. Both count as a member's token, or as the owner's key where
there is a seed. Source: messages 4.4, 5.1; transport 5.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol import namespaces
from sessionsim.protocol.authorisation import READ
from sessionsim.protocol.client import Client
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.configs import user_config
from sessionsim.protocol.configs.kinds import USER_GROUPS
from sessionsim.protocol.configs.user_groups import UserGroups
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.groups.subaccount import Subaccount, is_granted, subaccount_of
from sessionsim.protocol.identity import Account
from sessionsim.protocol.stored import Held

OWNER = b""  # stands for a token where the group's own key signs
Access = dict[bytes, bytes]  # group id -> token that is shown to its swarm, or OWNER


def access_in_configs(suite: Suite, account: Account, held: Iterable[Held], now_ms: int) -> Access:
    """Give the groups that an account's keys lead to, by the configs that lay in its swarm.

    Args:
        held: what lay there; configs that do not open are passed over.
        now_ms: unix time.
    """
    stored = [(one.message.hash, one.message.data) for one in held if one.namespace == namespaces.USER_GROUPS]
    config = user_config(USER_GROUPS, suite, account)
    config.merge(stored, now_ms)
    found: Access = {}
    for group in UserGroups(config).groups():
        if group.seed:
            found[group.id] = OWNER
        elif group.auth:
            try:
                subaccount = subaccount_of(account, group.auth)
            except ProtocolError:
                continue
            found |= _of_member(suite, group.id, subaccount)
    return found


def access_on_device(client: Client) -> Access:
    """Give the groups whose swarms a device can ask."""
    found: Access = {}
    for part in client.parts:
        for group_id, standing in part.standings.items() if isinstance(part, Groups) else ():
            access = standing.access
            found |= (
                _of_member(client.suite, group_id, access)
                if isinstance(access, Subaccount)
                else {group_id: OWNER}
            )
    return found


def _of_member(suite: Suite, group_id: bytes, subaccount: Subaccount) -> Access:
    """Give a member's token, if the group signed it and it may read."""
    return {group_id: subaccount.token} if is_granted(suite, group_id, subaccount, READ) else {}


def readable(held: Iterable[Held], revoked: bool) -> Iterator[Held]:
    """Pass what a node hands to a member. Args: revoked: the node has its token as one that was revoked."""
    return (one for one in held if not revoked or namespaces.is_unrevocable(one.namespace))
