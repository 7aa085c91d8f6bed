"""What is said and drawn of months of guards and of campaigns, from readings made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sessionsim.core.readings import Reading
from sessionsim.report import ReportData
from sessionsim.report._data import Readings
from sessionsim.report._figures import figures
from sessionsim.report._months import months_answer
from sessionsim.report._page import page

Make = Callable[..., Reading]
DAY = 86_400_000_000.0


@pytest.fixture
def months(make_reading: Make) -> list[Reading]:
    found = []
    for platform, share in (("android", 0.2), ("ios", 0.4)):
        for days in (30, 365):
            numbers = {
                "by us": days * DAY,
                "bad nodes": 126.0,
                "nodes": 1262.0,
                "stake SESH": 3.15e6,
                "at risk": 9.0,
            }
            name = f"random: a bad guard and a bad replica, {platform}: by {days} d"
            value = share * (1 if days == 365 else 0.5)
            found.append(make_reading("time-to-compromise", name, "prob", value, counts=numbers))
    for what, shares in (("a member", (0.2, 0.6, 0.8)), ("most members", (0.0, 0.0, 0.0))):
        for number, share in zip((50, 100, 200), shares, strict=True):
            facts = {"low": max(0.0, share - 0.1), "high": share + 0.04, "n": 100, "n_unit": "campaign"}
            counts = {"campaigns": 100.0, "reached": 100 * share, "stake SESH": 25_000.0 * number}
            if what == "a member":
                counts["placed at random"] = 0.39
            floor = {"baseline": 0.5, "baseline_name": "closed form"} if what == "a member" else {}
            name = f"{what} after {number} registrations"
            found.append(make_reading("swarm-capture", name, "prob", share, counts=counts, **facts, **floor))
    return found


def test_the_answer_gives_stake_latest_shares_and_the_first_number_that_gets_half_in(
    months: list[Reading],
) -> None:
    assert months_answer(Readings(months)) == (
        "“random” (126 of 1,262 nodes, 3,150,000 SESH at stake) stood as a guard and in the swarm of 20 % of"
        " android accounts (18 to 22 %) and 40 % of ios accounts (36 to 44 %) within 365 days. Of 100"
        " campaigns against one account's swarm, 60 (60 %; interval 50 to 64 %) had a node in it after 100"
        " registrations, 2,500,000 SESH at stake; the rule of placement gives 50 %, placement"
        " anywhere would 39 %; 0 had most of it after"
        " 200 (at most 4.0 %)."
    )


def test_selective_denial_stands_beside_the_coalition_that_does_it(
    months: list[Reading], make_reading: Make
) -> None:
    name = "random, ios: owned among working paths under selective denial"
    counts = {"working": 900.0, "owned": 12.0, "both ends if none is dropped": 0.01}
    one = make_reading("time-to-compromise", name, "prob", 0.0135, counts=counts, baseline=0.0135)
    text = months_answer(Readings([*months, one]))
    assert (
        "within 365 days. If it drops fresh paths that do not profit it, it owns both ends of those that"
        " still work: 1.4 % of those of ios (1.2 to 1.5 %); closed form 1.4 %, 1.0 % if none is dropped."
    ) in text


def test_selective_denial_is_a_row_of_the_table(
    data: ReportData, months: list[Reading], make_reading: Make
) -> None:
    name = "random, ios: owned among working paths under selective denial"
    one = make_reading("time-to-compromise", name, "prob", 0.0135, counts={"working": 900.0}, baseline=0.02)
    whole = replace(data, readings=(*data.readings, *months, one))
    drawn = {figure.name: figure for figure in figures(whole, Readings(whole.readings))}
    assert drawn["survival"].table.rows[-1] == (
        "random, ios: both ends, of paths that work under selective denial", "1.4 %", "1.2 to 1.5 %", "900",
        "2.0 %",
    )  # fmt: skip


def test_without_months_nothing_is_said(readings: list[Reading]) -> None:
    assert months_answer(Readings(readings)) == ""


def test_campaigns_are_drawn_with_closed_form_and_stake(data: ReportData, months: list[Reading]) -> None:
    whole = replace(data, readings=(*data.readings, *months))
    drawn = {figure.name: figure for figure in figures(whole, Readings(whole.readings))}
    rows = drawn["capture"].table.rows
    assert rows[1] == ("a member after 100", "60 %", "50 to 64 %", "50 %", "39 %", "2,500,000 SESH")
    assert len(rows) == 6
    assert "SESH at stake" in page(whole, [drawn["capture"]])
    assert "capture" not in {figure.name for figure in figures(data, Readings(data.readings))}
