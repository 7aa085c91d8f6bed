"""What follows from stored records: each observer's view, and the ledger of what it knows for certain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from sessionsim.adversary import Transcript, deduce, join, observe
from sessionsim.core.blob_store import StoredBlobs
from sessionsim.core.scene import Position
from sessionsim.core.storage import read_table, record_groups, write_ledger
from sessionsim.core.truth import (
    ACCOUNT_COLUMNS,
    DELIVERY_COLUMNS,
    DEVICE_COLUMNS,
    KEY_COLUMNS,
    MESSAGE_COLUMNS,
    NAME_COLUMNS,
)
from sessionsim.core.view import View
from sessionsim.experiment.histories import histories
from sessionsim.experiment.stored import read_actions, read_hauls, read_nodes, read_positions, read_servers


def write_ledgers(folder: Path, suite: str) -> int:
    """Deduce for every observer of a replicate, store all facts in `ledger.parquet`, and count them.

    Args:
        folder: a replicate with records, kept bytes and truth; truth gives observers only keys they hold.
        suite: the crypto suite the replicate ran with.
    """
    see, positions = observatory(folder, suite), read_positions(folder)
    # What nobody is told, for nobody stands there: all observers together, who read each byte string once.
    transcript = Transcript(see("all observers", join(positions.values())))
    facts = [fact for name, position in positions.items() for fact in deduce(see(name, position), transcript)]
    write_ledger(folder / "ledger.parquet", facts)
    return len(facts)


def viewer(folder: Path, suite: str) -> Callable[[str], View]:
    """Give what makes the view of any observer of a stored replicate, by its name; see `observatory`."""
    see, positions = observatory(folder, suite), read_positions(folder)
    return lambda name: see(name, positions[name])


def observatory(folder: Path, suite: str) -> Callable[[str, Position], View]:
    """Give what makes the view from any position in a stored replicate, under a name.

    Args:
        folder: a replicate with records and truth; truth gives observers only keys they hold.
        suite: the crypto suite the replicate ran with.
    """
    blobs, servers = StoredBlobs(folder), read_servers(folder)
    keys = read_table(folder / "truth/keys.parquet", KEY_COLUMNS)
    accounts = read_table(folder / "truth/accounts.parquet", ACCOUNT_COLUMNS)
    devices = read_table(folder / "truth/devices.parquet", DEVICE_COLUMNS)
    names = accounts["account_id"].tolist()
    pairs = zip(devices["endpoint"].tolist(), devices["account"].tolist(), strict=True)
    owners = {endpoint: f"account:{names[account]}" for endpoint, account in pairs}
    owners |= owners_of_servers(servers)
    public = {
        owner: bytes.fromhex(key)
        for owner, kind, key in zip(
            *(keys[name].tolist() for name in ("owner", "kind", "public")), strict=True
        )
        if kind == "x25519" and owner.startswith("server:")
    }
    server_keys = {endpoint: public[owners[endpoint]] for endpoint in servers}
    endpoints = read_table(folder / "scene/endpoints.parquet", ("endpoint", "ip"))
    nodes, actions, hauls = read_nodes(folder), read_actions(folder), read_hauls(folder)
    clients = read_table(folder / "scene/clients.parquet", ("endpoint", "country"))
    countries = dict(zip(clients["endpoint"].tolist(), clients["country"].tolist(), strict=True))

    messages = read_table(folder / "truth/messages.parquet", MESSAGE_COLUMNS)
    deliveries = read_table(folder / "truth/deliveries.parquet", DELIVERY_COLUMNS)
    people = read_table(folder / "truth/names.parquet", NAME_COLUMNS)
    texts = histories(messages, deliveries, devices, names, people)

    def see(name: str, position: Position) -> View:
        return observe(
            name, position, record_groups(folder), blobs, keys, nodes, suite,
            owners=owners, endpoints=endpoints, servers=servers, server_keys=server_keys, actions=actions,
            countries=countries, hauls=hauls, histories=texts,
        )  # fmt: skip

    return see


def owners_of_servers(servers: Mapping[int, str]) -> dict[int, str]:
    """Give the name under which each server's keys are kept: its kind, and a number from the second on."""
    counted = Counter[str]()
    owners = {}
    for endpoint, kind in sorted(servers.items()):
        owners[endpoint] = f"server:{kind}-{counted[kind]}" if counted[kind] else f"server:{kind}"
        counted[kind] += 1
    return owners
