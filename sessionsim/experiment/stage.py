"""From a scenario and a seed to a world, and to the places where its observers stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sessionsim.adversary import VANTAGES, join
from sessionsim.core.errors import InvalidInput
from sessionsim.core.intents import Wish
from sessionsim.core.people import People
from sessionsim.core.scene import Position, Scene
from sessionsim.core.seeds import Seeds
from sessionsim.network.clients import place_clients
from sessionsim.network.faults import Fault
from sessionsim.network.interference import Interference, Meddler, compile_interference
from sessionsim.network.server_machines import ServiceRules
from sessionsim.network.version2 import TWINS, Version2, doubled, halves
from sessionsim.network.wishes import check_kinds
from sessionsim.network.world import WorldSpec
from sessionsim.protocol._defences import DEFENCES
from sessionsim.scenario import Scenario, Vantage
from sessionsim.workload._registry import PATTERNS
from sessionsim.workload.rhythm import Rhythm, utc_offsets_h


@dataclass(frozen=True, slots=True)
class Task:
    """One replicate to be run. Args: keep_bytes: keep what operated endpoints see, and open it."""

    seed: int
    suite: str
    keep_bytes: bool


def tasks_of(scenario: Scenario) -> tuple[Task, ...]:
    """List the replicates of a scenario; the opened one, which takes longest, comes first."""
    opening = scenario.opening
    opened = (Task(opening.seed, opening.suite, True),) if opening else ()
    return opened + tuple(Task(seed, scenario.run.suite, scenario.run.keep_bytes) for seed in scenario.seeds)


def training_tasks(scenario: Scenario) -> tuple[Task, ...]:
    """List the replicates that attacks learn from; none where no attack learns."""
    if not scenario.attacks:
        return ()
    return tuple(Task(seed, scenario.run.suite, scenario.run.keep_bytes) for seed in scenario.training)


def spec_of(scenario: Scenario, task: Task, horizon_us: int | None = None) -> WorldSpec:
    """Fill in the specification of a replicate's world.

    Args:
        scenario: a resolved scenario.
        task: which replicate.
        horizon_us: stop earlier than the scenario does, for a sample; None runs all phases.

    Raises:
        InvalidInput: the workload may hold kinds of wishes that clients cannot carry out.
    """
    run, seeds = scenario.run, Seeds(task.seed)
    # Nobody begins a message in the drain: it is there for what is under way.
    begin, end = run.warmup_us, run.warmup_us + run.duration_us
    pattern = PATTERNS[scenario.pattern].factory(scenario.workload)
    check_kinds(pattern.kinds())
    version2 = version2_of(scenario)
    twins, platforms = version2 is not None and version2.people.population == TWINS, scenario.platforms
    people = people_of(scenario, seeds)
    if twins:
        platforms = halves(platforms)
        half = len(platforms) // 2
        people = People(platforms[:half], people.countries[:half])
    intents: Iterable[Wish] = pattern.intents(people, end, seeds)
    if twins:
        intents = doubled(intents, len(platforms))
    horizon = run.horizon_us if horizon_us is None else min(horizon_us, run.horizon_us)
    return WorldSpec(
        date=scenario.network.date,
        limit_swarms=scenario.network.limit_swarms,
        platforms=platforms,
        client_mix=scenario.sections["clients.mix"],
        link_rules=scenario.sections["network.links"],
        capacity=scenario.sections["network.capacity"],
        membership=scenario.sections["network.membership"],
        obligations=scenario.sections["network.obligations"],
        swarm_rules=scenario.sections["network.swarms"],
        wire_rules=scenario.sections["network.wire"],
        node_rules=scenario.sections["nodes"],
        server_rules=scenario.sections["servers"],
        service_rules=ServiceRules(
            file=scenario.sections["servers.file"],
            push=scenario.sections["servers.push"],
            community=scenario.sections["servers.community"],
            turn=scenario.sections["servers.turn"],
            web=scenario.sections["servers.web"],
        ),
        client_rules=scenario.rules,
        config_rules=scenario.part_rules["configs"],
        avatar_rules=scenario.part_rules["avatars"],
        file_rules=scenario.part_rules["files"],
        group_rules=scenario.part_rules["groups"],
        push_rules=scenario.part_rules["push"],
        community_rules=scenario.part_rules["communities"],
        signal_rules=scenario.part_rules["signals"],
        name_rules=scenario.part_rules["names"],
        update_rules=scenario.part_rules["updates"],
        suite=task.suite,
        idle_polls=run.idle_polls,
        memo=True,
        intents=tuple(intent for intent in intents if intent.t_us < horizon),
        horizon_us=horizon,
        measured=(begin, end),
        seeds=seeds,
        epoch_ms=run.epoch_ms,
        version2=version2,
        utc_offsets_h=_offsets_of(scenario, people, seeds) * (1 + twins),
        defences=tuple(DEFENCES[one.kind].factory(one.config) for one in scenario.defences),
        faults=tuple(Fault(fault.name, fault.kind, fault.config) for fault in scenario.faults),
    )


def _offsets_of(scenario: Scenario, people: People, seeds: Seeds) -> tuple[float, ...]:
    """Give where people live, hours ahead of UTC; empty where the workload knows no hours."""
    workload = scenario.workload
    return utc_offsets_h(people, workload, seeds) if isinstance(workload, Rhythm) else ()


def version2_of(scenario: Scenario) -> Version2 | None:
    """Give version 2 as the scenario has it; None if all accounts use version 1."""
    rules = scenario.sections.get("v2")
    return None if rules is None else Version2(rules, scenario.sections["v2.people"])


def people_of(scenario: Scenario, seeds: Seeds) -> People:
    """Give what the workload may know of the accounts of a replicate."""
    places = place_clients(len(scenario.platforms), scenario.sections["clients.mix"], seeds)
    return People(scenario.platforms, tuple(place.country for place in places))


def positions_of(scenario: Scenario, scene: Scene, seeds: Seeds) -> dict[str, Position]:
    """Let every vantage choose its place; a coalition gets the union of its members' places."""
    single = {
        vantage.name: _choose(vantage, scene, seeds)
        for vantage in scenario.vantages
        if vantage.kind != "coalition"
    }
    return {
        vantage.name: single[vantage.name]
        if vantage.name in single
        else join(single[member] for member in vantage.config.members)
        for vantage in scenario.vantages
    }


