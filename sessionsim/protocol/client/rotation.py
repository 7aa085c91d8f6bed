"""Replacing the nodes behind the guards in time, with new paths that are tested before they are used.

    time      iOS: each path when its time is up; its guard is replaced too when that is too old. The old path
              is kept until the new one has answered; after a failure the next attempt follows after a pause
    request   Android: all paths at once, at the first request after the time is up; kept only if every new
              path has answered, one after another. After a failure the next request begins again

The test asks a node that no path uses for its `info`, over the new path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.idling import NEVER_US
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.path_keeper import OnionPath
from sessionsim.protocol.client.paths import Path, choose_guards, choose_rest, joined
from sessionsim.protocol.client.requests import Requests
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc

_NOTE: Final = note_of(Cause.PATH)


class Rotation:
    """Rotates the paths of one client. Args: requests, rules: of it; body_style: how it writes calls."""

    def __init__(self, requests: Requests, rules: ClientRules, body_style: rpc.BodyStyle) -> None:
        self._requests, self._keeper, self._rules = requests, requests.keeper, rules
        self._info = rpc.request_body(body_style, rpc.info_call())
        self._by_request = rules.rotation_trigger == "request"
        self._behind = rules.path_hops - 1
        self._tests = 0
        self._testing: list[OnionPath] = []  # paths whose successors are being tested
        self._delayed: dict[OnionPath, int] = {}  # after a failure: when to try again
        born_us = [path.born_us for path in self._keeper.ready]
        self._last_us = min(born_us, default=0)  # the last rotation of all paths, when requests begin it
        self._keeper.rotation = self

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def _due_us(self, path: OnionPath) -> int:
        return max(path.born_us + self._rules.rotation_us, self._delayed.get(path, 0))

    def next_due_us(self) -> int | None:
        """Give when the next path is to be rotated."""
        return self._next_due_us(self._keeper.all)

    def next_due_of_polls_us(self) -> int | None:
        """Give when the next path is to be rotated that polls may take."""
        return self._next_due_us(self._keeper.ready)

    def next_due_beside_us(self) -> int | None:
        """Give when the next path is to be rotated of which no poll takes even the guard."""
        keeper = self._keeper
        guards = {path.nodes[0] for path in keeper.ready}
        if any([path.nodes[0] in guards for path in keeper.for_files]):
            return None
        return self._next_due_us(keeper.for_files)

    def _next_due_us(self, paths: Sequence[OnionPath]) -> int | None:
        if self._by_request or not self._rules.rotation_us:
            return None
        return min([self._due_us(path) for path in paths if path not in self._testing], default=None)

    def wake(self, now_us: int) -> list[Effect]:
        return self._wake(self._keeper.all, now_us)

    def wake_beside(self, now_us: int) -> list[Effect]:
        """Rotate paths that no poll takes."""
        return self._wake(self._keeper.for_files, now_us)

    def _wake(self, paths: Sequence[OnionPath], now_us: int) -> list[Effect]:
        if not self._by_request and self._rules.rotation_us:
            for path in list(paths):
                if path not in self._testing and self._due_us(path) <= now_us:
                    self._rotate(path, now_us)
        return []

    def abandon(self) -> None:
        """Give up tests under way, since the client goes offline or to sleep."""
        self._testing = []

    def used(self, now_us: int) -> None:
        """Learn that a path is used now."""
        keeper, rules = self._keeper, self._rules
        if not (self._by_request and rules.rotation_us):
            return
        if self._testing or now_us - self._last_us < rules.rotation_us or len(keeper.ready) < rules.paths:
            return
        guards, others = keeper.used()
        rest = choose_rest(
            keeper.candidates(b"rotate"), len(guards) * self._behind, keeper.nodes, rules, guards, others
        )
        if len(rest) == len(guards) * self._behind:
            self._testing = list(keeper.ready)
            self._test_all(list(joined(guards, rest, self._behind)), 0, now_us)

    def next_use_us(self) -> int:
        """Give from when on the use of a path may begin a rotation; NEVER_US if time alone does."""
        if not (self._by_request and self._rules.rotation_us):
            return NEVER_US
        return self._last_us + self._rules.rotation_us

    # --- one path after another ---------------------------------------------------------------------------

    def _test_all(self, new: list[Path], at: int, now_us: int) -> None:
        """Test new paths one after another; put them all in place after the last."""
        old = self._testing
        if at < len(new):
            path = OnionPath(new[at], False, now_us, old[at].guard_since_us)
            self._test(
                path, now_us, lambda ok, t_us: self._test_all(new, at + 1, t_us) if ok else self._stop()
            )
            return
        if [path.nodes[0] for path in self._keeper.ready] == [nodes[0] for nodes in new]:
            for path, nodes in zip(list(self._keeper.ready), new, strict=True):
                self._keeper.exchange(path, OnionPath(nodes, False, now_us, path.guard_since_us))
            self._last_us = now_us
        self._stop()

    def _stop(self) -> None:
        self._testing = []

    # --- one path by itself -------------------------------------------------------------------------------

    def _rotate(self, old: OnionPath, now_us: int) -> None:
        keeper, rules = self._keeper, self._rules
        if self._requests.on_choice is not None:
            self._requests.on_choice(now_us)
        keeper.pool.forgive(now_us)
        guards, others = keeper.used()
        guard, since_us = old.nodes[0], old.guard_since_us
        if 0 < rules.guard_age_us < now_us - since_us:
            found = choose_guards(keeper.candidates(b"guards"), 1, keeper.nodes, rules, guards + others)
            guard, since_us = (found[0], now_us) if found else (guard, since_us)
            guards.append(guard)
        rest = choose_rest(keeper.candidates(b"rotate"), self._behind, keeper.nodes, rules, guards, others)
        if len(rest) < self._behind:
            self._delayed[old] = now_us + rules.rotation_retry_us
            return
        self._testing.append(old)
        new = OnionPath((guard, *rest), old.files, now_us, since_us)
        self._test(new, now_us, lambda ok, t_us: self._tested(old, new, ok, t_us))

    def _tested(self, old: OnionPath, new: OnionPath, answered: bool, now_us: int) -> None:
        if old in self._testing:
            self._testing.remove(old)
        if not self._keeper.in_use(old):
            self._delayed.pop(old, None)
        elif answered:
            self._delayed.pop(old, None)
            self._keeper.exchange(old, new)
        else:
            self._delayed[old] = now_us + self._rules.rotation_retry_us

    # --- the test -----------------------------------------------------------------------------------------

    def _test(self, path: OnionPath, now_us: int, then: Callable[[bool, int], None]) -> None:
        """Ask a node that no path uses for its info over this path; `then(answered, now_us)`."""
        keeper, requests, timeout_us = self._keeper, self._requests, self._rules.rotation_test_timeout_us
        guards, others = keeper.used()
        target = choose_rest(
            keeper.candidates(b"probe"), 1, keeper.nodes, self._rules, (*guards, path.nodes[0]),
            (*others, *path.nodes[1:]),
        )  # fmt: skip
        if not timeout_us or not target:
            then(not timeout_us, now_us)
            return
        number, self._tests = self._tests, self._tests + 1

        def answered(status: int, body: bytes, t_us: int) -> list[Effect]:
            requests.stir()
            then(status == 200, t_us)
            return []

        requests.put_aside(
            requests.send(
                number << 4 | Purpose.PATH_TEST,
                target[0],
                self._info,
                _NOTE,
                now_us,
                answered,
                path,
                timeout_us,
            )
        )
