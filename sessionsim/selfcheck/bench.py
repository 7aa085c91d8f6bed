"""The benchmark: our cost beside what the work cannot cost less than, in one run, as ratios.

Three measurements, each on worlds built by the ordinary code (real node list, real round-trip times):

sodium   one delivered message (text stored, sync copy stored, one poll that fetches it: 48 transmissions in
         swarms of seven, 40 in swarms of five), memos off and on, divided by the bare primitives of `bare.MESSAGE_PRIMITIVES`;
fast     one empty poll over an onion path (eight transmissions), divided by the codec floor plus bare simpy
         with the same number of exchanges in flight;
records  rows written per second with every link watched, and peak memory.

Timings on shared machines are noisy: parts are interleaved over several rounds and the smallest taken.
"""

from __future__ import annotations

import resource
from dataclasses import replace
from time import process_time
from typing import Any

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.intents import Intent
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.units import US_PER_DAY, US_PER_MS, US_PER_S
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client_rules import DESKTOP
from sessionsim.selfcheck import bare

DATE = "2026-03-31"  # the list with the largest swarms, nearest to the designed seven
_BODY = (
    "x" * 50
)  # a median text is 36 bytes (metrics 4.2); 50 is the second row of the size table (messages 2.4)
_GAP_US = 40 * US_PER_MS  # one message starts each 40 ms; sender and recipient pairs take turns
_QUIET = 30 * US_PER_DAY  # no poll by itself
_PAIRS = 20
_POLL_US = 5 * US_PER_S
_FETCH_AFTER_US = 20 * US_PER_S  # the poll comes when text and sync copy are long stored


def _message_spec(messages: int, *, memo: bool) -> WorldSpec:
    rules = replace(DESKTOP, poll_interval_us=_QUIET, poll_nodes=1, swarm_lookup="compute")
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


def message_cost(messages: int, *, memo: bool) -> tuple[float, float]:
    """Run `messages` texts, each fetched by exactly one poll.

    Returns:
        µs per delivered message, and transmissions per delivered message.
    """
    spec = _message_spec(messages, memo=memo)
    world = build(spec)
    polls = [(intent.t_us + _FETCH_AFTER_US, intent.recipient, ("poll",)) for intent in spec.intents]
    start = process_time()
    truth = world.run(commands=polls)
    seconds = process_time() - start
    assert world.host is not None
    if (truth.messages["outcome"] != "delivered").any():
        raise LocalProtocolError("the benchmark did not deliver every message")
    return seconds / messages * 1e6, world.host.transmissions / messages


def exchange_cost(seconds_simulated: int, clients: int) -> tuple[float, int, float]:
    """Run idle polls only, `fast` suite, AES-GCM, one node per poll.

    Returns:
        µs per onion exchange (eight transmissions), exchanges run, and the mean number in flight.
    """
    rules = replace(DESKTOP, poll_interval_us=_POLL_US, poll_nodes=1, swarm_lookup="compute")
    spec = WorldSpec(
        date=DATE,
        platforms=("desktop",) * clients,
        intents=(),
        horizon_us=seconds_simulated * US_PER_S,
        measured=(0, seconds_simulated * US_PER_S),
        seeds=Seeds(2),
        epoch_ms=1_777_000_000_000,
        client_rules={"desktop": rules},
    )
    world = build(spec)
    start = process_time()
    world.run()
    seconds = process_time() - start
    assert world.host is not None
    exchanges = world.host.transmissions // 8
    rate = exchanges / seconds_simulated  # per simulated second
    return seconds / exchanges * 1e6, exchanges, rate * (clients / rate - _POLL_US / US_PER_S)


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
    start = process_time()
    world.run(records, frozenset(range(len(world.machines))))
    seconds = process_time() - start
    return len(records.table()["src"]) / seconds


def run_bench(*, messages: int = 400, rounds: int = 3) -> dict[str, Any]:
    """Measure everything once. Times in µs, smallest of `rounds` interleaved rounds.

    Args:
        messages: delivered messages per sodium run.
        rounds: how often each part is repeated.
    """
    parts: dict[str, float] = {}
    in_flight = 1.0

    def note(name: str, value: float) -> None:
        parts[name] = min(value, parts.get(name, value))

    for _ in range(rounds):
        for primitive in bare.MESSAGE_PRIMITIVES:
            note(primitive.name, bare.microseconds(primitive.call, 200))
        for memo in (False, True):
            cost, transmissions = message_cost(messages, memo=memo)
            note("message, memos on" if memo else "message, memos off", cost)
            parts["transmissions per message"] = transmissions
        cost, exchanges, in_flight = exchange_cost(60, 100)
        note("exchange", cost)
        note("exchange codec floor", bare.microseconds(bare.exchange_codec_floor, 500))
        note("exchange bare simpy", bare.bare_simpy(exchanges, max(1, round(in_flight))))
        parts["rows per second"] = max(record_rate(20), parts.get("rows per second", 0.0))
    # Three onion exchanges are 24 transmissions; each member but the contacted one adds two per store.
    members = 1 + (parts["transmissions per message"] - 24) / 4
    primitives = [
        {"name": p.name, "times": round(p.times(members), 2), "each_us": round(parts[p.name], 3)}
        for p in bare.MESSAGE_PRIMITIVES
    ]
    bare_us = sum(p.times(members) * parts[p.name] for p in bare.MESSAGE_PRIMITIVES)
    floor_us = parts["exchange codec floor"] + parts["exchange bare simpy"]
    return {
        "sodium": {
            "ratio": round(parts["message, memos off"] / bare_us, 3),
            "ratio_memo": round(parts["message, memos on"] / bare_us, 3),
            "bare_us": round(bare_us, 1),
            "ours_us": round(parts["message, memos off"], 1),
            "ours_memo_us": round(parts["message, memos on"], 1),
            "transmissions": parts["transmissions per message"],
            "primitives": primitives,
        },
        "fast": {
            "ratio": round(parts["exchange"] / floor_us, 3),
            "ours_us": round(parts["exchange"], 2),
            "codec_floor_us": round(parts["exchange codec floor"], 2),
            "bare_simpy_us": round(parts["exchange bare simpy"], 2),
            "in_flight": round(in_flight, 1),
        },
        "records_per_s": round(parts["rows per second"]),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
