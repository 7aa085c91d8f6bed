"""From a run's records to what one observer has of them: a pure filter, without judgement.

    operated endpoint   it is one end: all columns at the time of sending or arrival, bytes, its own keys
    tapped endpoint     its links from outside: times, addresses, wire sizes; nothing of the application
    anything else       nothing

A row seen both ways is seen at the endpoint, and a row whose two ends are both seen is one row, at the
earlier time. What was lost on the way is seen only where it left. Numbers of connections and of exchanges
are the run's own: they count what happens elsewhere, and a client's exchange number even says what the
exchange is for. So each view has its own, by first appearance. Source: metrics 0.1, design.md (Vantage).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position
from sessionsim.core.view import AT_ENDPOINT, AT_LINK, VIEW_COLUMNS, HeldKey, Table, View

_AT_BOTH: Final = ("src", "dst", "conn", "transport", "direction", "wire_bytes", "segments")
_AT_ENDPOINT_ONLY: Final = ("head", "exchange", "app_bytes", "blob")
assert {"row", "t_us", "place", *_AT_BOTH, *_AT_ENDPOINT_ONLY} == set(VIEW_COLUMNS)

Mask = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]


def observe(
    name: str,
    position: Position,
    records: Table,
    blobs: Mapping[int, bytes],
    keys: Table,
    nodes: NodeList,
    suite: str,
    owners: Mapping[int, str] | None = None,
    endpoints: Table | None = None,
) -> View:
    """Give one observer's share of a run.

    Args:
        name: the observer's name, as the scenario gives it.
        position: where it stands.
        records: columns of `core.columns.DTYPE`, shape (n,) each; a column `row` if positions are not the
            row numbers. Further columns, the note among them, are never touched.
        blobs: kept byte strings by number; numbers that are missing were not kept.
        keys: columns owner, kind, public, secret (hex), as `core.truth` stores them.
        nodes: the public node list.
        suite: name of the run's crypto suite.
        owners: who holds the keys of an operated endpoint that is no service node: endpoint -> `account:05…`.
        endpoints: columns endpoint and ip (IPv4 as an integer) of every endpoint of the run.

    Returns:
        Rows ordered by (t_us, row), all columns int64; an observer without a place has none.
    """
    t_us, place = _sightings(position, records)
    seen = np.flatnonzero(place >= 0)
    number = records["row"] if "row" in records else np.arange(len(place), dtype=np.int64)
    rows: Table = {
        "row": number[seen].astype(np.int64),
        "t_us": t_us[seen] + position.clock_offset_us,
        "place": place[seen],
    }
    at_link = rows["place"] == AT_LINK
    for column in _AT_BOTH + _AT_ENDPOINT_ONLY:
        values = records[column][seen].astype(np.int64)
        if column in _AT_ENDPOINT_ONLY:
            values[at_link] = -1
        rows[column] = values
    order = np.lexsort((rows["row"], rows["t_us"]))
    ordered: Table = {column: rows[column][order] for column in VIEW_COLUMNS}
    ordered["conn"], ordered["exchange"] = _own_numbers(ordered)
    handles = sorted(set(ordered["blob"].tolist()) - {-1})
    return View(
        observer=name,
        suite=suite,
        rows=ordered,
        blobs={handle: blobs[handle] for handle in handles if handle in blobs},
        keys=_held(position, keys, nodes, owners or {}),
        nodes=nodes,
        own=position.operated,
        addresses=_addresses(ordered, endpoints, len(nodes)),
    )


def _own_numbers(rows: Table) -> tuple[Times, Times]:
    """Number connections, and the exchanges of each end of each, by first appearance; -1 stays."""
    conn: Times = rows["conn"].astype(np.int64)
    exchange: Times = rows["exchange"].astype(np.int64)
    opener = np.where(rows["direction"] == 0, rows["src"], rows["dst"]).astype(np.int64)
    conns = _by_first_appearance(conn)
    paired = np.flatnonzero(exchange >= 0)
    key = conns[paired]
    for part in (opener[paired], exchange[paired]):
        values = np.unique(part, return_inverse=True)[1]
        key = _by_first_appearance(key * (int(values.max(initial=0)) + 1) + values)
    exchange[paired] = key
    return conns, exchange


def _by_first_appearance(values: Times) -> Times:
    """Replace values by 0, 1, 2 … in the order in which they first occur."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    ranked: Times = rank[inverse]
    return ranked


def _sightings(position: Position, records: Table) -> tuple[Times, Times]:
    """Give for every record when and at which kind of place it is seen first; place -1 for never."""
    sent: Times = records["t_sent_us"].astype(np.int64)
    received: Times = records["t_recv_us"].astype(np.int64)
    src, dst, arrived = records["src"], records["dst"], received >= 0
    t_us = np.full(len(sent), -1, np.int64)
    place = np.full(len(sent), -1, np.int64)
    # Later assignments win: an endpoint over a link, and leaving over arriving.
    for kind, endpoints in ((AT_LINK, position.tapped), (AT_ENDPOINT, position.operated)):
        arriving, leaving = _member(dst, endpoints) & arrived, _member(src, endpoints)
        t_us[arriving], place[arriving] = received[arriving], kind
        t_us[leaving], place[leaving] = sent[leaving], kind
    return t_us, place


def _member(endpoint: npt.NDArray[Any], chosen: frozenset[int]) -> Mask:
    return np.isin(endpoint, np.fromiter(sorted(chosen), np.int64, len(chosen)))


def _held(position: Position, keys: Table, nodes: NodeList, owners: Mapping[int, str]) -> tuple[HeldKey, ...]:
    """Pick the keys whose owner stands at an operated endpoint."""
    holders = {f"node:{endpoint}" for endpoint in position.operated if endpoint < len(nodes)}
    holders |= {owners[endpoint] for endpoint in sorted(position.operated) if endpoint in owners}
    columns = (keys[name].tolist() for name in ("owner", "kind", "public", "secret"))
    return tuple(
        HeldKey(kind, owner, bytes.fromhex(public), bytes.fromhex(secret))
        for owner, kind, public, secret in zip(*columns, strict=True)
        if owner in holders
    )


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
