"""Dated pictures of the real service-node list, and node lists built from them.

The shipped file holds nine pictures of the main network from 26 February to 28 April 2026, with keys and
addresses replaced by indices (client-behaviour 7.2). The first one names no swarms and cannot be used.
Here an index becomes a simulated node: a real key pair from the run's seed, and an address in the
reserved block 240.0.0.0/6 that keeps which nodes share a host, a /24 and a /16. Address and port depend on
the whole file and not on the date, so a node looks the same in every picture as long as it stays on its host.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from sessionsim.core.errors import InvalidInput
from sessionsim.core.nodelist import ABSENT, UNASSIGNED, NodeList
from sessionsim.core.seeds import Seeds
from sessionsim.network.tables import TableForm, read_table
from sessionsim.protocol.crypto.real import ed25519_keypair, x25519_of_ed25519
from sessionsim.protocol.crypto.suite import KeyPair

FORM: Final = TableForm(
    "mainnet_nodes.csv",
    "date,height,node,host,net24,net16,country,swarm,version,leaving",
    "3900f2de938a36d430127d943d1446b5d3caacfe2055a9fbe4c6e933d6be1810",
)

# Source: transport 2.1, oxen-core: src/cryptonote_core/service_node_rules.h
MIN_SWARM_NODES: Final = 5

# Assumption: 240.0.0.0/6 for nodes, of the block reserved for future use (RFC 1112, section 4).
NODE_BLOCK: Final = 240 << 24
_NETS16: Final = 1 << 10  # /16 networks in a /6
_NETS24: Final = 256  # /24 networks in a /16
_HOSTS: Final = 254  # hosts in a /24, without the first and the last address

# Source: transport 3.6: most nodes use 22021, nearly all others 22100 to 22140, several behind one address.
FIRST_PORT: Final = 22021
FURTHER_PORTS: Final = 22100

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_SWARM = re.compile(r"[0-9a-f]{1,16}\Z", re.ASCII)


class _Row(NamedTuple):
    date: str
    height: int
    node: int
    host: int
    net24: int
    net16: int
    country: str
    swarm: int  # -1 where the picture names none
    version: str
    leaving: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The service nodes at one date. Every tuple has one item per node, in the order of the file.

    Args:
        date: as in the file, `2026-04-28`.
        height: block height of the picture.
        node, host, net24, net16: indices of the node's key, address, /24 and /16; equal index, equal value.
        country: two-letter registration country, which can differ from the physical place.
        swarm: 64-bit swarm id; ABSENT for nodes that come later.
        version: version text of the storage server; may be empty.
        leaving: whether an unlock was requested.
        ip: IPv4 address in 240.0.0.0/6 as an integer.
        port: storage HTTPS port, different for nodes that share a host.

    Raises:
        InvalidInput: no nodes at all, a node twice, or a swarm with fewer than 5 nodes.
    """

    date: str
    height: int
    node: tuple[int, ...]
    host: tuple[int, ...]
    net24: tuple[int, ...]
    net16: tuple[int, ...]
    country: tuple[str, ...]
    swarm: tuple[int, ...]
    version: tuple[str, ...]
    leaving: tuple[bool, ...]
    ip: tuple[int, ...]
    port: tuple[int, ...]

    def __post_init__(self) -> None:
        place = f"node list of {self.date}"
        if not self.node:
            raise InvalidInput(place, "no nodes", "at least one swarm of 5 nodes")
        node, times = Counter(self.node).most_common(1)[0]
        if times > 1:
            raise InvalidInput(place, f"node {node}, {times} times", "each node once")
        sizes = Counter(swarm for swarm in self.swarm if swarm != ABSENT)
        swarm, size = min(sizes.items(), key=lambda item: item[1], default=(0, 0))
        if size < MIN_SWARM_NODES:
            raise InvalidInput(
                place,
                f"swarm {swarm:016x} with {size} nodes",
                f"swarms of at least {MIN_SWARM_NODES} nodes",
                "A network below the minimum dissolves its swarms (transport 2.1).",
            )

    def __len__(self) -> int:
        return len(self.node)


