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
from sessionsim.core.columns import DTYPE, HEAD_CODE
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Role, Scene, Taking
from sessionsim.core.seeds import Seeds
from sessionsim.core.view import ACTION_COLUMNS, HISTORY_COLUMNS, Table, View
from sessionsim.protocol.wire.onion import encode_hop

VANTAGES.scan()
N_NODES, N_CLIENTS, N_ROWS = 12, 6, 400
KINDS = ("apple", "community", "file", "google", "huawei", "push", "seed", "turn")
SERVERS = {kind: (N_NODES + N_CLIENTS + k,) for k, kind in enumerate(KINDS)}
SERVER_KINDS = {ends[0]: kind for kind, ends in SERVERS.items()}
N_ENDS = N_NODES + N_CLIENTS + len(KINDS)
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
    servers=SERVERS,
)
CLIENTS = range(N_NODES, N_NODES + N_CLIENTS)
OWNERS = {end: f"account:{(b'canary id of %d.' % end).hex()}" for end in CLIENTS}
OWNERS |= {end: f"server:{kind}" for end, kind in SERVER_KINDS.items()}
PLACES = {
    "nowhere": Position(),
    "one node": Position(operated=frozenset({3})),
    "one client tapped": Position(tapped=frozenset({N_NODES})),
    "both": Position(frozenset({N_NODES, 3}), frozenset({3, 5}), 17),
    "two nodes in one role each": Position(in_role=frozenset({(2, Role.LAST), (6, Role.GUARD)})),
    "a node in one role, tapped": Position(frozenset({4}), in_role=frozenset({(4, Role.MEMBER)})),
    "a device from some time on": Position(taken=frozenset({Taking(N_NODES + 1, 1500, True)})),
    "a copy of a device": Position(taken=frozenset({Taking(N_NODES + 1, 1500, False, True)})),
    "keys from some time on": Position(operated=frozenset({1}), taken=frozenset({Taking(8, 1500, False)})),
    "a device of its own": Position(operated=frozenset({N_NODES + 1})),
    "a device, and swarms asked": Position(taken=frozenset({Taking(N_NODES + 1, 1500, True, fetches=True)})),
    "a phrase, and the swarm asked": Position(
        clock_offset_us=5, taken=frozenset({Taking(N_NODES + 1, 1500, False, fetches=True)})
    ),
    "a known account": Position(known=frozenset({N_NODES + 2})),
    **{
        entry.id: entry.factory(entry.config()).choose(SCENE, Seeds(1))
        for entry in VANTAGES
    },
}  # fmt: skip


# What may pass between two kinds of ends: head, hop number, and the roles of sender and receiver.
WAYS: dict[tuple[str, str], list[tuple[str, int, Role | None, Role | None]]] = {
    ("client", "node"): [("onion_req", 0, None, Role.GUARD), ("storage_rpc", 0, None, Role.GUARD)],
    ("node", "client"): [("keepalive", 0, Role.GUARD, None)],
    ("node", "server"): [("lsrpc/v4", 0, Role.LAST, None), ("notify", 0, Role.MEMBER, None)],
    ("server", "node"): [("monitor", 0, None, Role.MEMBER)],
    ("node", "node"): [
        ("sn.onion_request", 1, Role.GUARD, Role.MIDDLE),
        ("sn.onion_request", 2, Role.MIDDLE, Role.LAST),
        ("sn.onion_request", 3, Role.LAST, Role.MEMBER),
        ("sn.onion_request", 4, Role.MEMBER, Role.MEMBER),
        ("sn.storage_cc", 0, Role.MEMBER, Role.MEMBER),
        ("sn.data", 0, Role.MEMBER, Role.MEMBER),
        ("ping_test", 0, None, None),
    ],
}


def kind_of(end: int) -> str:
    return "node" if end < N_NODES else "client" if end < N_NODES + N_CLIENTS else "server"


def runs(position: Position, end: int, role: Role | None, t_us: int) -> bool:
    """Say whether an observer is itself at an end, as it is when it does something in a role at a time."""
    taken = any(one.endpoint == end and one.stays and t_us >= one.t_us for one in position.taken)
    return end in position.operated or taken or (role is not None and (end, role) in position.in_role)