def interference_of(
    scenario: Scenario, scene: Scene, positions: dict[str, Position], spec: WorldSpec
) -> Meddler | None:
    """Compile who interferes with a replicate, and how; None for nobody."""
    declared = [Interference(one.name, one.kind, one.vantage, one.config) for one in scenario.interference]
    return compile_interference(declared, positions, scene, spec.seeds, spec.horizon_us, spec.epoch_ms)


def knowing(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Give the observers who know of each interference: who does it, and coalitions it belongs to."""
    return {
        one.name: tuple(
            vantage.name
            for vantage in scenario.vantages
            if vantage.name == one.vantage
            or (vantage.kind == "coalition" and one.vantage in vantage.config.members)
        )
        for one in scenario.interference
    }


def operated_by(positions: dict[str, Position]) -> frozenset[int]:
    """Give the endpoints that some observer operates, in whatever role or from some time on."""
    return frozenset[int]().union(*(position.entered for position in positions.values()))


def _choose(vantage: Vantage, scene: Scene, seeds: Seeds) -> Position:
    try:
        return VANTAGES[vantage.kind].factory(vantage.config).choose(scene, seeds)
    except InvalidInput as wrong:
        # A vantage knows its own key, but not what the scenario calls it.
        place = f"vantages.{vantage.name}.{wrong.place.split()[-1]}"
        raise InvalidInput(place, wrong.found, wrong.allowed, wrong.hint) from wrong


def watched_by(positions: dict[str, Position]) -> frozenset[int]:
    """Give the endpoints that some observer sees: only their links are recorded."""
    return frozenset[int]().union(*(position.watched for position in positions.values()))