def snapshot_dates(path: Path | None = None) -> tuple[str, ...]:
    """List the dates that can be loaded, oldest first: those whose picture names swarms."""
    return _usable(_rows(path)[1])


def load_snapshot(date: str, *, path: Path | None = None, limit_swarms: int | None = None) -> Snapshot:
    """Load the node list of one date.

    Args:
        date: one of `snapshot_dates`.
        path: a file of the same columns; None for the shipped one.
        limit_swarms: keep only the swarms that the file names first, that many, for small networks. The
            rule of the nearest swarm works with any number of swarms.

    Raises:
        InvalidInput: the file is missing, cut off or malformed (naming the line), the date is not in it or
            names no swarms, the limit is out of range, or a swarm is too small.
    """
    return _shipped(date, limit_swarms) if path is None else _chosen(date, path, limit_swarms)


@lru_cache(maxsize=64)
def _shipped(date: str, limit_swarms: int | None) -> Snapshot:
    """Keep what is chosen of the shipped file; many small worlds are built of few pictures."""
    return _chosen(date, None, limit_swarms)


def _chosen(date: str, path: Path | None, limit_swarms: int | None) -> Snapshot:
    name, rows = _rows(path)
    usable = _usable(rows)
    if date not in usable:
        known = any(row.date == date for row in rows)
        hint = "That picture names no swarms." if known else ""
        raise InvalidInput(f"{name}: date", date, "one of " + (", ".join(usable) or "none"), hint)
    chosen = [row for row in rows if row.date == date]
    if limit_swarms is not None:
        swarms = tuple(dict.fromkeys(row.swarm for row in chosen))
        if not 1 <= limit_swarms <= len(swarms):
            raise InvalidInput(f"{name}: number of swarms", limit_swarms, f"1 to {len(swarms)} on {date}")
        kept = frozenset(swarms[:limit_swarms])
        chosen = [row for row in chosen if row.swarm in kept]
    address, port = _addresses(name, rows) if path is not None else _shipped_addresses()
    return Snapshot(
        date=date,
        height=chosen[0].height,
        node=tuple(row.node for row in chosen),
        host=tuple(row.host for row in chosen),
        net24=tuple(row.net24 for row in chosen),
        net16=tuple(row.net16 for row in chosen),
        country=tuple(row.country for row in chosen),
        swarm=tuple(row.swarm for row in chosen),
        version=tuple(row.version for row in chosen),
        leaving=tuple(row.leaving for row in chosen),
        ip=tuple(address[row.host] for row in chosen),
        port=tuple(port[row.host, row.node] for row in chosen),
    )


def build_nodes(
    snapshot: Snapshot, seeds: Seeds
) -> tuple[NodeList, tuple[KeyPair, ...], tuple[KeyPair, ...]]:
    """Give every node of a picture its keys.

    The keys depend on the seed and the node's index alone, so a node keeps them from picture to picture.

    Returns:
        The public list, and per node its Ed25519 pair and the X25519 pair converted from it.
    """
    ed = tuple(ed25519_keypair(seeds.key("node", node)) for node in snapshot.node)
    x = tuple(x25519_of_ed25519(pair) for pair in ed)
    nodes = NodeList(
        ed25519=tuple(pair.public for pair in ed),
        x25519=tuple(pair.public for pair in x),
        swarm=snapshot.swarm,
        ip=snapshot.ip,
        port=snapshot.port,
    )
    return nodes, ed, x


def _usable(rows: Iterable[_Row]) -> tuple[str, ...]:
    return tuple(sorted({row.date for row in rows if row.swarm >= 0}))


def _rows(path: Path | None) -> tuple[str, tuple[_Row, ...]]:
    return _shipped_rows() if path is None else _parsed_rows(path)


