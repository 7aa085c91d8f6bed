"""`plan`: what a run would do, rest on and cost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import typer

from sessionsim.cli._options import Json, Overrides, ScenarioPath, Seed, SeedSpan, Workers, load, processes
from sessionsim.core.scene import Position, Scene
from sessionsim.core.units import format_quantity
from sessionsim.experiment import Forecast, forecast
from sessionsim.scenario import Scenario
from sessionsim.scenario.sweep import label_of


def plan(
    scenario: ScenarioPath,
    seed: Seed = None,
    seeds: SeedSpan = None,
    set_: Overrides = None,
    workers: Workers = None,
    json_: Json = False,
) -> None:
    """Show the world, the observers, the assumptions and a forecast of time and disk, without running."""
    chosen = load(scenario, set_, seed, seeds)
    cost, scene, positions = forecast(chosen, processes(workers))
    if json_:
        typer.echo(json.dumps(_content(chosen, cost, scene, positions), ensure_ascii=False))
        return
    for line in _lines(chosen, cost, scene, positions):
        typer.echo(line)


def _content(
    scenario: Scenario, cost: Forecast, scene: Scene, positions: dict[str, Position]
) -> dict[str, object]:
    return {
        "format": 1,
        "scenario": scenario.name,
        "question": scenario.question,
        "seeds": list(scenario.seeds),
        "sweep": None if scenario.sweep is None else asdict(scenario.sweep),
        "nodes": len(scene.nodes),
        "swarms": len(scene.nodes.members),
        "clients": len(scene.client_endpoints),
        "observers": {
            name: {"tapped": len(place.tapped), "operated": len(place.entered)}
            for name, place in positions.items()
        },
        "assumptions": [line for line in scenario.settings if line["assumption"]],
        "forecast": {
            "seconds": round(cost.seconds, 1),
            "seconds_range": [round(cost.least_s, 1), round(cost.most_s, 1)],
            "rows": cost.rows,
            "disk_bytes": cost.disk_bytes,
            "messages": cost.messages,
        },
    }


def _sweep_lines(scenario: Scenario) -> list[str]:
    if scenario.sweep is None:
        return []
    values = ", ".join(label_of(value) for value in scenario.sweep.values)
    return [
        "Sweep",
        f"  {', '.join(scenario.sweep.keys)} at {values}",
        "  the world and the forecast are those of one value, as the rest of the scenario has it",
    ]


def _lines(scenario: Scenario, cost: Forecast, scene: Scene, positions: dict[str, Position]) -> list[str]:
    run, counts = scenario.run, Counter(scenario.platforms)
    phases = " + ".join(format_quantity(t, "us") for t in (run.warmup_us, run.duration_us, run.drain_us))
    opened = (
        f", and seed {scenario.opening.seed} opened ({scenario.opening.suite})" if scenario.opening else ""
    )
    kinds = {vantage.name: vantage.kind for vantage in scenario.vantages}
    assumed = [line for line in scenario.settings if line["assumption"]]
    return [
        scenario.title,
        f"  {scenario.question}",
        "World",
        f"  {len(scene.nodes)} service nodes, {len(scene.nodes.members)} swarms, of {scenario.network.date}",
        f"  {len(scenario.platforms)} clients: "
        + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())),
        f"  {phases} of warm-up, measured phase and drain; workload {scenario.pattern}",
        f"  {len(scenario.seeds)} seeds ({run.suite}){opened}",
        "Observers",
        *(
            f"  {name} ({kinds[name]}): taps {len(place.tapped)} endpoints, runs {len(place.entered)}"
            for name, place in positions.items()
        ),
        f"Assumptions ({len(assumed)} of {len(scenario.settings)} settings)",
        *(f"  {line['section']}.{line['key']} = {line['value']}: {line['doc']}" for line in assumed),
        *_sweep_lines(scenario),
        f"Forecast (from a sample that took {cost.sample_s:.1f} s; drawing the report comes on top)",
        f"  about {cost.seconds:.0f} s of an idle machine (between {cost.least_s:.0f} s and "
        f"{cost.most_s:.0f} s by the samples), {cost.messages} messages, {cost.rows} recorded "
        f"transmissions, {cost.disk_bytes / 1e6:.1f} MB",
    ]
