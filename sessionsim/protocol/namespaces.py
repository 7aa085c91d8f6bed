"""Namespaces of a swarm's storage: their numbers and who may store to them and read from them.

A namespace is a signed 16-bit number and each is a box of its own. The rules follow from the number alone
(transport 5.3; session-storage-server: oxenss/common/namespace.h). Names are Session's conventions
(session-desktop: ts/session/apis/snode_api/namespaces.ts).
"""

from __future__ import annotations

from typing import Final

MIN_NAMESPACE: Final = -(1 << 15)  # Source: transport 5.3, int16
MAX_NAMESPACE: Final = (1 << 15) - 1

DEFAULT: Final = 0  # direct messages
USER_PROFILE: Final = 2
CONTACTS: Final = 3
CONVO_INFO_VOLATILE: Final = 4
USER_GROUPS: Final = 5
LEGACY_CLOSED_GROUP: Final = -10
GROUP_MESSAGES: Final = 11
GROUP_KEYS: Final = 12
GROUP_INFO: Final = 13
GROUP_MEMBERS: Final = 14
REVOKED_RETRIEVABLE: Final = -11
DEVICES: Final = 21  # device group messages and link requests of V2. Source: protocol-v2 8
ACCOUNT_KEYS: Final = -21  # the account's public keys of V2. Source: protocol-v2 4


def is_public_inbox(namespace: int) -> bool:
    """Anyone may store here without a signature: every number divisible by 10."""
    return namespace % 10 == 0


def is_public_outbox(namespace: int) -> bool:
    """Holds one message, which a newer store replaces; anyone may read it: −1, −21, −41 …"""
    return namespace < 0 and -namespace % 20 == 1


def is_open_to_read(namespace: int) -> bool:
    """Reading needs no signature: public outboxes and legacy closed groups."""
    return namespace == LEGACY_CLOSED_GROUP or is_public_outbox(namespace)


def is_unrevocable(namespace: int) -> bool:
    """A revoked subaccount may still read it, to learn that it was revoked: −11, −111, −211 …"""
    return namespace < 0 and -namespace % 100 == 11
