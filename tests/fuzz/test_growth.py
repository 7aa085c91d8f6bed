"""Work and memory grow with the length of the input and no faster, however it was made to be long."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from functools import cache

import pytest

from tests.fuzz.decoder import Decoder, passes
from tests.fuzz.decoders import DECODERS
from tests.fuzz.forms import FORMS
from tests.fuzz.plan import FULL

# Calls of functions, Python's and C's, at a size and at four times it. Quadratic work would be sixteenfold.
SIZE, MOST_TIMES = 1_000, 8
_FEW_CALLS = 60
# Time of the processor at a size and at sixteen times it: about sixteenfold. Quadratic work: 256-fold.
LONG, MOST_TIMES_OF_TIME = 12_500, 100
_LEAST_SECONDS = 0.000_3  # what is quicker is measured too badly
# Assumption: Python spends up to 64 bytes on each of the smallest values, of two bytes; and one frame may be
# expanded as far as its decoder allows.
BYTES_PER_BYTE, SPARE_BYTES = 80, 40_000_000
BOMB = 250_000 if FULL else 40_000
MOST_SECONDS_OF_A_BOMB = 5.0


@cache
def bombs_of(form: str) -> tuple[tuple[str, bytes], ...]:
    return tuple(FORMS[form].bombs(BOMB))


def calls_of(decoder: Decoder, raw: bytes) -> int:
    """Count the calls that an input causes."""
    fresh, calls = decoder.fresh(), 0

    def count(_frame: object, _event: str, _arg: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        passes(fresh, raw)
    finally:
        sys.setprofile(None)
    return calls


def seconds_of(decoder: Decoder, raw: bytes) -> float:
    """Give the least time of the processor that an input takes, of three."""
    taken = []
    gc.collect()
    gc.disable()  # it looks through all that is alive, again and again
    try:
        for _ in range(3):
            fresh = decoder.fresh()
            started = time.thread_time()
            passes(fresh, raw)
            taken.append(time.thread_time() - started)
    finally:
        gc.enable()
    return min(taken)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_calls_grow_with_the_length(decoder: Decoder) -> None:
    form = FORMS[decoder.form]
    for seed in decoder.seeds[: 4 if FULL else 1]:
        ways = zip(form.stretched(seed, SIZE), form.stretched(seed, 4 * SIZE), strict=True)
        for (way, short), (_way, long) in ways:
            few, many = calls_of(decoder, short), calls_of(decoder, long)
            assert many <= MOST_TIMES * (few + _FEW_CALLS), f"{way}: {few} calls, then {many}"


@pytest.mark.skipif(not FULL, reason="times are only compared at full size")
@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_time_grows_with_the_length(decoder: Decoder) -> None:
    form = FORMS[decoder.form]
    for seed in decoder.seeds[:1]:
        ways = zip(form.stretched(seed, LONG), form.stretched(seed, 16 * LONG), strict=True)
        for (way, short), (_way, long) in ways:
            little, much = seconds_of(decoder, short), seconds_of(decoder, long)
            assert much <= MOST_TIMES_OF_TIME * max(little, _LEAST_SECONDS), (
                f"{way}: {little:.4f} s, then {much:.4f} s"
            )


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_bombs_cost_no_more_than_their_length(decoder: Decoder) -> None:
    fresh = decoder.fresh()
    for name, bomb in bombs_of(decoder.form):
        if not FULL:
            # Memory is measured only at full size: it takes four times as long.
            started = time.thread_time()
            passes(fresh, bomb)
            assert time.thread_time() - started < MOST_SECONDS_OF_A_BOMB, name
            continue
        tracemalloc.start()
        try:
            passes(fresh, bomb)
            _now, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most <= BYTES_PER_BYTE * len(bomb) + SPARE_BYTES, f"{name}: {most} bytes for {len(bomb)}"
