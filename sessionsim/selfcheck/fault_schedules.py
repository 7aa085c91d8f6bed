"""Random fault schedules: small networks in which anything may fail at any time, and what holds all the same.

    no machine and no part of the host raises
    every intent has exactly one outcome, and the columns of its row agree with it
    time moves on: entries come in order, and not too many of them in one moment or one run
    the same schedule gives the same records under both kernels, and with idle polls in bulk and one by one

A schedule is a function of its number. It draws kinds, targets, times and strengths of faults over wide
ranges; now and then churn of nodes with blocks every few seconds, nodes that need time for their work, the
old node version, phones in fast mode, a group, files and a room, a stranger who is looked up by name and
refused, version checks, and idle polls in bulk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sessionsim.core.errors import SessionSimError
from sessionsim.core.intents import (
    File,
    Group,
    GroupText,
    Intent,
    NameLookup,
    Post,
    Presence,
    Reader,
    Refusal,
    Strangers,
    Wish,
    order_of,
)
from sessionsim.core.records import MemoryRecords
from sessionsim.core.seeds import Seeds
from sessionsim.core.truth import BLOCKED, OUTCOMES, Truth
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.network.capacity import CapacityRules
from sessionsim.network.faults import KINDS, Fault
from sessionsim.network.kernels import Entry, HeapKernel, Kernel, SimpyKernel
from sessionsim.network.membership import MembershipRules
from sessionsim.network.orders import orders_of
from sessionsim.network.world import WorldSpec, build
from sessionsim.protocol.client.push import PLATFORMS as PUSH_PLATFORMS
from sessionsim.protocol.client.update_rules import OFF as NO_UPDATES
from sessionsim.protocol.client.update_rules import PLATFORMS as UPDATES
from sessionsim.protocol.node_rules import VERSION_2_8, NodeRules
from sessionsim.protocol.obligations import ObligationRules

HORIZON_US: Final = 40 * US_PER_S
MOST_ENTRIES: Final = 60_000  # ten times what the busiest quiet run of this size has
MOST_AT_ONCE: Final = 2_000  # of one moment; a block tells some tens of nodes at once
_LISTS: Final = ("2026-02-27", "2026-04-08", "2026-04-28")
_NODES: Final = ("random", "per-swarm", "swarm-of", "host", "net24", "net16")
_ANYBODY: Final = (*_NODES, "clients", "all")
# Which schedules have strangers and version checks, by the rest of their number by 8. Those that once broke
# are of other rests, and stay what they were.
_MEETS: Final = (4, 6)
_CHECKS: Final = (5, 6)
# Version checks often enough that some fall into the run.
_OFTEN: Final = {
    name: replace(rules, interval_us=10 * US_PER_S, retry_us=5 * US_PER_S, start_us=US_PER_S)
    for name, rules in UPDATES.items()
}


class ScheduleBroken(SessionSimError):
    """Something that must hold did not. The text says what, and in which schedule."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a schedule that held was like. Args: digest: of records and truth; outcomes of its messages."""

    digest: str
    outcomes: tuple[str, ...]


