"""How a client comes back after its program had stopped: killed, crashed, or with an empty battery.

What a platform writes down is there again: keys, configs and messages read, newest hashes by node, the node
list and known swarms, guards, on phones the queue of what is to be sent (client-behaviour 6.1, 6.3;
transport 4). What it has in memory alone is gone: requests under way, connections, failures counted, the
correction of the clock, on desktop what waited to be sent. Paths are built anew around the same guards where
a platform does that at each start (`PathRules.paths_at_online`); Android stores them whole.

Assumption: a request that was cut off counts as an attempt; downloads, deletions and pushes of configs under
way are jobs that every platform takes up again; the operating system opens no app that has stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.machine import Effect

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

STOPPED: Final = "the app stopped"


@runtime_checkable
class Forgetful(Protocol):
    """A part with messages to be sent that its platform may keep in memory alone."""

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up all of them, and log why."""


class Restarts:
    """The restarts of one client. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"restart": self.restart}

    def restart(self, _disk_lost: bool, now_us: int) -> list[Effect]:
        """Start again after the program had stopped; of clients no disk is lost (`network.faults.kinds`)."""
        client, effects = self._client, list[Effect]()
        client.disarm()
        if not client.rules.queue_kept:
            for part in client.parts:
                if isinstance(part, Forgetful):
                    effects += part.forget(STOPPED, now_us)
        client.clock.restart()
        client.requests.keeper.forget_failures()
        client.node_list.restart(now_us)
        effects += client.presence.halt(now_us)
        client.poll_at(now_us)
        return effects + client.presence.resume(now_us)
