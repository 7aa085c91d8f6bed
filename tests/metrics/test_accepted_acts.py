"""How much of what an adversary altered, repeated or sent was accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.view import ACTION_COLUMNS
from sessionsim.metrics import METRICS, Replicate

METRICS.scan()
ENTRY = METRICS["accepted-acts"]


def acts(*rows: tuple[str, str, int, str]) -> dict[str, Any]:
    """Make a log. Rows: interference, what, client, account."""
    table: dict[str, Any] = {}
    for name in ACTION_COLUMNS:
        whole = name in ("t_us", "until_us", "place", "client")
        table[name] = np.zeros(len(rows), np.int64) if whole else np.array([""] * len(rows), object)
    for place, name in enumerate(("name", "what", "client", "account")):
        table[name] = np.array([row[place] for row in rows], np.int64 if name == "client" else object)
    return table


@pytest.fixture
def told(make_replicate: Callable[..., Replicate]) -> Any:
    replicate = make_replicate()
    client = int(replicate.truth.devices["endpoint"][0])
    stranger = str(replicate.truth.accounts["account_id"][1])

    def readings(*rows: tuple[str, str, int, str]) -> dict[str, Any]:
        made = ENTRY.factory(ENTRY.config())
        seeds = [made.tally(replace(replicate, actions=acts(*rows) if rows else {}))] * 3
        return {one.name: one for one in made.readings(seeds)}

    return readings, client, stranger


def test_nothing_is_said_where_nobody_interfered(told: Any) -> None:
    readings, _, _ = told
    assert readings() == {}
    assert readings(("a", "slot", -1, ""), ("a", "held", 5, "")) == {}


def test_what_was_refused_or_left_open_is_not_accepted(told: Any) -> None:
    readings, client, stranger = told
    rows = [("bit", "tagged", client, "")] * 4 + [("bit", "refused", client, "")] * 3
    rows += [("probe", "stored", -1, stranger)] * 4 + [("probe", "answered", -1, stranger)] * 3
    rows += [("copy", "copied", client, ""), ("copy", "answered", client, "")]
    found = readings(*rows)
    none = found["bit: altered requests that were accepted"]
    assert (none.value, none.counts) == (0.0, {"accepted": 0.0, "sent": 12.0})
    assert none.high is not None
    assert none.high > 0  # the bound for no event at all
    assert found["probe: stores for strangers that were accepted"].value == 0.75
    assert found["copy: repeated requests that were accepted"].value == 1.0
    assert set(found) == {
        "bit: altered requests that were accepted",
        "probe: stores for strangers that were accepted",
        "copy: repeated requests that were accepted",
    }
