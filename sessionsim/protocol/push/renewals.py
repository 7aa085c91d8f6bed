"""When which account is subscribed to anew at which node (client-behaviour 6.4).

A node forgets a subscription after 65 minutes. The push server renews each account at each node of its swarm
a random 45 to 55 minutes after the last time, so that the renewals spread; new accounts come at once. Which
nodes store an account is for the caller to say.
Source: session-push-notification-server: spns/hive/snode.cpp (add_account, check_subs).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.push.rules import PushRules

AT_ONCE_US: Final = -1  # sorts before any time


class Renewals:
    """The renewal times of one push server. Args: entropy: draws the waits."""

    __slots__ = ("_count", "_entropy", "_next", "_queues", "_rules")

    def __init__(self, rules: PushRules, entropy: Entropy) -> None:
        self._rules, self._entropy = rules, entropy
        # node -> account -> its time; the queue may hold stale entries.
        self._next: dict[int, dict[bytes, int]] = {}
        self._queues: dict[int, list[tuple[int, int, bytes]]] = {}
        self._count = 0

    def add(self, node: int, account: bytes, *, at_once: bool = False) -> None:
        """Subscribe an account at a node. Args: at_once: even if that is not due."""
        times = self._next.setdefault(node, {})
        if account not in times or at_once:
            self._put(node, account, AT_ONCE_US)

    def drop(self, node: int, account: bytes) -> None:
        """Stop: the node no longer stores the account, or nobody asks for it."""
        self._next.get(node, {}).pop(account, None)

    def reconnected(self, node: int) -> None:
        """Subscribe everything at a node again: a node forgets with the connection."""
        for account in list(self._next.get(node, {})):
            self._put(node, account, AT_ONCE_US)

    def accounts(self, node: int) -> tuple[bytes, ...]:
        """Give what is subscribed at a node."""
        return tuple(self._next.get(node, {}))

    def next_us(self, node: int) -> int | None:
        """Give when something is due at a node next; None for never, the past for at once."""
        queue, times = self._queues.get(node, []), self._next.get(node, {})
        while queue and times.get(queue[0][2]) != queue[0][0]:
            heappop(queue)
        return queue[0][0] if queue else None

    def take(self, node: int, now_us: int, room: Callable[[bytes], bool]) -> None:
        """Take what is due at a node, and set its next time.

        Args:
            now_us: simulated time.
            room: is given each account in turn and says whether there is room for another.
        """
        while (due_us := self.next_us(node)) is not None and due_us <= now_us:
            account = heappop(self._queues[node])[2]
            self._put(node, account, now_us + self._wait())
            if not room(account):
                return

    def _put(self, node: int, account: bytes, at_us: int) -> None:
        self._count += 1
        self._next.setdefault(node, {})[account] = at_us
        heappush(self._queues.setdefault(node, []), (at_us, self._count, account))

    def _wait(self) -> int:
        # Whole seconds, each as likely, as the server draws them.
        least_s = self._rules.renew_least_us // 1_000_000
        span_s = max(0, self._rules.renew_most_us // 1_000_000 - least_s)
        draw = int.from_bytes(self._entropy.draw(b"renewal %d" % self._count)[:8], "big")
        return (least_s + draw % (span_s + 1)) * 1_000_000
