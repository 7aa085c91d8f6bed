"""From a version's bytes to what the swarm stores, and back (messages 5.4 to 5.6).

    bencode -> z ‖ zstd, if shorter -> zeros in front -> encrypted -> protobuf wrapper, if it still fits
                                                      -> in parts, each encrypted, if too large
Source: libsession-util: src/config/base.cpp (push, merge).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs import parts
from sessionsim.protocol.configs.kinds import Kind
from sessionsim.protocol.configs.message import ConfigMessage
from sessionsim.protocol.configs.rules import ConfigRules
from sessionsim.protocol.configs.sealing import OVERHEAD_BYTES, decrypt_with_any, encrypt, pad, unpad
from sessionsim.protocol.configs.wrapping import unwrapped, wrap
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import Account
from sessionsim.protocol.wire import bencode
from sessionsim.protocol.wire.compression import compress, decompress

COMPRESSED: Final = b"z"  # Source: messages 5.4
PLAIN: Final = b"d"  # Source: messages 5.4; the first byte of a bencoded dict
MAX_CONFIG_BYTES: Final = bencode.MAX_BYTES  # Assumption: six times the reference's largest test, 1.6 MB


class Opened(NamedTuple):
    """What a stored message held.

    Args:
        names: storage hashes of all messages it was in; more than one if it came in parts.
        raw: the version's bytes, not checked; empty if parts are still missing.
    """

    names: frozenset[str]
    raw: bytes


class Storing:
    """The stored form of one config on one device.

    Args:
        owner: None for a group's config, which has no wrapper.
        wraps: whether an account's config gets the wrapper; one is taken off in any case.
    """

    def __init__(
        self, kind: Kind, suite: Suite, owner: Account | None, rules: ConfigRules, *, wraps: bool = True
    ) -> None:
        self._kind, self._suite, self._owner, self._rules = kind, suite, owner, rules
        self._wraps = wraps
        self.assembly = parts.Assembly(rules.wait_ms, rules.remember_ms)

    def seal(self, message: ConfigMessage, key: bytes, now_ms: int) -> tuple[bytes, ...]:
        """Give the bytes to store.

        Args:
            key: 32 bytes.
            now_ms: unix time, ms; only to remember the parts of this device.

        Raises:
            LocalProtocolError: the config is too large.
        """
        smaller = COMPRESSED + compress(message.raw)
        whole = pad(smaller if len(smaller) < len(message.raw) else message.raw)
        if len(whole) + OVERHEAD_BYTES <= parts.MAX_STORED_BYTES:
            ciphertext = encrypt(whole, key, self._kind.domain)
            return (self._wrapped(ciphertext, message.version.seqno),)
        if not self._rules.multipart or len(whole) > parts.MAX_WHOLE_BYTES:
            raise LocalProtocolError(f"a config of {len(whole)} bytes is too large to push")
        self.assembly.pushed(whole, now_ms)
        return tuple(encrypt(part, key, self._kind.domain) for part in parts.split(whole))

    def _wrapped(self, ciphertext: bytes, seqno: int) -> bytes:
        if self._owner is None or not self._wraps:
            return ciphertext
        stored = wrap(self._suite, self._owner, self._kind, seqno, ciphertext)
        if len(stored) <= parts.MAX_STORED_BYTES:
            return stored
        # Who needs the wrapper cannot read parts either, so a wrapper that no longer fits is left off.
        if not self._rules.multipart:
            raise LocalProtocolError(f"a config of {len(stored)} bytes is too large to push")
        return ciphertext

    def open(self, storage_hash: str, stored: bytes, keys: Sequence[bytes], now_ms: int) -> Opened:
        """Open what was fetched.

        Args:
            storage_hash: its name in the swarm.
            stored: any bytes.
            keys: tried in order.
            now_ms: unix time, ms; decides how long a part waits.

        Raises:
            CannotOpen: no key opens it.
            RemoteProtocolError: no config inside.
        """
        if self._owner is not None:
            stored = unwrapped(self._suite, self._owner, self._kind, stored)
        message = unpad(decrypt_with_any(stored, keys, self._kind.domain))
        names: tuple[str, ...] = (storage_hash,)
        if message.startswith(parts.MARK):
            if not self._rules.multipart:
                raise RemoteProtocolError("this client does not read parts")
            whole = self.assembly.add(storage_hash, message, now_ms)
            if whole is None:
                return Opened(frozenset(names), b"")
            names, message = whole[0], unpad(whole[1])
        if message.startswith(COMPRESSED):
            message = decompress(message[1:], MAX_CONFIG_BYTES)
        if not message.startswith(PLAIN):
            raise RemoteProtocolError("a config of an unknown form")
        return Opened(frozenset(names), message)
