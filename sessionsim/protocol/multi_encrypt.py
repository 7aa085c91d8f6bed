"""One encryption for each of several recipients, under one nonce (messages 4.5).

    key = BLAKE2b-32( X25519 secret ‖ sender ‖ recipient ; key = domain )
    entry = XChaCha( message ; nonce, key )

Nothing says whose an entry is: a recipient tries all of them. Nothing is signed either. The simple container
carries nonce and entries; entries can be filled up with random bytes to a multiple. Group keys use the
entries with a layout of their own, notices to removed members the container.
Source: messages 4.5; libsession-util: src/multi_encrypt.cpp, include/session/multi_encrypt.hpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, aead
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.wire import bencode

# Longer domains are cut: the longest BLAKE2b key. Source: libsession-util: src/multi_encrypt.cpp.
DOMAIN_BYTES: Final = 64
OVERHEAD_BYTES: Final = aead.TAG_BYTES  # of one entry. Source: messages 4.5
# What a junk entry is longer than the first plaintext. libsession-util of January 2025 forgot the tag, so its
# junk can be told from entries; that of 2026 adds it. Default: the known answers, which are of 2025.
JUNK_OVERHEAD_2025: Final = 0  # Source: known answers multi_encrypt; libsession-util 1.2.0
JUNK_OVERHEAD_2026: Final = aead.TAG_BYTES  # Source: libsession-util (2026): src/multi_encrypt.cpp


def _entry_key(shared: bytes, sender: bytes, recipient: bytes, domain: bytes) -> bytes:
    return blake2b(shared + sender + recipient, 32, domain[:DOMAIN_BYTES])


def encrypt(
    suite: Suite,
    messages: Sequence[bytes],
    recipients: Sequence[bytes],
    nonce24: bytes,
    sender: KeyPair,
    domain: bytes,
    *,
    skip_unusable: bool = False,
) -> list[bytes]:
    """Encrypt to every recipient, in their order.

    Args:
        suite: makes the shared secrets.
        messages: one for all, or one for each recipient.
        recipients: X25519 public keys, 32 bytes each.
        nonce24: 24 bytes, never used twice between the same two keys in the same domain.
        sender: X25519 pair of the sender.
        domain: what the encryption is for; bytes after the 64th are ignored.
        skip_unusable: leave out recipients whose key is no usable point instead of failing.

    Returns:
        The entries, each 16 bytes longer than its message.

    Raises:
        LocalProtocolError: another number of messages, or a nonce of another length.
        CannotOpen: a recipient's key is no usable point.
    Source: messages 4.5; libsession-util: include/session/multi_encrypt.hpp.
    """
    _check_nonce(nonce24)
    if len(messages) not in (1, len(recipients)):
        raise LocalProtocolError(f"{len(messages)} messages for {len(recipients)} recipients")
    entries = []
    for place, recipient in enumerate(recipients):
        try:
            shared = suite.agree(sender, recipient)
        except CannotOpen:
            if skip_unusable:
                continue
            raise
        message = messages[place] if len(messages) > 1 else messages[0]
        entries.append(aead.seal(message, nonce24, _entry_key(shared, sender.public, recipient, domain)))
    return entries


def decrypt(
    suite: Suite,
    entries: Sequence[bytes],
    nonce24: bytes,
    recipient: KeyPair,
    sender_public: bytes,
    domain: bytes,
) -> bytes | None:
    """Try every entry with the recipient's key.

    Args:
        recipient: X25519 pair of the one who reads.
        sender_public: X25519 key of the sender; it is not in the message.

    Returns:
        The plaintext of the first entry that opens; None if none does.

    Raises:
        CannotOpen: the sender's key is no usable point.
        LocalProtocolError: a nonce of another length.
    Source: messages 4.5.
    """
    _check_nonce(nonce24)
    shared = suite.agree(recipient, sender_public)
    key = _entry_key(shared, sender_public, recipient.public, domain)
    for entry in entries:
        try:
            return aead.unseal(entry, nonce24, key)
        except CannotOpen:
            continue
    return None


def container(nonce24: bytes, entries: Sequence[bytes]) -> bytes:
    """Write nonce and entries as one bencoded dict. Raises LocalProtocolError: a nonce of another length."""
    _check_nonce(nonce24)
    return bencode.encode({b"#": nonce24, b"e": list(entries)})


def read_container(encoded: bytes) -> tuple[bytes, list[bytes]]:
    """Read nonce and entries; other keys are ignored.

    Raises:
        RemoteProtocolError: no well-formed container. libsession reads only as far as it must and so accepts
            damage behind the entry it can open; here the whole must be sound.
    Source: messages 4.5.
    """
    held = bencode.decode(encoded)
    if not isinstance(held, dict):
        raise RemoteProtocolError("not a container of entries")
    nonce, entries = held.get(b"#"), held.get(b"e")
    if not isinstance(nonce, bytes) or len(nonce) != aead.NONCE_BYTES:
        raise RemoteProtocolError("a container without nonce")
    if not isinstance(entries, list) or not all(isinstance(entry, bytes) for entry in entries):
        raise RemoteProtocolError("a container without entries")
    return nonce, entries


def junk_sizes(
    messages: Sequence[bytes], n_entries: int, multiple: int, *, overhead: int = JUNK_OVERHEAD_2025
) -> list[int]:
    """Say how many junk entries fill up to a multiple, and how long each is, bytes.

    Args:
        messages: the plaintexts; the first one's length decides.
        n_entries: entries there are.
        multiple: number of entries to fill up to a multiple of; below 2 there is no junk.
        overhead: `JUNK_OVERHEAD_2025` or `JUNK_OVERHEAD_2026`.

    Source: libsession-util: src/multi_encrypt.cpp; an empty first message gets no junk in 2025.
    """
    size = len(messages[0]) + overhead if messages else 0
    return [size] * (-n_entries % multiple) if multiple > 1 and size else []


def encrypt_simple(
    suite: Suite,
    messages: Sequence[bytes],
    recipients: Sequence[bytes],
    nonce24: bytes,
    sender: KeyPair,
    domain: bytes,
    *,
    junk: Sequence[bytes] = (),
) -> bytes:
    """Encrypt into the simple container; the arguments are those of `encrypt`.

    Args:
        junk: random bytes of the lengths that `junk_sizes` says, put behind the entries.

    Raises:
        LocalProtocolError, CannotOpen: see `encrypt`.
    Source: messages 4.5; libsession-util: src/multi_encrypt.cpp.
    """
    return container(nonce24, [*encrypt(suite, messages, recipients, nonce24, sender, domain), *junk])


def decrypt_simple(
    suite: Suite, encoded: bytes, recipient: KeyPair, sender_public: bytes, domain: bytes
) -> bytes | None:
    """Open the simple container; None if no entry is for this recipient.

    Raises:
        RemoteProtocolError: malformed, see `read_container`; or the sender's key is no usable point.
    """
    nonce, entries = read_container(encoded)
    return decrypt(suite, entries, nonce, recipient, sender_public, domain)


def _check_nonce(nonce24: bytes) -> None:
    if len(nonce24) != aead.NONCE_BYTES:
        raise LocalProtocolError(f"a nonce has {aead.NONCE_BYTES} bytes, not {len(nonce24)}")
