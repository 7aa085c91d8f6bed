"""Protobuf, varied by its fields: numbers, wire types, lengths, order, repeats, depth.

Messages are taken apart without a schema: a field of bytes counts as a message if it can be read as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms._bytes import EXTREMES, damaged

# Number, wire type, and the value: an int, bytes, or the fields of a message.
Field = tuple[int, int, "int | bytes | Fields"]
Fields = tuple[Field, ...]
_VARINT, _FIXED64, _BYTES, _OPEN, _CLOSE, _FIXED32 = range(6)


def varint(value: int) -> bytes:
    """Write a number of 64 bits, as short as can be."""
    value &= (1 << 64) - 1
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < 70:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            return value, at
    return 0, -1


@lru_cache(maxsize=4096)
def fields_of(raw: bytes, depth: int = 8) -> Fields | None:
    """Take a message apart; None if it is none."""
    found: list[Field] = []
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if at < 0 or not 0 < number < 1 << 29:
            return None
        if wire == _VARINT:
            value, at = _read_varint(raw, at)
            if at < 0:
                return None
            found.append((number, wire, value))
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
            if at + size > len(raw):
                return None
            found.append((number, wire, int.from_bytes(raw[at : at + size], "little")))
            at += size
        elif wire == _BYTES:
            size, at = _read_varint(raw, at)
            if at < 0 or at + size > len(raw):
                return None
            inside = raw[at : at + size]
            found.append((number, wire, (depth and size > 1 and fields_of(inside, depth - 1)) or inside))
            at += size
        else:
            return None
    return tuple(found)


def written(fields: Fields) -> bytes:
    """Write a message."""
    return b"".join([_written(*field) for field in fields])


def _written(number: int, wire: int, value: int | bytes | Fields) -> bytes:
    tag = varint(number << 3 | wire)
    if isinstance(value, int):
        if wire == _FIXED64:
            return tag + (value % (1 << 64)).to_bytes(8, "little")
        return tag + ((value % (1 << 32)).to_bytes(4, "little") if wire == _FIXED32 else varint(value))
    inside = value if isinstance(value, bytes) else written(value)
    if wire == _OPEN:
        return tag + inside + varint(number << 3 | _CLOSE)
    return tag + varint(len(inside)) + inside


def vary(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change one or two fields, at any depth."""
    fields = fields_of(raw) if len(raw) < 20_000 else None
    if not fields:
        return damaged(raw, random, others)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        fields = _changed(fields, random, others)
    return written(fields)


def _changed(fields: Fields, random: Random, others: tuple[bytes, ...]) -> Fields:
    if not fields:
        return ((random.randint(1, 20), _VARINT, random.choice(EXTREMES)),)
    at = random.randrange(len(fields))
    number, wire, value = fields[at]
    if isinstance(value, tuple) and random.random() < 0.7:
        return (*fields[:at], (number, wire, _changed(value, random, others)), *fields[at + 1 :])
    way = random.randrange(9)
    if way == 0:
        return (*fields[:at], *fields[at + 1 :])
    if way == 1:
        return (*fields[:at], *([fields[at]] * random.choice((2, 2, 3, 60))), *fields[at + 1 :])
    if way == 2:
        moved = list(fields)
        random.shuffle(moved)
        return tuple(moved)
    if way == 3:
        other = random.choice(fields)
        return (*fields[:at], (number, other[1], other[2]), *fields[at + 1 :])
    if way == 4:
        instead = random.choice((*range(1, 20), 104, 120, 1 << 28, (1 << 29) - 1))
        return (*fields[:at], (instead, wire, value), *fields[at + 1 :])
    if way == 5 and others:
        return (*fields, *(fields_of(random.choice(others)) or ()))
    if way == 6:
        deeper: int | bytes | Fields = value if isinstance(value, int) else ((number, wire, value),)
        for _ in range(random.choice((1, 2, 98, 101))):
            deeper = (
                (
                    number,
                    random.choice((_BYTES, _OPEN)),
                    deeper if not isinstance(deeper, int) else b"\x08\1",
                ),
            )
        return (*fields[:at], (number, _BYTES, deeper), *fields[at + 1 :])
    return (*fields[:at], (number, *_other_value(wire, value, random)), *fields[at + 1 :])


def _other_value(wire: int, value: int | bytes | Fields, random: Random) -> tuple[int, int | bytes | Fields]:
    if isinstance(value, int):
        if random.random() < 0.2:
            return _BYTES, random.randbytes(random.choice((0, 1, 8, 33)))
        return random.choice((_VARINT, wire, wire)), random.choice(
            (*EXTREMES, value + 1, value - 1, random.randrange(20))
        )
    inside = value if isinstance(value, bytes) else written(value)
    way = random.randrange(6)
    if way == 0:
        return _VARINT, random.choice(EXTREMES)
    if way == 1:
        return _BYTES, random.choice(
            (
                b"",
                b"\0",
                b"\xff" * 4,
                b"\xed\xa0\x80",
                b"A" * 66,
                b"05" * 33,
                bytes(32),
                bytes(64),
                bytes(100),
            )
        )
    if way == 2:
        return _BYTES, random.randbytes(random.choice((1, 31, 32, 33, 64, 65, 66)))
    return _BYTES, damaged(inside, random)


