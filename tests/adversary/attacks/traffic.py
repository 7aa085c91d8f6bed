"""Views made of events: traffic of known laws, without bytes, for attacks that look at times and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sessionsim.adversary.attacks._events import Retrieves, Stores, remember
from sessionsim.core.nodelist import NodeList
from sessionsim.core.verdict import texts
from sessionsim.core.view import AT_LINK, VIEW_COLUMNS, View

N_NODES = 12
NODES = NodeList(
    ed25519=tuple(bytes([k]) * 32 for k in range(N_NODES)),
    x25519=tuple(bytes([100 + k]) * 32 for k in range(N_NODES)),
    swarm=tuple(1 + k // 6 for k in range(N_NODES)),
    ip=tuple(0xF0000000 + k for k in range(N_NODES)),
    port=(22021,) * N_NODES,
)


def hash_of(number: int) -> str:
    """Name a message as a storage hash is long."""
    return f"message:{number:043d}"


def account_of(number: int) -> str:
    return f"account:05{number:064x}"


def view_of(
    t_us: Sequence[int] | npt.ArrayLike = (),
    client: Sequence[int] | npt.ArrayLike = (),
    wire_bytes: Sequence[int] | npt.ArrayLike | int = 2000,
    *,
    stored: Sequence[tuple[Any, ...]] = (),
    retrieved: Sequence[tuple[Any, ...]] = (),
    answers: bool = False,
) -> View:
    """Make a view of requests on tapped links, and of what operated members were given.

    Args:
        t_us, client, wire_bytes: requests; client 0 is the first endpoint after the nodes.
        stored: (t_us, inbox number, message number, size, direct).
        retrieved: (t_us, account number, node, cursor).
        answers: the rows are answers to the clients instead.
    """
    when = np.asarray(t_us, dtype=np.int64)
    n = len(when)
    rows: dict[str, Any] = {name: np.full(n, -1, dtype=np.int64) for name in VIEW_COLUMNS}
    own = N_NODES + np.asarray(client, dtype=np.int64)
    rows |= {
        "row": np.arange(n), "t_us": when, "place": np.full(n, AT_LINK), "conn": own,
        "src": np.zeros(n, np.int64) if answers else own, "dst": own if answers else np.zeros(n, np.int64),
        "direction": np.full(n, int(answers)),
        "wire_bytes": np.broadcast_to(np.asarray(wire_bytes, dtype=np.int64), (n,)).copy(),
    }  # fmt: skip
    view = View("eve", "fast", rows, {}, (), NODES, frozenset({3}))
    told(view, stored, retrieved)
    return view


def told(view: View, stored: Sequence[tuple[Any, ...]], retrieved: Sequence[tuple[Any, ...]] = ()) -> None:
    """Say what operated members of a view were given."""
    kept = sorted(stored)
    remember(
        view,
        Stores(
            _ints(kept, 0), texts([account_of(one[1]) for one in kept]),
            texts([hash_of(one[2]) for one in kept]), _ints(kept, 3), np.zeros(len(kept), np.int64),
            np.array([one[4] for one in kept], dtype=bool),
        ),
        Retrieves(
            _ints(sorted(retrieved), 0), texts([account_of(one[1]) for one in sorted(retrieved)]),
            _ints(sorted(retrieved), 2), texts([str(one[3]) for one in sorted(retrieved)]),
        ),
    )  # fmt: skip


def _ints(rows: Sequence[tuple[Any, ...]], at: int) -> npt.NDArray[np.int64]:
    return np.array([row[at] for row in rows], dtype=np.int64)


def address(client: int) -> str:
    """How the view writes a client's address."""
    return f"addr:endpoint-{N_NODES + client}"
