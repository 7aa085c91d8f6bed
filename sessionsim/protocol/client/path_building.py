"""How missing onion paths come back: guards chosen and tested, nodes put behind them, requests let go.

    none        Android: nothing is tested; a missing path is there as soon as it is missed
    own-swarm   desktop: random candidates, as many as paths are wanted, are asked in the clear for the swarm
                of the own account, again and again until enough of them answer; then all paths are built
    handshake   iOS: each path by itself opens a connection to its guard; a guard that fails is struck, and
                another path is tried after a pause

The test of desktop tells each candidate the account id beside the address: a leak of the real program. A
client without enough nodes asks for the node list first, and goes on when it is told `listed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.path_keeper import Nodes, OnionPath
from sessionsim.protocol.client.paths import Path, choose_guards, choose_rest, joined
from sessionsim.protocol.client.requests import Requests
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.machine import CONNECTED, Effect
from sessionsim.protocol.wire import rpc

TEST_NOTE: Final = note_of(Cause.PATH)
_HTTPS: Final = int(Transport.HTTPS)


class _Opening:
    """A path that is being opened. Args: since_us: when its guard was taken; None: with the path."""

    __slots__ = ("due_us", "files", "nodes", "since_us", "tries")

    def __init__(self, files: bool, guard: int | None, since_us: int | None) -> None:
        self.files, self.since_us = files, since_us
        self.nodes: Nodes = () if guard is None else (guard,)
        self.tries, self.due_us = 0, -1  # due: when to try again; -1 while a test is under way


class Builder:
    """Builds the paths of one client.

    Args:
        requests: of that client; its keeper takes the paths.
        rules: its platform.
        account_hex: its account id, 66 digits.
        body_style: how it writes its calls.
        need_list: has the node list asked for, since there are too few nodes.
    """

    def __init__(
        self,
        requests: Requests,
        rules: ClientRules,
        account_hex: str,
        body_style: rpc.BodyStyle,
        need_list: Callable[[int], None],
    ) -> None:
        self._requests, self._keeper, self._rules = requests, requests.keeper, rules
        self._need_list = need_list
        self._question = rpc.request_body(body_style, rpc.get_swarm_call(body_style, account_hex))
        self._behind = rules.path_hops - 1
        self._tests = 0
        self._openings: list[_Opening] = []
        # Guards of the app that an extension does without, or that had yet to shake hands again when it fell
        # asleep: for files or not, and since when they are guards.
        self._resting: list[tuple[bool, int, int]] = []
        self._waits_for_list = self._filling = False
        # Of desktop's search for guards:
        self._searching = False
        self._candidates: Iterator[int] = iter(())
        self._good: list[int] = []
        self._round: list[int] = []
        self._awaited = self._rounds = self._tries = 0
        self._search_us: int | None = None
        self._keeper.builder = self

    # --- the part -----------------------------------------------------------------------------------------

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        if self._missing():
            self.build(now_us)
        return []

    def next_due_us(self) -> int | None:
        due = self._search_us
        for opening in self._openings:
            if opening.due_us >= 0 and (due is None or opening.due_us < due):
                due = opening.due_us
        return due

    def wake(self, now_us: int) -> list[Effect]:
        if self._search_us is not None and self._search_us <= now_us:
            self._search_us = None
            self._search(now_us)
        for opening in list(self._openings):
            if 0 <= opening.due_us <= now_us:
                self._open(opening, now_us)
        return []

    # --- what is asked of it ------------------------------------------------------------------------------

    def build(self, now_us: int) -> None:
        """See that missing paths come back."""
        if self._requests.shut or self._filling or not self._missing():
            return
        if self._requests.on_choice is not None:
            self._requests.on_choice(now_us)
        self._keeper.pool.forgive(now_us)
        if len(self._keeper.pool) < self._rules.pool_minimum:
            self._waits_for_list = True
            self._need_list(now_us)
        elif self._rules.guard_test == "handshake":
            self._open_missing(now_us)
        elif self._rules.guard_test == "none":
            self._fill(now_us)
        elif not self._searching:
            self._searching, self._tries = True, 0
            self._search(now_us)

    def rebuild(self, now_us: int, *, single: bool = False) -> None:
        """Build all paths anew around the same guards. Args: single: only one, as extensions do."""
        keeper, rules = self._keeper, self._rules
        self.abandon()
        had = [(path.files, path.nodes[0], path.guard_since_us) for path in keeper.all] + self._resting
        guards = [one for one in had if one[1] in keeper.pool and not self._too_old(one[2], now_us)]
        self._resting, keeper.single = [], single
        if single:
            taken = next((one for one in guards if not one[0]), None)
            self._resting = [one for one in guards if one is not taken]
            guards = [] if taken is None else [taken]
        for path in keeper.all:
            keeper.discard(path)
        if rules.guard_test == "handshake":
            self._openings = [_Opening(*guard) for guard in guards]
            for opening in list(self._openings):
                self._open(opening, now_us)
        elif rules.guard_test == "none" or len(guards) == (1 if single else rules.paths):
            self._put_behind(guards, now_us)
        self.build(now_us)
        self._requests.let_go(now_us)

    def abandon(self) -> None:
        """Give up what is being built, since the client goes offline or to sleep.

        A guard that only was to shake hands again stays one; a new one that has not yet shaken hands is none.
        Source: libsession-util: src/network/routing/onion_request_router.cpp (suspend forgets what is being
        built and keeps the guards that it knew).
        """
        self._resting += [
            (opening.files, opening.nodes[0], opening.since_us)
            for opening in self._openings
            if opening.since_us is not None and opening.nodes
        ]
        self._openings.clear()
        self._searching, self._search_us, self._awaited = False, None, 0

    def listed(self, now_us: int) -> None:
        """Go on, now that there is a new node list."""
        if self._waits_for_list:
            self._waits_for_list = False
            if len(self._keeper.pool) < self._rules.pool_minimum:
                self._requests.fail_held(now_us)
            else:
                self.build(now_us)

    def _missing(self) -> list[bool]:
        """List the paths that are wanted and not there: whether each is for files."""
        keeper, rules = self._keeper, self._rules
        if keeper.single:
            return [False] * (1 - len(keeper.ready))
        return [False] * (rules.paths - len(keeper.ready)) + [True] * (
            rules.file_paths - len(keeper.for_files)
        )

    def _too_old(self, since_us: int, now_us: int) -> bool:
        return 0 < self._rules.guard_age_us < now_us - since_us

    def _adopt(self, nodes: Nodes, files: bool, now_us: int, since_us: int | None) -> None:
        self._keeper.adopt(OnionPath(nodes, files, now_us, now_us if since_us is None else since_us))

    # --- nothing tested -----------------------------------------------------------------------------------

    def _fill(self, now_us: int) -> None:
        """Put a path in each gap, as far as there are nodes."""
        keeper, missing = self._keeper, self._missing()
        self._filling = True  # what waits may still find no path, and ask again
        guards, others = keeper.used()
        new = choose_guards(
            keeper.candidates(b"guards"), len(missing), keeper.nodes, self._rules, guards + others
        )
        rest = choose_rest(
            keeper.candidates(b"rest"),
            len(new) * self._behind,
            keeper.nodes,
            self._rules,
            guards + new,
            others,
        )
        for nodes, files in zip(self._joined(new, rest), missing, strict=False):
            self._adopt(nodes, files, now_us, now_us)
        self._finish(now_us)
        self._filling = False

    def _put_behind(self, guards: list[tuple[bool, int, int]], now_us: int) -> None:
        """Build paths around guards: for files or not, the guard, and since when it is one."""
        keeper, firsts = self._keeper, [guard for _, guard, _ in guards]
        rest = choose_rest(
            keeper.candidates(b"rest"), len(guards) * self._behind, keeper.nodes, self._rules, firsts
        )
        for nodes, (files, _, since_us) in zip(self._joined(firsts, rest), guards, strict=False):
            self._adopt(nodes, files, now_us, since_us)

    def _joined(self, guards: Sequence[int], rest: Sequence[int]) -> tuple[Path, ...]:
        """Make as many paths as there are nodes for."""
        enough = len(rest) // self._behind if self._behind else len(guards)
        return joined(guards[:enough], rest, self._behind)

    def _finish(self, now_us: int) -> None:
        """Let requests go, or tell them that there is no path."""
        if self._keeper.enough:
            self._requests.let_go(now_us)
        else:
            self._requests.fail_held(now_us)

    # --- guards asked for the own swarm -------------------------------------------------------------------

    def _search(self, now_us: int) -> None:
        """Begin one attempt to find guards."""
        self._good = [] if self._rules.guards_lost_together else self._keeper.used()[0]
        self._candidates = self._keeper.candidates(b"guards")
        self._rounds = 0
        self._test_round(now_us)

    def _test_round(self, now_us: int) -> None:
        """Ask as many candidates as paths are wanted, all at once."""
        rules, requests = self._rules, self._requests
        self._rounds += 1
        chosen = choose_guards(self._candidates, rules.paths, self._keeper.nodes, rules, self._good)
        self._round, self._awaited = [], len(chosen)
        if not chosen:
            self._attempt_failed(now_us)
        for node in chosen:
            number, self._tests = self._tests, self._tests + 1
            requests.put_aside(
                requests.ask_directly(
                    number << 4 | Purpose.GUARD_TEST, node, "storage_rpc", self._question, TEST_NOTE, now_us,
                    rules.guard_test_timeout_us,
                    lambda status, _, t_us, node=node: self._tested(node, status, t_us), _HTTPS,
                )
            )  # fmt: skip

    def _tested(self, node: int, status: int, now_us: int) -> list[Effect]:
        self._requests.stir()
        if not self._awaited:
            return []  # of a search that was abandoned
        self._awaited -= 1
        if status == 200:
            self._round.append(node)
        if self._awaited:
            return []
        self._good += self._round
        if len(self._good) >= self._rules.paths:
            self._found(self._good[: self._rules.paths], now_us)
        elif self._rounds < self._rules.guard_test_rounds:
            self._test_round(now_us)
        else:
            self._attempt_failed(now_us)
        return []

    def _found(self, guards: Iterable[int], now_us: int) -> None:
        """Build all paths around the guards that were found."""
        since = {path.nodes[0]: path.guard_since_us for path in self._keeper.all}
        for path in self._keeper.all:
            self._keeper.discard(path)
        self._put_behind([(False, guard, since.get(guard, now_us)) for guard in guards], now_us)
        self._searching = False
        self._finish(now_us)

    def _attempt_failed(self, now_us: int) -> None:
        self._tries += 1
        if self._tries > self._rules.build_retries:
            self._searching = False
            self._finish(now_us)
        else:
            self._search_us = now_us + self._pause_us(self._tries)

    def _pause_us(self, tries: int) -> int:
        rules = self._rules
        return int(
            min(rules.build_pause_us * rules.build_pause_growth ** (tries - 1), rules.build_pause_cap_us)
        )

    # --- guards that shake hands --------------------------------------------------------------------------

    def _open_missing(self, now_us: int) -> None:
        """Open paths until as many are there or on their way as are wanted."""
        for files in (False, True):
            on_the_way = sum(opening.files is files for opening in self._openings)
            for _ in range(self._missing().count(files) - on_the_way):
                opening = _Opening(files, None, None)
                self._openings.append(opening)
                self._open(opening, now_us)

    def _open(self, opening: _Opening, now_us: int) -> None:
        """Choose the nodes of a path, and open a connection to its guard."""
        keeper, rules, requests = self._keeper, self._rules, self._requests
        guards, others = keeper.used()
        for other in self._openings:
            if other is not opening and other.nodes:
                guards.append(other.nodes[0])
                others += other.nodes[1:]
        if not opening.nodes:
            opening.nodes = tuple(
                choose_guards(keeper.candidates(b"guards"), 1, keeper.nodes, rules, guards + others)
            )
        if opening.nodes:
            guards.append(opening.nodes[0])
            rest = choose_rest(keeper.candidates(b"rest"), self._behind, keeper.nodes, rules, guards, others)
            opening.nodes = (opening.nodes[0], *rest)
        if len(opening.nodes) <= self._behind:
            self._opening_failed(opening, now_us)
            return
        opening.due_us = -1
        number, self._tests = self._tests, self._tests + 1
        requests.put_aside(
            requests.connect(
                number << 4 | Purpose.GUARD_TEST, opening.nodes[0], TEST_NOTE, now_us,
                rules.guard_test_timeout_us,
                lambda status, _, t_us: self._opened(opening, status, t_us),
            )
        )  # fmt: skip

    def _opened(self, opening: _Opening, status: int, now_us: int) -> list[Effect]:
        self._requests.stir()
        if opening not in self._openings:
            return []  # abandoned
        if status != CONNECTED:
            self._keeper.strike(opening.nodes[0], now_us)
            self._opening_failed(opening, now_us)
            return []
        self._openings.remove(opening)
        self._adopt(opening.nodes, opening.files, now_us, opening.since_us)
        self._requests.let_go(now_us)
        return []

    def _opening_failed(self, opening: _Opening, now_us: int) -> None:
        opening.nodes, opening.since_us = (), None
        opening.tries += 1
        if opening.tries > self._rules.build_retries:
            self._openings.remove(opening)
            if not self._openings:
                self._finish(now_us)
        else:
            opening.due_us = now_us + self._pause_us(opening.tries)
