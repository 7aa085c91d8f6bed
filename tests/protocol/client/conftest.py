"""A village: clients with groups and configs, and the nodes of two swarms, every transmission 10 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

import pytest

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.configs.held import StoredConfig
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.configs.rules import PLATFORMS as CONFIG_PLATFORMS
from sessionsim.protocol.client.groups import calls
from sessionsim.protocol.client.groups.founded import Founded, found
from sessionsim.protocol.client.groups.part import Groups
from sessionsim.protocol.client.groups.rules import PLATFORMS as GROUP_PLATFORMS
from sessionsim.protocol.client.groups.standing import Standing
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS
from sessionsim.protocol.configs.user_groups import JoinedGroup
from sessionsim.protocol.groups import Group, group_from_seed, subaccount_of
from sessionsim.protocol.groups.subaccount import signing_value
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import CLOSE, DELIVER, LOG, SEND, WAKE_AT, Effects
from sessionsim.protocol.swarms import nearest_swarm, swarm_position
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write
from sessionsim.protocol.wire.onion import Hop

LATENCY_US = 10 * US_PER_MS
FIRST_CLIENT = 100
NOBODY = 99  # whoever asks without an onion
HTTPS = int(Transport.HTTPS)


@dataclass(frozen=True)
class Villager:
    """A device: its account, its machine, its groups."""

    number: int
    account: Account
    client: Client
    groups: Groups
    configs: AccountConfigs | None

    def standing(self, group_id: bytes) -> Standing:
        return self.groups.standings[group_id]


class Village:
    """Drives machines. Args: world: a `SwarmWorld`, whose nodes serve."""

    def __init__(self, world: Any) -> None:
        self.world, self.now_us, self.epoch_ms = world, 0, world.epoch_ms
        self.villagers: list[Villager] = []
        self.logs: list[tuple[int, Any, ...]] = []  # type: ignore[misc]
        self.delivered: list[tuple[int, str, int]] = []  # who, text, when
        self.asked: list[tuple[int, int, int, int]] = []  # when, who, exchange, note
        self.world_is_down: frozenset[int] = frozenset()  # endpoints that say nothing
        self.answers: list[tuple[int, bytes]] = []  # to nobody's requests
        self._queue: list[tuple[Any, ...]] = []
        self._wake: dict[int, int] = {}
        self._count = 0

    def settle(
        self,
        platform: str,
        name: int,
        rules: Mapping[str, Any] | None = None,
        founded: Iterable[Founded] = (),
        configs: Mapping[str, Any] | None = None,
        stored: Iterable[StoredConfig] = (),
    ) -> Villager:
        """Let a device move in.

        Args:
            name: whose account.
            rules: changes to the group rules.
            configs: changes to the rules of configs; None for a device that keeps none.
            stored: configs from before.
        """
        world, number = self.world, len(self.villagers)
        hops = tuple(
            Hop(pair.public.hex().encode(), x.public) for pair, x in zip(world.ed, world.x, strict=True)
        )
        own = replace(GROUP_PLATFORMS[platform], **(rules or {}))
        account = person(name)
        client = Client(
            account, world.nodes, hops, PLATFORMS[platform], world.suite, Seeds(9).entropy("client", number),
            self.epoch_ms, Profile(f"P{name}", "", b"", 0),
        )  # fmt: skip
        groups = Groups(client, own, Profile(f"P{name}", "", b"", 0), founded)
        client.add(groups)
        held = None
        if configs is not None:
            own_rules = replace(CONFIG_PLATFORMS[platform], **configs)
            held = AccountConfigs(client, own_rules, Profile(f"P{name}", "", b"", None), stored, groups)
            client.add(held)
        villager = Villager(number, account, client, groups, held)
        self.villagers.append(villager)
        return villager

    def begin(self) -> None:
        for villager in self.villagers:
            self._do(FIRST_CLIENT + villager.number, villager.client.start(self.now_us))

    def tell(self, villager: Villager, *command: Any) -> None:
        self._do(FIRST_CLIENT + villager.number, villager.client.command(command, self.now_us))

    def do(self, villager: Villager, effects: Effects) -> None:
        """Carry out what something else made a device do."""
        self._do(FIRST_CLIENT + villager.number, effects)

    def run(self, for_s: float) -> None:
        """Let time pass."""
        end = self.now_us + int(for_s * US_PER_S)
        while self._queue and self._queue[0][0] <= end:
            self.now_us, _order, what, endpoint, args = heappop(self._queue)
            if endpoint == NOBODY:
                self.answers.append((args[3], args[4]))
                continue
            machine = self._machine(endpoint)
            if what == "arrive":
                self._do(endpoint, machine.receive(*args, self.now_us))
            elif self._wake.get(endpoint) == self.now_us:
                del self._wake[endpoint]
                self._do(endpoint, machine.wake(self.now_us))
        self.now_us = end

    def _machine(self, endpoint: int) -> Any:
        if endpoint >= FIRST_CLIENT:
            return self.villagers[endpoint - FIRST_CLIENT].client
        return self.world.machines[endpoint]

    def _later(self, at_us: int, what: str, endpoint: int, args: tuple[Any, ...]) -> None:
        self._count += 1
        heappush(self._queue, (at_us, self._count, what, endpoint, args))

    def _do(self, src: int, effects: Effects) -> None:
        for effect in effects:
            if effect[0] == WAKE_AT:
                self._wake[src] = max(effect[1], self.now_us)
                self._later(self._wake[src], "wake", src, ())
            elif effect[0] == LOG:
                self.logs.append((src - FIRST_CLIENT, *effect[1:]))
            elif effect[0] == DELIVER:
                self.delivered.append((src - FIRST_CLIENT, effect[3], self.now_us))
            elif effect[0] != CLOSE:  # a request that is given up; its guard has nothing to do with that
                assert effect[0] == SEND
                _kind, dst, conn, exchange, head, payload, note = effect
                if src >= FIRST_CLIENT:
                    self.asked.append((self.now_us, src - FIRST_CLIENT, exchange, note))
                args = (src, conn, exchange, head, payload)
                if dst not in self.world_is_down and src not in self.world_is_down:
                    self._later(self.now_us + LATENCY_US, "arrive", dst, args)

    # ---- What came of it ----

    def outcome(self, ref: int) -> list[tuple[str, Any]]:
        """What was logged of a wish, in order."""
        return [(what, value) for _who, what, number, value in self.logs if number == ref]

    def is_stored(self, ref: int) -> bool:
        return any(what == "stored" for what, _ in self.outcome(ref))

    def readers(self, text: str) -> list[int]:
        """Who was delivered a text, once for each time."""
        return sorted(who for who, body, _ in self.delivered if body == text)

    def stored(self, account_id: bytes, namespace: int) -> list[bytes]:
        """What the swarm of an account or group holds, as one of its nodes has it."""
        return [message.data for message in self.kept(account_id, namespace)]

    def kept(self, account_id: bytes, namespace: int) -> list[Any]:
        """The same with hash and times."""
        swarm = nearest_swarm(swarm_position(account_id[1:]), sorted(self.world.nodes.members))
        node = self.world.nodes.members[swarm][0]
        now_ms = self.epoch_ms + self.now_us // US_PER_MS
        found, _more = self.world.machines[node].store.retrieve(
            account_id, namespace, "", 1000, 7_000_000, now_ms
        )
        return list(found)

    def crowd(self, names: Iterable[int], admins: Iterable[int] = (0,), name: int = 0) -> Crowd:
        """Let a group have stood before."""
        return Crowd(self, names, admins, name)

    def people(self, names: Iterable[int], crowd: Crowd | None = None, **rules: Any) -> list[Villager]:
        """Let people of all platforms in turn move in, and begin; those of a crowd are in it."""
        for name in names:
            founded = [crowd.of(name)] if crowd is not None and name in crowd.names else []
            self.settle(("desktop", "android", "ios")[name % 3], name, rules, founded)
        self.begin()
        return self.villagers

    @staticmethod
    def id_of(name: int) -> bytes:
        return person(name).id

    @staticmethod
    def account(name: int) -> Account:
        return person(name)

    def joined(self, founded: Founded) -> JoinedGroup:
        """What the config of groups says of a group that stood before."""
        return JoinedGroup(founded.group_id, founded.name, auth=founded.auth)

    @staticmethod
    def group(name: int = 1) -> Group:
        """A group that is yet to be."""
        return group_from_seed(seed(name))

    def act(self, who: Villager, ref: int, group_id: bytes, what: str, *names: int, **more: Any) -> None:
        """Let somebody act on a group. Args: names: whom it is about; more: name, history, seed."""
        ids = tuple(person(name).id for name in names)
        self.tell(
            who, "group-action", ref, group_id, what, ids, more.get("name", ""), more.get("history", True),
            more.get("seed", b""),
        )  # fmt: skip

    def retrieve_call(self, standing: Standing, namespace: int) -> rpc.Call:
        """A retrieve in the name of a standing, of now."""
        now_ms = self.epoch_ms + self.now_us // US_PER_MS
        signature = standing.sign(rpc_signed.namespaced_text("retrieve", namespace, now_ms))
        return rpc_write.signed_retrieve_call(
            rpc.DESKTOP, standing.asker, namespace, "", now_ms, signature, -2
        )

    def store_call(self, standing: Standing, namespace: int) -> rpc.Call:
        now_ms = self.epoch_ms + self.now_us // US_PER_MS
        return calls.store(rpc.DESKTOP, standing, namespace, b"x" * 300, 10**9)(now_ms)

    def direct(self, group_id: bytes, call: rpc.Call) -> int:
        """Ask a node of the group's swarm without an onion; the code of what it says."""
        swarm = nearest_swarm(swarm_position(group_id[1:]), sorted(self.world.nodes.members))
        node = self.world.nodes.members[swarm][0]
        self.answers.clear()
        body = rpc.request_body(rpc.DESKTOP, call)
        self._later(self.now_us, "arrive", node, (NOBODY, HTTPS, 7, "storage_rpc", body))
        self.run(1)
        ((status, _payload),) = self.answers
        return status

    def put(self, account_id: bytes, stored: Iterable[Any]) -> None:
        """Give what was stored before to the nodes of a swarm."""
        swarm = nearest_swarm(swarm_position(account_id[1:]), sorted(self.world.nodes.members))
        for node in self.world.nodes.members[swarm]:
            for one in stored:
                self.world.machines[node].store.store(
                    account_id, one.namespace, one.hash, self.epoch_ms, self.epoch_ms + 10**9, one.data,
                    self.epoch_ms,
                )  # fmt: skip


