from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.adversary import observe
from sessionsim.adversary.observation import _by_first_appearance
from sessionsim.core.columns import DTYPE
from sessionsim.core.nodelist import NodeList
from sessionsim.core.scene import Position, Role, Taking
from sessionsim.core.view import AT_ENDPOINT, AT_LINK, VIEW_COLUMNS, Table, View

NODES = NodeList(
    ed25519=tuple(bytes([i]) * 32 for i in range(3)),
    x25519=tuple(bytes([9 + i]) * 32 for i in range(3)),
    swarm=(1, 1, 1),
    ip=(1, 2, 3),
    port=(1, 1, 1),
)
KEYS: Table = {
    "owner": np.array(["node:0", "node:1", "account:05aa"], object),
    "kind": np.array(["x25519"] * 3, object),
    "public": np.array(["aa", "bb", "cc"], object),
    "secret": np.array(["a0", "b0", "c0"], object),
}
# t_sent, t_recv, exchange, note, src, dst, conn, app, wire, blob, segments, head, transport, direction
ROWS = [
    (100, 150, 7, 99, 3, 0, 1, 500, 600, 0, 1, 0, 0, 0),  # client 3 -> guard 0
    (160, 180, 2, 99, 0, 1, 2, 400, 440, 1, 1, 1, 2, 0),  # guard 0 -> middle 1
    (185, -1, 2, 99, 1, 0, 2, 90, 120, 2, 1, 200, 2, 1),  # lost answer
    (110, 190, 1, 99, 4, 2, 5, 50, 70, 3, 1, 0, 0, 0),  # client 4 -> node 2
]


def records(rows: list[tuple[int, ...]] | None = None) -> Table:
    table = np.array(ROWS if rows is None else rows, DTYPE)
    return {name: table[name] for name in DTYPE.names or () if name != "note"}


BLOBS = {0: b"zero", 1: b"one", 2: b"two", 3: b"three"}


def see(
    tapped: set[int] = frozenset(), operated: set[int] = frozenset(), offset: int = 0, **more: object
) -> View:  # type: ignore[assignment]
    position = Position(frozenset(tapped), frozenset(operated), offset)
    return observe("eve", position, records(), BLOBS, KEYS, NODES, "fast", **more)  # type: ignore[arg-type]


def column(view: View, name: str) -> list[int]:
    return view.rows[name].tolist()


def test_nowhere_sees_nothing() -> None:
    view = see()
    assert set(view.rows) == set(VIEW_COLUMNS)
    assert all(len(values) == 0 for values in view.rows.values())
    assert not view.blobs
    assert not view.keys


def test_operator_sees_sending_and_arrival_with_bytes_and_own_keys() -> None:
    view = see(operated={0})
    assert column(view, "row") == [0, 1]
    assert column(view, "t_us") == [150, 160]
    assert column(view, "place") == [AT_ENDPOINT] * 2
    assert column(view, "head") == [0, 1]
    assert column(view, "exchange") == [0, 1]
    assert view.blobs == {0: b"zero", 1: b"one"}
    assert [(key.owner, key.secret) for key in view.keys] == [("node:0", b"\xa0")]


def test_lost_transmission_is_seen_only_where_it_left() -> None:
    assert 2 not in column(see(operated={0}), "row")
    assert column(see(operated={1}), "t_us") == [180, 185]
    assert column(see(tapped={0}), "row") == [0, 1]


def test_tap_shows_no_application() -> None:
    view = see(tapped={3})
    assert column(view, "row") == [0]
    assert column(view, "t_us") == [100]
    assert column(view, "place") == [AT_LINK]
    for hidden in ("head", "exchange", "app_bytes", "blob"):
        assert column(view, hidden) == [-1]
    assert column(view, "wire_bytes") == [600]
    assert not view.blobs
    assert not view.keys


def test_row_seen_both_ways_is_seen_at_the_endpoint() -> None:
    view = see(tapped={3}, operated={0})
    assert column(view, "row") == [0, 1]
    assert column(view, "place") == [AT_ENDPOINT] * 2
    assert column(view, "t_us") == [150, 160]


