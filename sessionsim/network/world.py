"""A world: nodes and clients in their places, ready to run one replicate.

`build` turns a `WorldSpec` into machines with keys, sites and links; `World.run` drives them under a
kernel and gives back truth. Endpoint numbers: service nodes 0..n-1 in the order of the node list, clients
after them: the first devices in account order, then further ones; servers last. Everything is a function of
the spec, so the same spec gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Group, Post, Reader, Wish
from sessionsim.core.nodelist import NodeList
from sessionsim.core.records import RecordSink
from sessionsim.core.scene import Scene
from sessionsim.core.truth import Truth
from sessionsim.core.view import Table
from sessionsim.network.abilities import command_of, equip, needs_of, remark_of
from sessionsim.network.accounts_book import Book
from sessionsim.network.before import Before, drawn_profiles, make_before
from sessionsim.network.call_media import media_commands
from sessionsim.network.capacity import Capacity, Meter, MeteredSuite
from sessionsim.network.clients import ClientPlace, place_clients, place_devices
from sessionsim.network.devices import Seat, seats_of, unlinked_of
from sessionsim.network.ends import endpoints_table, header_families, host_addresses
from sessionsim.network.faults import Answer, Plan, Trouble, Turn, What, compile_plan, with_turns
from sessionsim.network.given_names import register_names
from sessionsim.network.host import Host
from sessionsim.network.interference import Meddler
from sessionsim.network.journal import MessageJournal
from sessionsim.network.kernels import Kernel, SimpyKernel
from sessionsim.network.links import Links
from sessionsim.network.membership import (
    Roster,
    compile_history,
    make_roster,
    tell_nodes,
    with_blocks,
)
from sessionsim.network.names_table import names_table
from sessionsim.network.orders import orders_of
from sessionsim.network.passages import Passages, unseen
from sessionsim.network.places import place_hosts
from sessionsim.network.prompter import Prompter
from sessionsim.network.running import drive
from sessionsim.network.server_machines import make_machines
from sessionsim.network.servers import PlacedServer, by_kind, place_servers
from sessionsim.network.snapshots import build_nodes, load_snapshot
from sessionsim.network.telling import told_beside
from sessionsim.network.thefts import Thefts
from sessionsim.network.trains import Trains
from sessionsim.network.truth_tables import (
    accounts_table,
    closing_of,
    devices_table,
    keys_table,
    with_presence,
)
from sessionsim.network.version2 import (
    TWINS,
    lay_down,
    shared_config_keys,
    standing_groups,
    twin_places,
)
from sessionsim.network.wire_sizes import WireSizes, sizes_under
from sessionsim.network.wishes import check_wishes
from sessionsim.network.world_spec import WorldSpec as WorldSpec
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.presence import orders_in
from sessionsim.protocol.client.v2 import add_v2, with_namespaces
from sessionsim.protocol.crypto import KeyPair, suite_named
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.servers.behind_onion import ServerBehindOnion
from sessionsim.protocol.servers.push import PushMachine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.wire.onion import Hop

Command = tuple[int, int, tuple[Any, ...]]  # when (µs), which account (its first device), what


class World:
    """One built world. Make it with `build`."""

    def __init__(
        self,
        spec: WorldSpec,
        roster: Roster,
        nodes: NodeList,
        node_keys: tuple[tuple[KeyPair, ...], tuple[KeyPair, ...]],
        accounts: tuple[Account, ...],
        seats: tuple[Seat, ...],
        places: tuple[ClientPlace, ...],
        servers: tuple[PlacedServer, ...],
        machines: tuple[Machine, ...],
        before: Before,
    ) -> None:
        self._before = before
        self.spec, self.nodes, self.accounts = spec, nodes, accounts
        self.seats, self.places, self.servers, self.machines = seats, places, servers, machines
        # Endpoint by account and number of the device.
        self.endpoint_of = {seat[:2]: endpoint for endpoint, seat in enumerate(seats, len(nodes))}
        self._orders, self._needs = orders_of(spec.intents), needs_of(spec.intents)
        self._snapshot, self._node_keys = roster.snapshot, node_keys
        self._draw_addresses = host_addresses(seats, len(accounts), len(nodes), servers, spec.seeds)
        self._families = header_families(seats, spec.client_rules, len(nodes), len(servers))
        unlimited, also = [0] * len(nodes), [0] * len(servers)
        sites = (*(place.site for place in places), *(server.site for server in servers))
        self._links = Links(
            (*place_hosts(roster.snapshot, spec.seeds), *sites),
            (*unlimited, *(place.up_bit_per_s for place in places), *also),
            (*unlimited, *(place.down_bit_per_s for place in places), *also),
            spec.link_rules,
        )
        off = [Turn(0, one.endpoint, What.CRASHES, Answer.REFUSED) for one in servers if one.off]
        seeds, horizon_us = spec.seeds, spec.horizon_us
        plan = compile_plan(spec.faults, self.scene, seeds, horizon_us, off)
        rules = (spec.membership, spec.swarm_rules, spec.obligations)
        self.history = compile_history(nodes, roster, *rules, seeds, horizon_us, plan)
        self._plan = with_turns(plan, self.history.turns, horizon_us)
        self.host: Host | None = None
        self.trains: Trains | None = None
        self.passages: Passages | None = None
        self.capacity: Capacity | None = None

    @property
    def _followers(self) -> tuple[int, ...]:
        """Endpoints beside the nodes that follow the blockchain."""
        servers = self.scene.servers
        return (*servers.get("seed", ()), *servers.get("push", ()))

    @property
    def _path_hops(self) -> int:
        found = {self.spec.client_rules[seat.platform].path_hops for seat in self.seats}
        return found.pop() if len(found) == 1 else 0

    @property
    def scene(self) -> Scene:
        """What vantages may look at to choose their place."""
        first = len(self.nodes)
        return Scene(
            nodes=self.nodes,
            node_country=tuple(self._snapshot.country),
            client_endpoints=tuple(range(first, first + len(self.seats))),
            client_country=tuple(place.country for place in self.places),
            client_platform=tuple(seat.platform for seat in self.seats),
            client_ids=tuple(self.accounts[seat.account].id for seat in self.seats),
            servers=by_kind(self.servers),
            path_hops=self._path_hops,
        )

    @property
    def endpoints(self) -> Table:
        """Give the table endpoint, ip (integer), port, node (is it a service node)."""
        return endpoints_table(self.nodes, self.places, self.servers)

    def run(
        self,
        records: RecordSink | None = None,
        watched: frozenset[int] = frozenset(),
        keep_bytes: bool = False,
        progress: Callable[[int], None] | None = None,
        kernel: Kernel | None = None,
        commands: Iterable[Command] = (),
        owned: frozenset[int] = frozenset(),
        meddler: Meddler | None = None,
        thefts: Thefts | None = None,
    ) -> Truth:
        """Run to the horizon. A world runs once.

        Args:
            records: takes the rows of watched endpoints' links; None records nothing.
            watched: endpoints whose links some vantage can see.
            keep_bytes: keep the application bytes of recorded rows.
            progress: told the simulated time reached, once per simulated second, in long runs less often.
            kernel: simpy if None.
            owned: clients whose device an observer operates: truth.keys then holds the ephemeral secrets of
                their requests, which that device has had.
            meddler: who interferes with the run; None for nobody. It is used up.
            thefts: who asks a swarm with stolen keys, and when; None for nobody. It is used up.
            commands: further commands to clients beside the intents, for example (t_us, account, ("poll",)).
        """
        spec, n_nodes = self.spec, len(self.nodes)
        account_of = {account.id: number for number, account in enumerate(self.accounts)}
        journal = MessageJournal(self._orders, self.seats, n_nodes, account_of)
        trouble, sizes = self._trouble(meddler), sizes_under(spec.wire_rules, spec.defences)
        host = self.host = Host(
            self.machines,
            n_nodes,
            self._draw_addresses,
            self._links,
            sizes,
            self._families,
            kernel or SimpyKernel(),
            journal,
            records,
            watched,
            keep_bytes,
            trouble,
            range(n_nodes, n_nodes + len(self.seats)),
        )
        self._ride(host, sizes, _unridden(watched if records is not None else frozenset(), meddler), trouble)
        ids = [account.id for account in self.accounts]
        plain = partial(
            command_of, accounts=self.accounts, needs=self._needs, before=self._before, servers=self.servers
        )
        remark = partial(remark_of, ids=ids, before=self._before)
        people = Prompter(
            self._orders, self.seats, n_nodes, ids, plain, remark, journal.hash_of, host.command
        )
        people.begin()
        journal.tell_people = people.has if people.listens else None
        for t_us, endpoint, told in told_beside(spec, self._orders, self.accounts, self.endpoint_of):
            host.command(t_us, endpoint, told)
        tell_nodes(host, self.history, spec.membership, spec.seeds, self._followers)
        turns = self.scene.servers.get("turn", ())
        for t_us, endpoint, told in media_commands(
            spec.intents, self.endpoint_of, turns, spec.service_rules.turn, spec.seeds
        ):
            host.command(t_us, endpoint, told)
        for t_us, account, extra in commands:
            host.command(t_us, n_nodes + account, extra)
        for endpoint in owned:
            device = self.machines[endpoint]
            if isinstance(device, Client):
                device.requests.kept_pairs, device.requests.unsealed = [], False
        if meddler is not None:
            meddler.begin(host, self.machines)
        if thefts is not None:
            thefts.begin(host, self.machines, self.nodes, self.history)
        drive(host, spec.horizon_us, progress)
        if self.trains is not None:
            self.trains.settle()
        if records is not None:
            records.spill()
        unheard = frozenset(orders_in(trouble.unheard())) if trouble is not None else frozenset()
        return self._truth(journal, people, unheard)

    def _trouble(self, meddler: Meddler | None) -> Trouble | None:
        """Give what the host has to look at beside machines and links; None for nothing."""
        plan, capacity = self._plan, self.capacity
        if plan is None and capacity is None and meddler is None:
            return None
        plan, n_nodes = plan or Plan((), (), self.spec.horizon_us), len(self.nodes)
        return Trouble(plan, len(self.machines), n_nodes, n_nodes + len(self.seats), capacity, meddler)

    def _ride(self, host: Host, sizes: WireSizes, watched: frozenset[int], trouble: Trouble | None) -> None:
        """Carry out idle polls in bulk, if the run is to, and let requests pass relays that nobody sees."""
        spec = self.spec
        if spec.idle_polls == "bulk":
            self.trains = Trains(
                self.machines, len(self.nodes), self._draw_addresses, self._links,
                sizes, self._families, suite_named(spec.suite, memo=spec.memo),
                watched, spec.horizon_us, host,
            )  # fmt: skip
            host.ride(self.trains)
            # Where something can fail or be meddled with, or nodes come and go, relays may do other things.
            if trouble is None and not self.history.blocks:
                self.passages = Passages(
                    unseen(self.machines, watched), host.kernel, self._links, sizes,
                    self._families, host.connections, spec.horizon_us,
                )  # fmt: skip
                host.let_pass(self.passages)

    def _truth(self, journal: MessageJournal, people: Prompter, unheard: frozenset[int]) -> Truth:
        spec, first = self.spec, len(self.nodes)
        clients = [machine for machine in self.machines if isinstance(machine, Client)]
        gone = self.history.absent_at_end()  # what only these hold nobody can fetch any more
        there = [machine for endpoint, machine in enumerate(self.machines) if endpoint not in gone]
        awaited, deleted = people.awaited(), people.deleted(journal.has_begun)
        closing = closing_of(there, self._orders, spec.horizon_us, spec.epoch_ms, awaited, deleted, unheard)
        book = Book(journal, closing, spec.measured)
        messages = book.messages()
        return Truth(
            accounts_table(self.accounts, self.nodes, spec.version2, spec.seeds, spec.utc_offsets_h),
            devices_table(self.seats, clients, first),
            messages,
            book.deliveries(),
            {},
            keys_table(self._node_keys, self.accounts, self.servers, clients, first),
            *spec.measured,
            with_presence(with_blocks(journal.events(), self.history), clients, first),
            names_table(
                self.accounts, self.seats, self.places, self.servers, self._before.groups,
                [*self._stood, *self._carried_out(messages["stored_us"])], self._needs,
                suite_named(spec.suite, memo=False), first,
            ),
        )  # fmt: skip

    @property
    def _stood(self) -> list[Wish]:
        return [wish for wish in self.spec.intents if isinstance(wish, Group)]

    def _carried_out(self, stored_us: npt.NDArray[np.generic]) -> list[Wish]:
        """Give the wishes of what was stored. Args: stored_us: of each order, -1 for never."""
        return [order.wish for order, t_us in zip(self._orders, stored_us.tolist(), strict=True) if t_us >= 0]


def _unridden(watched: frozenset[int], meddler: Meddler | None) -> frozenset[int]:
    """Give the endpoints whose polls are to be carried out one by one: watched, or interfered with."""
    return watched if meddler is None else watched | meddler.nodes | meddler.links


def build(spec: WorldSpec) -> World:
    """Make the world of a spec.

    Raises:
        InvalidInput: no clients, an unknown platform, an intent outside the accounts and their devices or of
            a kind that clients cannot carry out, or a network too small for the paths.
    """
    if len(spec.platforms) < 2:
        raise InvalidInput("clients", len(spec.platforms), "at least two clients")
    seats = seats_of(spec.platforms, spec.intents, spec.client_rules.keys())
    check_wishes(spec.intents, seats)  # refuses what cannot be carried out, before any work
    seeds = spec.seeds
    snapshot = load_snapshot(spec.date, limit_swarms=spec.limit_swarms or None)
    roster = make_roster(snapshot, spec.membership, seeds, spec.horizon_us)
    nodes, ed, x = build_nodes(roster.snapshot, seeds)
    suite = suite_named(spec.suite, memo=spec.memo)
    hops = tuple(Hop(key.hex().encode(), nodes.x25519[i]) for i, key in enumerate(nodes.ed25519))
    first = place_clients(len(spec.platforms), spec.client_mix, seeds)
    further = place_devices(first, [seat[:2] for seat in seats[len(first) :]], spec.client_mix, seeds)
    places, second = (*first, *further), spec.version2
    if second and second.people.population == TWINS:
        places = twin_places(places, seats, len(spec.platforms))
    accounts = tuple(account_from_seed(seeds.key("account", k)[:16]) for k in range(len(spec.platforms)))
    servers = place_servers(spec.server_rules, len(nodes) + len(seats), seeds)
    hosts = {server.host: server.endpoint for server in servers}
    seed_nodes = by_kind(servers).get("seed", ())
    rules, epoch_ms, meter = spec.node_rules, spec.epoch_ms, Meter()
    at_work: Suite = MeteredSuite(suite, meter) if spec.capacity.on else suite
    node_type = next((d.node_type for d in spec.defences if d.node_type is not ServiceNode), ServiceNode)
    machines: list[Machine] = [
        node_type(i, ed[i], x[i], nodes, at_work, seeds.entropy("node", i), rules, epoch_ms, hosts)
        for i in range(len(nodes))
    ]
    for node in machines if spec.defences else ():
        _defend(node, spec)
    needs = needs_of(spec.intents)
    profiles, unlinked = drawn_profiles(len(accounts), seeds), unlinked_of(spec.intents)
    groups = standing_groups(second, accounts, seats, suite, seeds, epoch_ms, unlinked) if second else {}
    shared = shared_config_keys(second, groups) if second else {}
    first_keys = {k: keys[0] for k, keys in shared.items()}
    before = make_before(spec.intents, needs.kinds, accounts, profiles, suite, seeds, epoch_ms, first_keys)
    before.fill(nodes, machines)
    register_names(spec.intents, accounts, machines, seeds)
    for seat, place in zip(seats, places, strict=True):
        k, number, platform = seat
        client_rules = spec.client_rules[platform]
        if second and k in groups:
            client_rules = with_namespaces(client_rules, second.rules)
        for defence in spec.defences:
            client_rules = defence.rules(client_rules)
        client = Client(
            accounts[k],
            nodes,
            hops,
            client_rules,
            suite,
            seeds.entropy("client", k, *((number,) if number else ())),
            spec.epoch_ms,
            profiles[k],
            seed_nodes,
        )
        keys = shared[k][number] if k in shared else None
        configs = equip(client, seat, spec, servers, needs, before, place.ip, keys)
        if second and k in groups:
            add_v2(client, second.rules, groups[k].devices[number], configs if k in shared else None)
        _defend(client, spec)
        machines.append(client)
    for k, standing in groups.items():
        lay_down(accounts[k], standing, nodes, machines, epoch_ms)
    rooms = [wish.room for wish in spec.intents if isinstance(wish, Reader | Post)]
    services, version = spec.service_rules, rules.version_numbers
    machines += make_machines(servers, services, at_work, seeds, epoch_ms, nodes, version, rooms)
    for machine in machines[len(nodes) + len(seats) :] if spec.defences else ():
        _defend(machine, spec)
    before.fill_servers(servers, machines, seeds)
    world = World(spec, roster, nodes, (ed, x), accounts, seats, places, servers, tuple(machines), before)
    if spec.capacity.on:
        world.capacity = Capacity(spec.capacity, meter, nodes.ip, (server.endpoint for server in servers))
    return world


def _defend(machine: Machine, spec: WorldSpec) -> None:
    """Let every defence change a machine that has not started yet."""
    for defence in spec.defences:
        if isinstance(machine, Client):
            defence.defend_client(machine)
        elif isinstance(machine, ServiceNode):
            defence.defend_node(machine)
        elif isinstance(machine, PushMachine):
            defence.defend_server(machine.front.endpoint)
        elif isinstance(machine, ServerBehindOnion):
            defence.defend_server(machine.endpoint)
