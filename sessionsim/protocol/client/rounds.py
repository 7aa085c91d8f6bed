"""Rounds in which one client polls several accounts together, as desktop does (client-behaviour 6.1, 6.2).

A round begins with the own account and takes all others whose time has come; the next follows a pause after
the last answer of all of them. So a group whose node is slow holds up everything, and a group is polled at
the first round after its pause.

Source: session-desktop: ts/session/apis/snode_api/swarmPolling.ts, pollForAllKeys.
"""

from __future__ import annotations

from typing import Protocol

from sessionsim.protocol.machine import Effect


class Rounded(Protocol):
    """A poller that takes part in rounds."""

    def poll_in_round(self, now_us: int) -> list[Effect]:
        """Poll now; `Rounds.over` is told when the last answer has come."""

    def is_due(self, now_us: int) -> bool:
        """Say whether a round that begins now takes it."""


class Leader(Rounded, Protocol):
    """The poller that every round begins with."""

    def rounds_over(self, now_us: int) -> None:
        """Learn that the round has ended."""


class Rounds:
    """The rounds of one client. Args: leader: polls the own account."""

    def __init__(self, leader: Leader) -> None:
        self.leader = leader
        self._others: dict[Rounded, None] = {}
        self._under_way: dict[Rounded, None] = {}

    def join(self, poller: Rounded) -> None:
        """Have a poller take part from the next round on."""
        self._others[poller] = None

    def leave(self, poller: Rounded) -> None:
        """Have it no longer take part; answers under way are still waited for."""
        self._others.pop(poller, None)

    def begin(self, now_us: int) -> list[Effect]:
        """Begin a round."""
        taken = [self.leader, *(one for one in self._others if one.is_due(now_us))]
        self._under_way.update(dict.fromkeys(taken))
        return [effect for one in taken for effect in one.poll_in_round(now_us)]

    def over(self, poller: Rounded, now_us: int) -> None:
        """Learn that all answers to a poller have come."""
        self._under_way.pop(poller, None)
        if not self._under_way:
            self.leader.rounds_over(now_us)
