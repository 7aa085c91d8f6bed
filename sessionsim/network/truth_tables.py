"""What really happened, put into the tables of `core.truth` once a run is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import numpy as np

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import no_events
from sessionsim.core.view import Table
from sessionsim.network.accounts_book import Carrier, Closing, Copier, Holder, Locker
from sessionsim.network.devices import Seat
from sessionsim.network.orders import Order
from sessionsim.network.servers import PlacedServer
from sessionsim.network.version2 import TWINS, Version2, accounts_of
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.push import PushListener
from sessionsim.protocol.client.v2.own_group import OwnGroup
from sessionsim.protocol.crypto import KeyPair
from sessionsim.protocol.identity import Account
from sessionsim.protocol.machine import Machine
from sessionsim.protocol.snode import ServiceNode
from sessionsim.protocol.swarms import nearest_swarm, swarm_position


def accounts_table(
    accounts: Sequence[Account], nodes: NodeList, version2: Version2 | None, seeds: Seeds,
    utc_offsets_h: Sequence[float] = (),
) -> Table:  # fmt: skip
    """Give the accounts, with the swarm each had at the start, the version it uses and its time zone."""
    swarm_ids = sorted(nodes.members)
    swarms = [f"{nearest_swarm(swarm_position(account.id[1:]), swarm_ids):016x}" for account in accounts]
    n, second = len(accounts), accounts_of(version2, len(accounts), seeds)
    twins = version2 is not None and version2.people.population == TWINS
    return {
        "account": np.arange(len(accounts), dtype=np.int32),
        "account_id": _texts([account.id_hex for account in accounts]),
        "swarm": _texts(swarms),
        "version": np.array([1 + (k in second) for k in range(n)], dtype=np.int8),
        "twin": np.array([(k + n // 2) % n if twins else -1 for k in range(n)], dtype=np.int32),
        "utc_offset_h": np.array(utc_offsets_h or [np.nan] * n, dtype=np.float64),
    }


def devices_table(seats: Sequence[Seat], clients: Sequence[Client], first_endpoint: int) -> Table:
    """Give the devices, with what their clients were like at the end."""
    guards = [" ".join(str(node) for node in client.requests.keeper.guards_ever) for client in clients]
    return {
        "device": np.arange(len(seats), dtype=np.int32),
        "account": np.array([seat.account for seat in seats], dtype=np.int32),
        "number": np.array([seat.number for seat in seats], dtype=np.int32),
        "endpoint": np.arange(first_endpoint, first_endpoint + len(seats), dtype=np.int32),
        "platform": _texts([seat.platform for seat in seats]),
        "guards": _texts(guards),
        "fast": np.array([_is_fast(client) for client in clients], dtype=bool),
        "fetched_again": np.array([client.inbox.fetched_again for client in clients], dtype=np.int32),
    }


def _is_fast(client: Client) -> bool:
    return any(isinstance(part, PushListener) for part in client.parts)


def keys_table(
    node_keys: tuple[Sequence[KeyPair], Sequence[KeyPair]],
    accounts: Sequence[Account],
    servers: Sequence[PlacedServer],
    clients: Iterable[Client],
    first_endpoint: int,
) -> Table:
    """Give the keys of all nodes (Ed25519 and X25519), accounts and servers, and passing ones that were kept.

    Seeds of version 2 are kept of every device, with the time in which it had them.

    Args:
        clients: of all devices; first_endpoint: of the first of them.
    """
    held = [
        (f"node:{i}", kind, *pair, -1, -1)
        for kind, pairs in zip(("ed25519", "x25519"), node_keys, strict=True)
        for i, pair in enumerate(pairs)
    ]
    owners = (
        *((f"account:{a.id_hex}", a.ed, a.x) for a in accounts),
        *((s.owner, s.ed, s.x) for s in servers),
    )
    for owner, ed, x in owners:
        held += [(owner, "ed25519", *ed, -1, -1), (owner, "x25519", *x, -1, -1)]
    for endpoint, client in enumerate(clients, first_endpoint):
        kept = client.requests.kept_pairs or ()
        held += [(f"device:{endpoint}", "x25519", *pair, made_us, made_us) for made_us, pair in kept]
        seeds = (one for part in client.parts if isinstance(part, OwnGroup) for one in part.history.all)
        held += [(f"device:{endpoint}", *one) for one in seeds]
    return {
        "owner": _texts([owner for owner, *_ in held]),
        "kind": _texts([kind for _, kind, *_ in held]),
        "public": _texts([public.hex() for _, _, public, *_ in held]),
        "secret": _texts([secret.hex() for _, _, _, secret, _, _ in held]),
        "made_us": np.array([made_us for *_, made_us, _ in held], dtype=np.int64),
        "gone_us": np.array([gone_us for *_, gone_us in held], dtype=np.int64),
    }


def closing_of(
    machines: Sequence[Machine],
    orders: Sequence[Order],
    horizon_us: int,
    epoch_ms: int,
    awaited: Mapping[int, frozenset[int]],
    deleted: frozenset[int],
    unheard: frozenset[int],
) -> Closing:
    """Give what is known at the end beside what the machines logged.

    Args:
        unheard: messages wished on devices that were down from then to the end; all others as of `Closing`.
    """
    clients = [machine for machine in machines if isinstance(machine, Client)]
    parts = [part for client in clients for part in (*client.parts, client.presence)]
    late = [ref for ref, order in enumerate(orders) if order.t_us >= horizon_us and ref not in awaited]
    return Closing(
        horizon_us,
        epoch_ms,
        pending={*unheard, *(ref for part in parts if isinstance(part, Carrier) for ref in part.pending())},
        pending_copies={ref for part in parts if isinstance(part, Copier) for ref in part.pending_copies()},
        unasked=dict.fromkeys(late, "after the end"),
        awaited=awaited,
        is_held=_holding(machines),
        deleted=deleted,
        locked={
            seat: locked
            for seat, client in enumerate(clients)
            if (
                locked := {
                    name for part in client.parts if isinstance(part, Locker) for name in part.locked_hashes()
                }
            )
        },
    )


def _holding(machines: Sequence[Machine]) -> Callable[[str], bool]:
    """Say whether any machine keeps what has a hash; nothing is looked through before the first question."""

    @cache
    def held() -> frozenset[str]:
        found: set[str] = set()
        for machine in machines:
            if isinstance(machine, ServiceNode):
                found.update(one.message.hash for one in machine.store.everything())
            elif isinstance(machine, Holder):
                found.update(machine.held_hashes())
        return frozenset(found)

    return lambda message_hash: message_hash in held()


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def with_presence(events: Table, clients: Sequence[Client], first_endpoint: int) -> Table:
    """Add to events when devices were awake and in front: 1 or 0, at each change; both until the first."""
    changes = [
        (t_us, first_endpoint + k, what, -1, int(on))
        for k, client in enumerate(clients)
        for t_us, what, on in client.presence.changes
    ]
    if not changes:
        return events
    joined = {
        name: np.concatenate([events[name], np.array([row[k] for row in changes], dtype=column.dtype)])
        for k, (name, column) in enumerate(no_events().items())
    }
    order = np.argsort(joined["t_us"], kind="stable")
    return {name: column[order] for name, column in joined.items()}