def plant(position: Position) -> tuple[Table, dict[int, bytes], Table, set[int], list[bytes]]:
    """Make records, blobs and keys, with markers wherever `position` must not look."""
    rng = Seeds(3).stream("canary")
    rows = np.zeros(N_ROWS, DTYPE)
    ends = np.array([rng.permutation(N_ENDS)[:2] for _ in range(N_ROWS)])
    rows["src"], rows["dst"] = ends[:, 0], ends[:, 1]
    ways = [WAYS.get((kind_of(src), kind_of(dst)), [("ping_test", 0, None, None)]) for src, dst in ends]
    chosen = [way[int(rng.integers(len(way)))] for way in ways]
    rows["head"] = [HEAD_CODE[head] for head, _, _, _ in chosen]
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
        _, hop, sender, receiver = chosen[i]
        leaves = runs(position, src, sender, int(rows["t_sent_us"][i]))
        at_end = leaves or (arrived and runs(position, dst, receiver, int(rows["t_recv_us"][i])))
        at_link = src in position.tapped or (arrived and dst in position.tapped)
        blobs[i] = encode_hop(b"seen %d" % i, bytes(32), "aes-gcm", hop) if hop else b"seen %d" % i
        hidden = () if at_end else HIDDEN_AT_LINK if at_link else EVERYWHERE
        if not at_end:
            leaves = src in position.tapped
        if at_end or at_link:  # one of the two times is out of sight
            hidden += ("t_recv_us",) if leaves else ("t_sent_us",)
        if not arrived:  # a mark would turn a loss into an arrival
            hidden = tuple(name for name in hidden if name != "t_recv_us")
        if {src, dst} & {
            one.endpoint for one in position.taken
        }:  # or what was before the theft into after it
            hidden = tuple(name for name in hidden if name not in ("t_sent_us", "t_recv_us"))
        for place, name in enumerate(hidden):
            small = table[name].dtype.itemsize == 4
            mark = (_SMALL_MARK if small else _MARK) + i * 16 + place
            table[name][i] = mark
            numbers.add(mark)
        if not at_end:
            marker = b"canary blob %d." % i
            blobs[int(table["blob"][i])] = encode_hop(marker, bytes(32), "aes-gcm", hop) if hop else marker
            texts.append(marker)
        table["note"][i] = 3 * _MARK + i
        numbers.add(int(table["note"][i]))
    owners = [f"node:{i}" for i in range(N_NODES)] + [OWNERS[i] for i in range(N_NODES, N_ENDS)]
    secrets = [b"canary key of %d." % i for i in range(len(owners))]
    holds = {
        *position.operated, *(end for end, _ in position.in_role), *(one.endpoint for one in position.taken)
    }  # fmt: skip
    texts += [secret for i, secret in enumerate(secrets) if i not in holds]
    texts += [bytes.fromhex(OWNERS[end][8:]) for end in CLIENTS if end not in position.known | holds]
    keys: Table = {
        "owner": np.array(owners, object),
        "kind": np.array(["x25519"] * len(owners), object),
        "public": np.array(["00" * 32] * len(owners), object),
        "secret": np.array([secret.hex() for secret in secrets], object),
    }
    return table, blobs, keys, numbers, texts


def deeds() -> Table:
    """Make the log of what eve and two others did, with a marker in every cell of theirs."""
    who = np.array(["eve", "mallory", "eve's friend", "eve"], object)
    table: Table = {"observer": who}
    for place, name in enumerate(ACTION_COLUMNS):
        if name in ("t_us", "until_us", "place", "client"):
            table[name] = np.arange(4) + np.where(who == "eve", 0, 4 * _MARK + 16 * place)
        else:
            table[name] = np.array(
                [f"{'own' if one == 'eve' else 'canary deed'} {name}" for one in who], object
            )
    return table


def hauls(position: Position) -> Table:
    """Make what swarms held for thieves at two times, with a marker wherever it was not this one's theft."""
    own = {(one.endpoint, one.t_us, one.stays or one.copies) for one in position.taken if one.fetches}
    asked = [(end, t_us, on_device) for end in CLIENTS for t_us in (0, 1500) for on_device in (False, True)]
    said = [b"own haul" if one in own else b"canary haul" for one in asked]
    table: Table = {
        "endpoint": np.array([end for end, _, _ in asked], np.int32),
        "t_us": np.array([t_us for _, t_us, _ in asked], np.int64),
        "on_device": np.array([on_device for _, _, on_device in asked], np.bool_),
        "account": np.array([(word * 3).hex() for word in said], object),
        "namespace": np.array([0 if word == b"own haul" else 5 * _SMALL_MARK for word in said], np.int32),
        "data": np.array([word.hex() for word in said], object),
    }
    return table


