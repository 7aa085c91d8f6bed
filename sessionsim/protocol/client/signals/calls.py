"""The messages that set up a call (messages 2.3, client-behaviour 6.5): their steps, sizes and names."""

from __future__ import annotations

from typing import Final

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.contents import Call, CallKind

KINDS: Final = {
    "pre-offer": CallKind.PRE_OFFER,
    "offer": CallKind.OFFER,
    "answer": CallKind.ANSWER,
    "ice": CallKind.ICE_CANDIDATES,
    "end": CallKind.END_CALL,
}
_CANDIDATE_BYTES: Final = 130  # Assumption: a line that names one address, as in `workload.calls`


def call_step(step: str, name: str, body_bytes: int, address: str = "") -> Call:
    """Make a message of call signalling.

    Args:
        step: one of `core.intents.CALL_STEPS`.
        name: of the call.
        body_bytes: size of the session description, or of all candidates. Beside the device's own address
            what they say matters to nobody here, so they are filled.
        address: IPv4 address of the device, as TURN servers told it; empty for none. The first candidate
            names it, since clients do not keep to relays. Source: client-behaviour 6.5; RFC 8839 5.1.
    """
    kind = KINDS[step]
    if kind in (CallKind.PRE_OFFER, CallKind.END_CALL):
        return Call(kind, name)
    if kind is not CallKind.ICE_CANDIDATES:
        return Call(kind, name, ("v" * body_bytes,))
    count = max(1, body_bytes // _CANDIDATE_BYTES)
    sizes = [body_bytes // count + (place < body_bytes % count) for place in range(count)]
    named = f"candidate:1 1 udp 1677729535 {address} 9 typ srflx " if address else ""
    texts = (named[: sizes[0]].ljust(sizes[0], "c"), *("c" * size for size in sizes[1:]))
    return Call(kind, name, texts, (0,) * count, ("0",) * count)


class CallNames:
    """Which call is on with whom. A caller names it, as a UUID of version 4; the other side learns the name.

    Args:
        entropy: of the client; draws ("call", number).
    """

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._named = 0
        self._with: dict[bytes, str] = {}

    def heard(self, other_id: bytes, name: str) -> None:
        """Learn the name that somebody else gave to a call."""
        self._with[other_id] = name

    def for_step(self, other_id: bytes, step: str) -> str:
        """Give the name of the call to which a step belongs; "pre-offer" begins a new one."""
        if step == "pre-offer" or other_id not in self._with:
            raw = bytearray(self._entropy.draw(b"call" + self._named.to_bytes(4, "little"))[:16])
            self._named += 1
            raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
            text = raw.hex()
            self._with[other_id] = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
        return self._with[other_id]
