"""What the records of this package have in common: ids as hex text, lengths.

A record checks itself and raises `LocalProtocolError`; `read` turns that into `RemoteProtocolError` when the
bytes came from others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES
from sessionsim.protocol.wire.envelope import text_of

SIGNATURE_BYTES: Final = 64  # Source: RFC 8032; messages 2.3
KEY_BYTES: Final = 32  # Source: messages 2.3


def check_size(value: bytes, place: str, *allowed: int) -> None:
    """Raise LocalProtocolError unless the value has one of the allowed lengths."""
    if len(value) not in allowed:
        sizes = " or ".join(map(str, allowed))
        raise LocalProtocolError(f"{place}: {len(value)} bytes, not {sizes}")


def check_id(value: bytes, place: str) -> None:
    """Raise LocalProtocolError unless the value is as long as an id."""
    check_size(value, place, ID_BYTES)


def check_accounts(values: Iterable[bytes], place: str) -> None:
    """Raise LocalProtocolError unless every value is the id of an account."""
    for value in values:
        check_id(value, place)
        if not value.startswith(ACCOUNT_PREFIX):
            raise LocalProtocolError(f"{place}: an id that is no account's")


def id_of(written: str, place: str) -> bytes:
    """Read an id from its 66 hex digits; prefixes are not looked at, since blinded ids stand here too.

    Raises:
        RemoteProtocolError: anything else. A client that only compares the text would let it pass and find
            no such person; the rest of the message is not worth reading then.
    """
    text = text_of(written)
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    # bytes.fromhex skips blanks, so the length of the text is checked too.
    if len(text) != 2 * ID_BYTES or len(found) != ID_BYTES:
        raise RemoteProtocolError(f"{place}: no id")
    return found


def ids_of(written: Iterable[str], place: str) -> tuple[bytes, ...]:
    """Read several ids. Raises RemoteProtocolError."""
    return tuple(id_of(one, place) for one in written)
