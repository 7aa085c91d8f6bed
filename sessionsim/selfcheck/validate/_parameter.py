"""The numbers of a check that a person may change: what they mean, what is allowed, how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from sessionsim.core.errors import InvalidInput

MANY: Final = 64  # Assumption: more values in one list are a mistake


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a check.

    Args:
        default: the specification's value; a tuple where several values are checked one after another.
        doc: what it is, with its unit.
        kind: `int`, `float` or `str`.
        low, high: bounds; `open_` leaves both ends out.
        choices: the allowed words.
        reduced: what the quick tests take; None for the default.
    """

    default: Any
    doc: str
    kind: type[Any]
    low: float = -math.inf
    high: float = math.inf
    open_: bool = False
    choices: tuple[str, ...] = ()
    reduced: Any = None

    @property
    def many(self) -> bool:
        """Tell whether it takes a list, written with commas."""
        return isinstance(self.default, tuple)

    def read(self, text: str, place: str) -> Any:
        """Turn what a person wrote into a value.

        Raises:
            InvalidInput: not of the kind, out of range, or a list where one value is allowed.
        """
        parts = text.split(",")
        if len(parts) > (MANY if self.many else 1):
            raise InvalidInput(place, text, f"at most {MANY} values" if self.many else "one value")
        values = tuple(self._one(part.strip(), place) for part in parts)
        return values if self.many else values[0]

    def _one(self, text: str, place: str) -> Any:
        if self.kind is str:
            if self.choices and text not in self.choices:
                raise InvalidInput(place, text, "one of " + ", ".join(self.choices))
            return text
        try:
            number = float(text)
        except ValueError:
            raise InvalidInput(place, text, self.allowed) from None
        inside = self.low < number < self.high if self.open_ else self.low <= number <= self.high
        if not math.isfinite(number) or not inside or (self.kind is int and number != int(number)):
            raise InvalidInput(place, text, self.allowed)
        return self.kind(number)

    @property
    def allowed(self) -> str:
        """Say in words what is allowed."""
        if self.kind is str:
            return "one of " + ", ".join(self.choices) if self.choices else "a text"
        what = "a whole number" if self.kind is int else "a number"
        if math.isinf(self.low) and math.isinf(self.high):
            return what
        ends = f"{self.low:g} to {self.high:g}"
        return f"{what}, {ends}{', the ends left out' if self.open_ else ''}"

    def written(self, value: Any) -> str:
        """Write a value as `read` reads it."""
        return ",".join(_plain(v) for v in value) if isinstance(value, tuple) else _plain(value)


def _plain(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def whole(
    default: int | tuple[int, ...], doc: str, low: float, high: float, reduced: Any = None
) -> Parameter:
    """Declare a whole number, both bounds allowed."""
    return Parameter(default, doc, int, low, high, reduced=reduced)


def number(
    default: float | tuple[float, ...], doc: str, low: float, high: float, *, open_: bool = False
) -> Parameter:
    """Declare a number; `open_` leaves the bounds out."""
    return Parameter(default, doc, float, low, high, open_)


def prob(default: float | tuple[float, ...], doc: str, *, open_: bool = False) -> Parameter:
    """Declare a probability, 0..1."""
    return Parameter(default, doc, float, 0.0, 1.0, open_)


def word(default: str | tuple[str, ...], doc: str, choices: tuple[str, ...] = ()) -> Parameter:
    """Declare a word; without choices any text."""
    return Parameter(default, doc, str, choices=choices)


def seed() -> Parameter:
    """Declare the seed of all chance of a check."""
    return whole(1, "seed of the simulation", 0, 10**18)


def cases(**lists: Any) -> list[dict[str, Any]]:
    """Go through lists side by side; a list of one value goes with all.

    Raises:
        InvalidInput: two lists of different lengths, neither of them 1.
    """
    length = max(len(values) for values in lists.values())
    for name, values in lists.items():
        if len(values) not in (1, length):
            raise InvalidInput(f"--{name}", f"{len(values)} values", f"1 or {length}, as the longest list")
    return [
        {name: values[k] if len(values) > 1 else values[0] for name, values in lists.items()}
        for k in range(length)
    ]
