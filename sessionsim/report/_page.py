"""The page: everything a reader sees, put into one self-contained file.

Order: answers, who learned what, price, figures, assumptions, scenario and manifest, credits. Every text
goes through the template's escaping; the two exceptions are our own style sheet and our own figures.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from sessionsim.core.scene import Role
from sessionsim.report import _appendix, _coalitions, _guesses, _lenses
from sessionsim.report._answers import answers
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._months import LABEL as MONTHS
from sessionsim.report._months import months_answer
from sessionsim.report._numbers import (
    count_of,
    of_reading,
    percent_digits,
    span_of,
)
from sessionsim.report._push_modes import LABEL as MODES
from sessionsim.report._push_modes import push_modes_answer
from sessionsim.report._secrets import matrix, unsound
from sessionsim.report._version2 import LABEL, NOTE, version2_answer, version2_rows

if TYPE_CHECKING:
    from sessionsim.report._figures import Drawn

_TEMPLATES: Final = Path(__file__).parent / "templates"
_OPEN_HINT: Final = "Add [run.open] with a seed to the scenario, or set keep_bytes = true in [run]."
LIMITS: Final = (
    "Only certain knowledge is in the table of who learned what. What observers guess from times and sizes is"
    " apart from it, and only the attacks that the scenario names were tried; a better one may exist.",
    "The accounts of a run are a closed world: shares of accounts carry over to the real network, the number"
    " of other people one could be mistaken for does not.",
    "Who operates which real service node is unknown; coalitions are inputs, not findings.",
    "Sites, access lines and record sizes are models. Other values move latency and bytes, not who holds"
    " which bytes.",
    "Intervals cover chance between seeds, not a wrong model.",
)


class Answer(NamedTuple):
    """One sentence on top, and where its numbers stand."""

    label: str
    text: str
    anchor: str
    link: str


class Price(NamedTuple):
    """One tile. Args: lacking: there is no value, and the text says why."""

    label: str
    value: str
    range: str
    lacking: bool


class Observer(NamedTuple):
    """A column of the matrix. Args: where: where it stands; lens: id of its lens, empty for none."""

    name: str
    where: str
    lens: str


class Example(NamedTuple):
    """One derivation. Args: fact: the fact in words; steps: of its derivation."""

    title: str
    fact: str
    steps: tuple[str, ...]


def page(data: ReportData, figures: Sequence[Drawn]) -> str:
    """Write the whole page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_bound,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    readings = Readings(data.readings)
    manifest, ids = data.manifest, _lenses.lens_ids(data.sights)
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    assumptions, sourced = _appendix.settings(manifest)
    return environment.get_template("report.html").render(
        css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        version=str(manifest.get("version", "")),
        title=str(manifest.get("title") or data.name),
        question=str(manifest.get("question", "")),
        answers=_answers(readings, manifest, figures),
        seeds_short=_seeds_short(data),
        seeds_long=_seeds_long(data),
        unsound=unsound(readings),
        matrix=matrix(readings),
        observers=[
            Observer(name, _where(name, manifest, readings), ids.get(name, ""))
            for name in readings.observers()
        ],
        matrix_note=_matrix_note(readings, data),
        examples=[] if data.sights else _examples(data),
        coalitions=_coalitions.panels(data.sights.coalitions if data.sights else ()),
        lenses=_lenses.lenses(data.sights),
        lens_note=_lenses.note(data.sights),
        lens_head=_lenses.HEAD,
        lens_key=_lenses.legend(),
        lens_data=htmlsafe_json_dumps(_lenses.script_data(data.sights), separators=(",", ":")),
        script=Markup(script if data.sights else ""),  # noqa: S704 (our own file)
        script_hash=_pinned(script) if data.sights else "",
        guessed=_guessed(readings, manifest),
        guess_head=_guesses.HEAD,
        guess_rows=_guesses.rows(readings, _guesses.attacks(readings, manifest)),
        guess_price=_guesses.price(readings),
        open_hint=_OPEN_HINT,
        prices=_prices(readings),
        price_note=_price_note(readings),
        version2=version2_rows(readings),
        version2_label=LABEL,
        version2_note=NOTE,
        figures=figures,
        limits=LIMITS,
        assumptions=assumptions,
        sourced=sourced,
        scenario_name=data.name,
        commands=_appendix.commands(data),
        manifest=_appendix.manifest_facts(manifest),
        scenario=_appendix.scenario_text(manifest),
        readings=_appendix.all_readings(readings),
        readings_shown=_appendix.readings_shown(readings),
        citation=_appendix.citation(data),
        licences=list(data.licences.items()),
    )


