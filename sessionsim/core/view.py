"""What one observer has: rows, bytes and keys. The only input of deduction and of attacks.

A view can hold only what the party really receives. Two places exist: at a *link* an observer sees times,
addresses and wire sizes of encrypted records; at an *endpoint* it is one of the two ends and also has the
application bytes, the head and the pairing of requests with answers. Columns that a place does not show
are -1 there. Truth (notes, accounts behind addresses, causes) has no column here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Role

Table = dict[str, npt.NDArray[np.generic]]

AT_LINK: Final = 0
AT_ENDPOINT: Final = 1

# Columns of View.rows. Seen at a link: row, t_us, place, src, dst, conn, transport, direction, wire_bytes,
# segments. Seen at an endpoint in addition: head, exchange, app_bytes, blob. Connections and exchanges are
# numbered by first appearance in the view, since the run's own numbers would tell what happens elsewhere.
VIEW_COLUMNS: Final = (
    "row", "t_us", "place", "src", "dst", "conn", "transport", "direction",
    "wire_bytes", "segments", "head", "exchange", "app_bytes", "blob",
)  # fmt: skip


# Columns of View.actions, see `network.interference.log`: name and kind of the interference, what was done,
# from when to when, at which endpoint, to whose request (a client's endpoint) or for which account, the hash
# or name given, and the cursor of the question.
ACTION_COLUMNS: Final = (
    "name", "kind", "what", "t_us", "until_us", "place", "client", "account", "token", "asked",
)  # fmt: skip

# Columns of a run's table of hauls: whose keys were stolen, when the swarms were asked, whether with what the
# device holds, the account or group (66 hex), and of each message that lay there its namespace and the stored
# bytes (hex).
HAUL_COLUMNS: Final = ("endpoint", "t_us", "on_device", "account", "namespace", "data")

# Columns of a run's table of histories: on which device something lies, since when and until when
# (exclusive), its kind (text, call, reaction or post), the hash of a text, who wrote it, whom it was for
# (empty for a group) and whose inbox a text lay in: ids, 66 hex. Of a post the writer is the blinded id, and
# the reader the account behind it where that is the device's own.
HISTORY_COLUMNS: Final = ("endpoint", "t_us", "until_us", "kind", "hash", "writer", "reader", "inbox")

ALWAYS_US: Final = -(1 << 62)  # before any time of a run


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A secret the observer holds.

    Args:
        kind: `x25519`, `ed25519`, or of version 2 `account seed`, `device seed`.
        owner: `node:17`, `server:file`, `account:05…`, or `device:1266` by its endpoint.
        since_us: since when, by the observer's clock; ALWAYS_US for its own.
        roles: where the observer looks at single roles of its owner, a node: the key is used on what arrives
            there in one of them, as if nobody else of the coalition had it; empty for no such bounds.
    """

    kind: str
    owner: str
    public: bytes
    secret: bytes
    since_us: int = ALWAYS_US
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Haul:
    """A stored message that a thief got from the swarm of the account or of one of its groups.

    Args:
        number: of the message among all hauls of the run.
        t_us: when the swarm was asked, by the observer's clock.
        account: the inbox it lay in, of the account or group, 33 bytes.
        data: as it is stored.
    """

    number: int
    t_us: int
    account: bytes
    namespace: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """Something on a device that was taken, or that the observer operates.

    Args:
        t_us: since when the observer can read it; since_us: when it came there; by the observer's clock.
        kind: `text`, `call`, `reaction` or `post`.
        hash: of a text; empty for others.
        writer, reader, inbox: ids, 33 bytes, as in HISTORY_COLUMNS; empty where there is none.
    """

    t_us: int
    since_us: int
    kind: str
    hash: str
    writer: bytes
    reader: bytes
    inbox: bytes


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One observer's share of a run.

    Args:
        observer: name of the vantage, as the scenario gives it.
        suite: the crypto suite the run used, needed to open anything.
        rows: columns VIEW_COLUMNS, each of shape (n_rows,), ordered by (t_us, row).
        blobs: application bytes by blob number, only those of rows seen at an endpoint.
        keys: secrets held.
        nodes: the public node list.
        own: endpoint numbers that the observer itself operates.
        addresses: network address of every endpoint in `rows` that is no service node, for example
            "244.0.0.7"; an endpoint that is missing is written by its number.
        countries: country of each of these addresses, which public registries tell anyone.
        servers: endpoint of every server whose address is public -> its kind.
        server_keys: X25519 key of every server, which clients know.
        ids: account ids (33 bytes) it knows from the start.
        background: what the observer also sees of people who are not simulated, already read: tables by
            name, see `adversary.attacks._events`; empty in a closed world.
        actions: what it did itself to the run, by its own clock: columns ACTION_COLUMNS in order of time;
            empty for an observer who only looks.
        hauls: what it got from swarms with stolen keys.
        history: what people wrote and did, as it lies on the devices that it took or operates.
    """

    observer: str
    suite: str
    rows: Table
    blobs: Mapping[int, bytes]
    keys: tuple[HeldKey, ...]
    nodes: NodeList
    own: frozenset[int]
    addresses: Mapping[int, str] = field(default_factory=dict)
    countries: Mapping[int, str] = field(default_factory=dict)
    servers: Mapping[int, str] = field(default_factory=dict)
    server_keys: Mapping[int, bytes] = field(default_factory=dict)
    ids: frozenset[bytes] = frozenset()
    background: Mapping[str, Table] = field(default_factory=dict)
    actions: Table = field(default_factory=dict)
    hauls: tuple[Haul, ...] = ()
    history: tuple[Shown, ...] = ()
