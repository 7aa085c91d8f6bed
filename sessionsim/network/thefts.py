"""What the swarms of an account and its groups still hold at a theft, for the thief who asks them then.

Whoever has an account's keys may ask its swarm for everything that lies there: messages and configs whose
time is not over, in all namespaces of the account. The configs name the account's groups and hold what their
swarms ask for, so these are asked next, and who has the device asks for the groups it knows of. A token that
a node knows as revoked gets nothing there but what is left for the removed. The members registered at that
moment are asked, and what any of them holds is got. Assumption: all answer, and the questions leave no trace
in the run.
Source: transport 5.2, 5.3 (who may read), 5.6 (retrieve); messages 4.4, 5.1; threat-model A17, A18.
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
from sessionsim.network.stolen_access import OWNER, access_in_configs, access_on_device, readable
from sessionsim.protocol.client import Client
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.stored import Held
from sessionsim.protocol.swarms import nearest_swarm, swarm_position


class _Clock(Protocol):
    """What the host lets it do."""

    def at(self, t_us: int, act: Callable[[int], None]) -> None: ...


class _Question(NamedTuple):
    """One theft after which swarms are asked. Args: on_device: with what the device holds, not keys alone."""

    t_us: int
    endpoint: int
    on_device: bool


class _Haul(NamedTuple):
    """What was got once. Args: held: the messages, by account in the order asked, then by box and hash."""

    question: _Question
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
            _Question(taking.t_us, taking.endpoint, taking.stays or taking.copies)
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
        for question in self._asking:
            clock.at(question.t_us, partial(self._ask, question, machines, nodes, history))

    def _ask(
        self,
        question: _Question,
        machines: Sequence[Machine],
        first: NodeList,
        history: History,
        now_us: int,
    ) -> None:
        passed = bisect_right([block.t_us for block in history.blocks], now_us)
        nodes = history.blocks[passed - 1].nodes if passed else first
        now_ms = now_us // US_PER_MS + self._epoch_ms
        client = machines[question.endpoint]
        assert isinstance(client, Client)
        swarms = _Swarms(machines, nodes, now_ms)
        found = swarms.held(self._ids[question.endpoint], OWNER)
        access = access_in_configs(client.suite, client.account, found, now_ms)
        if question.on_device:
            access = access_on_device(client) | access
        for group_id, token in sorted(access.items()):
            found += swarms.held(group_id, token)
        self._hauls.append(_Haul(question._replace(t_us=now_us), tuple(found)))

    def hauls(self) -> Table:
        """Give what was got: columns `core.view.HAUL_COLUMNS`, in order of time."""
        rows = [(haul.question, held) for haul in self._hauls for held in haul.held]
        return {
            "endpoint": np.array([question.endpoint for question, _ in rows], np.int32),
            "t_us": np.array([question.t_us for question, _ in rows], np.int64),
            "on_device": np.array([question.on_device for question, _ in rows], np.bool_),
            "account": _texts(held.account.hex() for _, held in rows),
            "namespace": np.array([held.namespace for _, held in rows], np.int32),
            "data": _texts(held.message.data.hex() for _, held in rows),
        }


class _Swarms:
    """All swarms at one moment. Args: nodes: the list as it is then; now_ms: unix time."""

    def __init__(self, machines: Sequence[Machine], nodes: NodeList, now_ms: int) -> None:
        self._machines, self._nodes, self._now_ms = machines, nodes, now_ms

    def held(self, account: bytes, token: bytes) -> list[Held]:
        """Give what an account's, or a group's, swarm hands out. Args: token: a member's, or OWNER."""
        swarm = nearest_swarm(swarm_position(account[1:]), self._nodes.swarm_ids)
        found = dict[tuple[int, str], Held]()
        for node in self._nodes.members.get(swarm, ()) if swarm is not None else ():
            machine = self._machines[node]
            assert isinstance(machine, ServiceNode)
            store = machine.store
            own = (
                Held(account, namespace, message)
                for namespace in store.namespaces(account)
                for message in store.box(account, namespace)
            )
            for held in readable(own, machine.has_revoked(account, token)):
                if held.message.expiry_ms > self._now_ms:
                    found.setdefault((held.namespace, held.message.hash), held)
        return [found[key] for key in sorted(found)]


def thefts_of(positions: Iterable[Position], scene: Scene, epoch_ms: int) -> Thefts | None:
    """Give the thefts of a run after which a swarm is asked; None for none."""
    return Thefts(positions, scene, epoch_ms) or None


def _texts(values: Iterable[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)
