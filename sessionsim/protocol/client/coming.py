"""A client on a device that is sometimes without network: then nothing reaches it, and it does nothing.

What its person wants meanwhile it does when it is back, and then also whatever has fallen due. A request that
was under way gets no answer. Clients whose devices are always online are plain ones and pay nothing for this.
"""

from __future__ import annotations

from typing import Any

from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.parts import Returning
from sessionsim.protocol.machine import NOTHING, Effect, Effects


class ComingClient(Client):
    """A client that is told ("online", whether) by the scenario; online until told otherwise."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._online = True
        self._missed: list[tuple[object, ...]] = []

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        return super().receive(src, conn, exchange, head, payload, now_us) if self._online else NOTHING

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        return super().failed(dst, conn, exchange, reason, now_us) if self._online else NOTHING

    def wake(self, now_us: int) -> Effects:
        return super().wake(now_us) if self._online else NOTHING

    def command(self, command: tuple[object, ...], now_us: int) -> Effects:
        if command[0] == "online":
            return self._switched(on=bool(command[1]), now_us=now_us)
        if self._online or command[0] == "clock":
            return super().command(command, now_us)
        self._missed.append(command)
        return NOTHING

    def _switched(self, *, on: bool, now_us: int) -> Effects:
        back, self._online = on and not self._online, on
        if not back:
            return NOTHING
        effects: list[Effect] = list(self.wake(now_us))
        for part in self.parts:
            if isinstance(part, Returning):
                effects += self._armed(part.back(now_us), now_us)
        missed, self._missed = self._missed, []
        for command in missed:
            effects += super().command(command, now_us)
        return effects
