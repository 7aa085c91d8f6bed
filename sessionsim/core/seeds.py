"""Chance, addressed by name and index.

One root seed; every stream has a path of names (`seeds.stream("poll", account)`), every draw of a stream
a number. Nothing is "the next draw of a shared generator", so a new draw never shifts another's luck and
draws may be made in bulk or out of order with the same result.

Three kinds of draw, the dearest first:
- `stream(...)`: a numpy Generator (Philox) for distributions and whole arrays;
- `Entropy`: up to 64 addressed bytes by keyed BLAKE2b, without any state, for keys and nonces in machines;
- `mix`: a 64-bit avalanche for one uniform number of a transmission; `mix_array` is its numpy twin.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Name = str | int | bytes

MASK64: Final = (1 << 64) - 1
# Odd multipliers of the splitmix64 generator. Source: Steele, Lea, Flood, OOPSLA 2014, as in Java's
# SplittableRandom.
GOLDEN: Final = 0x9E3779B97F4A7C15
MIX1: Final = 0xBF58476D1CE4E5B9
MIX2: Final = 0x94D049BB133111EB
_GOLDEN, _MIX1, _MIX2, _30, _27, _31 = (np.uint64(n) for n in (GOLDEN, MIX1, MIX2, 30, 27, 31))


def mix(address: int, index: int) -> int:
    """Hash a 64-bit address and a 64-bit index to 64 well spread bits. Equal to `mix_array`."""
    x = (address ^ (index * GOLDEN)) & MASK64
    x = ((x ^ (x >> 30)) * MIX1) & MASK64
    x = ((x ^ (x >> 27)) * MIX2) & MASK64
    return x ^ (x >> 31)


def mix_array(address: npt.NDArray[np.uint64], index: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """`mix` element by element; both arguments uint64 and broadcastable."""
    # Ufuncs, since only numbers outside arrays warn of overflow, which is wanted here.
    x: npt.NDArray[np.uint64] = np.asarray(address ^ np.multiply(index, _GOLDEN))
    np.bitwise_xor(x, np.right_shift(x, _30), out=x)
    np.multiply(x, _MIX1, out=x)
    np.bitwise_xor(x, np.right_shift(x, _27), out=x)
    np.multiply(x, _MIX2, out=x)
    np.bitwise_xor(x, np.right_shift(x, _31), out=x)
    return x


class Entropy:
    """Addressed random bytes of one machine. Holds no state but its key, so draws may come in any order."""

    __slots__ = ("_key", "_keyed")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._keyed = hashlib.blake2b(key=key)  # copied for each draw, so that the key is hashed once

    def draw(self, address: bytes) -> bytes:
        """Give 64 bytes for an address (any length). Use a prefix per purpose: equal address, equal bytes."""
        state = self._keyed.copy()
        state.update(address)
        return state.digest()

    def expand(self, address: bytes, size_bytes: int) -> bytes:
        """Give any number of bytes for an address by SHAKE128; unrelated to what `draw` gives for it."""
        return hashlib.shake_128(self._key + address).digest(size_bytes)


@dataclass(frozen=True, slots=True)
class Seeds:
    """The root of all chance of one replicate. Args: root: the seed a person names, 0 or more."""

    root: int

    def key(self, *names: Name) -> bytes:
        """Give 32 bytes that belong to this path of names and to no other."""
        state = hashlib.blake2b(b"sessionsim.seeds", digest_size=32, key=str(self.root).encode()[:64])
        for name in names:
            raw = name if isinstance(name, bytes) else str(name).encode()
            # The type letter and length keep ("ab", "c") apart from ("a", "bc") and 1 apart from "1".
            state.update(type(name).__name__[:1].encode() + len(raw).to_bytes(4, "little") + raw)
        return state.digest()

    def stream(self, *names: Name) -> np.random.Generator:
        """Open the numpy stream of this path. Each call starts it anew from its first draw."""
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(int.from_bytes(self.key(*names)))))

    def entropy(self, *names: Name) -> Entropy:
        """Give the addressed byte source of this path."""
        return Entropy(self.key(*names))

    def address(self, *names: Name) -> int:
        """Give the 64-bit address of this path, to be used with `mix`."""
        return int.from_bytes(self.key(*names)[:8], "little")
