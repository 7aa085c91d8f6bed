"""The model of a whole scenario file, put together from the catalogue."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
)

from sessionsim.core.settings import facts_of
from sessionsim.scenario.catalogue import Catalogue
from sessionsim.scenario.models import (
    optional_section,
    refuse,
    settings_model,
    tag_field,
    tagged_union,
)
from sessionsim.scenario.sections import NetworkSettings, OpenSettings, RunSettings, TrainingSettings
from sessionsim.scenario.sweep import sweep_model

NAME: Final = re.compile(r"[a-z0-9-]{1,64}\Z", re.ASCII)
NAME_RULE: Final = "a name of 1 to 64 letters a-z, digits and hyphens"
MAX_CLIENTS: Final = (
    100_000  # Assumption: every client is a machine of its own; larger populations are arrays
)

_CONFIG: Final = ConfigDict(extra="forbid", frozen=True, strict=True)
_KEPT: Final = 4  # Assumption: a process reads the scenarios of one installation; tests have a few more
_made: dict[Hashable, type[BaseModel]] = {}  # by what a catalogue holds, the oldest first


def _is_control(character: str) -> bool:
    # Cs is what is left of bytes that were no text; signs that turn the direction could fake another text.
    turns = unicodedata.bidirectional(character) in {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }
    return turns or unicodedata.category(character) in ("Cc", "Cs")


def _readable(value: str) -> str:
    if not value.strip() or any(c not in "\n\t" and _is_control(c) for c in value):
        raise refuse(value, "a text that is not empty and has no control characters")
    return value


_SEES: Final[Any] = (
    str,
    Field(alias="vantage", description="Name of the vantage of this scenario whose view is attacked."),
)
_ACTS: Final[Any] = (
    str,
    Field(alias="vantage", description="Name of the vantage of this scenario from whose place it acts."),
)
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_readable)]


def _name(value: str) -> str:
    if not NAME.match(value):
        raise refuse(value, NAME_RULE)
    return value


def _seeds(value: object) -> object:
    """Take a single seed written as a number for the text it stands for."""
    if type(value) not in (int, str):
        raise refuse(value, 'a number, or a text in quotes like "1..8" or "1..3,7"')
    return str(value) if isinstance(value, int) and abs(value) < 10**18 else value


def _one_of(words: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in words:
            near = difflib.get_close_matches(value, words, 1)
            raise refuse(value, ", ".join(words), f"Did you mean {near[0]!r}?" if near else "")
        return value

    return AfterValidator(check)


def _word(words: tuple[str, ...], default: str, key: str, description: str) -> tuple[Any, Any]:
    field = Field(default, alias=key, description=description, json_schema_extra={"enum": list(words)})
    return (Annotated[str, _one_of(words)], field)


def _seed_field(settings: type[RunSettings] | type[TrainingSettings]) -> tuple[Any, Any]:
    facts = facts_of(settings)["seeds"]
    described: dict[str, Any] = {"source": facts.source, "type": ["string", "integer"]}
    field = Field(settings().seeds, alias="seeds", description=facts.doc, json_schema_extra=described)
    return (Annotated[str, BeforeValidator(_seeds)], field)


def _clients(catalogue: Catalogue) -> type[BaseModel]:
    counts: dict[str, tuple[Any, Any]] = {
        f"f_{platform}": (
            int,
            Field(0, alias=platform, ge=0, le=MAX_CLIENTS, description=f"How many {platform} clients."),
        )
        for platform in sorted(catalogue.platforms)
    }
    mix = settings_model("Mix", catalogue.sections["clients.mix"])
    return create_model("Clients", __config__=_CONFIG, **counts, f_mix=optional_section(mix, "mix"))  # type: ignore[call-overload, no-any-return]


def _parts(catalogue: Catalogue, platform: str) -> dict[str, tuple[Any, Any]]:
    """Make the sections below a platform: one for each ability that has rules of its own."""
    return {
        f"f_{part}": optional_section(
            settings_model(f"{platform} {part}", type(presets[platform]), presets[platform]), part
        )
        for part, presets in sorted(catalogue.parts.items())
    }


def whole_model(catalogue: Catalogue) -> type[BaseModel]:
    """Give the model that checks a complete scenario of this installation: made once for each content."""
    content = _content(catalogue)
    if content not in _made:
        _made[content] = _make(catalogue)
        while len(_made) > _KEPT:
            del _made[next(iter(_made))]
    return _made[content]


def _content(catalogue: Catalogue) -> Hashable:
    """Give all that the model depends on: the classes themselves, and presets as they are written."""
    kinds = (catalogue.sections, catalogue.patterns, catalogue.vantages, catalogue.faults)
    more = (catalogue.interference, catalogue.attacks, catalogue.defences)
    presets = {"": catalogue.platforms, **catalogue.parts}
    return (
        tuple(tuple(table.items()) for table in (*kinds, *more)),
        tuple((part, name, type(one), repr(one)) for part in presets for name, one in presets[part].items()),
        (catalogue.suites, catalogue.dates),
    )


def _make(catalogue: Catalogue) -> type[BaseModel]:
    sections = catalogue.sections
    suite = "Crypto suite: `sodium` is the real thing, `fast` has the same records at a fraction of the cost."
    opening = settings_model(
        "Open", OpenSettings, more={"f_suite": _word(catalogue.suites, "sodium", "suite", suite)}
    )
    run = settings_model(
        "Run",
        RunSettings,
        more={
            "f_suite": _word(catalogue.suites, "fast", "suite", suite),
            "f_seeds": _seed_field(RunSettings),
            "f_open": (opening | None, Field(None, alias="open")),
        },
    )
    dates = _word(catalogue.dates, NetworkSettings().date, "date", "Date of the node list.")
    network = settings_model(
        "Network",
        NetworkSettings,
        more={"f_date": dates, **_below("network.", sections)},
    )
    servers = settings_model("Servers", sections["servers"], more=_below("servers.", sections))
    version2 = settings_model("V2", sections["v2"], more=_below("v2.", sections))
    second: Any = (version2 | None, Field(None, alias="v2"))
    platforms = {
        f"f_{name}": optional_section(
            settings_model(name.capitalize(), type(rules), rules, more=_parts(catalogue, name)), name
        )
        for name, rules in sorted(catalogue.platforms.items())
    }
    platform = create_model("Platforms", __config__=_CONFIG, **platforms)  # type: ignore[call-overload]
    patterns = {
        name: settings_model(f"pattern {name}", config, more=tag_field("pattern", name))
        for name, config in sorted(catalogue.patterns.items())
    }
    vantages = {
        name: settings_model(f"vantage {name}", config, more=tag_field("kind", name))
        for name, config in sorted(catalogue.vantages.items())
    }
    faults = {
        name: settings_model(f"fault {name}", config, more=tag_field("kind", name))
        for name, config in sorted(catalogue.faults.items())
    }
    attacks = {
        name: settings_model(f"attack {name}", config, more=tag_field("kind", name) | {"f_vantage": _SEES})
        for name, config in sorted(catalogue.attacks.items())
    }
    swept: Any = sweep_model() | None
    defences: dict[str, Any] = {
        f"f_{name}": (settings_model(f"defence {name}", config) | None, Field(None, alias=name))
        for name, config in sorted(catalogue.defences.items())
    }
    defence = create_model("Defences", __config__=_CONFIG, **defences)
    interference = {
        name: settings_model(
            f"interference {name}", config, more=tag_field("kind", name) | {"f_vantage": _ACTS}
        )
        for name, config in sorted(catalogue.interference.items())
    }
    training = settings_model("Training", TrainingSettings, more={"f_seeds": _seed_field(TrainingSettings)})
    return create_model(
        "Scenario",
        __config__=_CONFIG,
        f_title=(_Text, Field(alias="title", description="A short title.")),
        f_question=(_Text, Field(alias="question", description="The question that the run answers.")),
        f_extends=(
            str | None,
            Field(None, alias="extends", description="Name of a scenario beside it to start from."),
        ),
        f_run=optional_section(run, "run"),
        f_network=optional_section(network, "network"),
        f_nodes=optional_section(settings_model("Nodes", sections["nodes"]), "nodes"),
        f_clients=optional_section(_clients(catalogue), "clients"),
        f_servers=optional_section(servers, "servers"),
        f_v2=second,
        f_platform=optional_section(platform, "platform"),
        f_defences=optional_section(defence, "defences"),
        f_workload=(tagged_union(patterns, "pattern"), Field(alias="workload")),
        f_faults=(_by_name(faults), Field(default_factory=dict, alias="faults")),
        f_vantages=(_by_name(vantages), Field(default_factory=dict, alias="vantages")),
        f_interference=(_by_name(interference), Field(default_factory=dict, alias="interference")),
        f_attacks=(_by_name(attacks), Field(default_factory=dict, alias="attacks")),
        f_training=optional_section(training, "training"),
        f_background=optional_section(settings_model("Background", sections["background"]), "background"),
        f_months=optional_section(settings_model("Months", sections["months"]), "months"),
        f_sweep=(swept, Field(None, alias="sweep")),
    )


def _below(prefix: str, sections: Mapping[str, type[Any]]) -> dict[str, tuple[Any, Any]]:
    """Make the fields of the sections below another one, each of which may be left out."""
    inner = [name for name in sections if name.startswith(prefix)]
    below = {name.removeprefix(prefix): sections[name] for name in inner}
    return {
        f"f_{name}": optional_section(settings_model(name.capitalize(), config), name)
        for name, config in sorted(below.items())
    }


def _by_name(kinds: dict[str, type[BaseModel]]) -> Any:
    """Make the type of a table of sections with names of the author's, each of one of some kinds."""
    kind: Any = tagged_union(kinds, "kind")
    return dict[Annotated[str, AfterValidator(_name)], kind]
