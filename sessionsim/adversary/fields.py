"""Values of fields as they may stand in JSON or bencode.

All values come from others and may be hostile: a reader gives nothing rather than raise.
"""

from __future__ import annotations

import binascii
from functools import lru_cache
from typing import Final

ID_BYTES: Final = 33  # Source: transport 1.2
KEY_BYTES: Final = 32  # Source: transport 1.2
_CACHED_TEXTS: Final = 8192  # Assumption: more accounts and keys than ask in turn; about 2 MB


def id_bytes(value: object) -> bytes:
    """Read an id of 33 bytes, raw or as hex; empty if it is none."""
    if isinstance(value, bytes):
        if len(value) == ID_BYTES:
            return value
        value = value.decode("latin-1")
    return _known_hex(value) if type(value) is str and len(value) == 2 * ID_BYTES else b""


def key_bytes(value: object) -> bytes:
    """Read a key of 32 bytes, raw or as hex; what other hex there is, or nothing, if it is none."""
    if isinstance(value, bytes) and len(value) == KEY_BYTES:
        return value
    return _known_hex(value) if type(value) is str and len(value) == 2 * KEY_BYTES else hex_bytes(value)


@lru_cache(maxsize=_CACHED_TEXTS)
def _known_hex(text: str) -> bytes:
    return hex_bytes(text)


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
        return binascii.a2b_base64(
            value + "=" * (-len(value) % 4) if len(value) % 4 else value, strict_mode=True
        )
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
