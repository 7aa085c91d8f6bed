"""Bencoded dicts with a signature inside: a field that signs all bytes before it (messages 0).

    d … <key before> 1:~64:<signature> <key after> … e

The signature covers the dict from its `d` up to its own key. Keys behind it are not signed; whoever reads the
dict decides whether to ignore or to refuse them. Source: oxenc, bt_dict_producer::append_signature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.wire import bencode

SIGNATURE: Final = b"~"  # Source: messages 0
SIGNATURE_BYTES: Final = 64  # Source: messages 0


def append(raw: bytes, name: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Add a signature to an encoded dict.

    Args:
        raw: a dict whose keys all sort before `name`.
        sign: gives the 64-byte signature of what it is given.
    """
    body = raw[:-1]
    signature = sign(body)
    return b"%b%d:%b%d:%be" % (body, len(name), name, len(signature), signature)


def signed_part(raw: bytes, fields: dict[bytes, bencode.Value], name: bytes) -> bytes:
    """Give the bytes that the signature `name` covers.

    Args:
        raw: the encoded dict, `fields` what `bencode.decode` made of it; it takes canonical dicts only, so
            encoding the end again gives the same bytes.
    """
    end = {key: value for key, value in fields.items() if key >= name}
    return raw[: len(raw) + 1 - len(bencode.encode(end))]


def field(fields: dict[bytes, bencode.Value], name: bytes, size_bytes: int) -> bytes:
    """Give a byte string of a length.

    Raises:
        RemoteProtocolError: it is missing, no string, or of another length.
    """
    found = fields.get(name)
    if type(found) is not bytes or len(found) != size_bytes:
        raise RemoteProtocolError(f"no field {name!r} of {size_bytes} bytes")
    return found


def read(
    raw: bytes, *, max_bytes: int = bencode.MAX_BYTES, max_depth: int = bencode.MAX_DEPTH
) -> dict[bytes, bencode.Value]:
    """Parse a dict. Raises RemoteProtocolError: anything else."""
    fields = bencode.decode(raw, max_bytes=max_bytes, max_depth=max_depth)
    if type(fields) is not dict:
        raise RemoteProtocolError("not a dict")
    return fields
