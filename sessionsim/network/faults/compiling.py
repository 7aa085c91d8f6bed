"""From declared faults and a seed to a plan: who is struck when, as timed changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sessionsim.core.scene import Scene
from sessionsim.core.seeds import Seeds
from sessionsim.network.faults.kinds import Fault
from sessionsim.network.faults.plan import FOREVER_US, Answer, Extra, Plan, Turn, Way, What
from sessionsim.network.faults.spells import Spell, spells
from sessionsim.network.faults.whom import clients_beside, struck

_WAYS = ("partition", "loss", "delay")


def compile_plan(
    faults: Sequence[Fault], scene: Scene, seeds: Seeds, horizon_us: int, more: Iterable[Turn] = ()
) -> Plan | None:
    """Compile declared faults.

    Args:
        faults: in any order; each has draws of its own.
        scene: nodes and clients, as they are at first.
        seeds: of the replicate.
        horizon_us: end of the run; what would happen later is left out.
        more: turns that do not come from a declared fault.

    Returns:
        The plan; None if nothing ever fails, so that the run need not look.

    Raises:
        InvalidInput: a fault for machines that are not there.
    """
    turns, ways = list(more), list[Way]()
    for fault in faults:
        if fault.kind in _WAYS:
            ways += _ways_of(fault, scene, seeds, horizon_us)
        else:
            for endpoint in struck(fault, scene, seeds):
                for number, spell in enumerate(_spells_of(fault, endpoint, seeds, horizon_us)):
                    turns += _turns_of(fault, endpoint, number, spell, seeds)
    ways.sort(key=lambda way: (way.begin_us, way.name))
    for way in ways:
        turns.append(Turn(way.begin_us, -1, What.WAY_BEGINS, way))
        turns.append(Turn(way.end_us, -1, What.WAY_ENDS, way))
    return _planned(turns, ways, horizon_us)


def with_turns(plan: Plan | None, more: Iterable[Turn], horizon_us: int) -> Plan | None:
    """Give a plan with further turns in it; None if there is nothing in it then."""
    turns, ways = ((), ()) if plan is None else (plan.turns, plan.ways)
    return _planned((*turns, *more), ways, horizon_us)


def _planned(turns: Iterable[Turn], ways: Iterable[Way], horizon_us: int) -> Plan | None:
    kept = [turn for turn in turns if turn.t_us < horizon_us]
    # Of one time: what ends comes before what begins, then by machine.
    kept.sort(key=lambda turn: (turn.t_us, turn.what in _BEGINS, turn.endpoint, turn.what))
    return Plan(tuple(kept), tuple(ways), horizon_us) if kept else None


_BEGINS = (What.CRASHES, What.HANGS, What.SLOWS, What.DISK_FILLS, What.WAY_BEGINS)


def _spells_of(fault: Fault, machine: int, seeds: Seeds, horizon_us: int) -> list[Spell]:
    return spells(fault.config, seeds.stream("fault", fault.name, "when", machine), horizon_us)


def _ways_of(fault: Fault, scene: Scene, seeds: Seeds, horizon_us: int) -> Iterator[Way]:
    config, kind = fault.config, fault.kind
    machines: frozenset[int] | None = None
    if config.by != "all":
        machines = frozenset(struck(fault, scene, seeds))
        if kind == "partition" and config.clients:
            machines |= frozenset(clients_beside(fault, scene, seeds))
    for number, (begin_us, end_us) in enumerate(_spells_of(fault, -1, seeds, horizon_us)):
        name = seeds.address("fault", fault.name, "way", number)
        extra = Extra(config.adds_us, config.law == "exponential", name) if kind == "delay" else None
        lost_prob = config.lost_prob if kind == "loss" else 0.0
        yield Way(begin_us, end_us, machines, kind == "partition", lost_prob, extra, name)


def _turns_of(fault: Fault, endpoint: int, number: int, spell: Spell, seeds: Seeds) -> Iterator[Turn]:
    """Give the changes of one spell on one machine."""
    config, (begin_us, end_us) = fault.config, spell
    if fault.kind == "crash":
        answer = Answer.REFUSED if config.answer == "refused" else Answer.SILENT
        yield Turn(begin_us, endpoint, What.CRASHES, answer)
        yield Turn(end_us, endpoint, What.STARTS, config.disk == "lost")
    elif fault.kind == "hang":
        yield Turn(begin_us, endpoint, What.HANGS, end_us)
    elif fault.kind == "slow":
        name = seeds.address("fault", fault.name, "extra", endpoint)
        extra = Extra(config.adds_us, config.law == "exponential", name)
        yield Turn(begin_us, endpoint, What.SLOWS, extra)
        yield Turn(end_us, endpoint, What.SPEEDS_UP, extra)
    elif fault.kind == "clock":
        ahead_us = config.ahead_us
        if config.law == "normal":
            chance = seeds.stream("fault", fault.name, "clock", endpoint, number)
            ahead_us = round(chance.normal(0, abs(ahead_us)))
        yield Turn(begin_us, endpoint, What.CLOCK_MOVES, ahead_us)
        if end_us != FOREVER_US:
            yield Turn(end_us, endpoint, What.CLOCK_MOVES, -ahead_us)
    else:
        yield Turn(begin_us, endpoint, What.DISK_FILLS, None)
        yield Turn(end_us, endpoint, What.DISK_EMPTIES, None)
