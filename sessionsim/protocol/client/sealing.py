"""How a client turns a Content into what swarms store, and back: the place where protocol versions differ.

Version 1 needs nothing but the recipient's id, and seals at once. Version 2 (`client.v2`) needs keys of the
recipient, may have to fetch them first, and decides by what it finds. So a sender asks to be told when it can
seal (`prepare`), and gets the function that does it then. Sending and receiving do not know the version.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.versions.v1 import decrypt, seal_direct
from sessionsim.protocol.wire.envelope import unwrap
from sessionsim.protocol.wire.padding import unpad

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

# Seals a Content: gets it, its time (unix ms) and the address of its draws; gives the bytes to store.
Seal = Callable[[bytes, int, bytes], bytes]
# Goes on once it is known how to seal; gets the function, and the time in µs.
Ready = Callable[[Seal, int], list[Effect]]


class Opened(NamedTuple):
    """An opened message.

    Args:
        sender_id: 33 bytes, of whoever signed it.
        content: a serialised Content.
        group_id: 33 bytes, of the group it was said in; empty for a direct message.
    """

    sender_id: bytes
    content: bytes
    group_id: bytes = b""


class Sealing(Protocol):
    """Encryption of direct messages, as one version does it."""

    def prepare(self, ref: int, recipient_id: bytes, now_us: int, ready: Ready) -> list[Effect]:
        """Call `ready`, now or when keys are there or given up.

        Args:
            ref: number of the message, for what is logged of it.
            recipient_id: 33 bytes; the own id for the copy to the sender's other devices.
        """

    def open(self, stored: bytes) -> Opened:
        """Open what the own inbox holds. Raises ProtocolError: nothing that this client can open."""


class SealingV1:
    """Version 1. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._suite, self._account, self._entropy = client.suite, client.account, client.entropy

    def prepare(self, ref: int, recipient_id: bytes, now_us: int, ready: Ready) -> list[Effect]:
        return ready(partial(self.seal, recipient_id), now_us)

    def seal(self, recipient_id: bytes, content: bytes, sent_ms: int, address: bytes) -> bytes:
        """Seal for an account; see `Seal`."""
        draw = self._entropy.draw
        random = draw(b"seal" + address)[:32] + draw(b"decoy" + address)
        return seal_direct(self._suite, self._account, recipient_id, content, sent_ms, random)

    def open(self, stored: bytes) -> Opened:
        _envelope_ms, sealed = unwrap(stored)
        sender, padded = decrypt(self._suite, self._account.x, sealed)
        return Opened(account_id_of_ed25519(sender), unpad(padded))
