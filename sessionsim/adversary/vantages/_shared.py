"""What several vantages need: the settings of every observer, and choosing a share of things."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_DAY

T = TypeVar("T", bound=Hashable)

# NIST-disciplined clocks err by milliseconds, neglected ones by minutes; a day bounds any honest scenario.
_MAX_CLOCK_ERROR_US: Final = US_PER_DAY  # Assumption


def clock_setting() -> Any:
    """Declare the observer's clock error, which every vantage has."""
    return setting(
        0,
        unit="us",
        doc="What the observer's clock shows more than true time.",
        source="metrics 0.1; the default of no error is an assumption",
        low=-_MAX_CLOCK_ERROR_US,
        high=_MAX_CLOCK_ERROR_US,
    )


def draw_setting() -> Any:
    """Declare which of many independent random choices is taken."""
    return setting(
        0,
        doc="Which independent random choice to take; equal numbers give nested choices of growing shares.",
        source="Assumption: the first",
        low=0,
        high=1_000_000,
    )


def check_named(by: str, named: Mapping[str, tuple[str, object]]) -> None:
    """Hold that what a way of choosing needs is given, and that nothing is given in vain.

    Args:
        by: the way of choosing.
        named: per way that needs something, the key of the setting and its value.

    Raises:
        InvalidInput: the setting is empty though needed, or given though `by` does not look at it.
    """
    for way, (key, value) in named.items():
        if way == by and not value:
            raise InvalidInput(key, value, f"a value, because by is {by!r}")
        if way != by and value:
            raise InvalidInput(key, value, f"nothing, unless by is {way!r}; it is {by!r}")


def share(total: int, fraction: float) -> int:
    """Give how many of `total` a fraction is, rounded half up."""
    return min(total, int(fraction * total + 0.5))


def random_order(seeds: Seeds, purpose: str, draw: int, items: Sequence[T]) -> list[T]:
    """Shuffle by an addressed stream. Prefixes of the result are nested choices."""
    order = seeds.stream("vantage", purpose, draw).permutation(len(items))
    return [items[i] for i in order.tolist()]


def largest_first(keys: Iterable[T]) -> list[list[int]]:
    """Group positions by key; larger groups first, equally large ones by their first position."""
    groups: dict[T, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))


def whole_groups(groups: Iterable[Sequence[int]], limit: int) -> frozenset[int]:
    """Take groups whole, in order, at most `limit` positions in all; what would overshoot is left out."""
    taken: list[int] = []
    for group in groups:
        if len(taken) + len(group) <= limit:
            taken.extend(group)
    return frozenset(taken)
