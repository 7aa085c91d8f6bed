"""How many requests without onion a node takes from one address (transport 5.9).

A bucket of tokens per client address and per node key: a request takes one, and the bucket fills at a steady
rate. Integer arithmetic in microseconds, as the real one: what is left of a token's time is lost whenever one
is taken, and the regular clean-up adds tokens without moving the time they are counted from. The clean-up
runs every ten seconds and drops full buckets; it is caught up with when the limiter is used.
Source: session-storage-server: oxenss/rpc/rate_limiter.cpp, unit_test/rate_limiter.cpp.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.units import US_PER_S

CLEANUP_US: Final = 10 * US_PER_S  # Source: oxenss/rpc/rate_limiter.cpp


class RateLimiter:
    """The buckets of one node.

    Args:
        bucket: tokens a bucket holds.
        client_per_s, node_per_s: tokens it gets in a second.
        clients_max: addresses watched at a time; others are refused.
    """

    __slots__ = (
        "_bucket",
        "_client_us",
        "_clients",
        "_clients_max",
        "_fill_us",
        "_next_us",
        "_node_us",
        "_nodes",
    )

    def __init__(self, bucket: int, client_per_s: int, node_per_s: int, clients_max: int) -> None:
        self._bucket, self._clients_max = bucket, clients_max
        self._client_us, self._node_us = US_PER_S // client_per_s, US_PER_S // node_per_s
        self._fill_us = self._client_us * bucket
        # Address or key -> tokens, and the time they are counted from.
        self._clients: dict[int, list[int]] = {}
        self._nodes: dict[bytes, list[int]] = {}
        self._next_us = CLEANUP_US

    def __len__(self) -> int:
        return len(self._clients) + len(self._nodes)

    def refuses_client(self, address: int, now_us: int) -> bool:
        """Take a token for a client's request; say whether there was none."""
        self._catch_up(now_us)
        held = self._clients.get(address)
        if held is not None:
            return not self._take(held, self._client_us, now_us)
        if len(self._clients) >= self._clients_max:
            self._clean(now_us)
            if len(self._clients) >= self._clients_max:
                return True
        self._clients[address] = [self._bucket - 1, now_us]
        return False

    def refuses_node(self, key: bytes, now_us: int) -> bool:
        """Take a token for a node's request; say whether there was none."""
        self._catch_up(now_us)
        held = self._nodes.get(key)
        if held is not None:
            return not self._take(held, self._node_us, now_us)
        self._nodes[key] = [self._bucket - 1, now_us]
        return False

    def _fill(self, held: list[int], period_us: int, now_us: int) -> bool:
        elapsed_us = min(now_us - held[1], self._fill_us)
        held[0] = min(held[0] + elapsed_us // period_us, self._bucket)
        return held[0] >= self._bucket

    def _take(self, held: list[int], period_us: int, now_us: int) -> bool:
        self._fill(held, period_us, now_us)
        if held[0] == 0:
            return False
        held[0] -= 1
        held[1] = now_us
        return True

    def _catch_up(self, now_us: int) -> None:
        if now_us < self._next_us:
            return
        first, last = self._next_us, now_us - now_us % CLEANUP_US
        # A bucket that was not used since the one before fills in the meantime, so two clean-ups do for all.
        for t_us in (first, last) if last > first else (first,):
            self._clean(t_us)
        self._next_us = last + CLEANUP_US

    def _clean(self, now_us: int) -> None:
        for address in [a for a, held in self._clients.items() if self._fill(held, self._client_us, now_us)]:
            del self._clients[address]
        for key in [k for k, held in self._nodes.items() if self._fill(held, self._node_us, now_us)]:
            del self._nodes[key]