def test_row_with_both_ends_operated_is_one_row_when_it_left() -> None:
    view = see(operated={0, 1})
    assert column(view, "row") == [0, 1, 2]
    assert column(view, "t_us") == [150, 160, 185]


def test_clock_error_shifts_every_time() -> None:
    assert column(see(operated={0}, offset=-1000), "t_us") == [-850, -840]


def test_rows_are_ordered_by_time_then_row() -> None:
    view = see(tapped={3, 4, 0, 1, 2})
    assert column(view, "t_us") == sorted(column(view, "t_us"))


def test_operated_client_holds_the_keys_of_its_owner_only_if_told() -> None:
    assert see(operated={3}).keys == ()
    assert [key.owner for key in see(operated={3}, owners={3: "account:05aa"}).keys] == ["account:05aa"]
    assert see(operated={0}, owners={3: "account:05aa"}).keys[0].owner == "node:0"


def test_row_numbers_of_a_selection_are_kept() -> None:
    table = records([ROWS[3]])
    table["row"] = np.array([3])
    view = observe("eve", Position(operated=frozenset({2})), table, {}, KEYS, NODES, "fast")
    assert column(view, "row") == [3]
    assert not view.blobs


def test_records_are_not_changed() -> None:
    table = records()
    before = {name: values.copy() for name, values in table.items()}
    observe("eve", Position(operated=frozenset({0}), clock_offset_us=5), table, BLOBS, KEYS, NODES, "fast")
    assert all((table[name] == before[name]).all() for name in table)


def test_connections_and_exchanges_are_numbered_by_first_appearance_in_each_view() -> None:
    rows = [
        (100, 110, 7 << 4, 0, 3, 0, 9, 1, 1, 0, 1, 0, 0, 0),  # a client asks twice over one connection
        (120, 130, 5 << 4 | 3, 0, 3, 0, 9, 1, 1, 0, 1, 0, 0, 0),
        (140, 150, 5 << 4 | 3, 0, 0, 3, 9, 1, 1, 0, 1, 200, 0, 1),  # the second is answered first
        (160, 170, 7 << 4, 0, 0, 3, 9, 1, 1, 0, 1, 200, 0, 1),
        (180, 190, 7 << 4, 0, 4, 0, 4, 1, 1, 0, 1, 0, 0, 0),  # another client with the same number
        (200, 210, -1, 0, 4, 0, 4, 0, 1, -1, 1, 5, 0, 0),  # keep-alive
        (220, 230, 7 << 4, 0, 0, 3, 9, 1, 1, 0, 1, 1, 0, 0),  # the other end asks with that number too
    ]

    def seen(renamed: list[tuple[int, ...]], node: int = 0) -> tuple[list[int], list[int]]:
        position = Position(operated=frozenset({node}))
        view = observe("eve", position, records(renamed), {}, KEYS, NODES, "fast")
        return column(view, "conn"), column(view, "exchange")

    assert seen(rows) == ([0, 0, 0, 0, 1, 1, 0], [0, 1, 1, 0, 2, -1, 3])
    # What the run calls them does not show, nor what happens elsewhere.
    elsewhere = (90, 95, 8, 0, 4, 1, 2, 1, 1, 0, 1, 0, 0, 0)
    other = [elsewhere, *((*row[:2], row[2] + 64 if row[2] >= 0 else -1, *row[3:6], row[6] + 50, *row[7:])
                          for row in rows)]  # fmt: skip
    assert seen(other) == seen(rows)
    assert seen(rows, node=2) == ([], [])


def taken(t_us: int, stays: bool, **more: object) -> View:
    position = Position(taken=frozenset({Taking(3, t_us, stays)}), clock_offset_us=5)
    return observe("eve", position, records(), BLOBS, KEYS, NODES, "fast", {3: "account:05aa"}, **more)  # type: ignore[arg-type]