@lru_cache(maxsize=1)
def _shipped_rows() -> tuple[str, tuple[_Row, ...]]:
    return _parsed_rows(None)


def _parsed_rows(path: Path | None) -> tuple[str, tuple[_Row, ...]]:
    name, table = read_table(FORM, path)
    rows = tuple(_parsed_row(f"{name}:{line}", fields) for line, fields in enumerate(table, 2))
    # A host lies in one /24 and one country, a /24 in one /16, and a picture names all swarms or none.
    belongs: dict[tuple[str, object], object] = {}
    for line, row in enumerate(rows, 2):
        for inner, outer, what in (
            (("host", row.host), (row.net24, row.country), "one /24 and one country"),
            (("/24", row.net24), row.net16, "one /16"),
            (
                ("date", row.date),
                (row.height, row.swarm >= 0),
                "one height, and a swarm for every node or for none",
            ),
        ):
            if belongs.setdefault(inner, outer) != outer:
                found = f"{inner[0]} {inner[1]} with {outer}, before with {belongs[inner]}"
                raise InvalidInput(f"{name}:{line}", found, what)
    return name, rows


def _parsed_row(place: str, fields: list[str]) -> _Row:
    date, height, node, host, net24, net16, country, swarm, version, leaving = fields
    if not _DATE.match(date):
        raise InvalidInput(f"{place} date", date, "a date like 2026-04-28")
    for column, text in zip(FORM.header.split(",")[1:6], fields[1:6], strict=True):
        if not _NUMBER.match(text):
            raise InvalidInput(f"{place} {column}", text, "a whole number of at most nine digits")
    if not _COUNTRY.match(country):
        raise InvalidInput(f"{place} country", country, "two capital letters")
    if swarm and (not _SWARM.match(swarm) or int(swarm, 16) == UNASSIGNED):
        raise InvalidInput(
            f"{place} swarm", swarm, "1 to 16 hexadecimal digits, below ffffffffffffffff; or nothing"
        )
    if leaving not in ("0", "1"):
        raise InvalidInput(f"{place} leaving", leaving, "0 or 1")
    return _Row(
        date, int(height), int(node), int(host), int(net24), int(net16), country,
        int(swarm, 16) if swarm else -1, version, leaving == "1",
    )  # fmt: skip


def _addresses(name: str, rows: Iterable[_Row]) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """Give each host an address and each (host, node) a port, over all dates of the file."""
    nets16 = sorted({row.net16 for row in rows})
    within16 = _ranks({(row.net16, row.net24) for row in rows})
    within24 = _ranks({(row.net24, row.host) for row in rows})
    within_host = _ranks({(row.host, row.node) for row in rows})
    for found, most, what in (
        (len(nets16), _NETS16, "/16 networks"),
        (1 + max(within16.values()), _NETS24, "/24 networks in one /16"),
        (1 + max(within24.values()), _HOSTS, "hosts in one /24"),
        (1 + max(within_host.values()), 1000, "nodes on one host"),
    ):
        if found > most:
            raise InvalidInput(name, f"{found} {what}", f"at most {most}")
    rank16 = {net: i for i, net in enumerate(nets16)}
    address = {
        row.host: NODE_BLOCK
        + (rank16[row.net16] << 16)
        + (within16[row.net16, row.net24] << 8)
        + within24[row.net24, row.host]
        + 1
        for row in rows
    }
    port = {pair: FURTHER_PORTS + rank - 1 if rank else FIRST_PORT for pair, rank in within_host.items()}
    return address, port


@lru_cache(maxsize=1)
def _shipped_addresses() -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    return _addresses(*_shipped_rows())


def _ranks(pairs: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Number the second items below each first item, from 0, in ascending order."""
    ranks: dict[tuple[int, int], int] = {}
    outer, rank = None, 0
    for pair in sorted(pairs):
        rank = rank + 1 if pair[0] == outer else 0
        outer = pair[0]
        ranks[pair] = rank
    return ranks
