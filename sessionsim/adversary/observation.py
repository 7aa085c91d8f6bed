"""From a run's records to what one observer has of them: a pure filter, without judgement.

    operated endpoint   it is one end: all columns at the time of sending or arrival, bytes, its own keys
    node in one role    the same, of what the node does in that role (see `roles`); all keys of the node
    taken endpoint      its lasting keys from then on; for who copies it, also the passing keys that it has
                        at that moment; for who stays, those it has then or later, and its rows from then on
    taken device        for who copies it or stays, what people wrote that lies there then
    operated device     the same, of the whole run
    asked swarms        with stolen keys: the messages that lay there at the time of the theft, of the account
                        and of its groups
    tapped endpoint     its links from outside: times, addresses, wire sizes; nothing of the application
    anything else       nothing

A row seen both ways is seen at the endpoint, and a row whose two ends are both seen is one row, at the
earlier time. What was lost on the way is seen only where it left. Numbers of connections and of exchanges
are the run's own: they count what happens elsewhere, and a client's exchange number even says what the
exchange is for. So each view has its own, by first appearance. Source: metrics 0.1, design.md (Vantage).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.names import string_term
from sessionsim.adversary.roles import ROLES, Pending, roles_of
from sessionsim.core.blob_store import Only
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.view import (
    ACTION_COLUMNS,
    ALWAYS_US,
    AT_ENDPOINT,
    AT_LINK,
    HAUL_COLUMNS,
    HISTORY_COLUMNS,
    VIEW_COLUMNS,
    Haul,
    HeldKey,
    Shown,
    Table,
    View,
)

_AT_BOTH: Final = ("src", "dst", "conn", "transport", "direction", "wire_bytes", "segments")
_AT_ENDPOINT_ONLY: Final = ("head", "exchange", "app_bytes", "blob")
assert {"row", "t_us", "place", *_AT_BOTH, *_AT_ENDPOINT_ONLY} == set(VIEW_COLUMNS)

_DENSE: Final = 4  # numbers that fill a quarter of their range are counted, not sorted

Mask = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]


def observe(
    name: str,
    position: Position,
    records: Table | Iterable[Table],
    blobs: Mapping[int, bytes],
    keys: Table,
    nodes: NodeList,
    suite: str,
    owners: Mapping[int, str] | None = None,
    endpoints: Table | None = None,
    servers: Mapping[int, str] | None = None,
    server_keys: Mapping[int, bytes] | None = None,
    actions: Table | None = None,
    countries: Mapping[int, str] | None = None,
    hauls: Table | None = None,
    histories: Table | None = None,
) -> View:
    """Give one observer's share of a run.

    Args:
        name: the observer's name, as the scenario gives it.
        position: where it stands.
        records: columns of `core.columns.DTYPE`, shape (n,) each; a column `row` if positions are not the
            row numbers. Further columns, the note among them, are never touched. Or such tables one after
            the other, with `row`: of each only what is seen is kept.
        blobs: kept byte strings by number; numbers that are missing were not kept.
        keys: columns owner, kind, public, secret (hex), as `core.truth` stores them, and made_us: when a
            passing key came to be, -1 for lasting ones; without the column all keys last. gone_us: when a
            passing key was forgotten, -1 for never; without the column at once.
        nodes: the public node list.
        suite: name of the run's crypto suite.
        owners: who holds the lasting keys of an endpoint that is no service node: endpoint -> `account:05…`;
            passing ones are those of `device:` and its endpoint.
        endpoints: columns endpoint and ip (IPv4 as an integer) of every endpoint of the run.
        servers: endpoint of every server -> its kind.
        server_keys: endpoint of every server -> its public X25519 key, which clients know.
        actions: what active adversaries did: columns of `core.view.ACTION_COLUMNS`, and `observer`, the name
            of who knows it.
        countries: endpoint of every client -> country of its address, two letters.
        hauls: what swarms held when thieves asked them: columns of `core.view.HAUL_COLUMNS`.
        histories: what lies on devices: columns of `core.view.HISTORY_COLUMNS`.

    Returns:
        Rows ordered by (t_us, row), all columns int64; an observer without a place has none.
    """
    owners, servers = owners or {}, servers or {}
    groups: Iterable[Table] = [records] if isinstance(records, dict) else records
    parts, pending = list[Table](), Pending()
    for group in groups:
        parts.append(_seen(position, group, blobs, len(nodes), servers, pending))
    # Column by column, so that the memory of one serves the next.
    rows: Table = {
        column: np.concatenate([part.pop(column) for part in parts], dtype=np.int64)
        if parts
        else np.empty(0, np.int64)
        for column in VIEW_COLUMNS
    }
    order = np.lexsort((rows["row"], rows["t_us"]))
    ordered: Table = {column: rows.pop(column)[order] for column in VIEW_COLUMNS}
    ordered["conn"], ordered["exchange"] = _own_numbers(ordered)
    addresses = _addresses(ordered, endpoints, len(nodes))
    return View(
        observer=name,
        suite=suite,
        rows=ordered,
        blobs=Only(blobs, ordered["blob"]),
        keys=_held(position, keys, nodes, owners),
        nodes=nodes,
        own=position.entered,
        addresses=addresses,
        countries={end: countries[end] for end in addresses if countries and end in countries},
        servers=servers,
        server_keys=server_keys or {},
        ids=frozenset(bytes.fromhex(owners[end].partition(":")[2]) for end in position.known),
        actions=_own_actions(name, position, actions),
        hauls=_own_hauls(position, hauls),
        history=_own_history(position, histories),
    )


def _seen(
    position: Position,
    records: Table,
    blobs: Mapping[int, bytes],
    n_nodes: int,
    servers: Mapping[int, str],
    pending: Pending,
) -> Table:
    """Give what is seen of some records, columns VIEW_COLUMNS, with the run's own numbers."""
    t_us, place = _sightings(
        position, records, _in_sight(position, records, blobs, n_nodes, servers, pending)
    )
    mask = place >= 0
    seen: Any = slice(None) if mask.all() else mask  # without copying where nothing is left out
    number = records["row"] if "row" in records else np.arange(len(place), dtype=np.int64)
    rows: Table = {
        "row": number[seen],
        "t_us": t_us[seen] + position.clock_offset_us,
        "place": place[seen],
    }
    at_link = rows["place"] == AT_LINK
    for column in _AT_BOTH + _AT_ENDPOINT_ONLY:
        rows[column] = records[column][seen]
        if column in _AT_ENDPOINT_ONLY and at_link.any():
            rows[column] = np.where(at_link, -1, rows[column].astype(np.int64))
    return rows


