"""Percent signs in URLs, and the fields of a query string.

Source: RFC 3986 section 2.1; RFC 5987; WHATWG URL Standard: application/x-www-form-urlencoded.
"""

from __future__ import annotations

import re
from typing import Final

from sessionsim.core.errors import RemoteProtocolError

_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
MOST_FIELDS: Final = 64  # of a query. Assumption: no endpoint knows more than four


def encode(value: str, keep: bytes = b"") -> str:
    """Escape everything that is not unreserved. Args: keep: further bytes to leave."""
    return "".join(
        chr(byte) if byte in _PLAIN or byte in keep else f"%{byte:02X}"
        for byte in value.encode("utf-8", "replace")
    )


def decode(value: str, *, strict: bool = False) -> str:
    """Undo escapes; what is no escape stays as it is.

    Args:
        strict: refuse what is not UTF-8, instead of a replacement character.

    Raises:
        RemoteProtocolError: strict, and the escapes are not UTF-8.
    """
    if "%" not in value:
        return value
    errors = "strict" if strict else "replace"
    try:
        return _ESCAPES.sub(lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", errors), value)
    except UnicodeDecodeError as wrong:
        raise RemoteProtocolError("escapes that are not UTF-8") from wrong


def read_query(query: str) -> dict[str, str]:
    """Read a query string; of several fields of a name the first counts, one without a value is empty.

    Raises:
        RemoteProtocolError: more than 64 fields.
    """
    if query.count("&") >= MOST_FIELDS:
        raise RemoteProtocolError("a query of too many fields")
    fields: dict[str, str] = {}
    for part in query.replace("+", " ").split("&"):
        if part:
            name, _, value = part.partition("=")
            fields.setdefault(decode(name), decode(value))
    return fields
