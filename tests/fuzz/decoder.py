"""One decoder, and what may come of any bytes that are given to it.

A decoder passes an input if it gives a result of bounded size or raises one of the errors it documents, with
a text of bounded length that UTF-8 can express, and within a bounded time. Everything else is a
`Fault`. Time is bounded generously: the growth of work with size is what `test_growth.py` looks at.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from google.protobuf.message import Message

from sessionsim.core.errors import RemoteProtocolError

# Assumption: no input of at most a few hundred kB takes a decoder a tenth of this on the slowest machine.
MOST_SECONDS = 10.0
# Assumption: an error's text may name what was wrong, not repeat all of it.
MOST_ERROR_CHARACTERS = 1_000


Run = Callable[[bytes], object]
Holds = Callable[[], int]


class Fault(AssertionError):
    """A decoder did what it must not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Decoder:
    """One way to hand foreign bytes to the product.

    Args:
        name: the function below `sessionsim.protocol`; behind a slash what is special about this way.
        form: the name of the form of its input, see `forms`.
        run: decodes; made once, with all keys it needs.
        seeds: inputs that it takes.
        errors: what it may raise.
        base, growth: most weight of a result: `base` + `growth` × length of the input (see `weight`).
        share: how many inputs it gets, in relation to others; costly ones less.
        genuine: for decoders that check who wrote something: gives what of a result is authentic. Nothing may
            come out but what the seeds give.
        make: makes a new machine: `run`, and what tells how much it holds; None for what holds nothing.
        most_held: bound of that, see `held`.
    """

    name: str
    form: str
    run: Run
    seeds: tuple[bytes, ...]
    errors: tuple[type[Exception], ...] = (RemoteProtocolError,)
    base: int = 2_000
    growth: int = 16
    share: int = 4
    genuine: Callable[[Any], object] | None = None
    make: Callable[[], tuple[Run, Holds]] | None = None
    holds: Holds | None = None
    most_held: int = 0

    @property
    def function(self) -> str:
        """The name without what is behind the slash."""
        return self.name.partition("/")[0]

    def fresh(self) -> Decoder:
        """Give the same decoder, with a new machine if it is one: what came before must not matter."""
        if self.make is None:
            return self
        run, holds = self.make()
        return dataclasses.replace(self, run=run, holds=holds)


def machine(
    name: str,
    form: str,
    make: Callable[[], tuple[Run, Holds]],
    seeds: tuple[bytes, ...],
    most_held: int,
    **more: Any,
) -> Decoder:
    """Describe a machine, which by default raises nothing and gets few inputs."""
    run, holds = make()
    how: dict[str, Any] = {"errors": (), "share": 1} | more
    return Decoder(name, form, run, seeds, make=make, holds=holds, most_held=most_held, **how)


def passes(decoder: Decoder, raw: bytes) -> bool:
    """Hand an input to a decoder and say whether it was accepted. Raises Fault."""
    started = time.thread_time()
    try:
        result = decoder.run(raw)
    except decoder.errors as refusal:
        text = str(refusal)
        if len(text) > MOST_ERROR_CHARACTERS:
            raise Fault(f"{decoder.name}: an error of {len(text)} characters for {shown(raw)}") from refusal
        if isinstance(refusal, RemoteProtocolError) and not encodable(text):
            raise Fault(f"{decoder.name}: an error that cannot be sent, for {shown(raw)}") from refusal
        accepted = False
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as wrong:  # a panic of a Rust extension is no Exception
        raise Fault(f"{decoder.name}: {type(wrong).__name__}: {str(wrong)[:200]} for {shown(raw)}") from wrong
    else:
        most = decoder.base + decoder.growth * len(raw)
        size = weight(result, most)
        if size > most:
            raise Fault(f"{decoder.name}: a result of weight {size} > {most} for {shown(raw)}")
        if decoder.genuine is not None and decoder.genuine(result) not in _written(decoder):
            raise Fault(f"{decoder.name}: {str(result)[:200]} passes, which nobody wrote, for {shown(raw)}")
        accepted = True
    seconds = time.thread_time() - started
    if seconds > MOST_SECONDS:
        raise Fault(f"{decoder.name}: {seconds:.1f} s for {shown(raw)}")
    return accepted


_WRITTEN: dict[str, list[object]] = {}


def _written(decoder: Decoder) -> list[object]:
    """Give what the seeds hold, as far as it is authentic."""
    if decoder.name not in _WRITTEN and decoder.genuine is not None:
        run = decoder.fresh().run
        _WRITTEN[decoder.name] = [decoder.genuine(run(seed)) for seed in decoder.seeds]
    return _WRITTEN[decoder.name]


def whole(result: object) -> object:
    """Say of a result that all of it is authentic."""
    return result


def check_held(decoder: Decoder) -> None:
    """Check how much a machine holds by now. Raises Fault."""
    if decoder.holds is not None and (held := decoder.holds()) > decoder.most_held:
        raise Fault(f"{decoder.name}: holds {held} > {decoder.most_held}")


def encodable(text: str) -> bool:
    """Say whether UTF-8 can express a text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(raw: bytes) -> str:
    """Write an input so that it can be given again."""
    return f"bytes.fromhex({raw.hex()!r})" if len(raw) <= 2_000 else f"{len(raw)} bytes: {raw[:400]!r}…"


def weight(value: object, enough: int) -> int:
    """Give the size of a result: its bytes and characters, and one for every object in it.

    Args:
        enough: stop once it is more than this.
    """
    total, stack = 0, [value]
    while stack and total <= enough:
        item = stack.pop()
        total += 1
        kind = type(item)
        if kind in (bytes, str, bytearray):
            total += len(item)  # type: ignore[arg-type]
        elif kind in (list, tuple, set, frozenset):
            stack.extend(item)  # type: ignore[call-overload]
        elif kind is dict:
            stack.extend(item)  # type: ignore[call-overload]
            stack.extend(item.values())  # type: ignore[attr-defined]
        elif kind is int:
            total += item.bit_length() >> 3  # type: ignore[attr-defined]
        elif isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Message):
            total += item.ByteSize()
        elif dataclasses.is_dataclass(item) and not isinstance(item, Enum):
            stack.extend(getattr(item, field.name) for field in dataclasses.fields(item))
    return total