def schedule(number: int) -> WorldSpec:
    """Give the world of a schedule."""
    seeds = Seeds(number)
    chance = seeds.stream("schedule")
    platforms = tuple(str(name) for name in chance.choice(["desktop", "android", "ios"], size=3))
    faults = tuple(_fault(f"f{k}", chance) for k in range(1 + int(chance.integers(4))))
    times = np.sort(chance.integers(HORIZON_US // 2, size=6))
    wishes = _wishes([int(t_us) for t_us in times], chance)
    if number % 8 in _MEETS:
        wishes = _met(wishes, seeds.stream("meeting"))
    fast_prob = float(chance.random() < 0.2)
    return WorldSpec(
        date=str(chance.choice(_LISTS)),
        limit_swarms=int(chance.integers(4, 8)),
        platforms=platforms,
        intents=wishes,
        horizon_us=HORIZON_US,
        measured=(0, HORIZON_US),
        seeds=seeds,
        epoch_ms=1_777_000_000_000,
        faults=faults,
        node_rules=NodeRules(**VERSION_2_8) if chance.random() < 0.25 else NodeRules(),
        membership=_membership(chance),
        idle_polls="bulk" if chance.random() < 0.5 else "each",
        capacity=_capacity(chance),
        obligations=ObligationRules(unreachable_us=10 * US_PER_S, credit_us=20 * US_PER_S),
        update_rules=_OFTEN if number % 8 in _CHECKS else NO_UPDATES,
        push_rules={
            name: replace(rules, fast_prob=0.0 if name == "desktop" else fast_prob)
            for name, rules in PUSH_PLATFORMS.items()
        },
    )


def _wishes(times: Sequence[int], chance: np.random.Generator) -> tuple[Wish, ...]:
    """Let each of three people write; in a quarter of the schedules to a group too, with files and a room."""
    recipients = [(k + 1 + int(chance.integers(2))) % 3 for k in range(len(times))]
    texts = [
        Intent(t_us, k % 3, to, f"text {k}")
        for k, (t_us, to) in enumerate(zip(times, recipients, strict=True))
    ]
    if chance.random() > 1 / 4:
        return tuple(texts)
    before: tuple[Wish, ...] = (Group(0, 0, 0, (0, 1, 2), "three"), *(Reader(0, who, 0) for who in range(3)))
    said = (
        texts[0]._replace(files=(File("file", 2_000),)),
        GroupText(times[1], 1, 0, "group", 0),
        Post(times[2], 2, 0, "post", 0),
        GroupText(times[3], 0, 0, "file", 0, files=(File("photo", 2_000),)),
    )
    looks = (Presence(times[3], who, 0, "foreground", bool(chance.random() < 0.5), 0) for who in range(3))
    later: tuple[Wish, ...] = (*said, *texts[4:], *looks)
    return (*before, *sorted(later, key=lambda wish: wish.t_us))


def _met(wishes: tuple[Wish, ...], chance: np.random.Generator) -> tuple[Wish, ...]:
    """Let one text go to a stranger, found by name, who may refuse it."""
    first = next(wish for wish in wishes if isinstance(wish, Intent))
    asker, asked, t_us = first.sender, first.recipient, first.t_us
    met: list[Wish] = [Strangers(t_us, asker, asked)]
    if chance.random() < 0.5:
        met.append(NameLookup(t_us, asker, asked))
    if chance.random() < 0.8:
        later_us = t_us + int(chance.exponential(5 * US_PER_S))
        met.append(Refusal(later_us, asked, asker, first.address, bool(chance.random() < 0.5)))
    return tuple(sorted((*wishes, *met), key=order_of))


def _fault(name: str, chance: np.random.Generator) -> Fault:
    kind = str(chance.choice(sorted(KINDS)))
    anybody = kind in ("crash", "slow", "partition", "loss", "delay", "clock")
    by = str(chance.choice(_ANYBODY if anybody else _NODES))
    settings: dict[str, Any] = {
        "by": by,
        "count": int(chance.integers(4)),
        "share_prob": float(chance.random()),
        "at_us": int(chance.integers(HORIZON_US)) if chance.random() < 0.8 else 0,
        "lasts_us": 1 + int(chance.exponential(10 * US_PER_S)),
    }
    if chance.random() < 0.3:
        settings |= {"every_us": 1 + int(chance.exponential(10 * US_PER_S)), "at_us": 0}
    elif chance.random() < 0.3:
        settings["lasts_us"] = 0
    own: dict[str, dict[str, Any]] = {
        "crash": {
            "answer": str(chance.choice(["refused", "silent"])),
            "disk": str(chance.choice(["kept", "lost" if by in _NODES else "kept"])),
        },
        "slow": {"adds_us": 1 + int(chance.exponential(3 * US_PER_S)), "law": "exponential"},
        "partition": {"clients": bool(chance.random() < 0.5)},
        "loss": {"lost_prob": float(chance.random())},
        "delay": {"adds_us": 1 + int(chance.exponential(3 * US_PER_S))},
        "clock": {"ahead_us": int(chance.normal(0, 100 * US_PER_S)), "law": "fixed"},
    }
    return Fault(name, kind, KINDS[kind](**settings, **own.get(kind, {})))


def _membership(chance: np.random.Generator) -> MembershipRules:
    """Let nodes come and go in a third of the schedules, thousands of times faster than they do."""
    if chance.random() > 1 / 3:
        return MembershipRules()
    a_minute = US_PER_DAY / HORIZON_US
    # As shares a day these are beyond what a scenario may say: a tenth of the nodes in a minute.
    names = ("joins_prob", "leaves_prob", "outages_prob")
    rates = {name: float(chance.random() * 0.2 * a_minute) for name in names}
    return MembershipRules(
        mode="rates",
        block_us=int(chance.integers(1, 10)) * US_PER_S,
        spread_us=int(chance.integers(3)) * US_PER_S,
        outage_us=10 * US_PER_S,
        lingers_us=int(chance.integers(10)) * US_PER_S,
        **rates,  # type: ignore[arg-type]
    )


def _capacity(chance: np.random.Generator) -> CapacityRules:
    """Let nodes need time for their work in a quarter of the schedules, and have hardly any in some."""
    if chance.random() > 1 / 4:
        return CapacityRules()
    speed, queue = 10.0 ** -float(chance.integers(5)), 1 + int(chance.integers(100))
    return CapacityRules(on=True, cores=1, speed=speed, queue_max=queue)


class _Watching:
    """A kernel whose entries are counted and held against the clock. Args: inner: what runs them."""

    def __init__(self, inner: Kernel, number: int) -> None:
        self._inner, self._number = inner, number
        self.queue, self.ranks, self.later = inner.queue, inner.ranks, inner.later
        self._last_us, self._at_once, self.entries = 0, 0, 0

    def run(self, until_us: int, handle: Callable[[Entry], None]) -> None:
        def watched(entry: Entry) -> None:
            t_us = entry[0]
            self.entries += 1
            self._at_once = self._at_once + 1 if t_us == self._last_us else 1
            if t_us < self._last_us:
                raise ScheduleBroken(f"schedule {self._number}: time goes back to {t_us} us")
            if self._at_once > MOST_AT_ONCE or self.entries > MOST_ENTRIES:
                raise ScheduleBroken(f"schedule {self._number}: time does not move on at {t_us} us")
            self._last_us = t_us
            handle(entry)

        self._inner.run(until_us, watched)


def run_schedule(number: int, kernel: Kernel, *, each_poll: bool = False) -> Held:
    """Run a schedule once. Args: each_poll: carry out every poll, also in a schedule that skips idle ones.

    Raises:
        ScheduleBroken: something that must hold did not.
    """
    spec = schedule(number)
    world = build(replace(spec, idle_polls="each") if each_poll else spec)
    records = MemoryRecords()
    # Whom somebody watches polls each time; so that idle polls are skipped, some are not watched.
    some = 5 if spec.idle_polls == "bulk" else len(world.machines)
    watched = frozenset(range(some))
    truth = world.run(records, watched, kernel=_Watching(kernel, number))
    outcomes = _outcomes(number, truth, len(orders_of(spec.intents)))
    digest = hashlib.blake2b(digest_size=16)
    for table in (records.table(), truth.messages, truth.deliveries, truth.events):
        for name in sorted(table):
            column = table[name]
            digest.update(repr(column.tolist()).encode() if column.dtype == object else column.tobytes())
    return Held(digest.hexdigest(), outcomes)


def check_schedule(number: int) -> Held:
    """Run a schedule under both kernels, the second time with each poll.

    Raises:
        ScheduleBroken: something that must hold did not.
    """
    first = run_schedule(number, HeapKernel())
    again = run_schedule(number, SimpyKernel(), each_poll=True)
    if first != again:
        raise ScheduleBroken(f"schedule {number}: the same seed gives other records")
    return first


def _outcomes(number: int, truth: Truth, expected: int = 6) -> tuple[str, ...]:
    """Hold each message's row against its outcome, and against the rows of its devices.

    A message to a group has the worst outcome of its readers, and the time of the first.
    """
    messages, deliveries = truth.messages, truth.deliveries
    outcomes = tuple(str(outcome) for outcome in messages["outcome"])
    if len(outcomes) != expected:
        raise ScheduleBroken(f"schedule {number}: {len(outcomes)} accounts of {expected} messages")
    for ref, outcome in enumerate(outcomes):
        wished, stored, delivered = (
            int(messages[name][ref]) for name in ("intent_us", "stored_us", "delivered_us")
        )
        rows = (deliveries["message"] == ref) & (deliveries["copy"] != "sync")
        times = deliveries["delivered_us"][rows]
        fits = delivered == min(times[times >= 0], default=-1)
        fits = fits and set(deliveries["outcome"][rows][times >= 0]) <= {"delivered"}
        fits = fits and "delivered" not in deliveries["outcome"][rows][times < 0]
        fits = fits and outcome in OUTCOMES and (outcome == "delivered") != bool(messages["reason"][ref])
        if outcome == "delivered":  # what nobody else gets is done once it is stored
            fits = fits and (delivered if rows.any() else stored) >= wished
        elif outcome in ("expired", "lost"):
            fits = fits and stored >= 0 and outcome in deliveries["outcome"][rows]
        elif outcome == "refused":
            fits = fits and (stored < 0 or messages["reason"][ref] == BLOCKED)
        if not fits or 0 <= stored < wished:
            raise ScheduleBroken(f"schedule {number}: message {ref} is {outcome}, which its row denies")
    return outcomes