def build(random: Random) -> bytes:
    """Make a message from nothing."""
    return written(_built(random, 4))


def _built(random: Random, depth: int) -> Fields:
    made: list[Field] = []
    for _ in range(random.randrange(5)):
        number = random.choice((*range(1, 16), 104, 120))
        if random.random() < 0.4:
            made.append((number, _VARINT, random.choice((*EXTREMES, *range(8)))))
        elif depth and random.random() < 0.6:
            made.append((number, _BYTES, _built(random, depth - 1)))
        else:
            made.append(
                (
                    number,
                    _BYTES,
                    random.choice((b"05" * 33, bytes(33), random.randbytes(random.choice((0, 2, 32, 64))))),
                )
            )
    return tuple(made)


def strategy(numbers: tuple[int, ...] = tuple(range(1, 18))) -> SearchStrategy[bytes]:
    """Give messages. Args: numbers: of fields that a decoder looks for."""
    number = st.one_of(st.sampled_from(numbers), st.integers(1, (1 << 29) - 1))
    ints = st.one_of(
        st.integers(0, 12), st.integers(0, 2**64 - 1), st.sampled_from((1_777_000_000_000, 2**63))
    )
    chunks = st.one_of(
        st.binary(max_size=12),
        st.sampled_from((b"05" * 33, bytes(32), bytes(64), b"\xff\xfe", b"http://a/file/1")),
    )
    scalar = st.one_of(
        st.tuples(number, st.sampled_from((_VARINT, _FIXED64, _FIXED32)), ints),
        st.tuples(number, st.just(_BYTES), chunks),
    )
    inside = st.recursive(
        st.lists(scalar, max_size=4).map(tuple),
        lambda inner: st.lists(
            st.one_of(scalar, st.tuples(number, st.sampled_from((_BYTES, _BYTES, _OPEN)), inner)), max_size=5
        ).map(tuple),
        max_leaves=12,
    )
    return inside.map(written)


def numbers_in(seeds: tuple[bytes, ...]) -> tuple[int, ...]:
    """Give the numbers of fields in some messages, at any depth."""
    found: set[int] = {1}
    stack = [fields_of(seed) or () for seed in seeds]
    while stack:
        for number, _wire, value in stack.pop():
            found.add(number)
            if isinstance(value, tuple):
                stack.append(value)
    return tuple(sorted(found))


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give messages of about `size` bytes that try to cost much."""
    deep = b""
    for _ in range(2_000):
        deep = b"\x0a" + varint(len(deep)) + deep
    yield "deep messages", deep
    yield "deep groups", b"\x0b" * (size // 2) + b"\x0c" * (size // 2)
    yield "open groups", b"\x0b" * size
    yield "one field often", b"\x0a\x00" * (size // 2)
    yield "one number often", b"\x08\x01" * (size // 2)
    yield "unknown numbers", b"\xf8\x7f\x01" * (size // 3)
    yield "long length", b"\x0a\xff\xff\xff\xff\x0f"
    yield "long number", b"\x08" + b"\xff" * size
    yield "long field", b"\x0a" + varint(size) + bytes(size)


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a seed to about `size` bytes, at each of its fields and in several ways."""
    for path in _paths(fields_of(seed) or ()):
        one = _written(*_field_at(fields_of(seed) or (), path))
        yield f"again {path}", _with(fields_of(seed) or (), path, one * max(1, size // len(one)))
        number = varint(_field_at(fields_of(seed) or (), path)[0] << 3 | _BYTES)
        yield f"long {path}", _with(fields_of(seed) or (), path, number + varint(size) + b"a" * size)
    yield "unknown", seed + b"\xf8\x7f\x01" * (size // 3)


def _paths(fields: Fields, before: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for at, (_number, _wire, value) in enumerate(fields):
        found.append((*before, at))
        if isinstance(value, tuple):
            found += _paths(value, (*before, at))
    return found if before or len(found) <= 10 else found[:: len(found) // 10]


def _field_at(fields: Fields, path: tuple[int, ...]) -> Field:
    field = fields[path[0]]
    return field if len(path) == 1 else _field_at(field[2], path[1:])  # type: ignore[arg-type]


def _with(fields: Fields, path: tuple[int, ...], instead: bytes) -> bytes:
    """Write a message with other bytes in place of one field."""
    before, after = written(fields[: path[0]]), written(fields[path[0] + 1 :])
    if len(path) > 1:
        number, wire, value = fields[path[0]]
        instead = _written(number, wire, _with(value, path[1:], instead))  # type: ignore[arg-type]
    return before + instead + after
