"""Which swarm keeps an account's messages (transport 2.4).

A key has a position on a ring of 2^64 points; the swarm with the nearest id serves it. Pure functions on
plain integers. How swarms come to be and dissolve is not here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from sessionsim.core.errors import LocalProtocolError

_RING: Final = (1 << 64) - 1  # mask of a position. Source: transport 2.1, 2.4


def swarm_position(public32: bytes) -> int:
    """Give the position of a key on the ring: the XOR of its four big-endian 64-bit words.

    Args:
        public32: the 32 bytes of an account id after its prefix byte.

    Returns:
        An integer in 0..2^64-1.

    Raises:
        LocalProtocolError: not 32 bytes, for example an id with its prefix.
    Source: transport 2.4; session-storage-server: oxenss/snode/swarm.cpp.
    """
    if len(public32) != 32:
        raise LocalProtocolError(f"a swarm position needs 32 bytes of key, not {len(public32)}")
    words = int.from_bytes(public32, "big")
    words ^= words >> 128
    return (words ^ words >> 64) & _RING


def nearest_swarm(position: int, sorted_ids: Sequence[int]) -> int | None:
    """Choose the swarm whose id is nearest on the ring; the lower neighbour wins a tie.

    Args:
        position: from `swarm_position`.
        sorted_ids: all swarm ids, ascending, without repetition.

    Returns:
        One of the ids; None if there is no swarm.

    Source: transport 2.4; session-storage-server: oxenss/snode/swarm.cpp; libsession-util:
        src/network/swarm.cpp.
    """
    if not sorted_ids:
        return None
    at = bisect_left(sorted_ids, position)
    right = sorted_ids[at] if at < len(sorted_ids) else sorted_ids[0]
    left = sorted_ids[at - 1]  # index -1 is the wrap to the largest
    return right if (right - position) & _RING < (position - left) & _RING else left
