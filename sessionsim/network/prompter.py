"""Tells devices what their people want, when it is time and when what it is about has come.

Most orders are commands at a time that is known ahead. A receipt, a reaction, a deletion, the yes or no to a
message request and the answer to a call are about a message that must be on the device first, or, for a
deletion, stored by it; so they wait, and go out at the later of the two times. So does what somebody
writes to another one whose name they look up. Whoever is called answers on
the device that rings first; who has hung up does so after the answer has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sessionsim.core.intents import (
    Acceptance,
    Call,
    Deletion,
    GroupText,
    InboxText,
    Intent,
    MessageAt,
    NameLookup,
    Post,
    Reaction,
    Receipt,
    Refusal,
    Typing,
)
from sessionsim.network.devices import Seat
from sessionsim.network.orders import Order

ANY: Final = -1  # whichever device of its reader a message comes to first
NEVER_WRITTEN: Final = -2

Address = tuple[str, int, int, int]  # of a call
Command = tuple[Any, ...]
Tell = Callable[[int, int, Command], None]  # at a time (µs), to an endpoint, a command


class Need(NamedTuple):
    """A message that has to be on a device. Args: message: its number, or NEVER_WRITTEN; seat: or ANY."""

    message: int
    seat: int


class Prompter:
    """The people of a run, as far as they act on what they see.

    Args:
        orders: in message-number order.
        seats: all devices; first_endpoint: of the first of them.
        ids: account ids (33 bytes) by number.
        plain: gives the command of an order that waits for nothing and is no signal.
        remark: gives that of a reaction to or deletion of what stands in a group or room; also gets when that
            was written (unix ms) and its hash.
        hash_of: gives the hash of a message that has come.
        tell: has a command given.
    """

    def __init__(
        self,
        orders: Sequence[Order],
        seats: Sequence[Seat],
        first_endpoint: int,
        ids: Sequence[bytes],
        plain: Callable[[int, Order], Command],
        remark: Callable[[int, Order, int, str], Command],
        hash_of: Callable[[int], str],
        tell: Tell,
    ) -> None:
        self._orders, self._seats, self._first = orders, seats, first_endpoint
        self._ids, self._plain, self._tell = ids, plain, tell
        self._remark, self._hash_of = remark, hash_of
        self._seat_at = {seat[:2]: place for place, seat in enumerate(seats)}
        self._ref_at: dict[MessageAt, int] = {}
        self._step_at: dict[tuple[Address, int], int] = {}  # a call, its step -> message
        self._lookup_of: dict[tuple[int, int], int] = {}  # who looks up whom -> message
        self._rings_on: dict[Address, int] = {}  # a call -> seat of whoever was called
        self._missing: dict[int, set[Need]] = {}  # message that waits -> what it still needs
        self._waiting: dict[Need, list[int]] = defaultdict(list)
        self._times: dict[
            Need, int
        ] = {}  # when a message was written (unix ms), once what waited for it goes
        for ref, order in enumerate(orders):
            if isinstance(order.wish, Intent | GroupText | Post | InboxText):
                self._ref_at[order.wish.address] = ref
            elif isinstance(order.wish, NameLookup):
                self._lookup_of[order.sender, order.wish.recipient] = ref
            elif isinstance(order.wish, Call):
                self._step_at[order.wish.address, order.step] = ref

    @property
    def listens(self) -> bool:
        """Whether anything waits, so that it has to be told what comes."""
        return bool(self._missing)

    def begin(self) -> None:
        """Give all commands that wait for nothing; to be called once."""
        for ref, order in enumerate(self._orders):
            needs = set(self._needs(order))
            if needs:
                self._missing[ref] = needs
                for need in needs:
                    self._waiting[need].append(ref)
            else:
                self._go(ref, order.t_us)

    def has(self, message: int, seat: int, written_ms: int, now_us: int) -> None:
        """Learn that a device has a message: it has shown it, or, if it wrote it, a node has stored it."""
        for need in (Need(message, seat), Need(message, ANY)):
            if need not in self._waiting:
                continue
            wish = self._orders[message].wish
            if need.seat == ANY and isinstance(wish, Call):
                if self._seats[seat].account != self._orders[message].recipient:
                    continue
                self._rings_on.setdefault(wish.address, seat)
            self._times[need] = written_ms
            for ref in self._waiting.pop(need):
                self._missing[ref].discard(need)
                if not self._missing[ref]:
                    del self._missing[ref]
                    self._go(ref, max(now_us, self._orders[ref].t_us))

    def awaited(self) -> Mapping[int, frozenset[int]]:
        """Give the messages that wait, each with those it waits for."""
        return {ref: frozenset(need.message for need in needs) for ref, needs in self._missing.items()}

    def deleted(self, begun: Callable[[int], bool]) -> frozenset[int]:
        """Give the messages of which their authors have asked that they be deleted. Args: begun: whether a
        message was sealed."""
        found = (
            self._ref_at.get(order.wish.target)
            for ref, order in enumerate(self._orders)
            if isinstance(order.wish, Deletion) and begun(ref)
        )
        return frozenset(ref for ref in found if ref is not None)

    # --- what each order is about -----------------------------------------------------------------------

    def _needs(self, order: Order) -> Iterator[Need]:
        wish = order.wish
        if isinstance(wish, Call):
            yield from self._needs_of_step(wish, order)
            return
        if isinstance(wish, Intent):
            lookup = self._lookup_of.get((order.sender, order.recipient))
            if lookup is not None and self._orders[lookup].t_us <= order.t_us:
                yield Need(lookup, ANY)
            return
        if not isinstance(wish, Acceptance | Refusal | Receipt | Reaction | Deletion):
            return
        seat = self._seat_at[order.sender, order.device]
        for target in _targets(wish):
            yield Need(self._ref_at.get(target, NEVER_WRITTEN), seat)

    def _needs_of_step(self, call: Call, order: Order) -> Iterator[Need]:
        """Give what a step of a call answers: whoever was called the offer, the caller the answer to it."""
        by_caller = call.signals[order.step].by_caller
        answered = ("answer",) if by_caller else ("offer", "pre-offer")
        before = [
            step
            for step, signal in enumerate(call.signals[: order.step])
            if signal.by_caller != by_caller and signal.step in answered
        ]
        if before:
            seat = self._seat_at[call.sender, call.device] if by_caller else ANY
            yield Need(self._step_at[call.address, before[-1]], seat)

    def _go(self, ref: int, t_us: int) -> None:
        order = self._orders[ref]
        seat = self._seat_at.get((order.sender, order.device))
        if seat is None:  # of whoever is called: the device that rings
            assert isinstance(order.wish, Call)
            seat = self._rings_on.get(order.wish.address, self._seat_at[order.sender, 0])
        self._tell(t_us, self._first + seat, self._command(ref, order, seat))

    def _command(self, ref: int, order: Order, seat: int) -> Command:
        wish = order.wish
        if isinstance(wish, Reaction | Deletion) and wish.target.where != "direct":
            target = self._ref_at[wish.target]
            return self._remark(ref, order, self._time(wish.target, seat), self._hash_of(target))
        if isinstance(wish, Refusal):
            return ("refuse-request", ref, self._ids[wish.recipient], wish.blocks)
        if not isinstance(wish, Acceptance | Typing | Receipt | Reaction | Deletion | Call):
            return self._plain(ref, order)
        to = self._ids[order.recipient]
        match wish:
            case Acceptance():
                return ("accept-request", ref, to)
            case Typing():
                return ("typing", ref, to, wish.step != "stop")
            case Receipt():
                return ("receipt", ref, to, tuple(self._time(target, seat) for target in _targets(wish)))
            case Reaction():
                author, time = self._ids[wish.target.author], self._time(wish.target, seat)
                return ("react", ref, to, author, time, wish.emoji, wish.removed)
            case Deletion():
                return ("unsend", ref, to, self._ids[wish.target.author], self._time(wish.target, seat))
            case Call():
                signal = wish.signals[order.step]
                return ("call", ref, to, signal.step, signal.body_bytes)

    def _time(self, target: MessageAt, seat: int) -> int:
        return self._times[Need(self._ref_at[target], seat)]


def _targets(wish: Acceptance | Refusal | Receipt | Reaction | Deletion) -> Iterator[MessageAt]:
    """Give the messages that a wish is about."""
    if isinstance(wish, Receipt):
        for number in wish.read:
            yield MessageAt("direct", wish.sender, wish.recipient, number)
    elif isinstance(wish, Acceptance | Refusal):
        yield wish.request
    else:
        yield wish.target
