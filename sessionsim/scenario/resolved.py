"""A scenario with every key filled in and checked: what `experiment` runs and what the manifest shows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from sessionsim.core.errors import InvalidInput
from sessionsim.core.settings import facts_of
from sessionsim.scenario.catalogue import Catalogue
from sessionsim.scenario.models import keys_of, settings_from, show
from sessionsim.scenario.problems import first_problem
from sessionsim.scenario.reading import RawScenario
from sessionsim.scenario.sections import (
    NetworkSettings,
    OpenSettings,
    RunSettings,
    TrainingSettings,
    parse_seeds,
)
from sessionsim.scenario.sweep import Sweep, sweep_of
from sessionsim.scenario.whole import whole_model


@dataclass(frozen=True, slots=True)
class Vantage:
    """One observer of the scenario. Args: name: as the file calls it; kind: id of the vantage drop-in."""

    name: str
    kind: str
    config: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that fails. Args: name: as the file calls it; kind: one of the catalogue."""

    name: str
    kind: str
    config: Any


@dataclass(frozen=True, slots=True)
class Defence:
    """One defence that is in force. Args: kind: id of the drop-in."""

    kind: str
    config: Any


@dataclass(frozen=True, slots=True)
class Interference:
    """What an active adversary does. Args: kind: one of the catalogue; vantage: name of who does it."""

    name: str
    kind: str
    vantage: str
    config: Any


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack of the scenario. Args: kind: id of the drop-in; vantage: name of the observer."""

    name: str
    kind: str
    vantage: str
    config: Any


@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment, complete.

    Args:
        name: stem of its file.
        seeds: seeds of the replicates, ascending; that of `opening` is not among them.
        opening: the replicate whose bytes are kept and opened; None if there is none.
        sections: settings by section, as the catalogue names them.
        platforms: platform of each client; the position is the account number.
        rules: client rules of each platform that occurs.
        part_rules: by ability of clients, the same for its own rules.
        settings: every setting used, one dict per line: section, key, value, unit, doc, source, assumption,
            changed (differs from the default).
        resolved: all values as a scenario file would have them, by section.
        files: BLAKE2b digest of each file that a setting names, by dotted key.
        interference: what active adversaries do, in the order of the file.
        attacks: what is attacked, in the order of the file.
        training: seeds that attacks learn from, ascending; none of them is among `seeds`.
        sweep: what is asked at several values; the rest of the scenario is as it is without (see `points`).
        defences: what is in force, in the order of their ids.
    """

    name: str
    title: str
    question: str
    run: RunSettings
    seeds: tuple[int, ...]
    opening: OpenSettings | None
    network: NetworkSettings
    sections: Mapping[str, Any]
    platforms: tuple[str, ...]
    rules: Mapping[str, Any]
    part_rules: Mapping[str, Mapping[str, Any]]
    pattern: str
    workload: Any
    vantages: tuple[Vantage, ...]
    faults: tuple[Fault, ...]
    settings: tuple[Mapping[str, Any], ...]
    resolved: Mapping[str, Any]
    files: Mapping[str, str]
    interference: tuple[Interference, ...] = ()
    attacks: tuple[Attack, ...] = ()
    training: tuple[int, ...] = ()
    sweep: Sweep | None = None
    defences: tuple[Defence, ...] = ()

    def with_seeds(self, seeds: tuple[int, ...]) -> Scenario:
        """Give the same scenario with other seeds. Raises InvalidInput if one is that of `opening`."""
        if self.opening and self.opening.seed in seeds:
            allowed = f"other seeds than {self.opening.seed}, which [run.open] uses"
            raise InvalidInput("seeds", self.opening.seed, allowed)
        own = {*seeds, *([self.opening.seed] if self.opening else [])}
        shared = sorted(own & set(self.training))
        if shared:
            raise InvalidInput("seeds", shared[0], "other seeds than those of [training]")
        return dataclasses.replace(self, seeds=seeds)


def resolve(raw: RawScenario, catalogue: Catalogue) -> Scenario:
    """Check a scenario and fill in what it leaves out.

    Raises:
        InvalidInput: the first thing that is wrong, with its file, line and key.
    """
    model = whole_model(catalogue)
    try:
        checked: Any = model.model_validate(raw.values)
    except ValidationError as wrong:
        raise first_problem(raw, wrong, model) from wrong
    return _Resolver(raw, catalogue).resolve(checked)


