"""While a host runs, the memory collector keeps out of what is there already, and afterwards is as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from sessionsim.core.units import US_PER_S
from sessionsim.network.running import drive


class Watching:
    """A host that notes, each time it runs, how many things are frozen and how seldom is collected."""

    def __init__(self) -> None:
        self.frozen: list[int] = []
        self.thresholds: list[int] = []
        self.reached: list[int] = []

    def start(self) -> None:
        self.run(0)

    def run(self, until_us: int) -> None:
        self.frozen.append(gc.get_freeze_count())
        self.thresholds.append(gc.get_threshold()[0])
        self.reached.append(until_us)


@pytest.fixture
def thawed() -> Iterator[None]:
    """Begin with nothing frozen, though these tests as a whole freeze what stays to their end."""
    before = gc.get_freeze_count()
    gc.unfreeze()
    yield
    if before:
        gc.collect()
        gc.freeze()


def driven() -> Watching:
    host, thresholds = Watching(), gc.get_threshold()
    drive(host, 3 * US_PER_S, None)  # type: ignore[arg-type]
    assert host.reached[-1] == 3 * US_PER_S
    assert min(host.thresholds) > thresholds[0]
    assert gc.get_threshold() == thresholds
    return host


@pytest.mark.usefixtures("thawed")
def test_a_run_leaves_alone_what_was_there_and_thaws_it_afterwards() -> None:
    assert min(driven().frozen) > 1000
    assert gc.get_freeze_count() == 0


def test_what_was_frozen_before_a_run_stays_so_and_nothing_else(thawed: None) -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    later = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    assert max(driven().frozen) <= before
    assert before - 500 < gc.get_freeze_count() <= before  # a few of the frozen may have been let go
    assert len(later) == 1000
    gc.unfreeze()