def _own_actions(name: str, position: Position, actions: Table | None) -> Table:
    """Give what an observer did itself, by its own clock; empty if it did nothing."""
    if actions is None:
        return {}
    own = actions["observer"].astype(str) == name
    if not own.any():
        return {}
    table: Table = {column: actions[column][own] for column in ACTION_COLUMNS}
    for column in ("t_us", "until_us"):
        table[column] = table[column].astype(np.int64) + position.clock_offset_us
    return table


def _own_hauls(position: Position, hauls: Table | None) -> tuple[Haul, ...]:
    """Give what an observer got from swarms, with keys that it stole itself."""
    asked = {
        (taking.endpoint, taking.t_us, taking.stays or taking.copies)
        for taking in position.taken
        if taking.fetches
    }
    if hauls is None or not asked:
        return ()
    rows = zip(*(hauls[column].tolist() for column in HAUL_COLUMNS), strict=True)
    return tuple(
        Haul(number, t_us + position.clock_offset_us, bytes.fromhex(account), namespace, bytes.fromhex(data))
        for number, (endpoint, t_us, on_device, account, namespace, data) in enumerate(rows)
        if (endpoint, t_us, bool(on_device)) in asked
    )


def _own_history(position: Position, histories: Table | None) -> tuple[Shown, ...]:
    """Give what lay on devices when the observer took them, or came while it was there."""
    there: dict[int, list[Taking]] = {}
    for taking in sorted(position.taken):
        if taking.stays or taking.copies:
            there.setdefault(taking.endpoint, []).append(taking)
    if histories is None:
        return ()
    columns, offset_us = [histories[name].tolist() for name in HISTORY_COLUMNS], position.clock_offset_us
    found = dict[Shown, None]()
    for endpoint, since_us, until_us, kind, name, *whose in zip(*columns, strict=True):
        takings = there.get(endpoint, [])
        if endpoint in position.operated:
            takings = [Taking(endpoint, ALWAYS_US, stays=True), *takings]
        for taking in takings:
            t_us = max(taking.t_us, since_us)
            if t_us < until_us and (taking.stays or t_us == taking.t_us):
                ids = (bytes.fromhex(who) for who in whose)
                found[Shown(t_us + offset_us, since_us + offset_us, kind, name, *ids)] = None
    return tuple(found)


