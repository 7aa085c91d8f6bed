"""What a section of known answers is: how one case is run against the product, and how one is made.

A section's `check` takes a `Case`, computes with the product, and says with `case.same` what came out for
each expected field. A field of `expected` that no call named counts as a failure, so a section cannot pass
by looking away. `make` gives a new case of the section from seeded draws, for an independent implementation
to be judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar

from sessionsim.core.errors import SessionSimError

T = TypeVar("T")
Made = dict[str, Any]  # a case without its id: `input`, `expected`, perhaps `randomness`

_MISSING: Final = object()
_NOT_FACTS: Final = {"why", "what", "meaning"}  # words for a reader, not values
_SHOWN: Final = 80  # characters of a value in a message


class Mismatch(SessionSimError):
    """The product gave another answer than the case expects, or the case cannot be read."""


def plain(value: object) -> object:
    """Write a value as it stands in a file: bytes as lower-case hex, inside lists and objects too."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


class Case:
    """One case while it is being judged.

    Args:
        input: the case's inputs, as in the file.
        expected: its expected values.
        randomness: what the reference drew; empty if nothing is recorded.
    """

    def __init__(
        self,
        input: Mapping[str, Any],
        expected: Mapping[str, Any],
        randomness: Mapping[str, Any] | None = None,
    ) -> None:
        self.input, self.expected, self.randomness = input, expected, randomness or {}
        self._compared: set[str] = set()

    def has(self, name: str) -> bool:
        """Say whether an input is given."""
        return name in self.input

    def value(self, name: str, default: Any = _MISSING) -> Any:
        """Give an input as it stands in the file. Raises Mismatch: it is missing and has no default."""
        found = self.input.get(name, default)
        if found is _MISSING:
            raise Mismatch(f"input {name!r} is missing")
        return found

    def raw(self, name: str, default: Any = _MISSING) -> bytes:
        """Give an input written in hex. Raises Mismatch: missing or not hex."""
        found = self.value(name, default)
        return found if isinstance(found, bytes) else unhex(found, f"input {name!r}")

    def text(self, name: str) -> str:
        """Give a text input. Raises Mismatch: missing or not text."""
        return typed(self.value(name), str, f"input {name!r}")

    def integer(self, name: str) -> int:
        """Give a whole number, written as a number or as decimal text. Raises Mismatch."""
        return whole(self.value(name), f"input {name!r}")

    def flag(self, name: str) -> bool:
        """Give a yes-or-no input. Raises Mismatch."""
        return typed(self.value(name), bool, f"input {name!r}")

    def drawn(self, name: str) -> bytes:
        """Give a random draw that is recorded by name. Raises Mismatch: missing or not hex."""
        if name not in self.randomness:
            raise Mismatch(f"randomness {name!r} is missing")
        return unhex(self.randomness[name], f"randomness {name!r}")

    @property
    def draws(self) -> list[bytes]:
        """The recorded random bytes in order of use; empty if none are recorded."""
        drawn = typed(self.randomness.get("draws", []), list, "randomness draws")
        return [unhex(draw, "a random draw") for draw in drawn]

    def same(self, name: str, got: object) -> None:
        """Compare what the product gave with an expected field; bytes are compared as hex.

        Raises:
            Mismatch: the field is not expected, or has another value.
        """
        self._compared.add(name)
        if name not in self.expected:
            raise Mismatch(f"{name}: got {_short(plain(got))}, but the case expects no such field")
        agree(name, plain(got), self.expected[name])

    def rebuilt(self, name: str, got: object) -> None:
        """Compare what the product made anew with an input, for example a ciphertext. Raises Mismatch."""
        agree(f"rebuilt {name}", plain(got), self.value(name))

    def refused(self, call: Callable[[], object]) -> None:
        """Run something that must fail with an error of the protocol; `expected` says only `error`.

        Raises:
            Mismatch: it was accepted, or `expected` does not say that it must fail.
        """
        self._compared.add("error")
        try:
            got = call()
        except SessionSimError as wrong:
            if not self.expected.get("error"):
                raise Mismatch(f"refused ({wrong}), but the case expects no error") from wrong
            return
        raise Mismatch(f"must be refused, but gave {_short(plain(got))}")

    def wants(self, name: str) -> Any:
        """Give an expected field that is compared by other means. Raises Mismatch: it is missing."""
        self._compared.add(name)
        if name not in self.expected:
            raise Mismatch(f"expected field {name!r} is missing")
        return self.expected[name]

    def left_out(self) -> list[str]:
        """List the expected fields nothing was compared with."""
        return sorted(set(self.expected) - self._compared - _NOT_FACTS)


