"""What a report says of fast and slow mode, word by word; and nothing where no phone is in fast mode."""

from __future__ import annotations

from dataclasses import replace

from sessionsim.core.readings import Reading
from sessionsim.report import ReportData, render
from sessionsim.report._data import Readings
from sessionsim.report._push_modes import LABEL, push_modes_answer


def of_times(name: str, value: float | None, low: float = 0.0, high: float = 0.0, n: float = 0.0) -> Reading:
    ends = (low, high) if value is not None else (None, None)
    needed = None if value is not None else 3
    counts = {"messages": n, "seeds": 4.0}
    return Reading("push-modes", name, "us", value, *ends, "t", 4, "seed", None, "", needed, counts)


def of_pushes(carried: float, pushes: float) -> Reading:
    name, counts = "pushes that carried the message", {"carried": carried, "pushes": pushes}
    value = carried / pushes if pushes else None
    ends = (0.5, 1.0) if pushes else (None, None)
    needed = None if pushes else 1
    return Reading(
        "push-modes", name, "prob", value, *ends, "bound", 4, "account", None, "", needed, counts
    )  # fmt: skip


FAST = [
    of_times("fast mode, mean", 670e3, 610e3, 730e3, 1266.0),
    of_times("fast mode, p95", 1.08e6, 0.95e6, 1.32e6),
]
SLOW = [of_times("slow mode, mean", 446e6, 415e6, 477e6, 1032.0), of_times("slow mode, p95", None)]


def test_a_run_without_fast_mode_says_nothing_of_it(readings: list[Reading], data: ReportData) -> None:
    assert push_modes_answer(Readings(readings)) == ""
    assert LABEL not in render(data)


def test_both_modes_and_the_pushes() -> None:
    assert push_modes_answer(Readings([*FAST, *SLOW, of_pushes(3.0, 4.0)])) == (
        "Phones in fast mode showed a message 670 ms (610 to 730 ms) after the wish to send on average, 95 of"
        " 100 within 1.08 s (1,266 messages), those in slow mode 7.43 min (6.92 to 7.95 min) after the wish"
        " to send on average (1,032 messages). 3 of 4 pushes carried the message itself (75 %)."
    )


def test_a_mode_without_times_and_a_run_without_pushes() -> None:
    nothing = of_times("fast mode, mean", None)
    assert push_modes_answer(Readings([nothing, *SLOW, of_pushes(0.0, 0.0)])) == (
        "Phones in slow mode showed a message 7.43 min (6.92 to 7.95 min) after the wish to send on average"
        " (1,032 messages). No push reached a phone."
    )
    assert push_modes_answer(Readings([nothing, of_pushes(0.0, 1.0)])) == (
        "Phones showed too few messages to say how soon. 0 of 1 push carried the message itself (0 %)."
    )


def test_the_page_has_the_answer(data: ReportData) -> None:
    page = render(replace(data, readings=(*data.readings, *FAST, *SLOW, of_pushes(3.0, 4.0))))
    assert LABEL in page
    assert "3 of 4 pushes carried the message itself" in page
