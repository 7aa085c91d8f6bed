"""People writing to each other: a semi-Markov process per person, coupled by answers.

Everybody has a next own moment of writing and a list of answers owed, each with the moment it falls due.
The person writes at whichever comes first:

- an answer that is due goes to the one it is owed to;
- at an own moment the message goes on to the person just written to (within a session, with probability
  SAME_CONTACT_PROB), else to a contact chosen by use of the tie.

After every message the next own moment is drawn anew. The first message of a turn is answered with the
measured probability after a delay of the measured mixture. The gaps between a person's messages are the
joint work of own moments and answers; own moments are calibrated so that the gaps follow the measured law
(`fits.MANNER`, `tests/verification/test_workload.py`). Short waits run on the wall clock, long ones on the
body clock and divided by the person's activity.

What this leaves out: ties are for good here, while most measured ones end after a few turns. Two people
who fell silent take up again, so counted over pairs the slowest third of "answers" is slower than measured.

Draws are addressed: own moments by (person, number of the message), answers and texts by (writer, reader,
number of the message on that tie), so somebody new changes only those who get to hear of him.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sessionsim.core.seeds import Seeds
from sessionsim.workload.contacts import Circle
from sessionsim.workload.draws import Rows
from sessionsim.workload.fits import (
    ACTIVITY_SIGMA,
    MANNER,
    SAME_CONTACT_PROB,
    SESSION_GAP_S,
)
from sessionsim.workload.laws import Manner, Mixture
from sessionsim.workload.rhythm import Clock, wait_until


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of a dialogue. Args: t_s: seconds from time 0; u_length, u_text: chance for its text."""

    t_s: float
    sender: int
    recipient: int
    u_length: float
    u_text: float


class _Tie:
    """One direction of a tie: its chance and its last message."""

    __slots__ = ("draws", "last_s")

    def __init__(self, seeds: Seeds, writer: int, reader: int) -> None:
        self.draws = Rows(seeds, 5, "tie", writer, reader)
        self.last_s = -math.inf


class _Person:
    """What one person is about to do."""

    __slots__ = (
        "answer",
        "circle",
        "clock",
        "draws",
        "last_s",
        "last_to",
        "owed",
        "own_gap",
        "own_s",
        "version",
    )

    def __init__(self, circle: Circle, clock: Clock, draws: Rows, own: Mixture, answer: Mixture) -> None:
        self.circle, self.clock, self.draws = circle, clock, draws
        self.own_gap, self.answer = own, answer
        self.owed: list[tuple[float, int]] = []  # heap of (due, to whom)
        self.last_s, self.last_to, self.own_s, self.version = -math.inf, -1, math.inf, 0

    @property
    def next_s(self) -> float:
        return min(self.own_s, self.owed[0][0]) if self.owed else self.own_s


class Dialogue:
    """All conversations among some people, from a moment on.

    Args:
        circles: contact lists, one per account.
        clocks: body clocks, one per account; None: the wall clock.
        slowness: factor on every long wait, above 0; 1 is the measured speed.
        seeds: streams used: ("workload", "moments", a) and ("workload", "tie", a, b) per direction.
        start_s: where the process starts, seconds; people are then inside a wait.
        manner: how people converse; its answers are those on ties that both sides use.
    """

    def __init__(
        self,
        circles: list[Circle],
        clocks: list[Clock],
        slowness: float,
        seeds: Seeds,
        start_s: float,
        manner: Manner = MANNER,
    ) -> None:
        self._seeds = seeds
        self._ties: dict[tuple[int, int], _Tie] = {}
        self._people = []
        self._queue: list[tuple[float, int, int]] = []
        self._answer_prob = manner.answer_prob
        for account, (circle, clock) in enumerate(zip(circles, clocks, strict=True)):
            draws = Rows(seeds, 4, "moments", account)
            factor = slowness * math.exp(-ACTIVITY_SIGMA * circle.activity)
            own = manner.own_gap.with_long_scaled(factor)
            answer = manner.answer_delay.with_long_scaled(factor)
            person = _Person(circle, clock, draws, own, answer)
            self._people.append(person)
            if circle.writes:
                u_gap, u_share, _, _ = draws.row()
                person.own_s = start_s + u_share * own.long.length_biased().at(u_gap)
                self._plan(account)

    def until(self, end_s: float) -> Iterator[Utterance]:
        """Go on, message by message in time order, up to `end_s` (excluded). Call it once."""
        while self._queue:
            now_s, account, version = heapq.heappop(self._queue)
            if now_s >= end_s:
                return
            if version == self._people[account].version:
                yield self._write(now_s, account)

    def _plan(self, account: int) -> None:
        person = self._people[account]
        person.version += 1
        heapq.heappush(self._queue, (person.next_s, account, person.version))

    def _write(self, now_s: float, account: int) -> Utterance:
        person = self._people[account]
        u_part, u_size, u_same, u_whom = person.draws.row()
        if person.owed and person.owed[0][0] <= now_s:
            _, to = heapq.heappop(person.owed)
        elif now_s - person.last_s <= SESSION_GAP_S and u_same < SAME_CONTACT_PROB:
            to = person.last_to
        else:
            to = person.circle.pick(u_whom)
        # What is owed to this person is answered by this message, due or not.
        if any(whom == to for _, whom in person.owed):
            person.owed = [item for item in person.owed if item[1] != to]
            heapq.heapify(person.owed)
        person.own_s = wait_until(person.own_gap, person.clock, now_s, u_part, u_size)
        person.last_s, person.last_to = now_s, to
        self._plan(account)
        return self._hear(now_s, account, to)

    def _hear(self, now_s: float, writer: int, reader: int) -> Utterance:
        """Let the reader decide on an answer if this message begins a turn."""
        tie, back = self._tie(writer, reader), self._tie(reader, writer)
        u_answer, u_part, u_size, u_length, u_text = tie.draws.row()
        begins = back.last_s >= tie.last_s or now_s - tie.last_s > SESSION_GAP_S
        tie.last_s = now_s
        person = self._people[reader]
        owes = begins and u_answer < self._answer_prob and person.circle.use(writer) > 0
        if owes and all(whom != writer for _, whom in person.owed):
            due_s = wait_until(person.answer, person.clock, now_s, u_part, u_size)
            heapq.heappush(person.owed, (due_s, writer))
            self._plan(reader)
        return Utterance(now_s, writer, reader, u_length, u_text)

    def _tie(self, writer: int, reader: int) -> _Tie:
        tie = self._ties.get((writer, reader))
        if tie is None:
            tie = self._ties[writer, reader] = _Tie(self._seeds, writer, reader)
        return tie
