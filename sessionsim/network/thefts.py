"""What the swarm of an account still holds at the time of a theft, for the thief who asks it then.

Whoever has an account's keys may ask its swarm for everything that lies there: messages and configs whose
time is not over, in all namespaces of the account. The members registered at that moment are asked, and what
any of them holds is got. Assumption: all answer, and the question itself leaves no trace in the run.
Source: transport 5.3 (who may read), 5.6 (retrieve); threat-model A17, A18.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Scene
from sessionsim.core.units import US_PER_MS
from sessionsim.core.view import Table
from sessionsim.network.membership.history import History
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.stored import Held
from sessionsim.protocol.swarms import nearest_swarm, swarm_position


class _Clock(Protocol):
    """What the host lets it do."""

    def at(self, t_us: int, act: Callable[[int], None]) -> None: ...


class _Haul(NamedTuple):
    """What was got once. Args: endpoint: from whose keys; held: the messages, in order of box and hash."""

    endpoint: int
    t_us: int
    held: tuple[Held, ...]


class Thefts:
    """All thefts of a run after which a swarm is asked. Used up by one run.

    Args:
        positions: where the observers stand.
        scene: for whose account each client endpoint works.
        epoch_ms: unix time of the run's beginning.
    """

    def __init__(self, positions: Iterable[Position], scene: Scene, epoch_ms: int) -> None:
        ids = dict(zip(scene.client_endpoints, scene.client_ids, strict=True))
        asking = {
            (taking.t_us, taking.endpoint)
            for position in positions
            for taking in position.taken
            if taking.fetches and taking.endpoint in ids
        }
        self._asking, self._ids, self._epoch_ms = sorted(asking), ids, epoch_ms
        self._hauls: list[_Haul] = []

    def __bool__(self) -> bool:
        return bool(self._asking)

    def begin(self, clock: _Clock, machines: Sequence[Machine], nodes: NodeList, history: History) -> None:
        """Have the swarms asked when it is time. Args: nodes: the list at the start."""
        for t_us, endpoint in self._asking:
            clock.at(t_us, partial(self._ask, endpoint, machines, nodes, history))

    def _ask(
        self, endpoint: int, machines: Sequence[Machine], first: NodeList, history: History, now_us: int
    ) -> None:
        passed = bisect_right([block.t_us for block in history.blocks], now_us)
        nodes = history.blocks[passed - 1].nodes if passed else first
        account, now_ms = self._ids[endpoint], now_us // US_PER_MS + self._epoch_ms
        swarm = nearest_swarm(swarm_position(account[1:]), nodes.swarm_ids)
        found = dict[tuple[int, str], Held]()
        for node in nodes.members.get(swarm, ()) if swarm is not None else ():
            machine = machines[node]
            assert isinstance(machine, ServiceNode)
            for held in machine.store.everything():
                if held.account == account and held.message.expiry_ms > now_ms:
                    found.setdefault((held.namespace, held.message.hash), held)
        self._hauls.append(_Haul(endpoint, now_us, tuple(found[key] for key in sorted(found))))

    def hauls(self) -> Table:
        """Give what was got: columns `core.view.HAUL_COLUMNS`, in order of time."""
        rows = [(haul.endpoint, haul.t_us, held) for haul in self._hauls for held in haul.held]
        return {
            "endpoint": np.array([endpoint for endpoint, _, _ in rows], np.int32),
            "t_us": np.array([t_us for _, t_us, _ in rows], np.int64),
            "account": _texts(held.account.hex() for _, _, held in rows),
            "namespace": np.array([held.namespace for _, _, held in rows], np.int32),
            "data": _texts(held.message.data.hex() for _, _, held in rows),
        }


def thefts_of(positions: Iterable[Position], scene: Scene, epoch_ms: int) -> Thefts | None:
    """Give the thefts of a run after which a swarm is asked; None for none."""
    return Thefts(positions, scene, epoch_ms) or None


def _texts(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)
