"""The data of a config: a tree of dicts, sets, integers and byte strings (messages 5.2).

    value = integer (64 bits, signed) | bytes | set of integers and bytes | dict of bytes to values

A set is written as a list: integers ascending, then strings ascending. Empty sets and dicts do not exist:
they are pruned before anything is written, and a message that holds one is refused. Sets are frozen here and
replaced when they change; dicts change in place.
Source: libsession-util: src/config.cpp, docs/api/docs/config-merge-logic.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError

Scalar = int | bytes
# An int, bytes, frozenset of scalars, or dict of bytes to values: a recursion that the type does not express.
Value = Any
Tree = dict[bytes, Value]

MIN_INT: Final = -(1 << 63)  # Source: libsession-util: include/session/config.hpp (int64_t)
MAX_INT: Final = (1 << 63) - 1


def is_scalar(value: object) -> bool:
    """Say whether a value is an integer in range or a byte string."""
    return type(value) is bytes or (type(value) is int and MIN_INT <= value <= MAX_INT)


def in_order(scalars: Iterable[Scalar]) -> list[Scalar]:
    """Sort a set for writing: integers ascending, then strings ascending."""
    return sorted(scalars, key=_rank)


def _rank(scalar: Scalar) -> tuple[bool, Scalar]:
    return type(scalar) is bytes, scalar


def read_scalars(listed: object) -> list[Scalar]:
    """Check a list that stands for a set: scalars only, sorted, each once.

    Raises:
        RemoteProtocolError: anything else.
    """
    if type(listed) is not list or not all(is_scalar(item) for item in listed):
        raise RemoteProtocolError("a config set holds integers of 64 bits and strings only")
    ranks = [_rank(item) for item in listed]
    if any(ranks[i] >= ranks[i + 1] for i in range(len(ranks) - 1)):
        raise RemoteProtocolError("a config set is not sorted, or holds something twice")
    return listed


def read_tree(raw: object) -> Tree:
    """Turn a parsed bencode dict into data; lists become sets.

    Raises:
        RemoteProtocolError: not a dict, or it holds an empty set or dict, a list that is no set, or an
            integer beyond 64 bits with sign.
    """
    if type(raw) is not dict:
        raise RemoteProtocolError("config data is a dict")
    return {key: _read_value(value) for key, value in raw.items()}


def _read_value(raw: object) -> Value:
    if type(raw) is dict:
        if not raw:
            raise RemoteProtocolError("config data holds an empty dict")
        return read_tree(raw)
    if type(raw) is list:
        if not raw:
            raise RemoteProtocolError("config data holds an empty set")
        return frozenset(read_scalars(raw))
    if not is_scalar(raw):
        raise RemoteProtocolError("an integer of config data is out of range")
    return raw


def written(value: Value) -> Value:
    """Give a value as bencode writes it: sets become sorted lists."""
    if type(value) is dict:
        return {key: written(inner) for key, inner in value.items()}
    return in_order(value) if type(value) is frozenset else value


def copied(tree: Tree) -> Tree:
    """Copy a tree so that changes of one do not show in the other."""
    return {key: copied(value) if type(value) is dict else value for key, value in tree.items()}


def prune(tree: Tree) -> None:
    """Take out, in place, every set and dict that is empty or becomes empty."""
    for key, value in list(tree.items()):
        if type(value) is dict:
            prune(value)
        if type(value) in (dict, frozenset) and not value:
            del tree[key]


def checked(value: Value) -> Value:
    """Pass through a value that this device wants to put into a config; dicts are copied.

    Raises:
        LocalProtocolError: a type or integer that a config cannot hold.
    """
    if type(value) is dict and all(type(key) is bytes for key in value):
        return {key: checked(inner) for key, inner in value.items()}
    if is_scalar(value) or (type(value) is frozenset and all(is_scalar(item) for item in value)):
        return value
    raise LocalProtocolError(f"a config cannot hold {type(value).__name__} or an integer beyond 64 bits")
