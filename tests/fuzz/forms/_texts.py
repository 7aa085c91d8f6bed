"""Texts of few letters (hex, base64, addresses, phrases) and ciphertexts: what others would read as the same.

The forms of text differ only in what is put into them; a ciphertext has its ends and its length varied.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms._bytes import NUMBERS, damaged

_INSERTED = (
    *(
        b" ",
        b"\n",
        b"\t",
        b"\0",
        b"=",
        b"==",
        b"-",
        b"_",
        b"+",
        b"/",
        b"0",
        b"g",
        b"%",
        b"%00",
        b"#",
        b"?",
        b"&",
        b".",
    ),
    *(one.encode() for one in ("０", "ａ", "\u200b", "\u00a0", "İ", "ß")),
    *(b"\xff", b"\xed\xa0\x80", b"05", b"03", b"15", b"25", b"07"),
)


def vary(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change the spelling of a text in one or two places."""
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(raw) + 1)
        way = random.randrange(8)
        if way == 0:
            raw = raw[:at] + random.choice(_INSERTED) + raw[at:]
        elif way == 1:
            raw = raw[:at] + random.choice(_INSERTED) + raw[at + 1 :]
        elif way == 2:
            raw = raw[:at] + raw[at : at + random.choice((1, 2, 8))].swapcase() + raw[at + 8 :]
        elif way == 3:
            raw = raw.rstrip(b"=") + b"=" * random.randrange(4)
        elif way == 4 and raw:
            # The last letter of base64 has bits that nobody reads.
            last = len(raw.rstrip(b"=")) - 1
            raw = raw[:last] + bytes([raw[last] + random.choice((1, 2, 3)) & 0x7F]) + raw[last + 1 :]
        elif way == 5:
            raw = random.choice(
                (raw.upper(), raw.lower(), raw.hex().encode(), base64.b64encode(raw), raw.replace(b"+", b"-"))
            )
        elif way == 6:
            raw = raw[:at] + random.choice(NUMBERS) + raw[at + random.randrange(4) :]
        else:
            raw = damaged(raw, random, others)
    return raw


def build(random: Random) -> bytes:
    """Make a text from nothing."""
    size = random.choice((0, 1, 32, 33, 64, 66, 88, 300))
    letters = random.choice((b"0123456789abcdef", b"0123456789ABCDEF ", bytes(range(33, 127)), b"05"))
    return bytes(random.choices(letters, k=size))


def strategy() -> SearchStrategy[bytes]:
    """Give texts, most of them nearly hex or base64."""
    raw = st.binary(max_size=70)
    return st.one_of(
        raw.map(bytes.hex).map(str.encode),
        raw.map(base64.b64encode),
        st.tuples(raw.map(bytes.hex), st.integers(0, 140), st.sampled_from(_INSERTED)).map(
            lambda parts: parts[0][: parts[1]].encode() + parts[2] + parts[0][parts[1] :].encode()
        ),
        st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give texts of about `size` bytes."""
    for letter in (b"0", b"A", b"=", b" ", b"/", b"#", b"a ", b"http://", b"/file/", b"&p="):
        yield f"many {letter.decode()!r}", letter * (size // len(letter))


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a text to about `size` bytes."""
    for letter in (b"0", b"a", b"=", b" ", b"/", b"&", b"-", b"."):
        yield f"behind {letter.decode()}", seed + letter * size
        yield f"before {letter.decode()}", letter * size + seed
        yield f"inside {letter.decode()}", seed[: len(seed) // 2] + letter * size + seed[len(seed) // 2 :]
    if seed:
        yield "again", seed * max(1, size // len(seed))


def vary_raw(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change a ciphertext or key: mostly its ends, its length, single bits."""
    way = random.randrange(8)
    if way == 0:
        return raw[: random.randrange(min(len(raw), 140) + 1)]
    if way == 1:
        return raw[random.randrange(min(len(raw), 140) + 1) :]
    if way == 2:
        return random.choice((b"\0", b"\xff", b"S")) * random.choice((1, 16, 32, 300)) + raw
    if way == 3 and raw:
        at = random.choice((0, len(raw) - 1, random.randrange(len(raw))))
        return raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :]
    return damaged(raw, random, others)


def build_raw(random: Random) -> bytes:
    """Make bytes from nothing."""
    size = random.choice((0, 1, 16, 24, 32, 33, 40, 48, 64, 65, 100, 144, 300, 1000))
    return random.choice((bytes, random.randbytes, lambda size: b"\xff" * size))(size)


def strategy_raw() -> SearchStrategy[bytes]:
    """Give bytes, some of the lengths of keys, nonces and tags."""
    sizes = st.sampled_from((0, 16, 24, 32, 33, 36, 40, 48, 64, 100, 144))
    return st.one_of(
        st.binary(max_size=200), sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
    )


def bombs_raw(size: int) -> Iterator[tuple[str, bytes]]:
    """Give strings of `size` bytes."""
    for byte in (0, 1, 0x80, 0xFF, ord("S")):
        yield f"many {byte:02x}", bytes([byte]) * size


def stretched_raw(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow bytes to about `size`."""
    for byte in (0, 0x80, 0xFF):
        yield f"behind {byte:02x}", seed + bytes([byte]) * size
        yield f"before {byte:02x}", bytes([byte]) * size + seed
        yield f"inside {byte:02x}", seed[: len(seed) // 2] + bytes([byte]) * size + seed[len(seed) // 2 :]
    if seed:
        yield "again", seed * max(1, size // len(seed))
