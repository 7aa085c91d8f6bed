"""The forms that inputs have: for each, how a valid one is varied, and how one is made from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from hypothesis.strategies import SearchStrategy

from tests.fuzz.forms import _bencode, _frame, _json, _protobuf, _texts, _zstd
from tests.fuzz.forms._bytes import damaged

Seeds = tuple[bytes, ...]


class Form(NamedTuple):
    """A form of input.

    Args:
        vary: changes a seed; is given other seeds to take from.
        build: makes an input without a seed.
        strategy: inputs for hypothesis, with the names that occur in the seeds.
        bombs: inputs of about a size that try to cost much, by name.
        stretched: a seed grown to about a size, by the way it was grown.
    """

    vary: Callable[[bytes, Random, Seeds], bytes]
    build: Callable[[Random], bytes]
    strategy: Callable[[Seeds], SearchStrategy[bytes]]
    bombs: Callable[[int], Iterator[tuple[str, bytes]]]
    stretched: Callable[[bytes, int], Iterator[tuple[str, bytes]]]


FORMS = {
    "bencode": Form(
        _bencode.vary,
        _bencode.build,
        lambda seeds: _bencode.strategy(_bencode.keys_in(seeds)),
        _bencode.bombs,
        _bencode.stretched,
    ),
    "frame": Form(
        _frame.vary,
        _frame.build,
        lambda seeds: _frame.strategy(_frame.names_in(seeds)),
        _frame.bombs,
        _frame.stretched,
    ),
    "json": Form(
        _json.vary,
        _json.build,
        lambda seeds: _json.strategy(_json.names_in(seeds)),
        _json.bombs,
        _json.stretched,
    ),
    "protobuf": Form(
        _protobuf.vary,
        _protobuf.build,
        lambda seeds: _protobuf.strategy(_protobuf.numbers_in(seeds)),
        _protobuf.bombs,
        _protobuf.stretched,
    ),
    "raw": Form(
        _texts.vary_raw,
        _texts.build_raw,
        lambda _seeds: _texts.strategy_raw(),
        _texts.bombs_raw,
        _texts.stretched_raw,
    ),
    "text": Form(_texts.vary, _texts.build, lambda _seeds: _texts.strategy(), _texts.bombs, _texts.stretched),
    "zstd": Form(_zstd.vary, _zstd.build, lambda _seeds: _zstd.strategy(), _zstd.bombs, _zstd.stretched),
}

__all__ = ["FORMS", "Form", "Seeds", "damaged"]