def _own_numbers(rows: Table) -> tuple[Times, Times]:
    """Number connections, and the exchanges of each end of each, by first appearance; -1 stays."""
    conn: Times = rows["conn"].astype(np.int64)
    exchange: Times = rows["exchange"].astype(np.int64)
    opener = np.where(rows["direction"] == 0, rows["src"], rows["dst"]).astype(np.int64)
    conns = _by_first_appearance(conn)
    paired = np.flatnonzero(exchange >= 0)
    key = conns[paired]
    for part in (opener[paired], exchange[paired]):
        values = (
            part if int(part.max(initial=0)) < _DENSE * len(part) else np.unique(part, return_inverse=True)[1]
        )
        key = _by_first_appearance(key * (int(values.max(initial=0)) + 1) + values)
    exchange[paired] = key
    return conns, exchange


def _by_first_appearance(values: Times) -> Times:
    """Replace values by 0, 1, 2 … in the order in which they first occur."""
    if len(values) and values.min() >= 0 and values.max() < _DENSE * len(values):  # without sorting them
        places = np.full(int(values.max()) + 1, -1, np.int64)
        places[values[::-1]] = np.arange(len(values), dtype=np.int64)[::-1]
        first = np.sort(places[places >= 0])
        places[values[first]] = np.arange(len(first), dtype=np.int64)
        dense: Times = places[values]
        return dense
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    ranked: Times = rank[inverse]
    return ranked


def _in_sight(
    position: Position,
    records: Table,
    blobs: Mapping[int, bytes],
    n_nodes: int,
    servers: Mapping[int, str],
    pending: Pending,
) -> tuple[Mask, Mask]:
    """Mark the records whose leaving, and whose arriving, happens at an endpoint that the observer runs."""
    src, dst = records["src"], records["dst"]
    sent, received = (records[name].astype(np.int64) for name in ("t_sent_us", "t_recv_us"))
    leaving, arriving = _member(src, position.operated), _member(dst, position.operated)
    for taking in position.taken:
        if taking.stays:
            leaving |= (src == taking.endpoint) & (sent >= taking.t_us)
            arriving |= (dst == taking.endpoint) & (received >= taking.t_us)
    if position.in_role:
        ends = frozenset(end for end, _ in position.in_role)
        some = np.flatnonzero(_member(src, ends) | _member(dst, ends))
        few: Table = {name: values[some] for name, values in records.items()}
        sender, receiver = roles_of(few, blobs, n_nodes, servers, pending)
        for number, role in enumerate(ROLES):
            acting = frozenset(end for end, its in position.in_role if its is role)
            leaving[some] |= (sender == number) & _member(few["src"], acting)
            arriving[some] |= (receiver == number) & _member(few["dst"], acting)
    return leaving, arriving


def _sightings(position: Position, records: Table, in_sight: tuple[Mask, Mask]) -> tuple[Times, Times]:
    """Give for every record when and at which kind of place it is seen first; place -1 for never."""
    sent: Times = records["t_sent_us"].astype(np.int64)
    received: Times = records["t_recv_us"].astype(np.int64)
    arrived = received >= 0
    t_us = np.full(len(sent), -1, np.int64)
    place = np.full(len(sent), -1, np.int64)
    on_link = _member(records["src"], position.tapped), _member(records["dst"], position.tapped)
    # Later assignments win: an endpoint over a link, and leaving over arriving.
    for kind, (leaving, arriving) in ((AT_LINK, on_link), (AT_ENDPOINT, in_sight)):
        t_us[arriving & arrived], place[arriving & arrived] = received[arriving & arrived], kind
        t_us[leaving], place[leaving] = sent[leaving], kind
    return t_us, place


