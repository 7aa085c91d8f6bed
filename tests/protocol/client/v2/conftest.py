"""Clients of version 2 over real service nodes, on a heap; every transmission takes 10 ms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest

from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MIN, US_PER_MS, US_PER_S
from sessionsim.protocol.client import DESKTOP, Client, ClientRules
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.configs.rules import PLATFORMS as CONFIGS
from sessionsim.protocol.client.v2 import add_v2, with_namespaces
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import DELIVER, EVENT, LOG, SEND, WAKE_AT, Machine
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.config_keys import config_keys
from sessionsim.protocol.v2.devices import About, DeviceGroup
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire.onion import Hop

EPOCH_MS = 1_777_000_000_000
LATENCY_US = 10 * US_PER_MS
# Polls are rare, so that days pass quickly; what is due reads by itself.
SELDOM = replace(DESKTOP, poll_interval_us=20 * US_PER_MIN, poll_nodes=1)


@dataclass
class Device:
    """One client and what it has told."""

    client: Client
    group: DeviceGroup | None
    delivered: list[tuple[int, bytes, str]] = field(default_factory=list)  # when, from whom, what
    logs: list[tuple[int, str, Any, Any]] = field(default_factory=list)
    events: list[tuple[int, str, Any, int]] = field(default_factory=list)
    sent: list[tuple[int, int, int]] = field(default_factory=list)  # when, exchange, bytes
    on: bool = True
    wake_us: int | None = None
    configs: AccountConfigs | None = None

    def names(self) -> list[str]:
        """What happened, in order."""
        return [name for _, name, _, _ in self.events]

    def values(self, name: str) -> list[int]:
        return [value for _, found, _, value in self.events if found == name]

    def times(self, name: str) -> list[int]:
        return [t_us for t_us, found, _, _ in self.events if found == name]

    @property
    def bodies(self) -> list[str]:
        return [body for _, _, body in self.delivered]


class Net:
    """Nodes and clients. Time in µs from 0."""

    def __init__(self, world: Any, v2: V2Rules, seed: int = 1) -> None:
        self.world, self.v2, self.seeds = world, v2, Seeds(seed)
        self.machines: list[Machine] = list(world.machines)
        self.n_nodes = len(self.machines)
        self.hops = tuple(
            Hop(pair.public.hex().encode(), x.public) for pair, x in zip(world.ed, world.x, strict=True)
        )
        self.devices: list[Device] = []
        self.now_us = 0
        self._queue: list[tuple[Any, ...]] = []
        self._ranks = count()

    def account(self, name: object) -> Account:
        return account_from_seed(self.seeds.key("account", str(name))[:16])

    def add(
        self,
        account: Account,
        number: int = 0,
        *,
        rules: ClientRules = SELDOM,
        version: int = 2,
        group: DeviceGroup | None = None,
        v2: V2Rules | None = None,
        configs: bool = False,
    ) -> Device:
        """Add a device; of version 2 outside any group unless one is given."""
        suite, v2 = self.world.suite, v2 or self.v2
        client = Client(
            account, self.world.nodes, self.hops, with_namespaces(rules, v2) if version == 2 else rules,
            suite, self.seeds.entropy("client", account.id, number), EPOCH_MS, Profile("Ann", "", b"", 0),
        )  # fmt: skip
        if version == 2:
            group = group or self.outside(account, number, v2)
            held, shared = None, v2.groups_and_configs == "device-group"
            if configs:
                keys = config_keys(group.seeds) if shared else None
                held = AccountConfigs(client, CONFIGS["desktop"], Profile("Ann", "", b"", 0), keys=keys)
                client.add(held)
            add_v2(client, v2, group, held if shared else None)
        device = Device(client, group)
        device.configs = held if version == 2 else None
        self.devices.append(device)
        self.machines.append(client)
        self._do(len(self.machines) - 1, client.start(self.now_us))
        return device

    def established(self, name: object, **options: Any) -> Device:
        """Add a device of a new account, its group and record in the swarm."""
        device = self.add(self.account(name), **options)
        self.tell(device, "establish")
        self.run(5 * US_PER_S)
        return device

    def linked(self, name: object, count: int, **options: Any) -> list[Device]:
        """Add the devices of a new account, linked to each other over the network."""
        devices = [self.established(name, **options)]
        for number in range(1, count):
            devices.append(self.add(devices[0].client.account, number, **options))
            self.link(devices[0], devices[-1])
        for device in devices:  # have all of them hear of the last one
            self.tell(device, "describe-device", "settled")
        self.run(US_PER_MIN)
        return devices

    def link(self, member: Device, other: Device) -> None:
        """Let a person link another device, comparing emoji for 15 s and 20 s."""
        self.tell(member, "accept-links", 20 * US_PER_S, 10 * US_PER_MIN)
        self.tell(other, "link", 15 * US_PER_S)
        self.run(2 * US_PER_MIN)
        assert other.group is not None
        assert other.group.is_member

    def outside(self, account: Account, number: int, v2: V2Rules | None = None) -> DeviceGroup:
        """Give a device outside any group."""
        entropy = self.seeds.entropy("device group", account.id, number)
        unix_us = EPOCH_MS * US_PER_MS + self.now_us
        return DeviceGroup(
            self.world.suite, account, entropy, unix_us, v2 or self.v2, About(f"device {number}")
        )

    def tell(self, device: Device, *command: Any) -> None:
        self._do(self._endpoint(device), device.client.command(command, self.now_us))

    def at(self, t_us: int, device: Device, *command: Any) -> None:
        """Have a command given later."""
        heappush(self._queue, (t_us, next(self._ranks), "command", self._endpoint(device), command))

    def turn(self, device: Device, *, on: bool) -> None:
        """Switch a device off (nothing reaches it, it does nothing) or on again."""
        device.on = on
        if on and device.wake_us is not None:
            device.wake_us = max(device.wake_us, self.now_us)
            heappush(self._queue, (device.wake_us, next(self._ranks), "wake", self._endpoint(device)))

    def run(self, for_us: int, until: Callable[[], bool] | None = None) -> None:
        """Let time pass, or until something is so."""
        end = self.now_us + for_us
        while self._queue and self._queue[0][0] <= end:
            if until is not None and until():
                return
            self.now_us, _rank, what, endpoint, *rest = heappop(self._queue)
            device = self.devices[endpoint - self.n_nodes] if endpoint >= self.n_nodes else None
            if device is not None and not device.on:
                continue
            machine = self.machines[endpoint]
            if what == "arrive":
                self._do(endpoint, machine.receive(*rest, self.now_us))
            elif what == "command":
                self._do(endpoint, machine.command(rest[0], self.now_us))
            elif self._wake_of(endpoint) == self.now_us:
                self._set_wake(endpoint, None)
                self._do(endpoint, machine.wake(self.now_us))
        self.now_us = end

    def swarm(self, account: Account) -> int:
        """The swarm of an account."""
        found = nearest_swarm(swarm_position(account.id[1:]), sorted(self.world.nodes.members))
        assert found is not None
        return found

    def stored(self, account: Account, namespace: int) -> list[bytes]:
        """What the first node of an account's swarm holds in a namespace."""
        store = self.world.machines[self.world.nodes.members[self.swarm(account)][0]].store
        now_ms = EPOCH_MS + self.now_us // US_PER_MS
        return [one.data for one in store.retrieve(account.id, namespace, "", 0, 10**7, now_ms)[0]]

    # ---- The loop ----

    def _endpoint(self, device: Device) -> int:
        return self.n_nodes + next(k for k, one in enumerate(self.devices) if one is device)

    def _wake_of(self, endpoint: int) -> int | None:
        if endpoint >= self.n_nodes:
            return self.devices[endpoint - self.n_nodes].wake_us
        return self._node_wakes.get(endpoint)

    def _set_wake(self, endpoint: int, t_us: int | None) -> None:
        if endpoint >= self.n_nodes:
            self.devices[endpoint - self.n_nodes].wake_us = t_us
        elif t_us is None:
            self._node_wakes.pop(endpoint, None)
        else:
            self._node_wakes[endpoint] = t_us

    @property
    def _node_wakes(self) -> dict[int, int]:
        return self.__dict__.setdefault("_wakes", {})  # type: ignore[no-any-return]

    def _do(self, src: int, effects: Any) -> None:
        device = self.devices[src - self.n_nodes] if src >= self.n_nodes else None
        for effect in effects:
            kind = effect[0]
            if kind == WAKE_AT:
                t_us = max(effect[1], self.now_us)
                self._set_wake(src, t_us)
                heappush(self._queue, (t_us, next(self._ranks), "wake", src))
            elif kind == SEND:
                _, dst, conn, exchange, head, payload, _note = effect
                if device is not None:
                    device.sent.append((self.now_us, exchange, len(payload)))
                entry = (self.now_us + LATENCY_US, next(self._ranks), "arrive", dst)
                heappush(self._queue, (*entry, src, conn, exchange, head, payload))
            elif device is not None and kind == DELIVER:
                device.delivered.append((self.now_us, effect[1], effect[3]))
            elif device is not None and kind == LOG:
                device.logs.append((self.now_us, *effect[1:]))
            elif device is not None and kind == EVENT:
                device.events.append((self.now_us, *effect[1:]))


@pytest.fixture(scope="session")
def make_net(make_world: Any) -> Callable[..., Net]:
    def make(suite: str = "fast", seed: int = 1, **v2: Any) -> Net:
        return Net(make_world(suite=suite), V2Rules(**v2), seed)

    return make
