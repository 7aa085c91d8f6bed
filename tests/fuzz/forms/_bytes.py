"""Damage that needs no knowledge of a form: bits, cuts, repeats, splices, lengths, numbers in decimal."""

from __future__ import annotations

import re
from random import Random

EXTREMES = (
    *(0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536),
    *(
        2**31 - 1,
        2**31,
        -(2**31),
        2**32 - 1,
        2**32,
        2**53,
        2**53 + 1,
        2**63 - 1,
        2**63,
        -(2**63),
        -(2**63) - 1,
    ),
    *(2**64 - 1, 2**64, 10**19, 10**20, 1_777_000_000_000, 1_777_000_000),
)
# As a decoder of numbers may meet them, and as it must not read them.
NUMBERS = (
    *(b"%d" % value for value in EXTREMES),
    *(b"-0", b"00", b"01", b"+1", b" 1", b"1 ", b"1_000", b"1e3", b"1.0", b"0x10", b"", b"-", b"9" * 400),
    *(one.encode() for one in ("١٢", "１２", "²", "1\u2003")),
)
_DIGITS = re.compile(rb"-?\d+")
_FILLINGS = (b"\0", b"\xff", b"\x80", b"A", b" ", b"0", b"l", b"d", b"[", b"{", b"\n", b"=")


def damaged(seed: bytes, random: Random, others: tuple[bytes, ...] = ()) -> bytes:
    """Give a seed with one to three damages. Args: others: what may be spliced in."""
    raw = seed
    for _ in range(1 if random.random() < 0.6 else random.randint(2, 3)):
        raw = _WAYS[random.randrange(len(_WAYS))](raw, random, others)
    return raw


def _flip(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    if not raw:
        return bytes([random.randrange(256)])
    changed = bytearray(raw)
    changed[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _byte(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    if not raw:
        return b"\0"
    at = random.randrange(len(raw))
    return raw[:at] + bytes([random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))]) + raw[at + 1 :]


def _cut(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] if random.random() < 0.7 else raw[at:]


def _take_out(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    first, last = _range(raw, random)
    return raw[:first] + raw[last:]


def _repeat(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    first, last = _range(raw, random)
    times = random.choice((1, 1, 1, 2, 16, 64))
    return raw[:last] + raw[first:last] * min(times, 1 + 4_000 // (last - first + 1)) + raw[last:]


def _insert(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    at = random.randrange(len(raw) + 1)
    if random.random() < 0.5:
        return raw[:at] + random.randbytes(random.randint(1, 8)) + raw[at:]
    return raw[:at] + random.choice(_FILLINGS) * random.choice((1, 2, 4, 8, 32, 300)) + raw[at:]


def _splice(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    other = random.choice(others) if others else raw
    first, last = _range(other, random)
    at = random.randrange(len(raw) + 1)
    if random.random() < 0.5:
        return raw[:at] + other[first:]
    return raw[:at] + other[first:last] + raw[at:]


def _swap(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    a, b = _range(raw, random)
    c = random.randint(b, len(raw))
    return raw[:a] + raw[b:c] + raw[a:b] + raw[c:]


def _fill(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    first, last = _range(raw, random)
    return raw[:first] + random.choice(_FILLINGS) * (last - first) + raw[last:]


def _number(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    """Put another number, in binary, over two, four or eight bytes."""
    size = random.choice((2, 4, 4, 8))
    at = 0 if random.random() < 0.4 else random.randrange(len(raw) + 1)
    value = random.choice((*EXTREMES, len(raw), len(raw) - 4, len(raw) - 3, len(raw) + 1))
    order = "little" if random.random() < 0.7 else "big"
    written = (value % (1 << 8 * size)).to_bytes(size, order)  # type: ignore[arg-type]
    return raw[:at] + written + raw[at + size :]


def _decimal(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Put another number in place of one written in decimal."""
    found = list(_DIGITS.finditer(raw[:4_000]))
    if not found:
        return _byte(raw, random, others)
    match = random.choice(found)
    if random.random() < 0.3:
        return (
            raw[: match.start()] + b"%d" % (int(match[0][:18]) + random.choice((-1, 1))) + raw[match.end() :]
        )
    return raw[: match.start()] + random.choice(NUMBERS) + raw[match.end() :]


def _case(raw: bytes, random: Random, _others: tuple[bytes, ...]) -> bytes:
    first, last = _range(raw, random)
    return raw[:first] + raw[first:last].swapcase() + raw[last:]


def _range(raw: bytes, random: Random) -> tuple[int, int]:
    first = random.randrange(len(raw) + 1)
    if random.random() < 0.5:
        return first, min(len(raw), first + random.choice((1, 2, 4, 8, 16, 32, 33, 64)))
    return first, random.randint(first, len(raw))


_WAYS = (
    *(
        _flip,
        _byte,
        _cut,
        _take_out,
        _repeat,
        _insert,
        _splice,
        _swap,
        _fill,
        _number,
        _decimal,
        _case,
        _flip,
        _byte,
    ),
)