def _member(endpoint: npt.NDArray[Any], chosen: frozenset[int]) -> Mask:
    return np.isin(endpoint, np.fromiter(sorted(chosen), np.int64, len(chosen)))


def _held(position: Position, keys: Table, nodes: NodeList, owners: Mapping[int, str]) -> tuple[HeldKey, ...]:
    """Pick the keys whose owner stands at an endpoint that is operated, or that something was taken from."""

    def names(endpoint: int) -> tuple[str, ...]:
        if endpoint < len(nodes):
            return (f"node:{endpoint}",)
        return owners.get(endpoint, ""), f"device:{endpoint}"

    always = {name for end in position.operated for name in names(end)}
    in_roles: dict[str, tuple[Role, ...]] = {}
    for end, role in sorted(position.in_role):
        for name in names(end):
            in_roles[name] = (*in_roles.get(name, ()), role)
    taken: dict[str, list[Taking]] = {}
    for taking in sorted(position.taken):
        for name in names(taking.endpoint):
            taken.setdefault(name, []).append(taking)
    columns = [keys[name].tolist() for name in ("owner", "kind", "public", "secret")]
    made = keys["made_us"].tolist() if "made_us" in keys else [-1] * len(columns[0])
    gone = keys["gone_us"].tolist() if "gone_us" in keys else made
    held = []
    for owner, kind, public, secret, made_us, gone_us in zip(*columns, made, gone, strict=True):
        since_us, roles = ALWAYS_US, tuple[Role, ...]()
        if owner in in_roles and owner not in always:
            roles = in_roles[owner]
        elif owner not in always:
            taken_us = _taken_us(taken.get(owner, ()), made_us, gone_us)
            if taken_us is None:
                continue
            since_us = taken_us + position.clock_offset_us
        held.append(HeldKey(kind, owner, bytes.fromhex(public), bytes.fromhex(secret), since_us, roles))
    return tuple(held)


def _taken_us(takings: Iterable[Taking], made_us: int, gone_us: int) -> int | None:
    """Give when a key came into the hands of who took something from its owner first; None for never.

    The key of a request is gone when the request is over, so only who stays gets it, when it is made; a key
    that is kept for a while is on the device for that while.
    """
    times = []
    for taking in takings:
        there = made_us <= taking.t_us and (gone_us < 0 or taking.t_us < gone_us)
        if made_us < 0 or (there and (taking.stays or taking.copies)):
            times.append(taking.t_us)
        elif taking.stays and made_us >= taking.t_us:
            times.append(made_us)
    return min(times, default=None)


def _addresses(rows: Table, endpoints: Table | None, n_nodes: int) -> dict[int, str]:
    """Name the clients that appear in the rows by their network addresses."""
    if endpoints is None:
        return {}
    ip = dict(zip(endpoints["endpoint"].tolist(), endpoints["ip"].tolist(), strict=True))
    clients = {end for column in ("src", "dst") for end in rows[column].tolist() if end >= n_nodes}
    return {end: dotted(ip[end]) for end in sorted(clients) if end in ip}


def dotted(ip: int) -> str:
    """Write an IPv4 address given as an integer, for example `244.0.0.7`."""
    return ".".join(str(ip >> shift & 255) for shift in (24, 16, 8, 0))


def public_names(view: View) -> frozenset[str]:
    """Give addresses and keys of nodes, and addresses of servers, which anyone knows, as terms."""
    nodes = (f"addr:{dotted(ip)}" for ip in view.nodes.ip)
    keys = (string_term(key.hex()) for key in (*view.nodes.ed25519, *view.nodes.x25519))
    servers = (f"addr:{view.addresses[end]}" for end in view.servers if end in view.addresses)
    return frozenset((*nodes, *keys, *servers))
