"""Who a group is: an Ed25519 key pair whose seed its admins share (messages 4.2).

    random seed (32 bytes) -> Ed25519 pair (c, C) -> X25519 pair, for agreeing with members' account keys
    id = 03 ‖ C

Unlike an account id, the id holds the Ed25519 key itself, so anyone who knows a group can check what its
admins sign. Who holds the seed is an admin; nothing else tells admins from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput, LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.identity import ID_BYTES, SEED_BYTES

# First byte of a group id. Source: messages 0, 4.2; session-storage-server: oxenss/common/pubkey.h.
GROUP_PREFIX: Final = b"\x03"


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of one group, as its admins hold them.

    Args:
        ed: Ed25519 pair; `secret` is the 32-byte seed.
        x: X25519 pair converted from `ed`.
        id: 33 bytes, 03 ‖ Ed25519 public key.
    """

    ed: KeyPair
    x: KeyPair
    id: bytes

    @property
    def id_hex(self) -> str:
        """The id as it stands in requests: 66 lower-case hex digits starting with 03."""
        return self.id.hex()


def group_from_seed(seed32: bytes) -> Group:
    """Make the group of a 32-byte seed; for a new group the seed is drawn at random.

    Raises:
        InvalidInput: another length.
    Source: messages 4.2; libsession-util: src/config/groups/keys.cpp.
    """
    if len(seed32) != SEED_BYTES:
        raise InvalidInput("group seed", f"{len(seed32)} bytes", "exactly 32 bytes")
    ed = real.ed25519_keypair(seed32)
    return Group(ed, real.x25519_of_ed25519(ed), GROUP_PREFIX + ed.public)


def is_group_id(raw: bytes) -> bool:
    """Say whether bytes have the form of a group id; whether they hold a curve point is not checked."""
    return len(raw) == ID_BYTES and raw.startswith(GROUP_PREFIX)


def group_ed25519(group_id: bytes) -> bytes:
    """Give the Ed25519 public key of a group.

    Raises:
        LocalProtocolError: not 33 bytes that start with 03.
    """
    if not is_group_id(group_id):
        raise LocalProtocolError("a group id has 33 bytes and starts with 03")
    return group_id[1:]


def group_x25519(group_id: bytes) -> bytes:
    """Give the X25519 public key of a group.

    Raises:
        LocalProtocolError: not 33 bytes that start with 03.
        CannotOpen: the key in it is no Ed25519 public key.
    """
    return real.x25519_public_of_ed25519(group_ed25519(group_id))
