"""The data tree: what may stand in it, in which order, and what is pruned."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.configs.values import (
    checked,
    copied,
    in_order,
    prune,
    read_scalars,
    read_tree,
    written,
)
from sessionsim.protocol.wire import bencode


def test_sets_are_written_integers_first_and_each_ascending() -> None:
    mixed = frozenset((b"foo", 23, b"Foo", b"~", b"!", -123))
    assert bencode.encode(written(mixed)) == b"li-123ei23e1:!3:Foo3:foo1:~e"
    assert in_order((b"a", 2, b"", -1)) == [-1, 2, b"", b"a"]


def test_dicts_are_written_by_key_with_sets_inside() -> None:
    tree = {
        b"a": 23,
        b"B": b"x",
        b"c": frozenset((b"2", b"1", 4, -3)),
        b"D": {b"x": 1, b"y": 2},
        b"d": {b"e": {b"f": {b"g": b""}}},
    }
    raw = b"d1:B1:x1:Dd1:xi1e1:yi2ee1:ai23e1:cli-3ei4e1:11:2e1:dd1:ed1:fd1:g0:eeee"
    assert bencode.encode(written(tree)) == raw
    assert read_tree(bencode.decode(raw)) == tree


def test_pruning_takes_out_what_is_empty_at_every_depth() -> None:
    tree = {
        b"a": 123,
        b"b": {},
        b"c": {b"a": 1},
        b"d": frozenset((42,)),
        b"e": frozenset(),
        b"f": {b"a": 1, b"b": frozenset()},
        b"g": {b"a": {b"a": {b"a": {}}}},
        b"h": b"",
        b"i": 0,
    }
    prune(tree)
    assert tree == {
        b"a": 123,
        b"c": {b"a": 1},
        b"d": frozenset((42,)),
        b"f": {b"a": 1},
        b"h": b"",
        b"i": 0,
    }


def test_a_copy_does_not_follow_its_original() -> None:
    tree = {b"a": {b"b": {b"c": 1}}}
    copy = copied(tree)
    tree[b"a"][b"b"][b"c"] = 2  # type: ignore[index]
    assert copy == {b"a": {b"b": {b"c": 1}}}


@pytest.mark.parametrize(
    "listed",
    [[2, 1], [1, 1], [b"b", b"a"], [b"a", b"a"], [b"a", 1], [[1]], [{}], [1 << 63], [-(1 << 63) - 1], 5, {}],
)
def test_a_list_that_is_no_sorted_set_is_refused(listed: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        read_scalars(listed)


@pytest.mark.parametrize(
    "raw", [[], 5, b"x", {b"a": {}}, {b"a": []}, {b"a": [2, 1]}, {b"a": {b"b": [[]]}}, {b"a": 1 << 63}]
)
def test_data_with_something_else_in_it_is_refused(raw: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        read_tree(raw)


@pytest.mark.parametrize(
    "value", ["text", 1.5, None, True, [1], {1}, {b"a": "x"}, {"a": 1}, frozenset(("x",)), 1 << 63]
)
def test_this_device_cannot_put_anything_else_in(value: Any) -> None:
    with pytest.raises(LocalProtocolError):
        checked(value)
