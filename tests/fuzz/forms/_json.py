"""JSON, varied by its tokens, so that it mostly stays JSON: other values, members twice, spellings, depth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms._bytes import NUMBERS

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\s+|.', re.DOTALL)
_NAME = re.compile(rb'"[^"]*"(?=:)')
_VALUES = (
    *(
        b"null",
        b"true",
        b"false",
        b"0",
        b"-0",
        b"0.0",
        b"1e400",
        b"-1e-400",
        b"NaN",
        b"Infinity",
        b'""',
        b"[]",
    ),
    *(
        b"{}",
        b"[[]]",
        b"[{}]",
        b'{"":{}}',
        b'"\\u0000"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
    ),
    *(
        b"[null]",
        b"[0,0]",
        b'["",""]',
        b'{"a":1,"a":2}',
        b"[" * 40 + b"]" * 40,
        b'"' + b"A" * 300 + b'"',
        b"9" * 30,
    ),
)
_BLANKS = (b" ", b"\n", b"\t", b"\r\n", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf", b"/**/")


@lru_cache(maxsize=4096)
def _tokens(raw: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...], tuple[int, ...]]:
    """Cut into tokens; and say which are values, and which names of members."""
    tokens = tuple(_TOKEN.findall(raw))
    names = tuple(k for k in range(len(tokens) - 1) if tokens[k][:1] == b'"' and tokens[k + 1] == b":")
    known = frozenset(names)
    values = tuple(k for k, token in enumerate(tokens) if token[:1] not in b"{}[],: \n" and k not in known)
    return tokens, values, names


def vary(raw: bytes, random: Random, others: tuple[bytes, ...]) -> bytes:
    """Change one to three things."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        tokens, values, names = _tokens(raw) if len(raw) < 5_000 else _tokens(raw[:5_000])
        way = random.randrange(10)
        if way < 4 and values:
            raw = _at(tokens, random.choice(values), _value(random, tokens, values, others))
        elif way < 6 and names:
            raw = _member(tokens, random.choice(names), random, names)
        elif way == 6 and values:
            raw = _spelled(tokens, random.choice(values + names), random)
        elif way == 7:
            at = random.randrange(len(tokens) + 1)
            raw = b"".join((*tokens[:at], random.choice(_BLANKS) * random.choice((1, 1, 40)), *tokens[at:]))
        elif way == 8 and values:
            at, depth = (
                random.choice(values),
                random.choice((1, 2, 30, 200, 500, 900, 980, 1000, 1020, 1024, 1100)),
            )
            opened, closed = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
            raw = _at(tokens, at, opened * depth + tokens[at] + closed * depth)
        else:
            first = random.randrange(len(tokens) + 1)
            last = min(len(tokens), first + random.randint(1, 6))
            kept = tokens[first:last] * random.choice((0, 2, 2, 3))
            raw = b"".join((*tokens[:first], *kept, *tokens[last:]))
    return raw


def _at(tokens: tuple[bytes, ...], at: int, instead: bytes) -> bytes:
    return b"".join((*tokens[:at], instead, *tokens[at + 1 :]))


def _value(
    random: Random, tokens: tuple[bytes, ...], values: tuple[int, ...], others: tuple[bytes, ...]
) -> bytes:
    draw = random.random()
    if draw < 0.35:
        return random.choice(_VALUES)
    if draw < 0.65:
        number = random.choice(NUMBERS)
        return b'"%b"' % number if random.random() < 0.3 else number
    if draw < 0.9 or not others:
        return tokens[random.choice(values)]
    return random.choice(others)


def _member(tokens: tuple[bytes, ...], at: int, random: Random, names: tuple[int, ...]) -> bytes:
    """Write a member twice, rename it, or take it out."""
    end = _end_of_member(tokens, at)
    member = tokens[at:end]
    way = random.randrange(5)
    if way == 0:
        return b"".join((*tokens[:at], tokens[at], b":", random.choice(_VALUES), b",", *tokens[at:]))
    if way == 1:
        return b"".join((*tokens[:end], b",", tokens[at], b":", random.choice(_VALUES), *tokens[end:]))
    if way == 2:
        return b"".join((*tokens[:at], *member, b",", *tokens[at:]))
    if way == 3:
        return _at(tokens, at, tokens[random.choice(names)])
    after = end + 1 if tokens[end : end + 1] == (b",",) else end
    return b"".join((*tokens[:at], *tokens[after:]))


def _end_of_member(tokens: tuple[bytes, ...], at: int) -> int:
    depth = 0
    for k in range(at + 2, len(tokens)):
        if tokens[k] in (b"{", b"["):
            depth += 1
        elif tokens[k] in (b"}", b"]"):
            if depth == 0:
                return k
            depth -= 1
        elif tokens[k] == b"," and depth == 0:
            return k
    return len(tokens)


