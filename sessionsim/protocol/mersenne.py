"""The generator that decides swarm assignment: 64-bit Mersenne Twister, and a number below n drawn from it.

Every service node computes the same map of swarms from the same block, so the generator is part of the
protocol: C++ `mt19937_64`, seeded with eight bytes of the block hash, and a uniform index that does not
depend on the C++ library (an ordinary modulo gives other numbers).

Most blocks need a handful of draws, so nothing is computed before it is asked for: seeding stops at the 157
words the first draw needs, and each draw twists one word in place, which gives the same sequence as twisting
all 312 at once. Not for secrets and not for the chance of a simulation; that is `core.seeds`.
"""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import LocalProtocolError

# Parameters of mt19937_64. Source: C++ standard [rand.predef]; Nishimura, ACM TOMACS 10 (2000) 348.
_WORDS: Final = 312
_MIDDLE: Final = 156
_MATRIX: Final = 0xB5026F5AA96619E9
_UPPER: Final = 0xFFFF_FFFF_8000_0000  # all but the lowest 31 bits
_LOWER: Final = 0x7FFF_FFFF
_SEEDING: Final = 6364136223846793005
_MASK_U: Final = 0x5555555555555555
_MASK_S: Final = 0x71D67FFFEDA60000
_MASK_T: Final = 0xFFF7EEE000000000
_ALL: Final = (1 << 64) - 1  # also the largest number it gives


class Mersenne64:
    """One sequence of C++ `mt19937_64`. Args: seed: 64 bits, 0..2^64-1.

    Raises:
        LocalProtocolError: the seed has more than 64 bits or is negative.
    """

    __slots__ = ("_at", "_seed", "_words")

    def __init__(self, seed: int) -> None:
        if not 0 <= seed <= _ALL:
            raise LocalProtocolError(f"a seed has 64 bits, not {seed}")
        self._seed, self._at = seed, 0
        self._words: list[int] = []

    def draw(self) -> int:
        """Give the next number, 0..2^64-1."""
        words, at = self._words, self._at
        if len(words) < _WORDS:
            self._seed_up_to(min(at + _MIDDLE + 1, _WORDS))
        following = at + 1 if at + 1 < _WORDS else 0
        mixed = (words[at] & _UPPER) | (words[following] & _LOWER)
        # A negative index is the wrap: the words before `at` are those of the next round already.
        word = words[at - _MIDDLE] if at >= _MIDDLE else words[at + _MIDDLE]
        word ^= mixed >> 1
        if mixed & 1:
            word ^= _MATRIX
        words[at], self._at = word, following
        word ^= word >> 29 & _MASK_U
        word ^= word << 17 & _MASK_S
        word ^= word << 37 & _MASK_T
        return word ^ word >> 43

    def below(self, count: int) -> int:
        """Give an even number below `count`, as all nodes compute it.

        Args:
            count: 1..2^64-1.

        Raises:
            LocalProtocolError: `count` is outside that.
        Source: transport 2.3; oxen-core: src/common/random.cpp uniform_distribution_portable.
        """
        if not 0 < count <= _ALL:
            raise LocalProtocolError(f"cannot draw a number below {count}")
        limit = _ALL - _ALL % count
        number = self.draw()
        while number >= limit:
            number = self.draw()
        return number // (limit // count)

    def _seed_up_to(self, wanted: int) -> None:
        words = self._words
        if not words:
            words.append(self._seed)
        word = words[-1]  # not twisted yet: the seeded words reach further than the twisted ones
        for number in range(len(words), wanted):
            word = (_SEEDING * (word ^ word >> 62) + number) & _ALL
            words.append(word)
