"""The recovery phrase: bytes as English words, and back (transport 1.3).

With n = 1626 words, each 4 bytes, read little-endian as V, become three words with the indices

    A = V mod n        B = (⌊V/n⌋ + A) mod n        C = (⌊V/n²⌋ + B) mod n

and one of the words is repeated at the end as a checksum: the CRC-32 of the 3-letter beginnings of all words,
modulo their number, says which. 16 bytes give the 13 words of an account, 32 bytes 25 words; without the
checksum, which clients always write, 12 and 24. Only the first three letters of a word count. The list is
part of the package and is read at first use; its licence stands beside it.
"""

from __future__ import annotations

import zlib
from functools import cache
from importlib import resources
from typing import Final

from sessionsim.core.errors import InvalidInput

PREFIX_LETTERS: Final = 3  # Source: transport 1.3; unique in the English list
WORD_COUNT: Final = 1626  # Source: transport 1.3
_PLACE = "recovery phrase"


@cache
def _words() -> tuple[str, ...]:
    folder = resources.files("sessionsim.protocol") / "data"
    return tuple((folder / "mnemonic_words_en.txt").read_text("ascii").split())


@cache
def _index_of_prefix() -> dict[str, int]:
    return {word[:PREFIX_LETTERS]: index for index, word in enumerate(_words())}


def _checksum_index(words: list[str]) -> int:
    """Say which of the words, lower case and without checksum, is repeated at the end."""
    return zlib.crc32("".join(word[:PREFIX_LETTERS] for word in words).encode()) % len(words)


def phrase_of(seed: bytes, *, checksum: bool = True) -> str:
    """Write bytes as a recovery phrase.

    Args:
        seed: a multiple of 4 bytes and not empty; 16 for an account.
        checksum: whether the checksum word follows, as in all clients. Source of the other form:
            libsession-util (2026): src/mnemonics/mnemonics.cpp.

    Returns:
        Three words for every 4 bytes and the checksum word, separated by single blanks.

    Raises:
        InvalidInput: a length that is no such multiple.
    Source: transport 1.3; session-desktop: ts/session/crypto/mnemonic.ts.
    """
    if not seed or len(seed) % 4:
        raise InvalidInput("seed of a recovery phrase", f"{len(seed)} bytes", "4, 8, 12, 16 … bytes")
    words = []
    for start in range(0, len(seed), 4):
        value = int.from_bytes(seed[start : start + 4], "little")
        a = value % WORD_COUNT
        b = (value // WORD_COUNT + a) % WORD_COUNT
        c = (value // WORD_COUNT**2 + b) % WORD_COUNT
        words += [_words()[a], _words()[b], _words()[c]]
    return " ".join([*words, words[_checksum_index(words)]] if checksum else words)


def seed_of(phrase: str, *, checksum_optional: bool = False) -> bytes:
    """Read the bytes back from a recovery phrase.

    Args:
        phrase: words separated by blanks, the checksum word last; case and everything after the third
            letter of a word do not matter.
        checksum_optional: whether 12, 24 … words without checksum word are read. False: session-desktop;
            True: libsession-util (2026): src/mnemonics/mnemonics.cpp.

    Returns:
        4 bytes for every three words: 16 bytes for 13 words.

    Raises:
        InvalidInput: wrong number of words, the checksum word missing, a word that is not in the list, a
            wrong checksum word, or three words that stand for no 4 bytes. The error names the word and its
            place.
    Source: transport 1.3; session-desktop: ts/session/crypto/mnemonic.ts.
    """
    words = phrase.lower().split()
    n_body = len(words) // 3 * 3
    if len(words) < 3 or len(words) % 3 == 2 or (len(words) == n_body and not checksum_optional):
        raise InvalidInput(
            _PLACE,
            f"{len(words)} words",
            "13 words (or 4, 7, 10, 16 …), the last one being the checksum word",
            "The last word seems to be missing." if words and len(words) == n_body else "",
        )
    indices = [_index_of(word, place) for place, word in enumerate(words, 1)]
    if len(words) > n_body:
        _check_last(words, indices)
    return b"".join(_four_bytes(indices[i : i + 3], words, i) for i in range(0, n_body, 3))


def _check_last(words: list[str], indices: list[int]) -> None:
    expected = _checksum_index(words[:-1])
    if indices[-1] != indices[expected]:
        raise InvalidInput(
            f"{_PLACE}, word {len(words)}",
            words[-1],
            f"the checksum word {_words()[indices[expected]]!r}",
            "A word before it is wrong or words have changed places.",
        )


def _index_of(word: str, place: int) -> int:
    index = _index_of_prefix().get(word[:PREFIX_LETTERS])
    if index is None:
        raise InvalidInput(
            f"{_PLACE}, word {place}", word, "a word of the English list", "Compare its first three letters."
        )
    return index


def _four_bytes(indices: list[int], words: list[str], start: int) -> bytes:
    a, b, c = indices
    value = a + WORD_COUNT * ((b - a) % WORD_COUNT) + WORD_COUNT**2 * ((c - b) % WORD_COUNT)
    if value >= 1 << 32:
        raise InvalidInput(
            f"{_PLACE}, words {start + 1} to {start + 3}",
            " ".join(words[start : start + 3]),
            "three words that stand for 4 bytes",
            "No phrase contains these three words in this order.",
        )
    return value.to_bytes(4, "little")
