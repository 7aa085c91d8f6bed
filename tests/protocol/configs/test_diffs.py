"""Diffs: the four forms, applying them elsewhere, and malformed ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.configs.diffs import Diff, apply, difference, read_diff
from sessionsim.protocol.configs.values import Tree, copied, prune
from sessionsim.protocol.wire import bencode

SCALARS = st.integers(-3, 3) | st.binary(max_size=1)
TREES = st.recursive(
    SCALARS | st.frozensets(SCALARS, max_size=3),
    lambda inner: st.dictionaries(st.binary(max_size=1), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: type(value) is dict)


def pruned(tree: Tree) -> Tree:
    copy = copied(tree)
    prune(copy)
    return copy


def test_each_kind_of_change_has_its_form() -> None:
    old = {
        b"bar": {b"": frozenset((b"a", b"b", 42)), b"asdf": 123, b"xyz": b"abc"},
        b"gone": {b"x": {b"y": 1}},
        b"left": frozenset((-42, b"omg")),
        b"out": 7,
        b"same": 1,
    }
    new = {
        b"bar": {b"": frozenset((b"a", b"c", 42, 99)), b"a": 42, b"asdf": 123, b"xyz": 42},
        b"foo": 123,
        b"in": {b"s": frozenset((2, 1))},
        b"same": 1,
    }
    assert difference(old, new) == {
        b"bar": {b"": [[99, b"c"], [b"b"]], b"a": b"", b"xyz": b""},
        b"foo": b"",
        b"gone": {b"x": {b"y": b"-"}},
        b"in": {b"s": [[1, 2], []]},
        b"left": [[], [-42, b"omg"]],
        b"out": b"-",
    }


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({b"x": 1}, 5, b""),
        (5, {b"x": 1}, {b"x": b""}),
        (frozenset((1,)), b"s", b""),
        (b"s", frozenset((1,)), [[1], []]),
        ({b"x": 1}, frozenset((1,)), [[1], []]),
        (1, b"1", b""),
    ],
)
def test_a_value_of_another_form_counts_as_new(old: Any, new: Any, change: Any) -> None:
    assert difference({b"k": old}, {b"k": new}) == {b"k": change}
    tree = {b"k": old}
    apply(tree, {b"k": change}, {b"k": new})
    assert tree == {b"k": new}


@settings(max_examples=300, deadline=None)
@given(TREES, TREES)
def test_a_diff_turns_the_old_into_the_new(old: Tree, new: Tree) -> None:
    old, new = pruned(old), pruned(new)
    diff = difference(old, new)
    assert read_diff(bencode.decode(bencode.encode(diff))) == diff
    assert (diff == {}) == (old == new)
    tree = copied(old)
    apply(tree, diff, new)
    prune(tree)
    assert tree == new


@settings(max_examples=200, deadline=None)
@given(TREES, TREES, TREES, TREES)
def test_a_diff_applied_anywhere_leaves_the_source_and_the_diff_alone(
    old: Tree, new: Tree, tree: Tree, source: Tree
) -> None:
    diff = difference(pruned(old), pruned(new))
    written, held = bencode.encode(diff), copied(source)
    apply(tree, diff, source)
    prune(tree)
    assert bencode.encode(diff) == written
    assert source == held


def test_what_the_source_no_longer_has_is_removed() -> None:
    for source in ({}, {b"k": frozenset((1,))}):
        tree: Tree = {b"k": {b"x": 1}, b"other": 2}
        apply(tree, {b"k": {b"x": b""}}, source)
        assert tree == {b"other": 2}


@pytest.mark.parametrize(
    "diff",
    [
        [],
        {b"a": 5},
        {b"a": b"x"},
        {b"a": b"--"},
        {b"a": []},
        {b"a": [[]]},
        {b"a": [[], [], []]},
        {b"a": [[], 5]},
        {b"a": [[2, 1], []]},
        {b"a": [[], [b"a", b"a"]]},
        {b"a": [[{}], []]},
        {b"a": {b"b": 1}},
    ],
)
def test_malformed_diffs_are_refused(diff: Diff) -> None:
    with pytest.raises(RemoteProtocolError):
        read_diff(diff)
