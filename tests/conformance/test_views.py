"""Canaries: whatever a place does not show must not arrive in the view, in any form.

A unique marker is planted in every cell that is out of sight (notes, bytes and hidden columns of other
rows, other people's keys, surplus columns), for every registered vantage and for hand-made places. Then the
whole view is searched for every marker.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sessionsim.adversary import VANTAGES, observe
from sessionsim.core.columns import DTYPE
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.core.view import Table, View

VANTAGES.scan()
N_NODES, N_CLIENTS, N_ROWS = 12, 6, 400
_MARK = 1 << 40  # no honest value of these rows is as large
_SMALL_MARK = 1 << 20  # for 32-bit columns
HIDDEN_AT_LINK = ("exchange", "app_bytes", "blob")
EVERYWHERE = ("t_sent_us", "t_recv_us", "exchange", "conn", "app_bytes", "wire_bytes", "blob")

NODES = NodeList(
    ed25519=tuple(bytes([i]) * 32 for i in range(N_NODES)),
    x25519=tuple(bytes([100 + i]) * 32 for i in range(N_NODES)),
    swarm=tuple(i % 2 for i in range(N_NODES)),
    ip=tuple(0xF0000000 + i for i in range(N_NODES)),
    port=(22021,) * N_NODES,
)
SCENE = Scene(
    nodes=NODES,
    node_country=("DE",) * N_NODES,
    client_endpoints=tuple(range(N_NODES, N_NODES + N_CLIENTS)),
    client_country=("DE",) * N_CLIENTS,
    client_platform=("desktop",) * N_CLIENTS,
    client_ids=tuple(bytes([5]) + bytes([i]) * 32 for i in range(N_CLIENTS)),
)
PLACES = {
    "nowhere": Position(),
    "one node": Position(operated=frozenset({3})),
    "one client tapped": Position(tapped=frozenset({N_NODES})),
    "both": Position(frozenset({N_NODES, 3}), frozenset({3, 5}), 17),
    **{
        entry.id: entry.factory(entry.config()).choose(SCENE, Seeds(1))
        for entry in VANTAGES
    },
}  # fmt: skip


def plant(position: Position) -> tuple[Table, dict[int, bytes], Table, set[int], list[bytes]]:
    """Make records, blobs and keys, with markers wherever `position` must not look."""
    rng = Seeds(3).stream("canary")
    rows = np.zeros(N_ROWS, DTYPE)
    ends = np.array([rng.permutation(N_NODES + N_CLIENTS)[:2] for _ in range(N_ROWS)])
    rows["src"], rows["dst"] = ends[:, 0], ends[:, 1]
    rows["t_sent_us"] = np.arange(N_ROWS) * 10
    rows["t_recv_us"] = np.where(np.arange(N_ROWS) % 7 == 0, -1, rows["t_sent_us"] + 5)
    rows["blob"] = np.arange(N_ROWS)
    numbers, texts = set[int](), list[bytes]()
    table: Table = {name: rows[name].copy() for name in DTYPE.names or ()}
    table["secret_column"] = np.arange(N_ROWS) + 2 * _MARK
    numbers |= set(table["secret_column"].tolist())
    blobs = {}
    for i in range(N_ROWS):
        src, dst, arrived = int(rows["src"][i]), int(rows["dst"][i]), rows["t_recv_us"][i] >= 0
        at_end = src in position.operated or (arrived and dst in position.operated)
        at_link = src in position.tapped or (arrived and dst in position.tapped)
        blobs[i] = b"seen %d" % i
        hidden = () if at_end else HIDDEN_AT_LINK if at_link else EVERYWHERE
        leaves = src in (position.operated if at_end else position.tapped)
        if at_end or at_link:  # one of the two times is out of sight
            hidden += ("t_recv_us",) if leaves else ("t_sent_us",)
        if not arrived:  # a mark would turn a loss into an arrival
            hidden = tuple(name for name in hidden if name != "t_recv_us")
        for place, name in enumerate(hidden):
            small = table[name].dtype.itemsize == 4
            mark = (_SMALL_MARK if small else _MARK) + i * 16 + place
            table[name][i] = mark
            numbers.add(mark)
        if not at_end:
            blobs[int(table["blob"][i])] = marker = b"canary blob %d." % i
            texts.append(marker)
        table["note"][i] = 3 * _MARK + i
        numbers.add(int(table["note"][i]))
    owners = [f"node:{i}" for i in range(N_NODES)] + [f"account:05{i:064x}" for i in range(N_CLIENTS)]
    secrets = [b"canary key of %d." % i for i in range(len(owners))]
    texts += [secret for i, secret in enumerate(secrets) if i not in position.operated]
    keys: Table = {
        "owner": np.array(owners, object),
        "kind": np.array(["x25519"] * len(owners), object),
        "public": np.array(["00" * 32] * len(owners), object),
        "secret": np.array([secret.hex() for secret in secrets], object),
    }
    return table, blobs, keys, numbers, texts


def contents(view: View) -> tuple[set[int], bytes]:
    """Collect every number and every byte that the view holds."""
    numbers = {int(value) for values in view.rows.values() for value in values} | set(view.blobs)
    parts: Iterator[bytes] = iter(
        [*view.blobs.values(), *(key.secret + key.owner.encode() for key in view.keys)]
    )
    return numbers, b"|".join(parts) + repr((view.observer, view.suite, sorted(view.own))).encode()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_canary_arrives(place: str) -> None:
    position = PLACES[place]
    table, blobs, keys, numbers, texts = plant(position)
    owners = {N_NODES + i: str(keys["owner"][N_NODES + i]) for i in range(N_CLIENTS)}
    seen_numbers, seen_bytes = contents(observe("eve", position, table, blobs, keys, NODES, "fast", owners))
    shifted = {number + position.clock_offset_us for number in numbers}
    assert not seen_numbers & (numbers | shifted)
    assert [text for text in texts if text in seen_bytes] == []


def test_canaries_would_be_found_with_a_wider_view() -> None:
    position = Position(operated=frozenset({3}))
    table, blobs, keys, numbers, texts = plant(position)
    everything = Position(operated=frozenset(range(N_NODES + N_CLIENTS)))
    seen_numbers, seen_bytes = contents(observe("eve", everything, table, blobs, keys, NODES, "fast"))
    assert seen_numbers & numbers
    assert any(text in seen_bytes for text in texts)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_view_of_an_empty_run_is_empty(place: str) -> None:
    table, _, keys, _, _ = plant(Position())
    empty = {name: values[:0] for name, values in table.items()}
    view = observe("eve", PLACES[place], empty, {}, keys, NODES, "fast")
    assert all(len(values) == 0 for values in view.rows.values())


@pytest.mark.parametrize("place", sorted(PLACES))
def test_union_of_places_sees_the_union_of_rows(place: str) -> None:
    table, blobs, keys, _, _ = plant(Position())
    other = Position(operated=frozenset({7}))
    views = [
        observe("eve", position, table, blobs, keys, NODES, "fast")
        for position in (PLACES[place], other, PLACES[place] | other)
    ]
    first, second, joint = (set(view.rows["row"].tolist()) for view in views)
    assert joint == first | second
    assert set(views[2].keys) == set(views[0].keys) | set(views[1].keys)
