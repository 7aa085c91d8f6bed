"""Filling requests and answers up to one size, with blanks where a reader of JSON overlooks them.

A request for a node ends in the JSON beside its innermost blob, one for a server in the JSON that the last
hop reads, an answer in its object's closing brace, that of a server in the JSON before its body. JSON lets
white space follow (RFC 8259, section 2), so who reads them needs not know. The blanks lie inside the onion:
every hop and every link of the way sees one length, and whoever opens the innermost layer sees what is really
there. What does not fit fills the next multiple.

What a node says in clear, and a question to it in clear, is JSON or a text that is known by its beginning:
blanks behind it mean nothing either.
"""

from __future__ import annotations

from itertools import count
from typing import Final

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.crypto.layer import (
    AES_GCM,
    OVERHEAD_BYTES,
    XCHACHA20,
    GcmLayer,
    Layer,
    XchachaLayer,
)

_FRAME_BYTES: Final = 4  # the length before a blob. Source: transport 3.2
# What a relay's JSON holds beside the key: `{"destination":"`, 64 digits, `",`. Source: transport 3.3
_ROUTE_BYTES: Final = len(b'{"destination":"",') + 64
_DIGITS: Final = 20  # of the length of anything that is in memory
_KEY_BYTES: Final = 64 + len(b'"}')  # of an ephemeral key in hex, with what closes the JSON


def overhead_of(layer: type[Layer]) -> int:
    """Give by how much a layer's ciphertext is longer than its plaintext.

    Raises:
        LocalProtocolError: a cipher whose ciphertext grows in steps, which no client of today sends.
    """
    if layer is GcmLayer:
        return OVERHEAD_BYTES[AES_GCM]
    if layer is XchachaLayer:
        return OVERHEAD_BYTES[XCHACHA20]
    raise LocalProtocolError("only layers of AES-GCM and XChaCha20 can be filled")


def wrapping_bytes(layer: type[Layer], key_field: bytes, nodes: int) -> int:
    """Give by how much a request on its first link is longer than what its last node finds.

    Args:
        layer: cipher of every layer.
        key_field: what stands before the ephemeral key in a route; see `wire.onion.Style`.
        nodes: how many nodes open a layer.
    """
    tail = len(key_field) + _KEY_BYTES
    return nodes * (overhead_of(layer) + _FRAME_BYTES) + 1 + tail + (nodes - 1) * (_ROUTE_BYTES + tail)


def fill_request(
    plaintext: bytes, layer: type[Layer], key_field: bytes, nodes: int, multiple_bytes: int
) -> bytes:
    """Lengthen what a request's last node finds so that the request is a multiple long on its first link.

    Args:
        plaintext: a frame that ends in JSON; the others as in `wrapping_bytes`.
    """
    size = len(plaintext) + wrapping_bytes(layer, key_field, nodes)
    return plaintext + b" " * (-size % multiple_bytes)


def fill_answer(text: bytes, layer: type[Layer], as_base64: bool, multiple_bytes: int) -> bytes:
    """Lengthen an answer's JSON so that the sealed answer is a multiple long.

    Args:
        as_base64: whether what is sealed is sent as base64, four characters for three bytes.
        multiple_bytes: divisible by four.
    """
    step = multiple_bytes * 3 // 4 if as_base64 else multiple_bytes
    return text + b" " * (-(len(text) + overhead_of(layer)) % step)


def fill_listed(about: bytes, body: bytes, layer: type[Layer], multiple_bytes: int) -> bytes:
    """Lengthen the JSON of a server's answer so that the sealed answer is a multiple long.

    Args:
        about, body: the two parts of a v4 answer, which are written with their lengths before them; see
            `wire.v4`.

    Returns:
        `about`, lengthened.
    """
    fixed = len(b"l::e") + len(str(len(body))) + len(body) + overhead_of(layer)

    def size(blanks: int) -> int:
        return fixed + len(str(len(about) + blanks)) + len(about) + blanks

    # Where the length gets a digit more the size grows by two, so that a size may be stepped over.
    for most in count(-size(0) % multiple_bytes, multiple_bytes):
        for blanks in range(most, max(most - _DIGITS, -1), -1):
            if not size(blanks) % multiple_bytes:
                return about + b" " * blanks
    raise AssertionError


def fill_clear(text: bytes, multiple_bytes: int, beside_bytes: int = 0) -> bytes:
    """Lengthen what goes in clear, JSON or a refusal, to a multiple; blanks that were behind it go.

    Args:
        text: ends in nothing that counts: whoever reads it overlooks blanks there.
        beside_bytes: what stands around it on the link and counts too.
    """
    text = text.rstrip(b" ")
    return text + b" " * (-(len(text) + beside_bytes) % multiple_bytes)
