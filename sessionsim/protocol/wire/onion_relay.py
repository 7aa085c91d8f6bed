"""One step of a relay in the shapes the client families write, from payload to payload (transport 3.5, 3.6).

Every onion request makes this step three times, so it is written out as one function: read the frame or the
node's message, open the layer, read the route in it, write the message for the next node. Whatever looks
different is left to the general functions in `onion`, with equal results (property-tested).
"""

from __future__ import annotations

import binascii
from typing import Final

from sessionsim.protocol.crypto.layer import GcmLayer, Layer, XchachaLayer
from sessionsim.protocol.crypto.suite import KeyPair, Suite

# Of a client's frame: its JSON, in which the key's 64 digits stand. Desktop and Android leave the cipher out.
_GCM_FRAME: Final = b'{"ephemeral_key":"'
_XCHACHA_FRAME: Final = b'{"enc_type":"xchacha20","ephemeral_key":"'
# Of a node's message: what stands behind the data, up to the 32 bytes of the key.
_GCM_TAIL: Final = b"8:enc_type7:aes-gcm13:ephemeral_key32:"
_XCHACHA_TAIL: Final = b"8:enc_type9:xchacha2013:ephemeral_key32:"
# What stands behind the key: the hop number, where it has one digit.
_HOPS: Final = {b"6:hop_noi%dee" % hop: hop for hop in range(1, 10)}
_HOP_BYTES: Final = len(b"6:hop_noi1ee")
_GCM_TAIL_LENGTH: Final = len(_GCM_TAIL) + 32 + _HOP_BYTES
_XCHACHA_TAIL_LENGTH: Final = len(_XCHACHA_TAIL) + 32 + _HOP_BYTES
_GCM_FRAME_LENGTH: Final = len(_GCM_FRAME) + 66
_XCHACHA_FRAME_LENGTH: Final = len(_XCHACHA_FRAME) + 66
# Of an opened layer: the route's JSON. The destination's 64 digits begin at 16.
_TO: Final = b'{"destination":"'
_GCM_ROUTE: Final = b'","ephemeral_key":"'
_XCHACHA_ROUTE: Final = b'","enc_type":"xchacha20","ephemeral_key":"'
_GCM_ROUTE_LENGTH: Final = 80 + len(_GCM_ROUTE) + 66
_XCHACHA_ROUTE_LENGTH: Final = 80 + len(_XCHACHA_ROUTE) + 66

# Destination (32 bytes), and the message for it.
Passed = tuple[bytes, bytes]
# An opened layer that is no usual route: layer, plaintext, the ephemeral key it came with, hop number.
OpenedLayer = tuple[Layer, bytes, bytes, int]


def step(
    suite: Suite, own: KeyPair, payload: bytes, from_client: bool, hops_max: int
) -> Passed | OpenedLayer | None:
    """Take a relay's step.

    Args:
        suite, own: the crypto suite and the node's X25519 pair.
        payload: a client's frame, or another node's message.
        from_client: which of both it is.
        hops_max: highest hop number that is not refused.

    Returns:
        What goes to which node; or the opened layer, if what it holds is not a usual route; or None, if
        the payload has no usual shape or a hop number too high.

    Raises:
        CannotOpen: the layer does not open with this key.
    """
    layer_type: type[Layer]
    size = len(payload)
    if from_client:
        start, end, hop = 4, 4 + int.from_bytes(payload[:4], "little"), 0
        length = size - end
        if length == _GCM_FRAME_LENGTH and payload.startswith(_GCM_FRAME, end):
            layer_type, key_start = GcmLayer, end + len(_GCM_FRAME)
        elif length == _XCHACHA_FRAME_LENGTH and payload.startswith(_XCHACHA_FRAME, end):
            layer_type, key_start = XchachaLayer, end + len(_XCHACHA_FRAME)
        else:
            return None
        if payload[-2:] != b'"}':
            return None
        try:
            ephemeral = binascii.a2b_hex(payload[key_start:-2])
        except ValueError:
            return None
    else:
        hop = _HOPS.get(payload[-_HOP_BYTES:], 0)
        if not 0 < hop <= hops_max:
            return None
        end = size - _GCM_TAIL_LENGTH
        if payload.startswith(_GCM_TAIL, end):
            layer_type = GcmLayer
        else:
            end = size - _XCHACHA_TAIL_LENGTH
            if not payload.startswith(_XCHACHA_TAIL, end):
                return None
            layer_type = XchachaLayer
        start = payload.find(b":", 7, 17) + 1
        if not payload.startswith(b"d4:data%d:" % (end - start)):
            return None
        ephemeral = payload[-_HOP_BYTES - 32 : -_HOP_BYTES]
    layer = suite.layer_from(layer_type, own, ephemeral)
    plaintext = layer.open(payload, start, end)
    end = 4 + int.from_bytes(plaintext[:4], "little")
    if plaintext.startswith(_TO, end) and plaintext[-2:] == b'"}':
        length = len(plaintext) - end
        if length == _GCM_ROUTE_LENGTH and plaintext.startswith(_GCM_ROUTE, end + 80):
            form = b"d4:data%d:%b8:enc_type7:aes-gcm13:ephemeral_key32:%b6:hop_noi%dee"
        elif length == _XCHACHA_ROUTE_LENGTH and plaintext.startswith(_XCHACHA_ROUTE, end + 80):
            form = b"d4:data%d:%b8:enc_type9:xchacha2013:ephemeral_key32:%b6:hop_noi%dee"
        else:
            return layer, plaintext, ephemeral, hop
        try:
            destination = binascii.a2b_hex(plaintext[end + 16 : end + 80])
            following = binascii.a2b_hex(plaintext[-66:-2])
        except ValueError:
            return layer, plaintext, ephemeral, hop
        return destination, form % (end - 4, plaintext[4:end], following, hop + 1)
    return layer, plaintext, ephemeral, hop
