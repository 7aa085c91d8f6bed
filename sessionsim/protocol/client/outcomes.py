"""What is logged of the wishes a device was told of: each ends as stored or as failed, once.

Until then it is pending, wherever it is: waiting for an invitation, in a queue, between two attempts.
"""

from __future__ import annotations

from sessionsim.protocol.machine import LOG, Effect


class Outcomes:
    """The wishes of one device that have not ended yet, by their numbers."""

    def __init__(self) -> None:
        self._open: dict[int, None] = {}

    def begin(self, ref: int) -> None:
        """Learn of a wish."""
        self._open[ref] = None

    def pending(self) -> tuple[int, ...]:
        """The wishes that have not ended, in the order in which they came."""
        return tuple(self._open)

    def stored(self, ref: int, now_us: int) -> list[Effect]:
        """Say that the swarm has taken it; nothing if it has ended already, or was no wish."""
        return [(LOG, "stored", ref, now_us)] if self._end(ref) else []

    def failed(self, ref: int, reason: str) -> list[Effect]:
        """Say that it was given up; nothing if it has ended already, or was no wish."""
        return [(LOG, "failed", ref, reason)] if self._end(ref) else []

    def _end(self, ref: int) -> bool:
        if ref not in self._open:
            return False
        del self._open[ref]
        return True
