"""The state of all interference while a run goes on: the host asks it, and nobody else does.

    meets    an operated node is about to deal with something: now, later, or never
    leaves   an operated node sends something: as it is, or altered
    passes   something goes over a link that is held: how much later it gets through

What it sends by itself goes out by `Control.inject`, under exchange numbers that no node uses; the answers to
that reach the adversary and not its node. Nothing here draws but by the address of the request it concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, Protocol

from sessionsim.core.view import Table
from sessionsim.network.interference.holding import NEVER, Holding
from sessionsim.network.interference.log import Action, actions_table
from sessionsim.network.interference.sending import Sending, Target
from sessionsim.network.interference.tampering import Tampering, tagged
from sessionsim.network.interference.telling import Telling
from sessionsim.network.kernels import ARRIVE, Entry
from sessionsim.protocol.machine import SEND, Effect, Machine
from sessionsim.protocol.snode import ServiceNode

_OWN: Final = 1 << 61  # exchange numbers of what is injected; nodes relay from 1 << 62 on, the rest is small
_HOP: Final = "sn.onion_request"


class Control(Protocol):
    """What the host lets it do."""

    def at(self, t_us: int, act: Callable[[int], None]) -> None: ...
    def inject(self, src: int, effect: Effect, now_us: int, *, stores: str = "") -> None: ...


class Meddler:
    """All interference of one run.

    Args:
        holdings, tamperings, sendings, tellings: the interferences, in the order of the scenario.
        clients: endpoints of clients, as anyone can tell them from nodes by their addresses.

    `nodes` are the operated nodes and `links` the clients whose links are held, where anything is done.
    """

    def __init__(
        self,
        holdings: Sequence[Holding],
        tamperings: Sequence[Tampering],
        sendings: Sequence[Sending],
        tellings: Sequence[Telling],
        senders: frozenset[int],
        clients: Iterable[int],
    ) -> None:
        self._holdings, self._tamperings = holdings, tamperings
        self._sendings, self._tellings = sendings, tellings
        self.nodes = senders.union(
            *(one.nodes for one in holdings),
            *(one.nodes for one in tamperings),
            *(one.nodes for one in tellings),
        )
        self.links = frozenset[int]().union(*(one.links for one in holdings))
        self._clients = frozenset(clients)
        self._whose = dict.fromkeys(self.nodes, -1)  # for which client a node acts just now
        self._numbers = count(_OWN)
        # Of what was altered or injected: node, its next one and exchange -> interference, client, account.
        self._awaited: dict[tuple[int, int, int], tuple[Any, int, str]] = {}
        self._log: list[Action] = []
        self._now_us = 0
        self._control: Control | None = None
        rhythmic: list[Holding | Tampering] = [*holdings, *tamperings]
        for one in rhythmic:
            for target, begin_us, end_us in one.rhythm.slots():
                self._log.append(Action(one.name, one.kind, "slot", begin_us, end_us, client=target))
        for sending in sendings:  # the adversary knows whom it stores for by the id alone
            for account, begin_us, end_us in sending.slots():
                slot = Action(sending.name, sending.kind, "slot", begin_us, end_us, account=account)
                self._log.append(slot)

    def begin(self, control: Control, machines: Sequence[Machine]) -> None:
        """Take hold of the nodes, and put what is to be sent by itself into the queue."""
        self._control = control
        for telling in self._tellings:
            for node in sorted(telling.nodes):
                machine = machines[node]
                assert isinstance(machine, ServiceNode)
                machine.read_with(telling.reading(node, machine.reads, partial(self._told, telling)))
        for sending in self._sendings:
            for t_us, target, address in sending.moments():
                control.at(t_us, partial(self._send, sending, target, address))

    def actions(self) -> Table:
        """Give the log, see `log.Action`."""
        return actions_table(self._log)

    # --- what the host asks ---------------------------------------------------------------------------

    def meets(self, entry: Entry) -> int:
        """Give when an operated node is to deal with an entry: its own time, a later one, or NEVER."""
        now, kind, node = entry[0], entry[3], entry[4]
        self._now_us = now
        self._whose[node] = -1
        if kind != ARRIVE:
            return int(now)
        src, exchange, head = entry[5], entry[7], entry[8]
        if type(head) is int:
            return self._answered(node, src, exchange, head, now)
        if src not in self._clients:
            return int(now)
        t_us = now
        for holding in self._holdings:
            if node not in holding.nodes:
                continue
            until_us = holding.release_us(src, t_us)
            if until_us != t_us:
                what = "dropped" if until_us == NEVER else "held"
                end_us = now if until_us == NEVER else until_us
                self._log.append(Action(holding.name, holding.kind, what, now, end_us, node, src))
            if until_us == NEVER:
                return NEVER
            t_us = until_us
        self._whose[node] = src
        return int(t_us)

    def resumes(self, node: int, client: int, now_us: int) -> None:
        """Learn that a node now deals with a client's request that has waited."""
        self._now_us = now_us
        self._whose[node] = client

    def leaves(self, src: int, effect: Effect, draw: int, now_us: int) -> Effect:
        """Give what really leaves an operated node. Args: draw: 64 bits, of this transmission."""
        _, dst, conn, exchange, head, payload, note = effect
        client = self._whose[src]
        if head != _HOP or client < 0 or _is_own(exchange):
            return effect
        for one in self._tamperings:
            if src not in one.nodes or not one.rhythm.is_marked(client, now_us):
                continue
            if one.after_us is None:
                self._awaited[src, dst, exchange] = one, client, ""
                self._log.append(Action(one.name, one.kind, "tagged", now_us, now_us, src, client))
                effect = (SEND, dst, conn, exchange, head, tagged(payload, draw), note)
            else:
                assert self._control is not None
                copy = (SEND, dst, conn, next(self._numbers), head, payload, 0)
                self._control.at(now_us + one.after_us, partial(self._copy, one, src, client, copy))
        return effect

    def passes(self, src: int, dst: int, direction: int, t_us: int, rtt_us: int) -> int:
        """Give how much longer a transmission takes that leaves at `t_us`, in µs."""
        client = src if src in self.links else dst
        if client not in self.links:
            return 0
        through_us = t_us
        for holding in self._holdings:
            if client in holding.links:
                asks = direction == 0 and client == src
                until_us = holding.through_us(client, through_us, rtt_us, asks=asks)
                if until_us != through_us:
                    log = Action(holding.name, holding.kind, "held", through_us, until_us, client, client)
                    self._log.append(log)
                through_us = until_us
        return through_us - t_us

    # --- what it does by itself -----------------------------------------------------------------------

    def _send(self, sending: Sending, target: Target, address: bytes, now_us: int) -> None:
        assert self._control is not None
        letter = sending.letter(target, address, now_us, lambda: next(self._numbers))
        account = letter.account.hex()
        _, dst, _, exchange, *_ = letter.effect
        self._awaited[letter.src, dst, exchange] = sending, -1, account
        self._log.append(
            Action(
                sending.name, sending.kind, "stored", now_us, now_us, letter.src, -1, account, letter.hash
            )
        )  # fmt: skip
        self._control.inject(letter.src, letter.effect, now_us, stores=letter.hash)

    def _copy(self, one: Tampering, src: int, client: int, copy: Effect, now_us: int) -> None:
        assert self._control is not None
        self._awaited[src, copy[1], copy[3]] = one, client, ""
        self._log.append(Action(one.name, one.kind, "copied", now_us, now_us, src, client))
        self._control.inject(src, copy, now_us)

    def _answered(self, node: int, src: int, exchange: int, status: int, now_us: int) -> int:
        """Note what came of something altered or injected; answers to what was injected go no further."""
        awaited = self._awaited.pop((node, src, exchange), None)
        if awaited is not None:
            one, client, account = awaited
            what = "answered" if status == 200 else "refused"
            self._log.append(Action(one.name, one.kind, what, now_us, now_us, node, client, account))
        return NEVER if _is_own(exchange) else now_us

    def _told(self, telling: Telling, node: int, account: bytes, name: str, asked: str) -> None:
        now_us = self._now_us
        self._log.append(
            Action(
                telling.name, telling.kind, "told", now_us, now_us, node, -1, account.hex(), name, asked
            )
        )  # fmt: skip


def _is_own(exchange: int) -> bool:
    """Say whether a number is one of what was injected."""
    return _OWN <= exchange < 2 * _OWN
