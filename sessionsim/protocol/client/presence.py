"""Whether a client has a network and is looked at, and what it does when not (client-behaviour 6.1).

    awake    online, and in front or on a platform that goes on in the background
    passing  online and in the background, until what is under way has ended or a time is up: after the app
             has left the front, and when the system or a push has woken it
    asleep   nothing goes out, connections are closed, nothing is waited for

What people want of a client that is asleep waits until it is awake. Falling asleep ends all requests;
whoever had made them hears that no answer came, and goes on when the client is awake. What had fallen due
meanwhile is done at once then, so a client that comes to the front polls without delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.protocol.client.parts import Handler, Returning
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.machine import CLOSE, Effect

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_HALF: Final = 1 << 53
# Commands that carry out no order; all others begin with the number of theirs.
_NO_ORDERS: Final = frozenset(
    {"call-media", "clock", "open-conversation", "poll", "poll-group", "restart", "visit"}
)


def orders_in(commands: Iterable[tuple[object, ...]]) -> Iterator[int]:
    """Give the orders that commands carry out, by their numbers."""
    for name, *details in commands:
        if name not in _NO_ORDERS and details and type(details[0]) is int:
            yield details[0]


class Presence:
    """The presence of one client, online and in front until it is told otherwise. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client, self._rules = client, client.rules
        self.online = self.foreground = self.awake = True
        self.settled = True  # neither asleep nor about to be
        self.spells = 0  # how often it has come to the front
        self.fast_mode = False  # pushes wake it
        # For what else the system wakes it: each gives when that is due.
        self.errands: list[Callable[[], int | None]] = []
        # Truth asks for it: when it fell asleep or woke, went to the background or came to the front.
        self.changes: list[tuple[int, str, bool]] = []
        self._passing_until_us: int | None = None
        self._next_us: int | None = None  # when the system wakes it next to poll
        self._woken = 0
        self._waiting: list[tuple[object, ...]] = []

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"online": self.set_online, "foreground": self.set_foreground}

    # --- what it is told ----------------------------------------------------------------------------------

    def set_online(self, on: bool, now_us: int) -> list[Effect]:
        """Learn that there is a network, or none any more."""
        if on == self.online:
            return []
        self.online = on
        own = [part for part in self._client.parts if isinstance(part, Returning)]
        effects: list[Effect] = []
        if not on:
            if self.awake:
                effects += self._sleep(now_us)
            for part in own:
                effects += part.away(now_us)
            return effects
        for part in own:
            effects += part.back(now_us)
        if self.foreground or self._rules.in_background == "runs":
            effects += self._wake_up(now_us)
        return effects

    def set_foreground(self, on: bool, now_us: int) -> list[Effect]:
        """Learn that somebody looks at the app, or no longer."""
        if on == self.foreground:
            return []
        self.foreground = on
        self.changes.append((now_us, "foreground", on))
        self.spells += on
        if self._rules.in_background == "runs":
            return []
        if on:
            self._next_us = None
            if not self.online:
                return []
            if not self.awake:
                return self._wake_up(now_us)
            self._pass_until(None)
            if self._client.requests.keeper.single:
                self._client.builder.rebuild(now_us)  # the app itself runs now
            return []
        # At time 0 it is told how it is, which has lasted for a while.
        interval_us = self._rules.background_interval_us
        phase_us = number_at(self._client.entropy, b"woken phase", max(1, interval_us))
        self._next_us = self._next_after(self._rules.background_first_us if now_us else phase_us, now_us)
        if self.awake:
            self._pass_until(now_us + self._rules.background_linger_us)
        return []

    def halt(self, now_us: int) -> list[Effect]:
        """Learn that the program has stopped: nothing is under way, and no connection is open any more."""
        return self._sleep(now_us) if self.awake else []

    def resume(self, now_us: int) -> list[Effect]:
        """Go on after that, as awake as the device would be."""
        effects: list[Effect] = []
        if not self.online:
            return effects
        for part in self._client.parts:
            if isinstance(part, Returning):
                effects += part.back(now_us)
        if self.foreground or self._rules.in_background == "runs":
            effects += self._wake_up(now_us)
        return effects

    def come_round(self, now_us: int, *command: object) -> list[Effect]:
        """Be woken to carry out a command, if there is a network; it sleeps again when that is done.

        Args:
            command: of a push, it comes before what has fallen due; none: the system wakes it for that.
        """
        if self.awake or not self.online:
            return []
        if command:
            self.wait(command)
        effects = self._wake_up(now_us, single=bool(command) and self._rules.woken_single_path)
        self._pass_until(now_us + self._rules.background_linger_us)
        return effects

    def wait(self, command: tuple[object, ...]) -> None:
        """Let a command wait until the client is awake."""
        self._waiting.append(command)

    def pending(self) -> Iterator[int]:
        """Give the orders whose commands wait."""
        return orders_in(self._waiting)

    # --- time ---------------------------------------------------------------------------------------------

    def next_due_us(self) -> int | None:
        """Give when it falls asleep at the latest, or is woken."""
        if self.settled:
            return None
        times = [self._passing_until_us]
        if self.online:
            times.append(self._next_us)
            if not self.awake:
                times += [errand() for errand in self.errands]
        return min((t_us for t_us in times if t_us is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        """Have the system wake the client, if that is due."""
        if self.settled or not self.online:
            return []
        effects: list[Effect] = []
        if self._next_us is not None and self._next_us <= now_us:
            self._woken += 1
            self._next_us = self._next_after(self._rules.background_interval_us, now_us)
            effects += self.come_round(now_us)
        due = [errand() for errand in self.errands]
        if any(t_us is not None and t_us <= now_us for t_us in due):
            effects += self.come_round(now_us)
        return effects

    def pass_away(self, now_us: int) -> list[Effect]:
        """Fall asleep if it is to, and nothing is under way any more or the time is up."""
        until_us = self._passing_until_us
        if until_us is None or (now_us < until_us and len(self._client.requests)):
            return []
        return self._sleep(now_us)

    def _next_after(self, pause_us: int, now_us: int) -> int | None:
        """Give when the system wakes it next, `pause_us` from now or as luck has it; None: never."""
        rules = self._rules
        if not rules.background_interval_us or (self.fast_mode and not rules.woken_in_fast_mode):
            return None
        if rules.background_luck == "exponential":
            draw = self._client.entropy.draw(b"woken" + self._woken.to_bytes(4, "little"))
            luck = (int.from_bytes(draw[:8], "little") >> 11) / _HALF
            pause_us = int(-math.log1p(-luck) * rules.background_interval_us)
        return now_us + pause_us

    # --- asleep and awake ---------------------------------------------------------------------------------

    def _pass_until(self, until_us: int | None) -> None:
        self._passing_until_us = until_us
        self.settled = until_us is None

    def _sleep(self, now_us: int) -> list[Effect]:
        self.awake = self.settled = False
        self.changes.append((now_us, "awake", False))
        self._passing_until_us = None
        client, requests = self._client, self._client.requests
        for keeper in (client.builder, client.rotation, client.node_list):
            keeper.abandon()
        effects = requests.cut(now_us)
        guards = dict.fromkeys(path.nodes[0] for path in requests.keeper.all)
        return effects + [(CLOSE, guard, requests.connection) for guard in guards]

    def _wake_up(self, now_us: int, *, single: bool = False) -> list[Effect]:
        """Go on: with paths first, then with what waits, then with what has fallen due."""
        self.awake = True
        self.changes.append((now_us, "awake", True))
        self._pass_until(None)
        client = self._client
        client.requests.shut = False
        if self._rules.paths_at_online or single or client.requests.keeper.single:
            client.builder.rebuild(now_us, single=single)
        client.requests.let_go(now_us)
        waiting, self._waiting = self._waiting, []
        effects: list[Effect] = []
        for command in waiting:
            effects += client.do(str(command[0]), *command[1:], now_us)
        return effects + client.wake_parts(now_us)
