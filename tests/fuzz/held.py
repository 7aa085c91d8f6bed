"""How much a machine holds: everything that can be reached from it, keys and node list left out."""

from __future__ import annotations

from enum import Enum

from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import FastSuite, SodiumSuite

_SHARED = (NodeList, Entropy, FastSuite, SodiumSuite, Enum, type)


def held(machine: object) -> int:
    """Give the bytes, characters and objects that a machine holds."""
    total, stack, seen = 0, [machine], set()
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind in (int, bool, float, type(None)) or isinstance(item, _SHARED) or id(item) in seen:
            continue
        if kind in (bytes, str):
            total += 1 + len(item)  # type: ignore[arg-type]
            continue
        seen.add(id(item))
        total += 1
        if isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(item)
        elif kind.__module__.startswith("sessionsim."):
            stack.extend(vars(item).values() if hasattr(item, "__dict__") else ())
            for base in kind.__mro__:
                slots = getattr(base, "__slots__", ())
                stack.extend(getattr(item, name, None) for name in slots)
        elif kind.__name__ == "deque":
            stack.extend(item)  # type: ignore[call-overload]
    return total