def agree(name: str, got: object, wanted: object) -> None:
    """Compare two plain values. Raises Mismatch."""
    if type(got) is not type(wanted) or got != wanted:
        raise Mismatch(f"{name}: expected {_short(wanted)}, got {_short(got)}")


def typed(found: Any, kind: type[T], place: str) -> T:
    """Pass a value of the right type through. Raises Mismatch."""
    if not isinstance(found, kind) or (kind is not bool and isinstance(found, bool)):
        raise Mismatch(f"{place}: found {_short(found)}, needs {kind.__name__}")
    return found


def whole(found: Any, place: str) -> int:
    """Read a whole number from a number or decimal text. Raises Mismatch."""
    if isinstance(found, str) and len(found) <= 40 and found.lstrip("-").isdecimal():
        return int(found)
    return typed(found, int, place)


def unhex(found: Any, place: str) -> bytes:
    """Read hex. Raises Mismatch."""
    try:
        return bytes.fromhex(typed(found, str, place))
    except ValueError:
        raise Mismatch(f"{place}: {_short(found)} is not hex") from None


class Draw:
    """Seeded draws for making cases. Not for cryptography: it repeats with its seed, on purpose."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - test cases, which must repeat

    def raw(self, size: int) -> bytes:
        """Give random bytes."""
        return self._random.randbytes(size)

    def between(self, low: int, high: int) -> int:
        """Give a whole number, both ends included."""
        return self._random.randint(low, high)

    def flag(self) -> bool:
        """Give yes or no."""
        return self._random.random() < 0.5

    def choice(self, options: Sequence[T]) -> T:
        """Give one of the options."""
        return self._random.choice(options)

    def text(self, longest: int = 200) -> str:
        """Give words, some of them outside ASCII, of at most `longest` characters."""
        words = ("river", "grüße", "node", "привет", "onion", "你好", "🙂", "swarm", "path", "quiet")
        size = self.between(0, longest)
        text = ""
        while len(text) < size:
            text += self.choice(words) + " "
        return text[:size]


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of case.

    Args:
        name: the name in files.
        covers: the functions of the product it holds to account, dotted from `sessionsim.`.
        direction: what is compared exactly, what only opened.
        summary: first line of the check's docstring.
        check: runs a case. make: gives a new one.
        limit: says what cannot be judged on this machine, and why; empty if everything can.
    """

    name: str
    covers: tuple[str, ...]
    direction: str
    summary: str
    check: Callable[[Case], None]
    make: Callable[[Draw], Made]
    limit: Callable[[], str]


_SECTIONS: dict[str, Section] = {}


def _unlimited() -> str:
    return ""


def section(
    name: str,
    *,
    covers: Sequence[str],
    direction: str,
    make: Callable[[Draw], Made],
    limit: Callable[[], str] = _unlimited,
) -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Decorate the check of a section; its docstring's first line becomes the summary."""

    def accept(check: Callable[[Case], None]) -> Callable[[Case], None]:
        if name in _SECTIONS:
            raise ValueError(f"section {name} is declared twice")
        lines = (check.__doc__ or "").strip().splitlines()
        summary = lines[0] if lines else ""
        _SECTIONS[name] = Section(name, tuple(covers), direction, summary, check, make, limit)
        return check

    return accept


def sections() -> Mapping[str, Section]:
    """Give all sections known to the product, by name, in the order of their modules."""
    # The subjects register themselves when they are imported.
    from sessionsim.selfcheck.vectors import _subjects  # noqa: F401

    return _SECTIONS
