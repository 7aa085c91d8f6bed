"""What changed between two states of a config, and doing it again to a third (messages 5.2, 5.3).

    key -> ""       an integer or string was assigned     key -> {…}                    changes inside a dict
    key -> "-"      an integer or string was removed      key -> [[added], [removed]]   of a set

A diff holds no values; whoever applies it takes them from the message that carried it. Dicts and sets are
never themselves added or removed: they come with their first entry and go with their last.
Source: libsession-util: src/config.cpp (diff_impl, load_diff, apply_diff).
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.configs.values import Tree, Value, in_order, read_scalars

# bytes, [[scalar, …], [scalar, …]] or a Diff, as in the parsed bencode.
Diff = dict[bytes, Any]

ASSIGNED: Final = b""  # Source: messages 5.2
REMOVED: Final = b"-"  # Source: messages 5.2
_NOTHING: Final = object()


def difference(old: Tree, new: Tree) -> Diff:
    """Say what turns `old` into `new`; both pruned. Empty if they are the same."""
    diff: Diff = {}
    for key in sorted(old.keys() | new.keys()):
        changed = _changed(old.get(key, _NOTHING), new.get(key, _NOTHING))
        if changed is not None:
            diff[key] = changed
    return diff


def _changed(old: Value, new: Value) -> Value | None:
    form = _form(old) if new is _NOTHING else _form(new)
    if form is dict:
        # A value of another form counts as absent: applying the diff replaces it.
        before = old if type(old) is dict else {}
        return difference(before, new if type(new) is dict else {}) or None
    if form is frozenset:
        had, has = (item if type(item) is frozenset else frozenset() for item in (old, new))
        added, removed = in_order(has - had), in_order(had - has)
        return [added, removed] if added or removed else None
    if new is _NOTHING:
        return REMOVED
    return None if type(old) is type(new) and old == new else ASSIGNED


def _form(value: Value) -> type:
    return type(value) if type(value) in (dict, frozenset) else bytes


def read_diff(raw: object) -> Diff:
    """Check a diff out of a message.

    Raises:
        RemoteProtocolError: not a dict of the four forms above.
    """
    if type(raw) is not dict:
        raise RemoteProtocolError("a config diff is a dict")
    for key, change in raw.items():
        if type(change) is dict:
            read_diff(change)
        elif type(change) is list and len(change) == 2:
            for scalars in change:
                read_scalars(scalars)
        elif change not in (ASSIGNED, REMOVED):
            raise RemoteProtocolError(f"a config diff says something unknown about {key[:20]!r}")
    return raw


def apply(tree: Tree, diff: Diff, source: Tree) -> None:
    """Do a diff again, in place. What it leaves empty is not pruned here.

    Args:
        tree: what changes.
        diff: checked by `read_diff`.
        source: the data of the message that carried the diff. A value that is no longer there, or has another
            form, was removed or replaced by a later change: it goes now, so that it does not mix with what
            comes.
    """
    for key, change in diff.items():
        value = source.get(key, _NOTHING)
        if value is _NOTHING or _form(value) is not _FORM_OF_CHANGE[type(change)]:
            tree.pop(key, None)
        elif type(change) is dict:
            if type(tree.get(key)) is not dict:
                tree[key] = {}
            apply(tree[key], change, value)
        elif type(change) is list:
            before = tree.get(key)
            kept = before if type(before) is frozenset else frozenset()
            tree[key] = (kept | frozenset(change[0])) - frozenset(change[1])
        elif change == REMOVED:
            tree.pop(key, None)
        else:
            tree[key] = value


_FORM_OF_CHANGE: Final[dict[type, type]] = {dict: dict, list: frozenset, bytes: bytes}