def _pinned(script: str) -> str:
    """Name the one script that the page may run by its hash, for its content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _bound(text: object) -> object:
    """Keep a number and its unit on one line, unless the text is markup."""
    if isinstance(text, str) and not isinstance(text, Markup):
        return re.sub(r"(?<=\d) (?=(?:%|µs|ms|s|min|h|B|kB|MB|GB)(?![\w]))", "\u00a0", text)
    return text


def _answers(readings: Readings, manifest: Mapping[str, Any], figures: Sequence[Drawn]) -> list[Answer]:
    texts = answers(readings.all, manifest)
    drawn = {figure.name for figure in figures}
    latency = "latency" if "latency" in drawn else "price"
    found = [
        Answer("How fast", texts[0], latency, "curve and table"),
        Answer("How reliably, at what price", texts[1], "price", "all prices"),
        Answer("Who learned what", texts[2], "knows", "table and derivations"),
    ]
    if months := months_answer(readings):
        found.append(
            Answer(MONTHS, months, "survival" if "survival" in drawn else "figures", "curves and tables")
        )
    if modes := push_modes_answer(readings):
        found.append(Answer(MODES, modes, "again", "all readings"))
    if second := version2_answer(readings):
        found.append(Answer(LABEL, second, "version2", "all readings"))
    return found


def _seeds_short(data: ReportData) -> str:
    return count_of(len(data.seeds), "seed")


def _seeds_long(data: ReportData) -> str:
    """Name the seeds by suite, and those whose bytes were opened."""
    parts = []
    for suite in sorted({seed.suite for seed in data.seeds}):
        numbers = [seed.seed for seed in data.seeds if seed.suite == suite]
        parts.append(f"{runs(numbers)} ({suite})")
    opened = [seed.seed for seed in data.seeds if seed.opened]
    text = f"{'Seed' if len(data.seeds) == 1 else 'Seeds'} {', '.join(parts)}."
    return f"{text} Bytes were kept and opened for {runs(opened)}." if opened else text


def runs(numbers: Sequence[int]) -> str:
    """Write ascending integers shortly, for example `1 to 8, 101`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]} to {s[-1]}" for s in spans)


def _where(name: str, manifest: Mapping[str, Any], readings: Readings) -> str:
    """Say where an observer stands, from the scenario and from the nodes it turned out to operate."""
    parts = [str(one.get("kind", "")) for one in manifest.get("observers", ()) if one.get("name") == name]
    members = manifest.get("resolved", {}).get("vantages", {}).get(name, {}).get("members")
    if members:
        parts.append("of " + ", ".join(map(str, members)))
    reading = readings.get("coalition-coverage", f"{name}: bad guard")
    if reading is not None:
        bad, nodes = reading.counts["bad nodes"], reading.counts["nodes"]
        parts.append(f"{bad:,.0f} of {nodes:,.0f} nodes ({percent_digits(bad / nodes)} %)")
    else:
        parts.append("nodes in this role" if set(parts) & set(Role) else "no nodes")
    return ", ".join(part for part in parts if part)


def _guessed(readings: Readings, manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give each attack with its two sentences."""
    found = []
    for attack in _guesses.attacks(readings, manifest):
        first, second = _guesses.sentences(readings, attack)
        facts = {key: str(value) for key, value in attack._asdict().items() if key != "worlds"}
        found.append(facts | {"first": first, "second": second})
    return found


def _matrix_note(readings: Readings, data: ReportData) -> str:
    some = readings.of("who-learned-what")
    if not some:
        return ""
    accounts = next(one.counts["accounts"] for one in some if "accounts" in one.counts)
    opened = [seed.seed for seed in data.seeds if seed.opened]
    return (
        f"From {count_of(accounts, 'account')} of seed {runs(opened)}. For intervals, messages are"
        " counted by the account whose secret they are. Every fact was checked against what really happened:"
        f" {sum(one.value or 0 for one in some if 'contradicted' in one.name):,.0f} contradicted."
        f" {_guesses.price(readings)}"
    ).strip()


def _examples(data: ReportData) -> list[Example]:
    """Take the first fact of each observer and relation, with its derivation."""
    first = {(fact.observer, fact.relation): fact for fact in reversed(data.facts)}
    relations = [fact.relation for fact in data.facts]
    order = {relation: k for k, relation in enumerate(dict.fromkeys(relations))}
    chosen = sorted(first.values(), key=lambda fact: (fact.observer, order[fact.relation]))
    return [
        Example(
            f"{fact.observer}: {fact.relation.value}",
            f"{fact.subject} – {fact.relation.value}" + (f" – {fact.object}" if fact.object else ""),
            fact.derivation,
        )
        for fact in chosen[:24]
    ]


def _prices(readings: Readings) -> list[Price]:
    wanted = (
        ("Half delivered within", "latency", "end to end, p50"),
        ("95 % delivered within", "latency", "end to end, p95"),
        ("99 % delivered within", "latency", "end to end, p99"),
        ("Stored within, on average", "latency", "intent to stored, mean"),
        ("Messages delivered", "delivery", "delivered"),
        ("Unfinished at the end", "delivery", "unfinished at the end"),
        ("Bytes of a client in a day", "traffic", "client links, total"),
        ("Of these, for messages", "traffic", "client links, message"),
    )
    tiles = []
    for label, metric, name in wanted:
        reading = readings.get(metric, name)
        if reading is not None and metric == "traffic" and not reading.n:
            reading = (
                None  # no client's link was watched: nothing was measured, and more seeds change nothing
            )
        lacking = reading is None or reading.value is None
        remark = span_of(reading)
        tiles.append(Price(label, of_reading(reading), f"interval {remark}" if remark else "", lacking))
    return tiles


def _price_note(readings: Readings) -> str:
    """Say what the intervals and the shares are of."""
    mean = readings.get("latency", "end to end, mean")
    text = "95 % intervals"
    if mean is not None and mean.value is not None:
        text += f" over {count_of(mean.n, mean.n_unit)}"
    delivered = readings.get("delivery", "delivered")
    if delivered is not None and delivered.interval.startswith("95 % bound"):
        text += f"; delivery: {delivered.interval}"
    return (
        text + ". Times are of messages that came so far; what is unfinished is neither delivered nor lost."
    )
