"""Protocol version 2 for a client: texts under keys that change twice a day (protocol-v2 7).

    Content (as in version 1, without padding) -> signed inner dict -> hybrid encryption, 1536 + 256·n bytes

Results call it `v2.LABEL`. The recipient's keys come from the sender's cache (`v2.key_cache`), the own ones
from the device group (`v2.devices`). Without keys of the recipient the rules say what is sent: version 1, or
the form of version 2 under its long-term key. The copy for the sender's own devices is a message to its own
account (hole H5). There is no wrapper and nobody's time in the clear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite
from sessionsim.protocol.identity import Account, account_id_of_ed25519
from sessionsim.protocol.v2.keys import HybridKeys, PublicKeys
from sessionsim.protocol.v2.message import FALLBACK_RANDOM_BYTES, seal, seal_fallback
from sessionsim.protocol.v2.message import RANDOM_BYTES as PFS_RANDOM_BYTES
from sessionsim.protocol.v2.receiving import BadFormat, NoKeyFits, UnknownVersion, open_message, version_of
from sessionsim.protocol.versions.v1 import encode_text, read_content

RANDOM_BYTES: Final = FALLBACK_RANDOM_BYTES  # 1122, enough for either form


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """An opened and verified direct message of version 2.

    Args:
        sender_id: 33 bytes, from the key that signed.
        sent_ms: the signed time of sending, unix ms.
        body: the text; empty if the message has none.
        sync_target: the id (33 bytes) of the other person if this is the copy for the sender's own devices;
            otherwise empty.
        forward_secret: it came under an account key; if not, the reader is told that protection was weaker.
        pro_signature: 64 bytes, not checked; None if there is none.
    """

    sender_id: bytes
    sent_ms: int
    body: str
    sync_target: bytes
    forward_secret: bool
    pro_signature: bytes | None


def seal_direct(
    suite: Suite,
    sender: Account,
    recipient_id: bytes,
    keys: PublicKeys | None,
    content: bytes,
    random: bytes,
    pro: KeyPair | None = None,
) -> bytes:
    """Turn a Content into the bytes that a swarm stores.

    Args:
        recipient_id: account id, 33 bytes; the sender's own id for the sync copy.
        keys: the recipient's account keys; None to encrypt to its long-term key.
        content: from `encode_text`.
        random: at least 1122 bytes, never used before.
        pro: Ed25519 pair of the sender's Pro key.

    Returns:
        The stored message; 1536 bytes for a short text.

    Raises:
        LocalProtocolError: an id or randomness of wrong length.
        CannotOpen: a key of the recipient is none.
    Source: protocol-v2 7.1, 7.4.
    """
    if len(random) < RANDOM_BYTES:
        raise LocalProtocolError(f"a direct message of V2 needs {RANDOM_BYTES} random bytes")
    if keys is None:
        return seal_fallback(suite, sender.ed, recipient_id, content, random[:RANDOM_BYTES], pro)
    return seal(suite, sender.ed, recipient_id, keys, content, random[:PFS_RANDOM_BYTES], pro)


def open_direct(suite: Suite, recipient: Account, held: Sequence[HybridKeys], stored: bytes) -> DirectMessage:
    """Open what a swarm stored for an account.

    Args:
        held: the account's keys, active and retained.
        stored: any bytes for which `version_of` says 2.

    Raises:
        UnknownVersion, BadFormat, NoKeyFits: see `v2.receiving`. After NoKeyFits a device that may have
            missed a rotation reads its device group's messages and tries again.
        RemoteProtocolError: anything else that is no text.
    Source: protocol-v2 7.3.
    """
    opened = open_message(suite, recipient, held, stored)
    sender_id = account_id_of_ed25519(opened.inner.sender)
    sent_ms, body, sync_target = read_content(opened.inner.content, sender_id, recipient.id)
    return DirectMessage(
        sender_id, sent_ms, body, sync_target, opened.key is not None, opened.inner.pro_signature
    )


__all__ = [
    "RANDOM_BYTES",
    "BadFormat",
    "DirectMessage",
    "NoKeyFits",
    "UnknownVersion",
    "encode_text",
    "open_direct",
    "seal_direct",
    "version_of",
]
