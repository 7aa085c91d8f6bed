"""Values of fields as they may stand in JSON or bencode.

All values come from others and may be hostile: a reader gives nothing rather than raise.
"""

from __future__ import annotations

import binascii
from typing import Final

ID_BYTES: Final = 33  # Source: transport 1.2


def id_bytes(value: object) -> bytes:
    """Read an id of 33 bytes, raw or as hex; empty if it is none."""
    if isinstance(value, bytes) and len(value) == ID_BYTES:
        return value
    found = hex_bytes(value)
    return found if len(found) == ID_BYTES else b""


def hex_bytes(value: object) -> bytes:
    """Read a hex field of JSON (text) or bencode (ASCII bytes); empty if it is none."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return b""
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return b""
    return raw if 2 * len(raw) == len(value) else b""  # fromhex skips blanks


def base64_bytes(value: object) -> bytes:
    """Read a binary field: base64 text in JSON, padded or not, raw in bencode; empty if it is none."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        return b""
    try:
        return binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True)
    except ValueError:
        return b""


def whole_number(value: object) -> int | None:
    """Read a number field; JSON clients may write it as text (transport 5.4)."""
    if type(value) is int:
        return value
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if (
        isinstance(value, str)
        and value.lstrip("-").isascii()
        and value.lstrip("-").isdigit()
        and len(value) < 21
    ):
        try:
            return int(value)
        except ValueError:
            return None
    return None
