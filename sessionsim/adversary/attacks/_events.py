"""What attacks look at: a view read once, as arrays of events, with what the background adds.

    requests    what left a client on a link: time, endpoint, bytes on the wire
    answers     what came back to it
    stores      messages that operated swarm members were given, with inbox and size
    retrieves   requests of an account's owner at operated swarm members
                (both when they came to the member, though they may have been read on their way)

Reading means opening what the observer can open (`closure`); the last views read are remembered, since
several attacks look at one view. The background comes as the tables `requests`, `stores` and `retrieves`,
whose events are those of people who are not simulated: their endpoints and accounts are numbers beyond all
real ones. Whoever only looks at these arrays cannot tell them apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.closure import Closure
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.stored_message import Message
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.verdict import texts
from sessionsim.core.view import Table, View

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

FIRST_STRANGER: Final = 1 << 40  # endpoints and accounts of the background count from here
_CONTROL: Final = (HEAD_CODE["handshake"], HEAD_CODE["keepalive"])
_MANY: Final = 16  # Assumption: observers of a scenario, times training seeds
_OWNERS_CALLS: Final = ("retrieve", "delete", "expire", "get_expiries", "update_expiry")


class Requests(NamedTuple):
    """Transmissions of clients in order of time. Args: client: endpoint; row: of the view, -1 background."""

    t_us: Ints
    client: Ints
    wire_bytes: Ints
    row: Ints
    peer: Ints


class Stores(NamedTuple):
    """Messages first seen by the observer, in order of time.

    Args:
        inbox: `account:05…`; message: `message:<hash>`; size_bytes: stored length; namespace.
        direct: whether the observer's own node was asked, or only had it forwarded.
    """

    t_us: Ints
    inbox: Texts
    message: Texts
    size_bytes: Ints
    namespace: Ints
    direct: npt.NDArray[np.bool_]


class Retrieves(NamedTuple):
    """Requests of accounts' owners. Args: node: which member was asked; cursor: `last_hash` of the first."""

    t_us: Ints
    account: Texts
    node: Ints
    cursor: Texts


def requests(view: View) -> Requests:
    """List what clients sent.

    On a tapped link nothing names a row's purpose, so handshakes and keep-alives are among them; where the
    observer is an end of the link they are known and left out.
    """
    return _transmissions(view, 0, "requests")


def answers(view: View) -> Requests:
    """List what came back to clients."""
    return _transmissions(view, 1, "answers")


def _transmissions(view: View, direction: int, table: str) -> Requests:
    rows = view.rows
    client, peer = ("src", "dst") if direction == 0 else ("dst", "src")
    mine = _of_client(view, rows[client]) & (rows[peer].astype(np.int64) < len(view.nodes))
    mine &= rows["direction"] == direction
    mine &= ~np.isin(rows["head"], _CONTROL)
    at = np.flatnonzero(mine)
    found = [rows[name][at].astype(np.int64) for name in ("t_us", client, "wire_bytes", "row", peer)]
    more = view.background.get(table)
    if more is not None:
        t_us = more["t_us"].astype(np.int64)
        none = np.full(len(t_us), -1, dtype=np.int64)
        extra = [t_us, more["client"].astype(np.int64), more["wire_bytes"].astype(np.int64), none, none]
        found = [np.concatenate(pair) for pair in zip(found, extra, strict=True)]
    order = np.argsort(found[0], kind="stable")
    return Requests(*(column[order] for column in found))


class _Read(NamedTuple):
    stores: Stores
    retrieves: Retrieves
    repeated: Retrieves


_remembered: deque[tuple[Table, _Read]] = deque(maxlen=_MANY)


def _read(view: View) -> _Read:
    """Read a view, or remember it; views that differ in their background share their rows."""
    for rows, known in _remembered:
        if rows is view.rows:
            return known
    closure = Closure(view)
    transcript, meaning = closure.transcript, closure.transcript.meaning
    first: dict[str, tuple[int, str, str, int, int, bool]] = {}
    seen: list[tuple[int, str, int, str]] = []
    repeated: list[tuple[int, str, int, str]] = []
    n_nodes = len(view.nodes)
    for request in np.flatnonzero(closure.t_read < NEVER).tolist():
        place = _came(closure, request)
        t_us, dst = int(closure.t_row[place]), int(transcript.rows["dst"][place])
        onioned = transcript.ciphers[request][0] is not None
        owner = ""
        for call in meaning.calls[request]:
            if call.message >= 0 and call.namespace is not None:
                _note_store(first, t_us, meaning.message(call.message), call.namespace, onioned)
            elif call.method in _OWNERS_CALLS and call.account:
                asked = (t_us, f"account:{call.account.hex()}", dst if dst < n_nodes else -1, call.cursor)
                if not owner:
                    owner = asked[1]
                    seen.append(asked)
                if call.cursor:
                    repeated.append(asked)
    stored = sorted(first.values())
    seen.sort()
    repeated.sort()
    read = _Read(_stores(stored), _retrieves(seen), _retrieves(repeated))
    _remembered.append((view.rows, read))
    return read