def person(name: int) -> Account:
    return account_from_seed(bytes([name]) * 16)


def seed(name: int = 0) -> bytes:
    return bytes([name]) * 31 + b"g"


class Crowd:
    """A group that stood before: who is in, the admins among them."""

    def __init__(
        self, village: Village, names: Iterable[int], admins: Iterable[int] = (0,), name: int = 0
    ) -> None:
        self.group: Group = group_from_seed(seed(name))
        self.names, self.admins, self.village = tuple(names), tuple(admins), village
        self.founding = found(
            village.world.suite, self.group, "old friends", [(person(k).id, f"P{k}") for k in self.names],
            [person(k).id for k in self.admins], village.epoch_ms - 1000,
        )  # fmt: skip
        village.put(self.group.id, self.founding.stored)

    @property
    def id(self) -> bytes:
        return self.group.id

    def of(self, name: int) -> Founded:
        """What somebody's device holds."""
        if name in self.admins:
            return Founded(self.founding, self.group)
        value = signing_value(self.village.world.suite, self.group, person(name).id)
        return Founded(self.founding, subaccount_of(person(name), value), value)


MakeVillage = Callable[..., Village]


@pytest.fixture
def make_village(make_world: Any) -> MakeVillage:
    def make(suite: str = "fast", **rules: Any) -> Village:
        return Village(make_world(suite=suite, **rules))

    return make


@pytest.fixture
def village(make_village: MakeVillage) -> Village:
    return make_village()
