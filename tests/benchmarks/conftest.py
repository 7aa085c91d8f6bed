"""Operations of the protocol beside the bare primitives they must perform.

A benchmark hands its operation and its list of primitives to the fixture `beside`. In an ordinary test run
that runs both once and compares what they call in the cryptographic libraries, by name and number: a list
can be neither padded nor short. With `--benchmark-only` it measures too, in bursts, one of the primitives
before one of the operation, so that a busy neighbour slows both alike; the table comes at the end. With
SESSIONSIM_TARGETS=1 in the environment an operation that misses its target fails as well.

Targets: operations with a curve operation, and symmetric ones that read or write no JSON, take at most 1.15
times their primitives; the others at most their primitives and three parses of the JSON in their frame.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from time import thread_time
from types import FrameType, SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest

from sessionsim.selfcheck.primitives import Primitive, json_parsed

RATIO: Final = 1.15
PARSES: Final = 3
ROUNDS: Final = 80
BURST_S: Final = 0.001  # so long takes a burst of the operation, roughly

# Beside libsodium's functions: what counts as a primitive, by its qualified name, and as what.
COUNTED: Final = {
    "AESGCM.encrypt": "AES-GCM sealed",
    "AESGCM.decrypt": "AES-GCM opened",
    "PyCipherContext.update": "AES-CBC",
    "blake2b.digest": "BLAKE2b",
    "ZstdCompressor.compress": "zstd compressed",
    "ZstdDecompressionObj.decompress": "zstd expanded",
}
SODIUM: Final = "Lib.crypto_"


class Figures(NamedTuple):
    """One row of the table. Times in µs; `allowed_us` is what the target allows."""

    operation: str
    ours_us: float
    bare_us: float
    ratio: float
    allowed: float

    @property
    def met(self) -> bool:
        return self.ratio <= self.allowed


TABLE: Final = pytest.StashKey[list[Figures]]()


def counted(call: Callable[[], object]) -> Counter[str]:
    """Run a program and count the cryptographic functions it calls in C libraries, by name.

    An HMAC counts as the two hashes it is made of.
    """
    found: Counter[str] = Counter()

    def note(_frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        name = getattr(called, "__qualname__", "")
        if name.startswith(SODIUM):
            found[name.removeprefix(SODIUM)] += 1
        elif name == "hmac_digest":
            found["sha256"] += 2
        elif name == "HASH.digest":
            found[called.__self__.name] += 1
        elif name in COUNTED:
            found[COUNTED[name]] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return found


def counted_list(primitives: Iterable[Primitive]) -> Counter[str]:
    """Count what a list of primitives amounts to, by running each once."""
    found: Counter[str] = Counter()
    for primitive in primitives:
        for name, count in counted(primitive.call).items():
            found[name] += count * primitive.fixed
    return found


def compare(call: Callable[[], object], primitives: Iterable[Primitive]) -> None:
    """Assert that an operation performs exactly the primitives of a list."""
    assert counted(call) == counted_list(primitives)


class Beside:
    """The fixture. Args: benchmark: of pytest-benchmark; measuring: or only counting."""

    def __init__(self, benchmark: Any, table: list[Figures], *, measuring: bool) -> None:
        self._benchmark, self._table, self._measuring = benchmark, table, measuring

    def __call__(
        self,
        name: str,
        call: Callable[[], object],
        primitives: Sequence[Primitive],
        *,
        frame: Sequence[bytes] = (),
        prepare: Callable[[int], object] = lambda times: None,
    ) -> None:
        """Hold an operation to its primitives.

        Args:
            name: of the row in the table.
            call: does the operation once, as often as wanted.
            primitives: what it must do.
            frame: the JSON texts in what it reads or writes, RPC bodies inside included; given for operations
                without a curve operation.
            prepare: is told before each burst how often `call` comes.
        """
        prepare(2)
        if not self._measuring:
            self._benchmark.disabled = True  # once, and no figures
            self._benchmark.pedantic(call)
        else:
            call()  # fills what is cached once per process
        compare(call, primitives)
        if not self._measuring:
            return
        figures = self._measured(name, call, primitives, frame, prepare)
        prepare(1)
        compare(call, primitives)  # still doing its work, not turned away after so many repetitions
        self._table.append(figures)
        if os.environ.get("SESSIONSIM_TARGETS"):
            assert figures.met, f"{name}: {figures.ratio:.2f} instead of {figures.allowed:.2f}"

    def _measured(
        self,
        name: str,
        call: Callable[[], object],
        primitives: Sequence[Primitive],
        frame: Sequence[bytes],
        prepare: Callable[[int], object],
    ) -> Figures:
        prepare(3)
        calls = max(1, int(BURST_S / min(burst((call, 1)) for _ in range(3))))
        bare: list[float] = []
        parses: list[float] = []
        parse = json_parsed(frame)

        def before() -> None:
            bare.append(burst(*((p.call, calls * p.fixed) for p in primitives)))
            parses.append(burst((parse, calls * PARSES)) if frame else 0.0)
            prepare(calls)

        ours = self._benchmark
        ours.extra_info["primitives"] = {p.name: p.fixed for p in primitives}
        ours.pedantic(lambda: burst((call, calls)), setup=before, rounds=ROUNDS)
        times = ours.stats.stats.data
        bare, parses = bare[-len(times) :], parses[-len(times) :]
        ratio = statistics.median(mine / theirs for mine, theirs in zip(times, bare, strict=True))
        bare_us, parses_us = (statistics.median(some) / calls * 1e6 for some in (bare, parses))
        allowed = 1 + parses_us / bare_us if frame else RATIO
        return Figures(name, statistics.median(times) / calls * 1e6, bare_us, ratio, allowed)


def burst(*parts: tuple[Callable[[], object], int]) -> float:
    """Give the CPU seconds of calls. Args: parts: call, how often."""
    start = thread_time()
    for call, times in parts:
        for _ in range(times):
            call()
    return thread_time() - start


@pytest.fixture
def counting() -> SimpleNamespace:
    """Counting alone, for its own tests."""
    return SimpleNamespace(counted=counted, compare=compare)


@pytest.fixture
def beside(benchmark: Any, request: pytest.FixtureRequest) -> Beside:
    table = request.config.stash.setdefault(TABLE, [])
    return Beside(benchmark, table, measuring=bool(request.config.getoption("benchmark_only")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "beside" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.benchmark(timer=thread_time, disable_gc=True))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash.get(TABLE, [])
    if not table:
        return
    line = terminalreporter.write_line
    terminalreporter.section("operations beside their primitives (CPU time, medians)")
    line(f"{'operation':<52}{'ours µs':>10}{'bare µs':>10}{'ratio':>8}{'at most':>9}")
    for row in table:
        missed = "" if row.met else "  missed"
        line(
            f"{row.operation:<52}{row.ours_us:>10.1f}{row.bare_us:>10.1f}{row.ratio:>8.2f}{row.allowed:>9.2f}{missed}"
        )
    line(f"{sum(row.met for row in table)} of {len(table)} within their target")
