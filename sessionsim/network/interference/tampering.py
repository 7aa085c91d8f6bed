"""What an operated guard does to the requests of clients it passes on: a flipped bit, or a second copy.

A tag is one flipped bit in the ciphertext that the next node is to open. The layer is authenticated, so the
next honest node refuses it, as the real protocol has it (transport 3.5): the tag is not seen any further.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.core.seeds import mix
from sessionsim.network.interference.kinds import Replay
from sessionsim.network.interference.rhythm import Rhythm
from sessionsim.protocol.wire.onion import decode_hop, encode_hop

_WHERE: Final = 0x746167  # where the draws for tags lie; any number that nothing else uses


class Tampering(NamedTuple):
    """One interference of kind tag or replay. Args: nodes: that do it; rhythm: of each client."""

    name: str
    kind: str
    config: object
    nodes: frozenset[int]
    rhythm: Rhythm

    @property
    def after_us(self) -> int | None:
        """How much later a copy goes; None for a tag."""
        return self.config.after_us if isinstance(self.config, Replay) else None


def tagged(payload: bytes, draw: int) -> bytes:
    """Flip one bit in the ciphertext of a message from node to node. Args: draw: 64 bits, of this request."""
    ciphertext, ephemeral, enc_type, hop = decode_hop(payload)
    altered = bytearray(ciphertext)
    bit = mix(draw, _WHERE) % (8 * len(altered))
    altered[bit >> 3] ^= 1 << (bit & 7)
    return encode_hop(bytes(altered), ephemeral, enc_type, hop)
