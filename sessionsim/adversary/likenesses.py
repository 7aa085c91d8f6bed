"""How a string that means nothing by itself may come from a name that one has: by ways that anybody knows.

    written otherwise   without what shows its kind, backwards, in whatever spelling
    a part              eight bytes or more of it, from anywhere
    around it           with other bytes before and after
    another key         the Ed25519 key that the name follows from (transport 1.2)
    a hash              of any common kind, whole or its beginning, once or twice

Nothing is inverted: only what one has is written down, hashed and compared. Eight equal bytes are no chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from sessionsim.adversary.fields import ID_BYTES, KEY_BYTES, hex_bytes
from sessionsim.adversary.names import owner_of_ed25519
from sessionsim.adversary.spellings import spellings

LEAST_BYTES: Final = 8  # of a value that is compared
Hash = Callable[[bytes], bytes]
COMMON: Final[dict[str, Hash]] = {
    "MD5": lambda value: hashlib.md5(value, usedforsecurity=False).digest(),
    "SHA-1": lambda value: hashlib.sha1(value, usedforsecurity=False).digest(),
    "SHA-256": lambda value: hashlib.sha256(value).digest(),
    "SHA-512": lambda value: hashlib.sha512(value).digest(),
    "BLAKE2b-256": lambda value: hashlib.blake2b(value, digest_size=32).digest(),
    "BLAKE2b-512": lambda value: hashlib.blake2b(value).digest(),
}
_MORE: Final[dict[str, Hash]] = {
    "SHA-224": lambda value: hashlib.sha224(value).digest(),
    "SHA-384": lambda value: hashlib.sha384(value).digest(),
    "SHA3-256": lambda value: hashlib.sha3_256(value).digest(),
    "SHA3-512": lambda value: hashlib.sha3_512(value).digest(),
    "BLAKE2s": lambda value: hashlib.blake2s(value).digest(),
}
_SIZED: Final = range(LEAST_BYTES, hashlib.blake2b.MAX_DIGEST_SIZE)  # of BLAKE2b, which depends on its length
Likeness = tuple[str, str]  # a string, and what it is of a name


class Strings:
    """Strings to be held against names. Args: texts: each once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._of: dict[bytes, list[str]] = {}
        for text in texts:
            values = (text.encode(), hex_bytes(text), *spellings(text))
            for value in dict.fromkeys(value for value in values if len(value) >= LEAST_BYTES):
                self._of.setdefault(value, []).append(text)
        self._begins: dict[bytes, list[bytes]] = {}
        for value in self._of:
            self._begins.setdefault(value[:LEAST_BYTES], []).append(value)
        self._long = [value for value in self._of if len(value) > KEY_BYTES]
        self._all = b"".join(self._long)
        sizes = sorted({len(value) for value in self._of} & set(_SIZED))
        sized: dict[str, Hash] = {f"BLAKE2b-{8 * size}": partial(_sized, size) for size in sizes}
        self._hashes = {**COMMON, **_MORE, **sized}

    def same(self) -> Iterator[tuple[str, str]]:
        """Give strings that are one value in two spellings, each pair both ways round."""
        for texts in self._of.values():
            for one in texts if len(texts) > 1 else ():
                yield from ((one, other) for other in texts if other != one)

    def owners(self) -> Iterator[tuple[str, str]]:
        """Give the strings that may be Ed25519 keys, each with the account that would follow from it."""
        for value, texts in self._of.items():
            if len(value) == KEY_BYTES:
                owner = owner_of_ed25519(value)
                yield from ((text, owner) for text in texts if owner)

    def equal(self, value: bytes, how: str) -> Iterator[Likeness]:
        """Give the strings that are a value. Args: how: what the value is called."""
        yield from ((text, how) for text in self._of.get(value, ()))

    def hashed(self, value: bytes, how: str, *, thorough: bool) -> Iterator[Likeness]:
        """Give the strings that are the hash of a value. Args: thorough: any hash, whole or its beginning."""
        if not thorough:
            for name, digest in COMMON.items():
                yield from self.equal(digest(value), f"the {name} of {how}")
            return
        for name, digest in self._hashes.items():
            once = digest(value)
            yield from self._beginning(once, f"the {name} of {how}")
            yield from self._beginning(digest(once), f"the {name} of the {name} of {how}")

    def _beginning(self, digest: bytes, how: str) -> Iterator[Likeness]:
        for value in self._begins.get(digest[:LEAST_BYTES], ()):
            if digest.startswith(value):
                yield from self.equal(value, how if value == digest else f"the beginning of {how}")

    def around(self, key: bytes, how: str) -> Iterator[Likeness]:
        """Give the strings that a key stands in, with other bytes around it."""
        for written, called in ((key, how), (key[::-1], f"{how} backwards")):
            if written in self._all:
                for value in self._long:
                    if written in value:
                        yield from self.equal(value, f"bytes with {called} in them")

    def parts_of(self, ids: Iterable[bytes]) -> Iterator[tuple[bytes, Likeness]]:
        """Give the strings that are parts of ids, or whole ids backwards; with the id.

        Args:
            ids: of 33 bytes each.
        """
        found = list(ids)
        forms = (
            (ID_BYTES, b"".join(found), "its bytes"),
            (2 * ID_BYTES, b"".join(found).hex().encode(), "its text"),
            (ID_BYTES, b"".join(one[::-1] for one in found), "its bytes backwards"),
            (2 * ID_BYTES, b"".join(one.hex()[::-1].encode() for one in found), "its text backwards"),
        )
        for value in self._of:
            for width, whole, how in forms if len(value) <= 2 * ID_BYTES else ():
                for place in _places(whole, value.lower() if width > ID_BYTES else value, width):
                    called = how if len(value) == width else f"a part of {how}"
                    yield from ((found[place], likeness) for likeness in self.equal(value, called))


def _sized(size: int, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=size).digest()


def _places(whole: bytes, value: bytes, width: int) -> Iterator[int]:
    """Give the numbers of the equal widths of a whole in which a value stands."""
    at = whole.find(value)
    while at >= 0:
        if at // width == (at + len(value) - 1) // width:
            yield at // width
        at = whole.find(value, at + 1)