def _came(closure: Closure, request: int) -> int:
    """Give the place of the row with which a request came to whom it was for.

    Who runs every node of a path reads it at the guard already, before it is served; what is compared with
    links is when it was.
    """
    transcript, chain = closure.transcript, closure.transcript.chain(request)
    inner = transcript.rows_of_layer.of(chain[-1]) if chain else ()
    came = [place for place in inner if closure.t_row[place] < NEVER]
    if not came:
        return closure.reading(request)[0]
    return min(came, key=lambda place: (int(closure.t_row[place]), place))


def remember(view: View, stored: Stores, retrieved: Retrieves) -> None:
    """Take a view as read: for views that are made of events and hold no bytes to read them from."""
    _remembered.append((view.rows, _Read(stored, retrieved, retrieved)))


def _note_store(
    first: dict[str, tuple[int, str, str, int, int, bool]],
    t_us: int,
    message: Message,
    namespace: int,
    direct: bool,
) -> None:
    name = f"message:{message.hash}"
    known = first.get(name)
    if known is None or t_us < known[0]:
        inbox = f"account:{message.inbox.hex()}"
        first[name] = (t_us, inbox, name, message.size_bytes, namespace, direct)


def _column(rows: Sequence[tuple[object, ...]], at: int) -> Ints:
    return np.array([row[at] for row in rows], dtype=np.int64)


def _stores(rows: Sequence[tuple[int, str, str, int, int, bool]]) -> Stores:
    return Stores(
        _column(rows, 0),
        texts([row[1] for row in rows]),
        texts([row[2] for row in rows]),
        _column(rows, 3),
        _column(rows, 4),
        np.array([row[5] for row in rows], dtype=bool),
    )


def _retrieves(rows: Sequence[tuple[int, str, int, str]]) -> Retrieves:
    return Retrieves(
        _column(rows, 0), texts([row[1] for row in rows]), _column(rows, 2), texts([row[3] for row in rows])
    )


def stores(view: View, strangers: bool = True) -> Stores:
    """List the messages that operated swarm members were given, each once, when it was first seen.

    Args:
        strangers: also those of the background; without them, the messages that somebody asks about.
    """
    found, more = _read(view).stores, view.background.get("stores")
    if not strangers or more is None or not len(more["t_us"]):
        return found
    number = more["account"].astype(np.int64)
    extra = Stores(
        more["t_us"].astype(np.int64),
        texts([f"account:{k}" for k in number.tolist()]),
        texts([f"message:{k}" for k in range(len(number))]),
        more["size_bytes"].astype(np.int64),
        more["namespace"].astype(np.int64),
        more["direct"].astype(bool),
    )
    return Stores(*_merged(found, extra))


def _of_client(view: View, ends: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Mark endpoints that are neither service nodes nor servers."""
    number = ends.astype(np.int64)
    servers = np.fromiter(view.servers, np.int64, len(view.servers))
    mine: npt.NDArray[np.bool_] = (number >= len(view.nodes)) & ~np.isin(number, servers)
    return mine


def clients_seen(view: View) -> Ints:
    """Give the client endpoints that occur in a view, ascending."""
    ends = np.concatenate([view.rows[name].astype(np.int64) for name in ("src", "dst")])
    found: Ints = np.unique(ends[_of_client(view, ends)])
    return found


def online_clients(view: View) -> int:
    """Count the addresses that are online in the window: those seen, and the background's."""
    people = view.background.get("people")
    return len(clients_seen(view)) + (int(people["clients"][0]) if people is not None else 0)


def retrieves(view: View) -> Retrieves:
    """List the requests of accounts' owners at operated swarm members, one per request."""
    found, more = _read(view).retrieves, view.background.get("retrieves")
    if more is None or not len(more["t_us"]):
        return found
    number = more["account"].astype(np.int64)
    extra = Retrieves(
        more["t_us"].astype(np.int64),
        texts([f"account:{k}" for k in number.tolist()]),
        more["node"].astype(np.int64),
        texts([""] * len(number)),
    )
    return Retrieves(*_merged(found, extra))


def repeated_cursors(view: View) -> Retrieves:
    """List the cursors that owners repeated to operated swarm members, one row per cursor of a request."""
    return _read(view).repeated


def _merged(found: Sequence[np.ndarray], extra: Sequence[np.ndarray]) -> list[np.ndarray]:
    columns = [np.concatenate(pair) for pair in zip(found, extra, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return [column[order] for column in columns]


def address_of(view: View, client: int) -> str:
    """Write a client endpoint as a term; those of the background by number."""
    if client >= FIRST_STRANGER:
        return f"addr:{client}"
    return f"addr:{view.addresses.get(client, f'endpoint-{client}')}"


def addresses_of(view: View, clients: Ints) -> Texts:
    """`address_of` for a whole column; each distinct endpoint is written once."""
    distinct, inverse = np.unique(clients, return_inverse=True)
    named = texts([address_of(view, int(client)) for client in distinct.tolist()])
    column: Texts = named[inverse] if len(distinct) else texts([])
    return column