class _Resolver:
    """Gathers settings, resolved values and files while the sections are made."""

    def __init__(self, raw: RawScenario, catalogue: Catalogue) -> None:
        self.raw, self.catalogue = raw, catalogue
        self.lines: list[Mapping[str, Any]] = []
        self.values: dict[str, Any] = {}
        self.files: dict[str, str] = {}

    def resolve(self, checked: Any) -> Scenario:
        run = self.section("run", checked.f_run, RunSettings)
        opened = checked.f_run.f_open
        opening = self.section("run.open", opened, OpenSettings) if opened else None
        network = self.section("network", checked.f_network, NetworkSettings)
        named = {
            "nodes": checked.f_nodes,
            "clients.mix": checked.f_clients.f_mix,
            "servers": checked.f_servers,
        }
        for name in sorted(self.catalogue.sections):
            above, _, below = name.partition(".")
            if above in ("network", "servers") and below:
                named[name] = getattr(getattr(checked, f"f_{above}"), f"f_{below}")
        if checked.f_v2 is not None:  # without this section all accounts use version 1
            named |= {"v2": checked.f_v2, "v2.people": checked.f_v2.f_people}
        platforms = self.clients(checked.f_clients)
        sections = {name: self.section(name, named[name], self.catalogue.sections[name]) for name in named}
        self.check_sections({**sections, "run": run}, platforms)
        rules = {
            name: self.section(
                f"platform.{name}", getattr(checked.f_platform, f"f_{name}"), type(preset), preset
            )
            for name, preset in sorted(self.catalogue.platforms.items())
            if name in platforms
        }
        part_rules = {
            part: {name: self.part(part, name, presets[name], checked.f_platform) for name in rules}
            for part, presets in sorted(self.catalogue.parts.items())
        }
        pattern = checked.f_workload.f_pattern
        workload = self.section(
            "workload", checked.f_workload, self.catalogue.patterns[pattern], tag=("pattern", pattern)
        )
        faults = tuple(self.fault(name, chosen) for name, chosen in checked.f_faults.items())
        defences = tuple(
            Defence(kind, self.section(f"defences.{kind}", chosen, config))
            for kind, config in sorted(self.catalogue.defences.items())
            if (chosen := getattr(checked.f_defences, f"f_{kind}")) is not None
        )
        vantages = tuple(self.vantage(name, chosen) for name, chosen in checked.f_vantages.items())
        self.check_members(vantages)
        training = self.section("training", checked.f_training, TrainingSettings)
        for name, model in (("background", checked.f_background), ("months", checked.f_months)):
            sections[name] = self.section(name, model, self.catalogue.sections[name])
        interference = tuple(
            Interference(name, *self.seen("interference", name, chosen, vantages))
            for name, chosen in checked.f_interference.items()
        )
        attacks = tuple(self.attack(name, chosen, vantages) for name, chosen in checked.f_attacks.items())
        scenario = Scenario(
            name=self.raw.name,
            title=checked.f_title,
            question=checked.f_question,
            run=run,
            seeds=(),
            opening=opening,
            network=network,
            sections=sections,
            platforms=platforms,
            rules=rules,
            part_rules=part_rules,
            pattern=pattern,
            workload=workload,
            vantages=vantages,
            faults=faults,
            settings=tuple(self.lines),
            resolved={"title": checked.f_title, "question": checked.f_question} | self.values,
            files=self.files,
            interference=interference,
            attacks=attacks,
            training=parse_seeds(training.seeds, self.raw.origins.of(("training", "seeds")))
            if training.seeds
            else (),
            sweep=sweep_of(checked),
            defences=defences,
        )
        return scenario.with_seeds(parse_seeds(run.seeds, self.raw.origins.of(("run", "seeds"))))

    def section(
        self,
        name: str,
        model: BaseModel,
        config: type[Any],
        preset: Any = None,
        tag: tuple[str, str] | None = None,
    ) -> Any:
        """Make one section's settings and note each of them for the manifest."""
        path = tuple(name.split("."))
        try:
            made = settings_from(model, config)
        except InvalidInput as wrong:
            key = keys_of(config).get(wrong.place, wrong.place)
            place = self.raw.origins.of((*path, key))
            raise InvalidInput(place, wrong.found, wrong.allowed, wrong.hint) from wrong
        shown: dict[str, Any] = {tag[0]: tag[1]} if tag else {}
        defaults = {
            f.name: f.default if preset is None else getattr(preset, f.name)
            for f in dataclasses.fields(config)
        }
        keys, located = keys_of(config), dict[str, str]()
        for field, facts in facts_of(config).items():
            value, key = getattr(made, field), keys[field]
            shown[key] = show(value, facts.unit)
            self.lines.append(
                {
                    "section": name,
                    "key": key,
                    "value": shown[key],
                    "unit": facts.unit or "",
                    "doc": facts.doc,
                    "source": facts.source,
                    "assumption": facts.is_assumption,
                    "changed": value != defaults[field],
                }
            )
            if facts.path and value:
                located[field] = str(self.file((*path, key), value))
        self.put(path, shown)
        return dataclasses.replace(made, **located) if located else made

    def part(self, part: str, platform: str, preset: Any, checked: Any) -> Any:
        """Make the rules of one ability on one platform."""
        model = getattr(getattr(checked, f"f_{platform}"), f"f_{part}")
        return self.section(f"platform.{platform}.{part}", model, type(preset), preset)

    def put(self, path: tuple[str, ...], shown: dict[str, Any]) -> None:
        table = self.values
        for part in path:
            table = table.setdefault(part, {})
        table.update(shown)

    def file(self, path: tuple[str, ...], text: str) -> Path:
        """Find a file named by a setting; it must lie in the scenario's folder."""
        place, folder = self.raw.origins.of(path), self.raw.folder.resolve()
        parts = PurePosixPath(text)
        if not text.isprintable():
            raise InvalidInput(place, text, "a file name without control characters")
        found = (folder / parts).resolve()
        if parts.is_absolute() or ".." in parts.parts or not found.is_relative_to(folder):
            raise InvalidInput(place, text, "a file inside the scenario's own folder")
        try:
            content = found.read_bytes()
        except OSError as wrong:
            raise InvalidInput(place, text, "a file that can be read", f"{wrong.strerror}.") from wrong
        self.files[".".join(path)] = hashlib.blake2b(content, digest_size=16).hexdigest()
        return found

    def clients(self, model: Any) -> tuple[str, ...]:
        """Deal the platforms out in turn, so that neighbours in number are of different platforms."""
        left = {name: getattr(model, f"f_{name}") for name in sorted(self.catalogue.platforms)}
        for name, count in left.items():
            self.lines.append(
                {
                    "section": "clients", "key": name, "value": count, "unit": "",
                    "doc": f"How many {name} clients.",
                    "source": "Assumption: chosen per question", "assumption": True, "changed": count != 0,
                }
            )  # fmt: skip
        self.put(("clients",), dict(left))
        total = sum(left.values())
        if total < 2:
            place, words = self.raw.origins.of(("clients",)), ", ".join(left)
            raise InvalidInput(place, f"{total} clients", "at least 2 clients", f"Give numbers to {words}.")
        dealt: list[str] = []
        while len(dealt) < total:
            for name in left:
                if left[name]:
                    dealt.append(name)
                    left[name] -= 1
        return tuple(dealt)

    def vantage(self, name: str, model: Any) -> Vantage:
        kind = model.f_kind
        config = self.section(f"vantages.{name}", model, self.catalogue.vantages[kind], tag=("kind", kind))
        return Vantage(name, kind, config)

    def fault(self, name: str, model: Any) -> Fault:
        kind = model.f_kind
        config = self.section(f"faults.{name}", model, self.catalogue.faults[kind], tag=("kind", kind))
        return Fault(name, kind, config)

    def attack(self, name: str, model: Any, vantages: tuple[Vantage, ...]) -> Attack:
        return Attack(name, *self.seen("attacks", name, model, vantages))

    def seen(
        self, section: str, name: str, model: Any, vantages: tuple[Vantage, ...]
    ) -> tuple[str, str, Any]:
        """Make a section that names a vantage: its kind, the vantage and its settings."""
        kind, seen_by = model.f_kind, model.f_vantage
        known = [vantage.name for vantage in vantages]
        if seen_by not in known:
            place = self.raw.origins.of((section, name, "vantage"))
            raise InvalidInput(
                place, seen_by, f"names of vantages of this scenario: {', '.join(known) or 'none'}"
            )
        kinds = getattr(self.catalogue, section)
        config = self.section(f"{section}.{name}", model, kinds[kind], tag=("kind", kind))
        self.put((section, name), {"vantage": seen_by})
        return kind, seen_by, config

    def check_sections(self, sections: Mapping[str, Any], platforms: tuple[str, ...]) -> None:
        """Hold sections against each other."""
        for check in self.catalogue.checks:
            try:
                check(sections, platforms)
            except InvalidInput as wrong:
                place = self.raw.origins.of(wrong.place.split("."))
                raise InvalidInput(place, wrong.found, wrong.allowed, wrong.hint) from wrong

    def check_members(self, vantages: tuple[Vantage, ...]) -> None:
        single = [vantage.name for vantage in vantages if vantage.kind != "coalition"]
        for vantage in vantages:
            if vantage.kind != "coalition":
                continue
            place = self.raw.origins.of(("vantages", vantage.name, "members"))
            strange = [name for name in vantage.config.members if name not in single]
            if strange or not vantage.config.members:
                found = strange[0] if strange else "no members"
                raise InvalidInput(
                    place, found, f"names of vantages of this scenario: {', '.join(single) or 'none'}"
                )
