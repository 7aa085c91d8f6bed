"""What people get, from what their devices get: cases worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.core.arrivals import OF_DELIVERIES, OF_MESSAGES, arrivals
from sessionsim.core.view import Table


def table(names: tuple[str, ...], *rows: tuple[Any, ...]) -> Table:
    columns = list(zip(*rows, strict=True)) or [() for _ in names]
    return {
        name: np.array(values, dtype=object if values and isinstance(values[0], str) else None)
        for name, values in zip(names, columns, strict=True)
    }


def messages(*rows: tuple[Any, ...]) -> Table:
    return table(OF_MESSAGES, *rows)


def deliveries(*rows: tuple[Any, ...]) -> Table:
    return table(OF_DELIVERIES, *rows)


def listed(found: Table) -> list[tuple[Any, ...]]:
    names = ("message", "account", "outcome", "reason", "delivered_us")
    return list(zip(*(found[name].tolist() for name in names), strict=True))


SENT = ("text", "delivered", "", True)


def test_a_reader_has_a_message_as_soon_as_the_first_device_has_it() -> None:
    found = arrivals(
        messages(SENT),
        deliveries(
            (0, 7, "message", 90, "delivered", ""),
            (0, 7, "message", 50, "delivered", ""),
            (0, 7, "message", -1, "waiting", "in the swarm"),
        ),
    )
    assert listed(found) == [(0, 7, "delivered", "", 50)]


def test_without_a_delivery_the_best_device_speaks_for_the_reader() -> None:
    rows = [
        (0, 7, "message", -1, "lost", "no node holds it"),
        (0, 7, "message", -1, "waiting", "in the swarm"),
        (0, 7, "message", -1, "expired", "not fetched in time"),
    ]
    found = arrivals(messages(("text", "waiting", "in the swarm", True)), deliveries(*rows))
    assert listed(found) == [(0, 7, "waiting", "in the swarm", -1)]
    found = arrivals(messages(("text", "expired", "", True)), deliveries(rows[0], rows[2]))
    assert listed(found) == [(0, 7, "expired", "not fetched in time", -1)]


def test_every_member_of_a_group_is_a_reader() -> None:
    found = arrivals(
        messages(SENT, ("group-text", "waiting", "in the swarm", True)),
        deliveries(
            (1, 9, "message", -1, "waiting", "in the swarm"),
            (1, 8, "message", 60, "delivered", ""),
            (0, 7, "message", 50, "delivered", ""),
        ),
    )
    assert listed(found) == [
        (0, 7, "delivered", "", 50),
        (1, 8, "delivered", "", 60),
        (1, 9, "waiting", "in the swarm", -1),
    ]


def test_copies_for_the_writer_and_for_who_came_later_make_no_reader() -> None:
    found = arrivals(
        messages(SENT),
        deliveries((0, 3, "sync", 50, "delivered", ""), (0, 4, "beyond", 50, "delivered", "")),
    )
    assert listed(found) == []


def test_what_was_never_sent_to_anybody_is_not_forgotten() -> None:
    found = arrivals(
        messages(SENT, ("group-text", "refused", "status 504", True), ("post", "waiting", "after", True)),
        deliveries((0, 7, "message", 50, "delivered", "")),
    )
    assert listed(found) == [
        (0, 7, "delivered", "", 50),
        (1, -1, "refused", "status 504", -1),
        (2, -1, "waiting", "after", -1),
    ]


@pytest.mark.parametrize("kinds", [("typing",), ("typing", "receipt")])
def test_other_kinds_and_the_unmeasured_do_not_count(kinds: tuple[str, ...]) -> None:
    given = (
        messages(SENT, ("typing", "delivered", "", True), ("typing", "delivered", "", False)),
        deliveries(*((ref, 7, "message", 50 + ref, "delivered", "") for ref in range(3))),
    )
    assert listed(arrivals(*given)) == [(0, 7, "delivered", "", 50)]
    assert listed(arrivals(*given, kinds)) == [(1, 7, "delivered", "", 51)]


def test_nothing_gives_nothing() -> None:
    empty = arrivals(
        {name: np.zeros(0, dtype=bool if name == "measured" else object) for name in OF_MESSAGES},
        {
            name: np.zeros(0, dtype=np.int64 if name in ("message", "account", "delivered_us") else object)
            for name in OF_DELIVERIES
        },
    )
    assert listed(empty) == []
