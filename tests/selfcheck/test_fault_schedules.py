"""Fault schedules: what they draw, and that what does not hold is noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sessionsim.core.truth import Truth
from sessionsim.network.faults import KINDS
from sessionsim.network.hardship import Hardship
from sessionsim.network.kernels import HeapKernel
from sessionsim.selfcheck import fault_schedules
from sessionsim.selfcheck.fault_schedules import ScheduleBroken, _outcomes, _Watching, run_schedule, schedule


def test_a_schedule_is_a_function_of_its_number() -> None:
    assert schedule(5) == schedule(5)
    assert schedule(5) != schedule(6)


def test_a_few_hundred_schedules_draw_everything_there_is() -> None:
    specs = [schedule(number) for number in range(300)]
    faults = [fault for spec in specs for fault in spec.faults]
    kinds = Counter(fault.kind for fault in faults)
    assert kinds.keys() == KINDS.keys()
    assert {fault.config.by for fault in faults} == {*fault_schedules._ANYBODY}
    assert {bool(fault.config.every_us) for fault in faults} == {True, False}
    assert {fault.config.answer for fault in faults if fault.kind == "crash"} == {"refused", "silent"}
    assert {fault.config.disk for fault in faults if fault.kind == "crash"} == {"kept", "lost"}
    assert {spec.membership.mode for spec in specs} == {"still", "rates"}
    assert {spec.node_rules.version for spec in specs} == {"2.8.0", "2.11.3"}
    assert {len(spec.faults) for spec in specs} == {1, 2, 3, 4}
    met = Counter(wish.kind for spec in specs for wish in spec.intents)
    assert min(met["strangers"], met["name-lookup"], met["refusal"]) > 10
    assert sum(bool(spec.update_rules["ios"].interval_us) for spec in specs) == 74


def test_what_is_drawn_differs_from_run_to_run() -> None:
    digests = {run_schedule(number, HeapKernel()).digest for number in range(4)}
    assert len(digests) == 4


def watching(entries: list[int]) -> None:
    kernel = HeapKernel()
    kernel.queue.extend((t_us, 1, rank, 0) for rank, t_us in enumerate(entries))
    _Watching(kernel, 7).run(1 << 60, lambda entry: None)


def test_time_that_goes_back_or_stands_still_is_noticed() -> None:
    watching([1, 2, 2, 3])
    with pytest.raises(ScheduleBroken, match=r"schedule 7: time goes back to 3 us"):
        watching([5, 3])
    with pytest.raises(ScheduleBroken, match="does not move on"):
        watching([9] * (fault_schedules.MOST_AT_ONCE + 1))
    with pytest.raises(ScheduleBroken, match="does not move on"):
        watching(list(range(fault_schedules.MOST_ENTRIES + 1)))


def truth(**columns: Any) -> Truth:
    rows = {
        "outcome": ["waiting"] * 6, "reason": ["in the swarm"] * 6,
        "intent_us": [5] * 6, "stored_us": [9] * 6, "delivered_us": [-1] * 6,
    }  # fmt: skip
    table = {name: np.array(values) for name, values in (rows | columns).items()}
    devices = {"message": np.arange(6), "copy": np.array(["message"] * 6)}
    devices |= {name: np.resize(table[name], 6) for name in ("outcome", "delivered_us")}
    return Truth({}, {}, table, devices, {}, {}, start_us=0, end_us=1)


@pytest.mark.parametrize(
    "columns",
    [
        {"outcome": ["waiting"] * 5},
        {"outcome": ["vanished"] * 6},
        {"reason": [""] * 6},
        {"stored_us": [4] * 6},
        {"outcome": ["delivered"] * 6, "reason": [""] * 6},
        {"outcome": ["delivered"] * 6, "delivered_us": [7] * 6},
        {"outcome": ["delivered"] * 6, "reason": [""] * 6, "delivered_us": [4] * 6},
        {"outcome": ["lost"] * 6, "delivered_us": [7] * 6},
        {"outcome": ["expired"] * 6, "stored_us": [-1] * 6},
        {"outcome": ["refused"] * 6},
    ],
)
def test_accounts_that_do_not_fit_are_noticed(columns: dict[str, Any]) -> None:
    assert _outcomes(1, truth()) == ("waiting",) * 6
    with pytest.raises(ScheduleBroken):
        _outcomes(1, truth(**columns))


def test_a_message_may_be_lost_to_one_reader_of_several_and_its_row_says_so() -> None:
    seen = truth(outcome=["lost"] * 6, delivered_us=[7] * 6)
    rows = {"message": np.repeat(np.arange(6), 2), "copy": np.array(["message"] * 12)}
    rows |= {"outcome": np.array(["delivered", "lost"] * 6), "delivered_us": np.array([7, -1] * 6)}
    assert _outcomes(1, replace(seen, deliveries=rows)) == ("lost",) * 6
    for name, wrong in (
        ("delivered_us", [8, -1]),
        ("outcome", ["lost", "lost"]),
        ("copy", ["sync", "message"]),
    ):
        with pytest.raises(ScheduleBroken):
            _outcomes(1, replace(seen, deliveries=rows | {name: np.array(wrong * 6)}))


def test_a_host_that_forgets_the_past_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault hook that draws from something but the transmission gives other records the second time."""
    turn, calls = Hardship.turn, iter(range(10**9))

    def late(self: Any, change: Any, now: int) -> None:
        if next(calls) % 2:
            change = replace(change) if not isinstance(change, tuple) else change._replace(t_us=now)
            now += 1 + next(calls) % 7
        turn(self, change, now)

    monkeypatch.setattr(Hardship, "turn", late)
    noticed = 0
    for number in range(6):
        try:
            fault_schedules.check_schedule(number)
        except ScheduleBroken:
            noticed += 1
    assert noticed