def test_stolen_keys_come_with_the_time_of_the_theft_and_no_rows() -> None:
    view = taken(120, stays=False)
    assert column(view, "row") == []
    assert [(key.owner, key.secret, key.since_us) for key in view.keys] == [("account:05aa", b"\xc0", 125)]


def test_stolen_device_shows_what_happens_from_then_on() -> None:
    assert column(taken(100, stays=True), "row") == [0]
    assert column(taken(101, stays=True), "row") == []
    assert taken(100, stays=True).own == {3}


def test_passing_keys_go_to_who_is_there_when_they_are_made() -> None:
    made = {"owner": ["account:05aa"] * 3, "kind": ["x25519"] * 3, "public": ["01", "02", "03"],
            "secret": ["01", "02", "03"]}  # fmt: skip
    keys: Table = {name: np.array(values, object) for name, values in made.items()}
    keys["made_us"] = np.array([-1, 110, 130])
    held = {}
    for stays in (False, True):
        position = Position(taken=frozenset({Taking(3, 120, stays)}))
        view = observe("eve", position, records(), BLOBS, keys, NODES, "fast", {3: "account:05aa"})
        held[stays] = [(key.secret, key.since_us) for key in view.keys]
    assert held[False] == [(b"\1", 120)]
    assert held[True] == [(b"\1", 120), (b"\3", 130)]


def test_of_two_thefts_the_earlier_one_counts_for_lasting_keys() -> None:
    position = Position(taken=frozenset({Taking(3, 300, True), Taking(3, 200, False)}))
    view = observe("eve", position, records(), BLOBS, KEYS, NODES, "fast", {3: "account:05aa"})
    assert [key.since_us for key in view.keys] == [200]


def test_known_accounts_arrive_as_ids() -> None:
    position = Position(known=frozenset({3}))
    view = observe(
        "eve", position, records(), BLOBS, KEYS, NODES, "fast", {3: "account:05aa", 4: "account:05bb"}
    )
    assert view.ids == {b"\x05\xaa"}
    assert view.keys == ()


def test_a_node_in_one_role_shows_that_role_and_holds_its_key_for_it() -> None:
    position = Position(in_role=frozenset({(0, Role.GUARD)}))
    view = observe("eve", position, records(), BLOBS, KEYS, NODES, "fast")
    assert column(view, "row") == [0]  # row 1 is a hop message that cannot be read
    assert [(key.owner, key.roles) for key in view.keys] == [("node:0", (Role.GUARD,))]
    whole = Position(operated=frozenset({0}), in_role=frozenset({(0, Role.GUARD)}))
    (key,) = observe("eve", whole, records(), BLOBS, KEYS, NODES, "fast").keys
    assert key.roles == ()


def test_a_device_has_its_accounts_lasting_keys_and_its_own_passing_ones() -> None:
    names = ["account:05aa", "device:3", "device:4"]
    keys: Table = {"owner": np.array(names, object), "kind": np.array(["x25519"] * 3, object)}
    keys |= {name: np.array(["01", "02", "03"], object) for name in ("public", "secret")}
    keys["made_us"] = np.array([-1, 10, 20])
    owners = {3: "account:05aa", 4: "account:05aa"}
    position = Position(operated=frozenset({4}))
    view = observe("eve", position, records(), BLOBS, keys, NODES, "fast", owners)
    assert [key.owner for key in view.keys] == ["account:05aa", "device:4"]


@settings(derandomize=True)
@given(st.lists(st.integers(-1, 8) | st.integers(0, 10**15), max_size=20))
def test_numbers_by_first_appearance_do_not_depend_on_how_far_apart_they_are(values: list[int]) -> None:
    expected = [list(dict.fromkeys(values)).index(value) for value in values]
    assert _by_first_appearance(np.array(values, np.int64)).tolist() == expected
    dense = [value for value in values if 0 <= value < 9]
    expected = [list(dict.fromkeys(dense)).index(value) for value in dense]
    assert _by_first_appearance(np.array(dense, np.int64)).tolist() == expected
