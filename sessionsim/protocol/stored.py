"""What a service node keeps: messages, and what becomes of one that is to be stored. Plain values."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Stored(IntEnum):
    """What became of a message that was to be stored."""

    NEW = 0
    ALREADY = 1
    FULL = 2


class Message(NamedTuple):
    """A stored message. Times in unix milliseconds; `order` counts what this node has stored."""

    order: int
    hash: str
    timestamp_ms: int
    expiry_ms: int
    data: bytes


class Held(NamedTuple):
    """A message with the box it lies in, as nodes hand them on. Args: account: 33 bytes."""

    account: bytes
    namespace: int
    message: Message
