"""What attacks concluded, in words and in a table; worlds named, floors and ceilings beside every figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from sessionsim.core.readings import Reading
from sessionsim.report import ReportData, render
from sessionsim.report._data import Readings
from sessionsim.report._figures import figures
from sessionsim.report._guesses import Attack, World, attacks, price, rows, sentences
from sessionsim.report._panels import shown

Make = Callable[..., Reading]
CLOSED, OPEN = "timing, closed world of 20", "timing, population 1,000,000"
DECLARED = [
    {"name": "graph", "kind": "co-occurrence", "vantage": "nodes", "secret": "S8", "source": "metrics 2d(4)",
     "asks": "whether two accounts talk to each other"},
    {"name": "timing", "kind": "likelihood-ratio", "vantage": "both", "secret": "S1", "source": "PET 2004",
     "asks": "which address a message came from"},
]  # fmt: skip


def found(make: Make) -> list[Reading]:
    numbers = {"right": 90.0, "asked": 100.0, "ceiling": 0.95}
    rates = {"counts": {"prior": 0.01, "predictive value": 0.4}}
    alarms = {"hits": 8.0, "true pairs": 10.0, "alarms": 9.0, "ceiling": 1.0}
    readings = [
        make("rank-of-truth", f"{CLOSED}: top 1", "prob", 0.9, 0.05, counts=numbers, baseline=0.05),
        make("rank-of-truth", f"{CLOSED}: top 2", "prob", 0.95, 0.05, counts=numbers, baseline=0.1),
        make("rank-of-truth", f"{OPEN}: top 1", "prob", 0.02, counts=numbers | {"right": 2.0}, baseline=1e-6),
        make("rank-of-truth", f"{OPEN}: top 2", "prob", 0.03, counts=numbers | {"right": 3.0}, baseline=2e-6),
        make("distinguishing", f"{CLOSED}: advantage", "advantage", 0.9, counts={"ceiling": 1.0}),
        make("distinguishing", f"{CLOSED}: TPR at FPR 0.01", "prob", 0.5, **rates),
        make("distinguishing", f"{CLOSED}: TPR at FPR 0.1", "prob", 0.9, **rates),
        make("distinguishing", f"{CLOSED}: TPR at FPR 0.0001", "prob", None, needed=100_000, **rates),
        make("anonymity-set", f"{CLOSED}: posterior calibrated", "count", 1.0, 0),
        make("anonymity-set", f"{CLOSED}: effective anonymity set (M2)", "count", 1.4),
        make("anonymity-set", f"{CLOSED}: effective anonymity set (M2), p5", "count", 1.05),
        make("anonymity-set", f"{OPEN}: posterior calibrated", "count", 0.0, 0,
             counts={"claimed": 0.5, "came true": 0.02}),
        make("calibration", f"{CLOSED}: came true of claims from 80 to 90 %", "prob", 0.84,
             counts={"claims": 50.0, "claimed": 0.85}),
        make("distinguishing", "graph, closed world of 20: alarms that are true", "prob", 8 / 9,
        counts=alarms,
             baseline=0.05),
        make("distinguishing", "graph, population 1,000: alarms that are true", "prob", None, counts=alarms),
        make("distinguishing", "graph, population 10,000: alarms that are true", "prob", 0.5, counts=alarms),
        make("time-to-identify", f"{CLOSED}: identified within 30 s", "prob", 0.2,
             counts={"by us": 3e7, "at risk": 80.0}),
        make("time-to-identify", f"{CLOSED}: identified within 60 s", "prob", 0.4,
             counts={"by us": 6e7, "at risk": 60.0}),
    ]  # fmt: skip
    return readings


@pytest.fixture
def readings_of_attacks(make_reading: Make) -> Readings:
    return Readings(found(make_reading))


@pytest.fixture
def manifest_of_attacks(manifest: dict[str, Any]) -> dict[str, Any]:
    return {**manifest, "attacks": DECLARED}


def test_attacks_come_in_the_order_of_the_scenario_and_worlds_by_size(
    readings_of_attacks: Readings, manifest_of_attacks: dict[str, Any]
) -> None:
    graph, timing = attacks(readings_of_attacks, manifest_of_attacks)
    assert (graph.name, timing.name, timing.asks) == ("graph", "timing", "which address a message came from")
    assert [world.people for world in graph.worlds] == [0, 1_000, 10_000]
    assert [world.words for world in timing.worlds] == [
        "closed world of 20 accounts", "among 1,000,000 monthly accounts",
    ]  # fmt: skip


def test_two_sentences_say_what_was_guessed_and_how_it_stands_up_to_a_crowd(
    readings_of_attacks: Readings, manifest_of_attacks: dict[str, Any]
) -> None:
    graph, timing = attacks(readings_of_attacks, manifest_of_attacks)
    first, second = sentences(readings_of_attacks, timing)
    assert first == (
        "“timing”, from what “both” sees, guesses right which address a message came from in the closed world"
        " of 20 accounts for 90 of 100, 90 % (interval 86 to 94 %; blind guess 5.0 %; ceiling 95.0 %)."
    )
    assert second == (
        "Among 1,000,000 monthly accounts it guesses right for 2 of 100, 2.0 % (interval 1.8 to 2.2 %; blind"
        " guess < 0.1 %; ceiling 95.0 %); it claims 50 % and 2.0 % come true, so its probabilities make no"
        " crowd size."
    )
    first, second = sentences(readings_of_attacks, graph)
    assert "asked whether two accounts talk to each other, finds 8 of 10 pairs in the closed world" in first
    assert "of its alarms 89 % (interval 80 to 98 %; blind guess 5.0 %; ceiling 100 %) are true" in first
    assert second.startswith("Among 10,000 monthly accounts it finds 8 of 10 pairs")


def test_a_closed_world_alone_is_said_to_be_alone(make_reading: Make) -> None:
    one = make_reading("rank-of-truth", f"{CLOSED}: top 1", "prob", None, counts={"right": 0.0, "asked": 2.0})
    attack = attacks(Readings([one]), {})[0]
    first, second = sentences(Readings([one]), attack)
    assert "cannot be judged" in first
    assert "3 would do" in first
    assert second == "No world with other people in it was asked for."


def test_the_table_has_floor_ceiling_and_lower_tail(
    readings_of_attacks: Readings, manifest_of_attacks: dict[str, Any]
) -> None:
    table = {
        row[0]: row[1:]
        for row in rows(readings_of_attacks, attacks(readings_of_attacks, manifest_of_attacks))
    }
    assert table["timing, closed world of 20 accounts"] == (
        "90 % (86 to 94 %)", "5.0 %", "95.0 %", "0.900 (0.810 to 0.990)", "1.4 (1.1)",
    )  # fmt: skip
    assert table["timing, among 1,000,000 monthly accounts"][4] == "claims do not hold"
    assert table["graph, closed world of 20 accounts"][4] == "nothing claimed"


def test_a_share_with_an_interval_over_half_of_everything_makes_no_sentence(make_reading: Make) -> None:
    few = {"right": 3.0, "asked": 4.0, "ceiling": 1.0}
    facts = {"counts": few, "low": 0.0, "high": 1.0, "n": 4, "n_unit": "seed", "baseline": 0.05}
    one = make_reading("rank-of-truth", f"{CLOSED}: top 1", "prob", 0.75, **facts)
    first, _ = sentences(Readings([one]), attacks(Readings([one]), {})[0])
    assert first == (
        "“timing” guesses right in the closed world of 20 accounts for 3 of 4: not enough data (interval 0 to"
        " 100 % over 4 seeds; about 16 would do)."
    ).replace(" in the closed world of 20 accounts", "")
    assert "75 %" not in first


def test_a_mean_crowd_is_not_given_without_its_lower_tail(make_reading: Make) -> None:
    numbers = {"right": 90.0, "asked": 100.0}
    few = {"n": 90, "n_unit": "account", "needed": 200}
    stored = [
        make_reading("rank-of-truth", f"{CLOSED}: top 1", "prob", 0.9, 0.05, counts=numbers),
        make_reading("anonymity-set", f"{CLOSED}: posterior calibrated", "count", 1.0, 0),
        make_reading("anonymity-set", f"{CLOSED}: effective anonymity set (M2)", "count", 1.4),
        make_reading("anonymity-set", f"{CLOSED}: effective anonymity set (M2), p5", "count", None, **few),
    ]
    _, second = sentences(Readings(stored), attacks(Readings(stored), {})[0])
    assert "how large a crowd it leaves: not enough data: 90 accounts, 200 would do" in second
    assert "1.4" not in second
    (row,) = rows(Readings(stored), attacks(Readings(stored), {}))
    assert row[-1] == "1.4 (not enough data)"


def test_a_mean_error_has_its_tails_beside_it(make_reading: Make) -> None:
    stored = [
        make_reading("estimation-error", f"{CLOSED}: mean error", "h", 2.0),
        make_reading("estimation-error", f"{CLOSED}: error, p5", "h", 0.5),
        make_reading("estimation-error", f"{CLOSED}: error, p95", "h", 5.0),
    ]
    first, _ = sentences(Readings(stored), attacks(Readings(stored), {})[0])
    tails = "on average, by less than 0.500 h for one in twenty and by more than 5.00 h for another."
    assert first.endswith(tails)
    few = replace(stored[1], value=None, low=None, high=None, n=90, n_unit="question", needed=200)
    first, _ = sentences(Readings([stored[0], few, stored[2]]), attacks(Readings(stored), {})[0])
    assert first.endswith("its smallest and largest errors: not enough data: 90 questions, 200 would do.")


def test_where_the_price_was_not_measured_nothing_is_said_of_it() -> None:
    assert price(Readings(())) == ""


def test_a_price_that_nobody_watched_is_not_a_matter_of_more_seeds(readings: list[Reading]) -> None:
    unwatched = [
        replace(r, value=None, low=None, high=None, n=0, needed=3) if r.metric == "traffic" else r
        for r in readings
    ]
    assert price(Readings(unwatched)).endswith("95 of 100 within 6.00 s; no client's link was watched.")
    few = [
        replace(r, value=None, low=None, high=None, n=2, needed=3) if r.metric == "traffic" else r
        for r in readings
    ]
    assert price(Readings(few)).endswith("bytes of a client in a day: not enough data: 2 seeds, 3 would do.")


def test_price_stands_beside_privacy(readings: list[Reading]) -> None:
    assert price(Readings(readings)) == (
        "Price of this network: 98.0 % of the messages delivered, half of these within 2.00 s, 95 of 100"
        " within 6.00 s; a client's link carries 70.1 MB a day."
    )


def test_at_most_four_worlds_are_drawn_the_smallest_and_the_largest_among_them() -> None:
    worlds = [World(str(k), "a", k, 20) for k in range(7)]
    assert [world.people for world in shown(worlds)] == [0, 2, 4, 6]
    assert shown(worlds[:3]) == worlds[:3]


def test_every_figure_of_attacks_is_drawn_with_its_table(
    data: ReportData, make_reading: Make, manifest_of_attacks: dict[str, Any]
) -> None:
    attacked = replace(data, readings=(*data.readings, *found(make_reading)), manifest=manifest_of_attacks)
    drawn = {figure.name: figure for figure in figures(attacked, Readings(attacked.readings))}
    assert {"rank", "roc", "growth", "survival", "calibration"} <= drawn.keys()
    assert any("not enough data" in " ".join(row) for row in drawn["roc"].table.rows)
    assert (
        "timing, closed world of 20 accounts: at 0.01",
        "50 %",
        "45 to 55 %",
        "40 %",
        "1 in 100",
    ) in drawn["roc"].table.rows
    told = price(Readings(attacked.readings))
    assert all(drawn[name].note.endswith(told) for name in ("coverage", "rank", "roc", "growth"))
    assert all(drawn[name].note.endswith(told) for name in ("survival", "calibration"))
    page = render(attacked)
    assert "What was guessed" in page
    # Beside the words of each attack, the table of all, each figure of privacy and who learned what.
    assert unescape(page).replace("\u00a0", " ").count(told) >= 2 + 1 + 6 + 1
    assert "which address a message came from" in page


def test_a_run_without_attacks_says_nothing_of_guesses(data: ReportData) -> None:
    assert attacks(Readings(data.readings), data.manifest) == []
    assert "What was guessed" not in render(data)


def test_an_attack_of_no_scenario_still_has_its_numbers(readings_of_attacks: Readings) -> None:
    assert [one.name for one in attacks(readings_of_attacks, {})] == ["timing", "graph"]
    assert isinstance(attacks(readings_of_attacks, {})[0], Attack)


def test_a_closed_world_is_spoken_of_beside_a_figure_only_where_it_is_drawn(
    data: ReportData, make_reading: Make, manifest_of_attacks: dict[str, Any]
) -> None:
    everything = (*data.readings, *found(make_reading))
    open_alone = tuple(one for one in everything if "closed world" not in one.name)
    for readings, told in ((everything, True), (open_alone, False)):
        attacked = replace(data, readings=readings, manifest=manifest_of_attacks)
        drawn = {figure.name: figure for figure in figures(attacked, Readings(readings))}
        assert ("closed world of the run" in drawn["growth"].note) is told
