"""Showing that somebody types: from the word that they began until they stop, write, or are silent too long.

An indicator that is refreshed in time goes on. Truth hears of each when it ends: the event `typing-shown`
names the message that began it, and tells for how long it was shown, µs (client-behaviour 6.3).
"""

from __future__ import annotations

from typing import Final

from sessionsim.protocol.contents import Typing
from sessionsim.protocol.machine import EVENT, Effect

SHOWN: Final = "typing-shown"


class TypingSigns:
    """The typing indicators that one device shows. Args: longest_us: without a word of the one who types."""

    def __init__(self, longest_us: int) -> None:
        self._longest_us = longest_us
        # Who types: which message began it, since when it is shown, and until when at most.
        self._shown: dict[bytes, tuple[str, int, int]] = {}

    def take(self, sender_id: bytes, typing: Typing, message_hash: str, now_us: int) -> list[Effect]:
        """Learn that somebody has begun to type, goes on, or has stopped."""
        if not typing.started:
            return self.end(sender_id, now_us)
        effects: list[Effect] = []
        begun = self._shown.get(sender_id)
        if begun is not None and begun[2] <= now_us:
            effects, begun = self.end(sender_id, now_us), None
        first, since_us = (message_hash, now_us) if begun is None else begun[:2]
        self._shown[sender_id] = (first, since_us, now_us + self._longest_us)
        return effects

    def end(self, sender_id: bytes, now_us: int) -> list[Effect]:
        """Show it no longer, since what was typed has come or its author stopped."""
        begun = self._shown.pop(sender_id, None)
        if begun is None:
            return []
        first, since_us, until_us = begun
        return [(EVENT, SHOWN, first, min(now_us, until_us) - since_us)]

    def next_due_us(self) -> int | None:
        """Give when the next one has been shown for long enough."""
        return min((until_us for _, _, until_us in self._shown.values()), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """End those that have been shown for long enough."""
        over = [who for who, (_, _, until_us) in self._shown.items() if until_us <= now_us]
        return [effect for who in over for effect in self.end(who, now_us)]
