"""What is kept of a stored message once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessionsim.adversary.fields import whole_number

MOST_MS: Final = 1 << 62  # Assumption: no lifetime is longer; keeps hostile numbers out of 64-bit columns


class Message(NamedTuple):
    """A stored message.

    Args:
        hash: its name.
        inbox: the account it is for.
        size_bytes: of what is stored.
        stamp_ms: the time in its wrapper, which needs no key; None for none.
        form: what its clear parts look like; empty for bytes that show none.
        names: terms in its clear parts.
    """

    hash: str
    inbox: bytes
    size_bytes: int
    stamp_ms: int | None
    form: str
    names: tuple[str, ...]


def lifetime_ms(fields: Mapping[str, Any]) -> int | None:
    """Give how long a message is to be kept, by the fields of its store; None where they do not say."""
    ttl = whole_number(fields.get("ttl"))
    if ttl is None:
        expiry, stamp = whole_number(fields.get("expiry")), whole_number(fields.get("timestamp"))
        ttl = expiry - stamp if expiry is not None and stamp is not None else None
    return ttl if ttl is not None and -MOST_MS < ttl < MOST_MS else None
