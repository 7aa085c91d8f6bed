"""Who an account is: from 16 random bytes to its keys and its id (transport 1.1, 1.2).

    entropy (16 bytes) ‖ 16 zero bytes = Ed25519 seed -> Ed25519 pair -> X25519 pair
    id = 05 ‖ X25519 public key

The Ed25519 key signs, the X25519 key is what others encrypt to, and the id is the X25519 key in public. The
words of a recovery phrase carry the entropy; they are in `mnemonic`. Blinded ids of communities are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.crypto import KeyPair, real

# First byte of an account id. Source: transport 1.2; session-storage-server: oxenss/common/pubkey.h.
ACCOUNT_PREFIX: Final = b"\x05"
ENTROPY_BYTES: Final = 16  # Source: transport 1.1; session-desktop: ts/util/accountManager.ts
SEED_BYTES: Final = 32  # Source: transport 1.1; the seed length of Ed25519 (RFC 8032)
ID_BYTES: Final = 33  # Source: transport 1.1


@dataclass(frozen=True, slots=True)
class Account:
    """The keys of one account.

    Args:
        ed: Ed25519 pair; `secret` is the 32-byte seed.
        x: X25519 pair converted from `ed`.
        id: 33 bytes, 05 ‖ X25519 public key.
    """

    ed: KeyPair
    x: KeyPair
    id: bytes

    @property
    def id_hex(self) -> str:
        """The id as people see it: 66 lower-case hex digits starting with 05."""
        return self.id.hex()


def account_from_seed(seed16: bytes) -> Account:
    """Make the account of 16 random bytes, as all clients do.

    Args:
        seed16: the entropy, exactly 16 bytes; what a 13-word recovery phrase carries.

    Raises:
        InvalidInput: another length.
    Source: transport 1.1; session-desktop: ts/util/accountManager.ts.
    """
    if len(seed16) != ENTROPY_BYTES:
        raise InvalidInput("account seed", f"{len(seed16)} bytes", "exactly 16 bytes")
    return account_from_ed25519_seed(seed16 + bytes(SEED_BYTES - ENTROPY_BYTES))


def account_from_ed25519_seed(seed32: bytes) -> Account:
    """Make the account of a whole Ed25519 seed; clients only use seeds that end in 16 zero bytes.

    Args:
        seed32: exactly 32 bytes.

    Raises:
        InvalidInput: another length.
    Source: transport 1.1; libsession-util: src/ed25519.cpp takes any 32-byte seed.
    """
    if len(seed32) != SEED_BYTES:
        raise InvalidInput("Ed25519 seed", f"{len(seed32)} bytes", "exactly 32 bytes")
    ed = real.ed25519_keypair(seed32)
    x = real.x25519_of_ed25519(ed)
    return Account(ed, x, ACCOUNT_PREFIX + x.public)


def account_id_of_ed25519(public: bytes) -> bytes:
    """Give the 33-byte account id that belongs to an Ed25519 public key.

    Raises:
        CannotOpen: the bytes are no Ed25519 public key.
    Source: transport 1.1; libsession-util: src/curve25519.cpp.
    """
    return ACCOUNT_PREFIX + real.x25519_public_of_ed25519(public)
