"""Replicates side by side in processes. Results do not depend on how many there are.

Processes are spawned, not forked, so each starts from the same clean state. Ctrl-C reaches only the parent,
which raises a flag that each replicate looks at about once per simulated second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, Final

from sessionsim.core.errors import SessionSimError
from sessionsim.experiment.catalogue import families
from sessionsim.experiment.replicate import Outcome, run_replicate
from sessionsim.experiment.stage import Task
from sessionsim.scenario import Scenario

Watch = Callable[[Sequence[int]], None]
_POLL_S: Final = 0.2

# Set in each worker by `_begin`: simulated time reached per task, and the wish to stop.
_reached: Any = None
_stop: Any = None


def run_tasks(
    scenario: Scenario, tasks: Sequence[Task], out: Path, workers: int, watch: Watch
) -> list[Outcome]:
    """Run replicates and give their outcomes in the order of the tasks.

    Args:
        scenario: a resolved scenario.
        tasks: what to run.
        out: the folder of all seeds.
        workers: how many processes; 1 runs in this one.
        watch: told the simulated time reached per task, in µs, several times a second.

    Raises:
        KeyboardInterrupt: stopped by a person; finished replicates stay.
        SessionSimError: a worker died, or a replicate could not be run.
    """
    if workers == 1:
        return _one_by_one(scenario, tasks, out, watch)
    return _side_by_side(scenario, tasks, out, min(workers, len(tasks)), watch)


def _one_by_one(scenario: Scenario, tasks: Sequence[Task], out: Path, watch: Watch) -> list[Outcome]:
    reached = [0] * len(tasks)
    outcomes = []
    for position, task in enumerate(tasks):

        def tell(t_us: int, position: int = position) -> None:
            reached[position] = t_us
            watch(reached)

        outcomes.append(run_replicate(scenario, task, out, tell))
    return outcomes


def _side_by_side(
    scenario: Scenario, tasks: Sequence[Task], out: Path, workers: int, watch: Watch
) -> list[Outcome]:
    context = multiprocessing.get_context("spawn")
    reached: Any = context.Array("q", len(tasks), lock=False)
    stop: Synchronized[int] = context.Value("b", 0)
    with ProcessPoolExecutor(workers, context, _begin, (reached, stop)) as pool:
        try:
            with _interrupts_ignored():
                futures = [
                    pool.submit(_work, scenario, task, out, position) for position, task in enumerate(tasks)
                ]
            _await(futures, lambda: watch(list(reached)))
            return [future.result() for future in futures]
        except BrokenProcessPool as died:
            raise SessionSimError(
                "a worker process died, perhaps for lack of memory; try --workers 1"
            ) from died
        finally:
            stop.value = 1
            pool.shutdown(cancel_futures=True)


def _await(futures: Sequence[Future[Outcome]], report: Callable[[], None]) -> None:
    """Wait for all futures, or for the first that fails."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, _POLL_S, FIRST_COMPLETED)
        report()
        for future in done:
            future.result()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let processes that start inside inherit that Ctrl-C is not for them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(reached: Any, stop: Any) -> None:
    global _reached, _stop
    _reached, _stop = reached, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    families()  # a new process has met only the drop-ins whose settings it was sent
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot say so: without this, its workers would go on and then wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(scenario: Scenario, task: Task, out: Path, position: int) -> Outcome:
    def tell(t_us: int) -> None:
        _reached[position] = t_us
        if _stop.value:
            raise KeyboardInterrupt

    tell(0)
    return run_replicate(scenario, task, out, tell)
