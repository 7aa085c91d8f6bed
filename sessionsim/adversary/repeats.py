"""Texts that stand in a run again and again, with nothing new in them but times and signatures.

A text is taken for one that was read before only if it is that text, byte by byte, outside its blanks, and
what stands in the blanks is of their kind: the same time of 13 digits in all of them, and signatures of 88
characters of base64. Such values can neither end a string or a number of JSON nor begin another one, so the
text means the same as the one before, but for them. What that is, and which values may be blanks at all, is
known to who asks (`polls`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import itemgetter
from struct import Struct
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")
Span = tuple[int, int]
# A text that was read before: what is known of it, the time in it, and the signatures in it.
Found = tuple[T, bytes, tuple[bytes, ...]]
_Pick = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]

TIME_DIGITS: Final = 13  # of a time in unix ms, from 2001 to 2286
SIGNATURE_CHARACTERS: Final = 88  # of 64 bytes in padded base64
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_ZERO: Final = ord("0")  # no number of JSON begins with it
_MOST: Final = 16384  # Assumption: more texts than are in use at any time; some 30 MB
_MOST_LAYOUTS: Final = 8  # Assumption: texts of one length come from few programs


class _Layout(NamedTuple, Generic[T]):
    """Where the blanks are in texts of one length.

    Args:
        blanks: begin and end of each.
        cut: gives what is around them and what is in them, in turns.
        times, signatures: give those of these that are of one kind.
        known: what is known of each text, by what is around its blanks.
    """

    blanks: tuple[Span, ...]
    cut: Callable[[bytes], tuple[bytes, ...]]
    times: _Pick
    signatures: _Pick
    known: dict[bytes, T]


class Repeats(Generic[T]):
    """Texts that were read. Args: most: so many are kept, then it begins anew."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._n = most, 0
        self._layouts: dict[int, list[_Layout[T]]] = {}

    def find(self, text: bytes) -> Found[T] | None:
        """Find what is known of a text; None for one that is new."""
        for layout in self._layouts.get(len(text), ()):
            parts = layout.cut(text)
            known = layout.known.get(b"".join(parts[::2]))
            if known is None:
                continue
            times, signatures = layout.times(parts), layout.signatures(parts)
            time = times[0]
            if (
                time.isdigit()
                and time[0] != _ZERO
                and times.count(time) == len(times)
                and not b"".join(signatures).translate(None, _BASE64)
            ):
                return known, time, signatures
        return None

    def learn(self, text: bytes, blanks: Sequence[Span], known: T) -> None:
        """Keep what is known of a text. Args: blanks: ascending; one of them at least is a time."""
        if self._n >= self._most:
            self._layouts.clear()
            self._n = 0
        layouts = self._layouts.setdefault(len(text), [])
        layout = next((one for one in layouts if one.blanks == tuple(blanks)), None)
        if layout is None:
            if len(layouts) >= _MOST_LAYOUTS:
                return
            layout = _layout(len(text), tuple(blanks))
            layouts.append(layout)
        layout.known[b"".join(layout.cut(text)[::2])] = known
        self._n += 1


def _layout(length: int, blanks: tuple[Span, ...]) -> _Layout[T]:
    edges = (0, *(edge for blank in blanks for edge in blank), length)
    sizes = [end - begin for begin, end in pairwise(edges)]
    within = range(1, len(sizes), 2)
    times, signatures = (
        _pick([at for at in within if sizes[at] == size]) for size in (TIME_DIGITS, SIGNATURE_CHARACTERS)
    )
    return _Layout(blanks, Struct("".join(f"{size}s" for size in sizes)).unpack, times, signatures, {})


def _pick(places: Sequence[int]) -> _Pick:
    """Give what picks some of many."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda parts: tuple([parts[at] for at in places])
