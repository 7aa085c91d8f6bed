"""The lower part of a page: settings with their sources, manifest, scenario, all readings, how to cite."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sessionsim.report._data import Readings, ReportData
from sessionsim.report._numbers import baseline_of, count_of, of_reading, span_of
from sessionsim.report._secrets import SECRETS

# What of a manifest is shown: nothing with a date or a duration, so that equal runs have equal reports.
_SHOWN: Final = ("version", "commit", "code", "python", "libraries")
_MOST_ROWS: Final = 50  # report guide: 50 rows of a table, then the file


def settings(manifest: Mapping[str, Any]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Split the manifest's settings into assumed and sourced ones, as table rows."""
    assumed: list[tuple[str, ...]] = []
    sourced: list[tuple[str, ...]] = []
    for one in manifest.get("settings", ()):
        source = str(one.get("source", ""))
        name = ".".join(str(one[part]) for part in ("section", "key") if one.get(part))
        value = one.get("value", "")
        value = str(value).lower() if isinstance(value, bool) else str(value)
        value += " (set by the scenario)" if one.get("changed") else ""
        if one.get("assumption") or source.startswith("Assumption"):
            why = source.removeprefix("Assumption").lstrip(":, ") or "no source"
            assumed.append((name, value, str(one.get("doc", "")), why))
        else:
            sourced.append((name, value, str(one.get("doc", "")), source))
    return assumed, sourced


def commands(data: ReportData) -> str:
    """Give the commands that make this report again from the exact scenario, saved under its own name."""
    name, run = data.name, data.manifest.get("resolved", {}).get("run", {})
    apart = run.get("open", {}).get("seed")  # the scenario itself names this one
    seeds = spans(sorted(seed.seed for seed in data.seeds if seed.seed != apart))
    chosen = f" --seeds {seeds}" if seeds and seeds != str(run.get("seeds", "")) else ""
    return f"sessionsim run {name}.toml{chosen}\nsessionsim report results/{name}"


def spans(seeds: list[int]) -> str:
    """Write ascending seeds as a scenario has them: "1..3,7"."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and parts[-1][-1] == seed - 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}..{part[-1]}" for part in parts)


def manifest_facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what the run was made with."""
    facts = []
    for key in _SHOWN:
        value = manifest.get(key)
        if isinstance(value, Mapping):
            value = ", ".join(f"{name} {number}" for name, number in value.items())
        if value:
            facts.append((key, str(value)))
    return facts


def scenario_text(manifest: Mapping[str, Any]) -> str:
    """Give the complete scenario, as TOML if the manifest has it."""
    text = manifest.get("resolved_toml")
    if isinstance(text, str) and text:
        return text
    return json.dumps(manifest.get("resolved", {}), indent=2, ensure_ascii=False, default=str)


def _shown(readings: Readings) -> list[Any]:
    """Leave out what figures' tables already show in full: the random coalitions."""
    return [one for one in readings.all if not one.name.startswith("random coalition")]


def all_readings(readings: Readings) -> list[tuple[str, ...]]:
    """List readings as table rows, as many as a table may have."""
    names = {f": {secret.id}": f": {secret.title.lower()} ({secret.id})" for secret in SECRETS}
    rows: list[tuple[str, ...]] = []
    for one in _shown(readings)[:_MOST_ROWS]:
        observer, colon, what = one.name.partition(": ")
        name = observer + names.get(f": {what}", colon + what)
        rows.append(
            (
                f"{one.metric}: {name}",
                of_reading(one),
                span_of(one),
                baseline_of(one),
                f"{one.n} {one.n_unit}s",
            )
        )
    return rows


def readings_shown(readings: Readings) -> str:
    """Say how many of the readings are listed."""
    total, shown = len(readings.all), min(_MOST_ROWS, len(_shown(readings)))
    return f"{shown} of {total}; the others are in readings.json" if shown < total else f"{total}"


def citation(data: ReportData) -> str:
    """Say what to cite: program, scenario, seeds, commit."""
    version = str(data.manifest.get("version", ""))
    text = f"sessionsim {version}, scenario {data.name}, {count_of(len(data.seeds), 'seed')}"
    commit = str(data.manifest.get("commit", ""))[:12]
    return f"{text}, commit {commit}." if commit else f"{text}."
