"""The benchmark: our cost beside what the work cannot cost less than, in one run, as ratios.

Three measurements, each on worlds built by the ordinary code (real node list, real round-trip times):

sodium   one delivered message: text stored, sync copy stored, one poll that fetches it (48 transmissions in
         swarms of seven, 40 in swarms of five); memos off and on, divided by the bare primitives of
         `bare.MESSAGE_PRIMITIVES`;
fast     one empty poll over an onion path (eight transmissions); memos off and on, divided by the codec
         floor plus bare simpy with the same number of exchanges in flight;
records  rows written per second with every link watched, and peak memory.

Timings on shared machines are noisy, and a busy neighbour slows us and the bare program alike. So the bare
program runs in short bursts inside our run, every few simulated seconds, and both sums are divided: what
disturbs one disturbs the other. CPU time of this thread is counted, set-up is not.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import thread_time
from typing import Any, NamedTuple

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import Truth
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S
from sessionsim.network.world import Command, World, WorldSpec, build
from sessionsim.protocol.client.rules import DESKTOP, settled
from sessionsim.selfcheck import bare

DATE = "2026-03-31"  # the list with the largest swarms, nearest to the designed seven
_BODY = (
    "x" * 50
)  # a median text is 36 bytes (metrics 4.2); 50 is the second row of the size table (messages 2.4)
_GAP_US = 40 * US_PER_MS  # one message starts each 40 ms; sender and recipient pairs take turns
_QUIET = 30 * US_PER_DAY  # no poll by itself
_PAIRS = 20
_POLL_US = 5 * US_PER_S
_SIMPY_BURST = 500  # exchanges of bare simpy per burst
_CODEC_BURST = 100  # exchanges of the codec floor per burst
_BURST_S = 5  # simulated seconds from burst to burst
_FETCH_AFTER_US = 20 * US_PER_S  # the poll comes when text and sync copy are long stored


def _message_spec(messages: int, *, memo: bool) -> WorldSpec:
    # One node is polled all the time: a node not polled before gives every message again, which would add
    # their bytes to the cost of this one.
    rules = replace(
        settled(DESKTOP),
        poll_interval_us=_QUIET,
        poll_nodes=1,
        poll_node_choice="sticky",
        polls_per_node=1000,
        swarm_lookup="compute",
    )
    intents = tuple(
        Intent(10 * US_PER_S + k * _GAP_US, k % _PAIRS, _PAIRS + k % _PAIRS, _BODY) for k in range(messages)
    )
    horizon = intents[-1].t_us + 2 * _FETCH_AFTER_US
    return WorldSpec(
        date=DATE,
        platforms=("desktop",) * 2 * _PAIRS,
        intents=intents,
        horizon_us=horizon,
        measured=(0, horizon),
        seeds=Seeds(1),
        epoch_ms=1_777_000_000_000,
        suite="sodium",
        memo=memo,
        client_rules={"desktop": rules},
    )


class _Bursts:
    """Named bare programs, run in short bursts. Args: parts: name, call, how often in a burst."""

    def __init__(self, parts: Sequence[tuple[str, Callable[[], object], int]]) -> None:
        self._parts = parts
        self._seconds = dict.fromkeys((name for name, _, _ in parts), 0.0)
        self._runs = 0

    def run(self) -> None:
        """Run every part once for its count."""
        self._runs += 1
        for name, call, count in self._parts:
            start = thread_time()
            for _ in range(count):
                call()
            self._seconds[name] += thread_time() - start

    def each_us(self) -> dict[str, float]:
        """Give the mean cost of one call of each part in µs."""
        return {name: self._seconds[name] / (self._runs * count) * 1e6 for name, _, count in self._parts}


def _timed(world: World, bursts: _Bursts, commands: Sequence[Command] = ()) -> tuple[Truth, float, int, int]:
    """Run a world with bursts of the bare program, one after each `_BURST_S` simulated seconds.

    Returns:
        Truth; our CPU seconds, transmissions and simulated seconds between the first and the last burst.
    """
    ours, last = 0.0, 0.0
    counts: list[int] = []

    def mark(t_us: int) -> None:
        nonlocal ours, last
        assert world.host is not None
        if t_us % (_BURST_S * US_PER_S):
            return
        if counts:
            ours += thread_time() - last
        counts.append(world.host.transmissions)
        bursts.run()
        last = thread_time()

    truth = world.run(progress=mark, commands=commands)
    return truth, ours, counts[-1] - counts[0], (len(counts) - 1) * _BURST_S


class MessageCost(NamedTuple):
    """Cost of a delivered message. Args: ours_us, bare_us: µs; transmissions; each_us: µs per primitive."""

    ours_us: float
    bare_us: float
    transmissions: float
    each_us: dict[str, float]


def message_cost(messages: int, *, memo: bool) -> MessageCost:
    """Run `messages` texts, each fetched by exactly one poll, beside bursts of the bare primitives."""
    spec = _message_spec(messages, memo=memo)
    bursts = _Bursts([(p.name, p.call, max(4, round(p.times(6)))) for p in bare.MESSAGE_PRIMITIVES])
    texts = [wish for wish in spec.intents if isinstance(wish, Intent)]
    polls = [(text.t_us + _FETCH_AFTER_US, text.recipient, ("poll",)) for text in texts]
    truth, seconds, transmissions, _ = _timed(build(spec), bursts, polls)
    if (truth.messages["outcome"] != "delivered").any():
        raise LocalProtocolError("the benchmark did not deliver every message")
    # Three onion exchanges are 24 transmissions; each member but the contacted one adds two per store.
    members = 1 + (transmissions / messages - 24) / 4
    each_us = bursts.each_us()
    bare_us = sum(p.times(members) * each_us[p.name] for p in bare.MESSAGE_PRIMITIVES)
    return MessageCost(seconds / messages * 1e6, bare_us, transmissions / messages, each_us)


class ExchangeCost(NamedTuple):
    """Cost of one onion exchange in µs: ours, the codec floor, bare simpy; and the mean number in flight."""

    ours_us: float
    codec_us: float
    simpy_us: float
    in_flight: float


def exchange_cost(seconds_simulated: int, clients: int, *, memo: bool) -> ExchangeCost:
    """Run idle polls only (`fast` suite, AES-GCM, one node per poll) beside bursts of the bare programs."""
    rules = replace(settled(DESKTOP), poll_interval_us=_POLL_US, poll_nodes=1, swarm_lookup="compute")
    spec = WorldSpec(
        date=DATE,
        platforms=("desktop",) * clients,
        intents=(),
        horizon_us=seconds_simulated * US_PER_S,
        measured=(0, seconds_simulated * US_PER_S),
        seeds=Seeds(2),
        epoch_ms=1_777_000_000_000,
        memo=memo,
        client_rules={"desktop": rules},
    )
    # A client polls, waits for the answer and then for the interval: about a tenth of its time in flight.
    guess = max(1, clients // 10)
    bursts = _Bursts(
        [
            ("codec", bare.exchange_codec_floor, _CODEC_BURST),
            ("simpy", lambda: bare.bare_simpy(_SIMPY_BURST, guess), 1),
        ]
    )
    _truth, seconds, transmissions, simulated_s = _timed(build(spec), bursts)
    exchanges = transmissions / 8
    rate = exchanges / simulated_s  # per simulated second
    each_us = bursts.each_us()
    in_flight = clients - rate * _POLL_US / US_PER_S
    return ExchangeCost(
        seconds / exchanges * 1e6, each_us["codec"], each_us["simpy"] / _SIMPY_BURST, in_flight
    )


def record_rate(seconds_simulated: int) -> float:
    """Watch every link, keep no bytes; rows recorded per second of wall time."""
    spec = WorldSpec(
        date=DATE,
        platforms=("desktop", "android", "ios") * 10,
        intents=(),
        horizon_us=seconds_simulated * US_PER_S,
        measured=(0, seconds_simulated * US_PER_S),
        seeds=Seeds(3),
        epoch_ms=1_777_000_000_000,
    )
    world = build(spec)
    records = MemoryRecords()
    start = thread_time()
    world.run(records, frozenset(range(len(world.machines))))
    seconds = thread_time() - start
    return len(records.table()["src"]) / seconds


def run_bench(*, messages: int = 600, seconds_simulated: int = 150) -> dict[str, Any]:
    """Measure everything once; see the module's text. Times in µs of CPU time.

    Args:
        messages: delivered messages per sodium run.
        seconds_simulated: length of the run of idle polls.
    """
    honest, memoised = (message_cost(messages, memo=memo) for memo in (False, True))
    plain, layered = (exchange_cost(seconds_simulated, 100, memo=memo) for memo in (False, True))
    members = 1 + (honest.transmissions - 24) / 4
    return {
        "sodium": {
            "ratio": round(honest.ours_us / honest.bare_us, 3),
            "ratio_memo": round(memoised.ours_us / memoised.bare_us, 3),
            "ours_us": round(honest.ours_us, 1),
            "ours_memo_us": round(memoised.ours_us, 1),
            "bare_us": round(honest.bare_us, 1),
            "bare_memo_us": round(memoised.bare_us, 1),
            "transmissions": round(honest.transmissions, 2),
            "primitives": [
                {
                    "name": p.name,
                    "times": round(p.times(members), 2),
                    "each_us": round(honest.each_us[p.name], 3),
                }
                for p in bare.MESSAGE_PRIMITIVES
            ],
        },
        "fast": {
            "ratio": round(plain.ours_us / (plain.codec_us + plain.simpy_us), 3),
            "ratio_memo": round(layered.ours_us / (layered.codec_us + layered.simpy_us), 3),
            "ours_us": round(plain.ours_us, 2),
            "ours_memo_us": round(layered.ours_us, 2),
            "codec_floor_us": round(plain.codec_us, 2),
            "bare_simpy_us": round(plain.simpy_us, 2),
            "in_flight": round(plain.in_flight, 1),
        },
        "records_per_s": round(record_rate(20)),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
