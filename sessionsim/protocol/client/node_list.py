"""Keeping the list of service nodes fresh: from nodes that must agree, or from a seed node (transport 4).

    oxend      desktop: `oxend_request` get_service_nodes in a batch, over paths; all three must name a node
    packed     Android and iOS: `active_nodes_bin`, over paths or directly; two of three must

A client with too few nodes for that asks a seed node instead, in the clear, which sees its address; where no
seed answers, it takes the list that its app ships with, if it ships one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.nodelist import NodeList
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.exchanges import Purpose
from sessionsim.protocol.client.idling import NEVER_US
from sessionsim.protocol.client.listings import agreed, read_listing
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import choose
from sessionsim.protocol.client.pool import Listing, listing_of, number_at
from sessionsim.protocol.client.requests import Requests
from sessionsim.protocol.client.rules import ClientRules
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.rpc_direct import write_direct
from sessionsim.protocol.wire.rpc_write import active_nodes_call, service_nodes_call
from sessionsim.protocol.wire.seed_json import nodes_request

NOTE: Final = note_of(Cause.NODE_LIST)
_QUIC: Final = int(Transport.QUIC)
_PACKED: Final = write_direct("active_nodes_bin", b"")
_APART_FROM_NOBODY: Final[tuple[int, ...]] = ()


class NodeListKeeper:
    """Keeps the pool of one client fresh.

    Args:
        requests: of that client.
        nodes: the node list of the world; its active nodes at time 0 are what the app ships with.
        rules: its platform.
        body_style: how it writes calls.
        entropy: its addressed chance.
        seeds: endpoints of seed nodes.
        listed: told when there is a new list, or none to be had.
    """

    def __init__(
        self,
        requests: Requests,
        nodes: NodeList,
        rules: ClientRules,
        body_style: rpc.BodyStyle,
        entropy: Entropy,
        seeds: Sequence[int],
    ) -> None:
        self._requests, self._nodes, self._rules, self._entropy = requests, nodes, rules, entropy
        self._pool, self._seeds = requests.pool, tuple(seeds)
        self.listed: Callable[[int], None] = _nobody
        if rules.list_form == "oxend":
            self._question = rpc.batch_body(body_style, [service_nodes_call(body_style)])
        else:
            self._question = rpc.request_body(body_style, active_nodes_call())
        # On QUIC requests without an onion are written in another way, and answered in bytes.
        self._over_quic = rules.list_form == "packed" and requests.connection == _QUIC
        self._due_us: int | None = None  # of the next refresh
        self._retry_us: int | None = None  # of the next attempt of one under way
        self._asked = 0  # requests so far, for their numbers and draws
        self._attempt = self._tries = self._seed_tries = 0
        self._awaited = 0
        self._lists: list[Listing] = []
        self._busy = False
        self._taken_us: int | None = None  # when the list was taken that is used

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        rules = self._rules
        if rules.list_interval_us:
            first_us = rules.list_first_us
            if not first_us and not rules.first_start:
                first_us = number_at(self._entropy, b"list phase", rules.list_interval_us)
            self._due_us = now_us + (first_us or rules.list_interval_us)
        return []

    def restart(self, now_us: int) -> None:
        """Count from a new start where the first refresh follows that; otherwise it is due as it was."""
        first_us = self._rules.list_first_us
        if self._due_us is not None and first_us:
            self._due_us = now_us + first_us

    def next_due_us(self) -> int | None:
        if self._busy or self._rules.list_trigger != "time":
            return self._retry_us
        return self._due_us

    def wake(self, now_us: int) -> list[Effect]:
        if self._retry_us is not None and self._retry_us <= now_us:
            self._retry_us = None
            self._go_on(now_us)
        elif self._rules.list_trigger == "time":
            self.used(now_us)
        return []

    def used(self, now_us: int) -> None:
        """Refresh if that is due. Called by time, with each request, or with each choice of nodes."""
        if self.is_due(now_us):
            self._begin(now_us)

    def is_due(self, now_us: int) -> bool:
        """Say whether use begins a refresh now."""
        if self._due_us is None or self._busy or self._requests.shut:
            return False
        return self._due_us <= now_us or (self._rules.list_trigger == "path" and self._lacks_nodes(now_us))

    def _lacks_nodes(self, now_us: int) -> bool:
        """Say whether too few nodes stand on no path, and the list is not too young to be refreshed."""
        rules = self._rules
        if self._is_young(now_us) or not rules.unused_minimum:
            return False
        guards, others = self._requests.keeper.used()
        if len(self._pool) - len(guards) - len(others) >= rules.unused_minimum:
            return False
        on_paths = {node for node in (*guards, *others) if node in self._pool}
        return len(self._pool) - len(on_paths) < rules.unused_minimum

    def _is_young(self, now_us: int) -> bool:
        return self._taken_us is not None and now_us - self._taken_us < self._rules.list_least_age_us

    def next_use_us(self) -> int:
        """Give from when on a request may begin a refresh; NEVER_US if none does."""
        return NEVER_US if self._due_us is None else self._due_us

    def needed(self, now_us: int) -> None:
        """Get a list at once, since too few nodes are known to go on."""
        if self._busy:
            return
        self._busy, self._tries, self._seed_tries = True, self._rules.list_tries, 0
        if self._is_young(now_us):
            assert self._taken_us is not None
            self._retry_us = self._taken_us + self._rules.list_least_age_us
            self._requests.stir()
        else:
            self._ask_seed(now_us)

    def abandon(self) -> None:
        """Give up a refresh under way, since the client goes offline or to sleep."""
        self._busy, self._retry_us, self._awaited = False, None, 0
        self._attempt += 1

    def _begin(self, now_us: int) -> None:
        self._busy, self._tries, self._seed_tries = True, 0, 0
        self._go_on(now_us)

    def _go_on(self, now_us: int) -> None:
        """Make the next attempt, at nodes or at a seed node."""
        rules = self._rules
        self._pool.forgive(now_us)
        too_few = len(self._pool) < max(rules.refresh_minimum, rules.list_sources)
        if too_few or self._tries >= rules.list_tries or self._seed_tries:
            self._ask_seed(now_us)
        else:
            self._ask_nodes(now_us)

    # --- nodes --------------------------------------------------------------------------------------------

    def _ask_nodes(self, now_us: int) -> None:
        rules, requests = self._rules, self._requests
        self._tries += 1
        self._attempt += 1
        self._lists = []
        candidates = self._pool.draws(self._entropy, b"list" + self._asked.to_bytes(4, "little"))
        apart, nodes = rules.list_sources_apart, self._nodes
        chosen = choose(candidates, rules.list_sources, nodes, apart, set(), _APART_FROM_NOBODY)
        self._awaited = len(chosen)
        attempt = self._attempt
        for node in chosen:
            exchange = self._number()
            direct = rules.list_route == "direct"
            if direct:
                body = _PACKED if self._over_quic else self._question
                effect = requests.ask_directly(
                    exchange, node, "storage_rpc", body, NOTE, now_us, rules.list_timeout_us,
                    lambda status, answer, t_us: self._answered(attempt, True, status, answer, t_us),
                )  # fmt: skip
            else:
                effect = requests.send(
                    exchange, node, self._question, NOTE, now_us,
                    lambda status, answer, t_us: self._answered(attempt, False, status, answer, t_us),
                    None, rules.list_timeout_us,
                )  # fmt: skip
            requests.put_aside(effect)
        if len(chosen) < rules.list_sources:
            self._attempt_failed(now_us)

    def _number(self) -> int:
        number, self._asked = self._asked, self._asked + 1
        return number << 4 | Purpose.NODE_LIST

    def _answered(self, attempt: int, direct: bool, status: int, answer: bytes, now_us: int) -> list[Effect]:
        self._requests.stir()
        if attempt != self._attempt or not self._awaited:
            return []  # of an attempt that is over
        self._awaited -= 1
        kind = "raw" if direct and self._over_quic else self._rules.list_form
        try:
            if status != 200:
                raise RemoteProtocolError("no list")
            self._lists.append(read_listing(kind, answer, self._nodes))
        except RemoteProtocolError:
            pass
        if self._awaited == 0:
            self._decide(now_us)
        return []

    def _decide(self, now_us: int) -> None:
        """Believe what enough of the lists agree on, or try again."""
        rules = self._rules
        if len(self._lists) == rules.list_sources:
            listing = agreed(self._lists, rules.list_agreement)
            if len(listing) >= rules.list_minimum:
                self._take(listing, now_us)
                return
        self._attempt_failed(now_us)

    def _attempt_failed(self, now_us: int) -> None:
        self._awaited, self._lists = 0, []
        self._retry_us = now_us + self._rules.list_pause_us

    # --- seed nodes ---------------------------------------------------------------------------------------

    def _ask_seed(self, now_us: int) -> None:
        """Ask a random seed node in the clear."""
        rules, requests = self._rules, self._requests
        if not self._seeds or self._seed_tries >= rules.seed_tries:
            self._without_seeds(now_us)
            return
        self._seed_tries += 1
        self._attempt += 1
        self._awaited = 1
        attempt, exchange = self._attempt, self._number()
        seed = self._seeds[
            number_at(self._entropy, b"seed" + exchange.to_bytes(8, "little"), len(self._seeds))
        ]
        head, question = ("storage_rpc", _PACKED) if self._over_quic else ("json_rpc", nodes_request())
        requests.put_aside(
            requests.ask_directly(
                exchange, seed, head, question, NOTE, now_us, rules.list_timeout_us,
                lambda status, answer, t_us: self._seed_answered(attempt, status, answer, t_us),
            )
        )  # fmt: skip

    def _seed_answered(self, attempt: int, status: int, answer: bytes, now_us: int) -> list[Effect]:
        self._requests.stir()
        if attempt != self._attempt or not self._awaited:
            return []
        self._awaited = 0
        try:
            if status != 200:
                raise RemoteProtocolError("no list")
            listing = read_listing("raw" if self._over_quic else "seed", answer, self._nodes)
            if len(listing) < self._rules.pool_minimum:
                raise RemoteProtocolError("too few nodes")
        except RemoteProtocolError:
            self._retry_us = now_us + self._rules.list_pause_us
        else:
            self._take(listing, now_us)
        return []

    def _without_seeds(self, now_us: int) -> None:
        """Go on with the list of the app, or with what there is."""
        rules = self._rules
        if len(self._pool) < rules.pool_minimum and rules.ships_list:
            self._take(listing_of(self._nodes), now_us)
            return
        self._busy = False
        if len(self._pool) < rules.pool_minimum:
            self._due_us = now_us + rules.seed_retry_us
        elif rules.list_interval_us:
            self._due_us = now_us + rules.list_interval_us
        self.listed(now_us)

    def _take(self, listing: Listing, now_us: int) -> None:
        self._pool.replace(listing)
        self._requests.keeper.forget_strikes()
        self._busy, self._lists, self._taken_us = False, [], now_us
        pause_us = max(self._rules.list_interval_us, self._rules.list_least_age_us)
        self._due_us = now_us + pause_us if self._rules.list_interval_us else None
        self.listed(now_us)


def _nobody(now_us: int) -> None:
    """Listen in nobody's place."""