def written(position: Position) -> Table:
    """Make texts on all devices, before and after, with a marker where this observer may not read them."""
    rows = []
    for end in CLIENTS:
        for since_us in (0, 1500, 1501):
            takings = [one for one in position.taken if one.endpoint == end and (one.stays or one.copies)]
            always = end in position.operated
            own = always or any(since_us <= one.t_us or one.stays for one in takings)
            # What was deleted before anybody came is nobody's but whose device it is.
            for begin, until_us, has in ((since_us, 1 << 39, own), (-2, -1, always)):
                word = b"own text" if has else b"canary text"
                rows.append((end, begin, until_us, "text", word.decode(), *[word.hex()] * 3))
    kinds = (np.int32, np.int64, np.int64, object, object, object, object, object)
    columns = zip(HISTORY_COLUMNS, kinds, zip(*rows, strict=True), strict=True)
    return {name: np.array(values, kind) for name, kind, values in columns}


def contents(view: View) -> tuple[set[int], bytes]:
    """Collect every number and every byte that the view holds."""
    numbers = {int(value) for values in view.rows.values() for value in values} | set(view.blobs)
    numbers |= {key.since_us for key in view.keys}
    numbers |= {value for column in view.actions.values() for value in column.tolist() if type(value) is int}
    words = [str(value).encode() for column in view.actions.values() for value in column.tolist()]
    numbers |= {value for one in view.hauls for value in (one.number, one.t_us, one.namespace)}
    words += [part for one in view.history for part in (one.hash.encode(), one.writer, one.reader, one.inbox)]
    numbers |= {value for one in view.history for value in (one.t_us, one.since_us)}
    words += [part for one in view.hauls for part in (one.account, one.data)]
    parts: Iterator[bytes] = iter(
        [*words, *view.blobs.values(), *(key.secret + key.owner.encode() for key in view.keys), *view.ids]
    )
    return numbers, b"|".join(parts) + repr((view.observer, view.suite, sorted(view.own))).encode()


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_canary_arrives(place: str) -> None:
    position = PLACES[place]
    table, blobs, keys, numbers, texts = plant(position)
    view = observe(
        "eve", position, table, blobs, keys, NODES, "fast", OWNERS, None, SERVER_KINDS, actions=deeds(),
        hauls=hauls(position), histories=written(position),
    )  # fmt: skip
    seen_numbers, seen_bytes = contents(view)
    assert b"own token" in seen_bytes
    assert b"canary deed" not in seen_bytes
    assert b"canary haul" not in seen_bytes
    assert b"canary text" not in seen_bytes
    there = any(one.stays or one.copies for one in position.taken) or position.operated & set(CLIENTS)
    assert (b"own text" in seen_bytes) == bool(there)
    assert 5 * _SMALL_MARK not in seen_numbers
    asked = {(one.endpoint, one.t_us) for one in position.taken if one.fetches}
    assert [one.t_us for one in view.hauls] == [t_us + position.clock_offset_us for _, t_us in sorted(asked)]
    assert (b"own haul" in seen_bytes) == bool(asked)
    assert view.actions["t_us"].tolist() == [position.clock_offset_us, 3 + position.clock_offset_us]
    assert max(seen_numbers) < 4 * _MARK
    shifted = {number + position.clock_offset_us for number in numbers}
    assert not seen_numbers & (numbers | shifted)
    assert [text for text in texts if text in seen_bytes] == []


def test_canaries_would_be_found_with_a_wider_view() -> None:
    position = Position(operated=frozenset({3}))
    table, blobs, keys, numbers, texts = plant(position)
    everything = Position(operated=frozenset(range(N_ENDS)))
    view = observe("eve", everything, table, blobs, keys, NODES, "fast", OWNERS, None, SERVER_KINDS)
    seen_numbers, seen_bytes = contents(view)
    assert seen_numbers & numbers
    assert any(text in seen_bytes for text in texts)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_view_of_an_empty_run_is_empty(place: str) -> None:
    table, _, keys, _, _ = plant(Position())
    empty = {name: values[:0] for name, values in table.items()}
    view = observe("eve", PLACES[place], empty, {}, keys, NODES, "fast", OWNERS)
    assert all(len(values) == 0 for values in view.rows.values())


@pytest.mark.parametrize("place", sorted(PLACES))
def test_union_of_places_sees_the_union_of_rows(place: str) -> None:
    table, blobs, keys, _, _ = plant(Position())
    other = Position(operated=frozenset({7}))
    views = [
        observe("eve", position, table, blobs, keys, NODES, "fast", OWNERS, None, SERVER_KINDS)
        for position in (PLACES[place], other, PLACES[place] | other)
    ]
    first, second, joint = (set(view.rows["row"].tolist()) for view in views)
    assert joint == first | second
    # Who runs a node looks at all its roles.
    whole = {key.owner for view in views for key in view.keys if not key.roles}
    held = {key for view in views[:2] for key in view.keys if not key.roles or key.owner not in whole}
    assert set(views[2].keys) == held
