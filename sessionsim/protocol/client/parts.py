"""What a part of a client is: one ability with its own state, clock wishes and commands.

The machine knows no ability by name. It starts its parts in the order in which they were added, wakes all of
them when the alarm rings, and sets the alarm to the earliest time that any of them waits for. A part that
nothing in a run needs is not added, and then costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sessionsim.protocol.client.idling import IdlePolls
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.sealing import Opened

# Carries out one kind of command: gets the items after its name, then the time in µs.
Handler = Callable[..., list[Effect]]
# Takes a message that a poll brought, and the time in µs.
Taker = Callable[[Retrieved, int], list[Effect]]
# Looks at a message that is delivered: its hash, what it says, the time in µs.
Reader = Callable[[str, "Opened", int], list[Effect]]
# Takes what somebody sends unasked: from whom, its connection and exchange number, bytes, the time in µs.
Listener = Callable[[int, int, int, bytes, int], list[Effect]]
# Is told that a node has given all it holds of a namespace; gets the time in µs.
ReadToEnd = Callable[[int], list[Effect]]


@runtime_checkable
class Returning(Protocol):
    """A part that has a connection of its own, beside those to guards."""

    def away(self, now_us: int) -> list[Effect]:
        """Let it go, since there is no network any more."""

    def back(self, now_us: int) -> list[Effect]:
        """Open it again."""


class Pacing(Protocol):
    """What has a client's requests leave at times of its own, whatever the client does."""

    def paced(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """Take the requests out of the effects of a call, and put in what is to leave now."""

    def next_due_us(self) -> int | None:
        """Give when something is to leave next; None while the client sleeps."""


class Part(Protocol):
    """One ability of a client."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        """Give the commands it carries out, by name; no two parts of a client share one."""

    def start(self, now_us: int) -> list[Effect]:
        """Begin, once, before anything else."""

    def wake(self, now_us: int) -> list[Effect]:
        """Do what has fallen due; may be called when nothing has."""

    def next_due_us(self) -> int | None:
        """Give when something falls due next; None if only an input can change that."""


class OtherPolls(Part, Protocol):
    """A part that polls other accounts than the own one."""

    def next_due_beside_us(self) -> int | None:
        """Give when something else than a poll falls due next."""

    def idle(self, until_us: int, now_us: int) -> list[IdlePolls] | None:
        """Tell the polls to come of each account; None while they may lead to something; see `idling`."""

    def skip(self, account_id: bytes, count: int, next_us: int, last: int) -> None:
        """Go on behind idle polls of one account; see `idling.Skip`."""