def _spelled(tokens: tuple[bytes, ...], at: int, random: Random) -> bytes:
    """Write the same text in another way, or nearly the same."""
    token = tokens[at]
    if token[:1] != b'"' or len(token) < 3:
        return _at(tokens, at, token + random.choice((b".0", b"e0", b"0", b" ")))
    k = random.randrange(1, len(token) - 1)
    letter = token[k : k + 1]
    instead = random.choice(
        (
            b"\\u%04x" % token[k],
            letter.swapcase(),
            b" ",
            b"\\n",
            b"=",
            b"+",
            b"-",
            b"",
            letter * 2,
            b"\xef\xbc\x90",
        )
    )
    return _at(tokens, at, token[:k] + instead + token[k + 1 :])


def build(random: Random) -> bytes:
    """Make a text from nothing."""
    return _built(random, 4)


def _built(random: Random, depth: int) -> bytes:
    way = random.randrange(6 if depth else 3)
    if way < 2:
        return random.choice(_VALUES)
    if way == 2:
        return random.choice(NUMBERS)
    parts = [_built(random, depth - 1) for _ in range(random.randrange(4))]
    if way < 5:
        names = (
            b"method",
            b"params",
            b"requests",
            b"results",
            b"body",
            b"code",
            b"hash",
            b"",
            b"a",
            b"headers",
        )
        return b"{" + b",".join(b'"%b":%b' % (random.choice(names), part) for part in parts) + b"}"
    return b"[" + b",".join(parts) + b"]"


def strategy(names: tuple[str, ...] = ()) -> SearchStrategy[bytes]:
    """Give texts of JSON. Args: names: of members that a decoder looks for."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.floats(), st.text(max_size=8),
        st.binary(max_size=40).map(bytes.hex), st.sampled_from([0, 1, 200, 421, "0", "-1", 2**63, "A" * 43]),
    )  # fmt: skip
    keys = st.one_of(st.sampled_from(names), st.text(max_size=3)) if names else st.text(max_size=6)
    trees = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=8)),
        max_leaves=12,
    )
    top = st.dictionaries(keys, trees, max_size=12)
    return st.one_of(top, trees).map(lambda tree: json.dumps(tree).encode("utf-8", "surrogatepass"))


def names_in(seeds: tuple[bytes, ...]) -> tuple[str, ...]:
    """Give the names of members in some texts."""
    found = dict.fromkeys(name[1:-1] for seed in seeds for name in _NAME.findall(seed[:5_000]))
    return tuple(name.decode("utf-8", "replace") for name in found)


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """Give texts of about `size` bytes that try to cost much."""
    yield "deep lists", b"[" * (size // 2) + b"]" * (size // 2)
    yield "deep objects", b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6)
    yield "open lists", b"[" * size
    yield "many lists", b"[" + b"[]," * (size // 3) + b"[]]"
    yield "one name", b"{" + b'"a":1,' * (size // 6) + b'"a":1}'
    yield "many names", b"{" + b",".join(b'"%d":1' % k for k in range(size // 9)) + b"}"
    yield "long number", b"9" * size
    yield "long fraction", b"0." + b"9" * size
    yield "long text", b'"' + b"A" * size + b'"'
    yield "escapes", b'"' + b"\\u0041" * (size // 6) + b'"'
    yield "blanks", b" " * size + b"{}"


def stretched(seed: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Grow a seed to about `size` bytes, at a few of its places and in several ways."""
    tokens, values, names = _tokens(seed)
    for at in _few(values):
        token = tokens[at]
        if token[:1] == b'"':
            yield f"text {at}", _at(tokens, at, b'"' + b"A" * size + b'"')
            yield f"hex {at}", _at(tokens, at, b'"' + b"05" * (size // 2) + b'"')
        yield (
            f"list {at}",
            _at(tokens, at, b"[" + b",".join([token] * max(1, size // (len(token) + 1))) + b"]"),
        )
        yield f"digits {at}", _at(tokens, at, b"1" * size)
    for at in _few(names):
        end = _end_of_member(tokens, at)
        member = b"".join(tokens[at:end])
        yield (
            f"member {at}",
            b"".join((*tokens[:at], *[member + b","] * (size // (len(member) + 1)), *tokens[at:])),
        )
    for opened in [k for k, token in enumerate(tokens) if token == b"["][:2]:
        closed = _end_of_member(tokens, opened - 1) if opened else len(tokens) - 1
        inside = b"".join(tokens[opened + 1 : closed])
        if inside:
            many = b",".join([inside] * max(1, size // (len(inside) + 1)))
            yield f"items {opened}", b"".join((*tokens[: opened + 1], many, *tokens[closed:]))
    yield "many members", seed[:-1] + b"".join(b',"x%d":0' % k for k in range(size // 9)) + seed[-1:]


def _few(places: tuple[int, ...]) -> tuple[int, ...]:
    return places if len(places) <= 3 else (places[0], places[len(places) // 2], places[-1])
