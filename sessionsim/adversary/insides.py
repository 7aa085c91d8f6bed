"""Keys that stand as bare bytes inside opened messages, anywhere in them.

A bare key has no form of its own, so it is looked for as what it is: the keys of all ids that somebody in the
run knows are held against every place of every opened message, in one pass at the end. Who knows the id and
has the message open then recognises it (`rules.insides`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from sessionsim.adversary.fields import KEY_BYTES

_WORD: Final = 8  # bytes that are compared at once
_MOST_BYTES: Final = 8192  # Assumption: texts are shorter; of longer messages this much is looked at


class Insides:
    """What opened messages hold, as bytes."""

    def __init__(self) -> None:
        self._raw = bytearray()
        self._begins: list[int] = []
        self._numbers: list[int] = []

    def take(self, number: int, plaintext: bytes) -> None:
        """Take what a message held. Args: number: of the message."""
        if len(plaintext) < KEY_BYTES:
            return
        self._numbers.append(number)
        self._begins.append(len(self._raw))
        self._raw += plaintext[:_MOST_BYTES]

    def find(self, keys: Collection[bytes]) -> list[tuple[int, bytes]]:
        """Find keys, of 32 bytes each. Returns: number of the message and the key, once each, in order."""
        if not self._raw or not keys:
            return []
        raw, wanted = bytes(self._raw), frozenset(keys)
        heads = np.unique(np.array([np.frombuffer(key, "<u8", 1)[0] for key in wanted], "<u8"))
        found = dict[tuple[int, bytes], None]()
        for shift in range(_WORD):
            words = np.frombuffer(raw, "<u8", max(0, len(raw) - shift) // _WORD, shift)
            for place in (np.flatnonzero(np.isin(words, heads)) * _WORD + shift).tolist():
                key = raw[place : place + KEY_BYTES]
                if key in wanted:
                    at = int(np.searchsorted(self._begins, place, side="right")) - 1
                    end = self._begins[at + 1] if at + 1 < len(self._begins) else len(raw)
                    if place + KEY_BYTES <= end:
                        found[self._numbers[at], key] = None
        return sorted(found)
