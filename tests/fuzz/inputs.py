"""The inputs of a decoder, always the same: first its seeds, then what is made from them or from nothing.

Two in three are varied by their form, one in four damaged as bytes, the others made from nothing. What a
variation gives is sometimes varied again, together with what decoders accepted before: so accepted inputs
wander away from the seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.fuzz.decoder import Decoder, check_held, passes
from tests.fuzz.forms import FORMS, damaged

_KEPT = 64  # accepted inputs that are varied further
_LONGEST = 20_000  # bytes of an input that is kept
_HELD_EVERY = 256


class Outcome(NamedTuple):
    """How many inputs were given, and accepted."""

    given: int
    accepted: int


def run(decoder: Decoder, count: int, start: int = 0) -> Outcome:
    """Give a decoder its inputs. Args: count: how many; start: another start, other inputs. Raises Fault."""
    accepted, decoder = 0, decoder.fresh()
    given = Inputs(decoder, start)
    for number in range(count):
        raw = next(given)
        if passes(decoder, raw):
            accepted += 1
            given.keep(raw)
        if number % _HELD_EVERY == 0:
            check_held(decoder)
    check_held(decoder)
    return Outcome(count, accepted)


class Inputs(Iterator[bytes]):
    """The inputs of one decoder. Args: start: another start, other inputs."""

    def __init__(self, decoder: Decoder, start: int = 0) -> None:
        self._seeds, self._form = decoder.seeds, FORMS[decoder.form]
        self._random = Random(f"{decoder.name} {start}")
        self._kept: list[bytes] = []
        self._first = iter(decoder.seeds)

    def __next__(self) -> bytes:
        first = next(self._first, None)
        if first is not None:
            return first
        random, draw = self._random, self._random.random()
        if draw < 0.06 or not self._seeds:
            return self._form.build(random)
        seed = random.choice(self._kept if self._kept and draw < 0.3 else self._seeds)
        if random.random() < 0.3:
            return damaged(seed, random, self._seeds)
        return self._form.vary(seed, random, self._seeds)

    def keep(self, accepted: bytes) -> None:
        """Vary an input further, at times."""
        if len(accepted) > _LONGEST or self._random.random() > 0.2:
            return
        if len(self._kept) < _KEPT:
            self._kept.append(accepted)
        else:
            self._kept[self._random.randrange(_KEPT)] = accepted
