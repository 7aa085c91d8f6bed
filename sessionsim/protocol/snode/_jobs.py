"""Requests that are being executed, recursive calls waiting for the whole swarm (transport 5.5, 5.7).

A recursive call is forwarded to all other members at once, then executed here, and is answered when all
members have answered or their time is up. What a member did not answer in time is sent again later, if the
version does so (`_retries`). A batch starts everything together and answers when all is done; a
sequence starts the next when the last has been answered, and stops at the first status outside 200-299.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import count

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._retries import Retries
from sessionsim.protocol.snode._storage_rpc import StorageRpc
from sessionsim.protocol.wire.rpc_answers import (
    TIMEOUT_ENTRY,
    Answer,
    batch_answer,
    entry_of_answer,
    store_answer,
)
from sessionsim.protocol.wire.rpc_calls import RECURSIVE, DeleteCall, RecursiveCall
from sessionsim.protocol.wire.rpc_forward import write_recursive
from sessionsim.protocol.wire.rpc_node import NodeCall, SimpleCall, StoreCall, write_forward
from sessionsim.protocol.wire.rpc_results import deletes_any
from sessionsim.protocol.wire.unsealed import UnsealedRequest

_OMQ = int(Transport.OMQ)
_NOTE = note_of(Cause.REPLICATION)
_FOR_ALL = RECURSIVE | {StoreCall}


class Job:
    """A client's request on its way to being answered.

    Args:
        src, conn, exchange: whom the answer goes to.
        layer: what seals it, or the request itself where that has no bytes; None for a request that came
            without an onion.
        ephemeral: the client's key of that layer.
        as_json, as_base64: how the client wants the answer wrapped.

    `asked` is the call as it came, `outcomes` are those of the ifelse around it, and `direct` says how a
    client of OMQ or QUIC is answered.
    """

    __slots__ = (
        "answers",
        "as_base64",
        "as_json",
        "asked",
        "calls",
        "conn",
        "direct",
        "ephemeral",
        "exchange",
        "in_turn",
        "is_batch",
        "layer",
        "left",
        "outcomes",
        "src",
    )

    def __init__(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer | UnsealedRequest | None = None,
        ephemeral: bytes = b"",
        as_json: bool = False,
        as_base64: bool = True,
    ) -> None:
        self.src, self.conn, self.exchange = src, conn, exchange
        self.layer, self.ephemeral, self.as_json, self.as_base64 = layer, ephemeral, as_json, as_base64
        self.calls: tuple[SimpleCall, ...] = ()
        self.is_batch = self.in_turn = False
        self.answers: list[Answer | None] = []
        self.left = 0
        self.asked: NodeCall | None = None
        self.outcomes: tuple[bool, ...] = ()
        self.direct = 0


class _Replication:
    """One call that waits for members.

    Args:
        job, index: the call it is.
        call: itself.
        forward: what the members got.
        left: members not heard from.
        now_ms: when it came, unix ms.
    """

    __slots__ = ("call", "entries", "forward", "hash", "index", "job", "left", "now_ms")

    def __init__(
        self, job: Job, index: int, call: StoreCall | RecursiveCall, forward: bytes, left: int, now_ms: int
    ) -> None:
        self.job, self.index, self.call, self.forward = job, index, call, forward
        self.left, self.now_ms = left, now_ms
        self.hash = ""
        self.entries: dict[str, bytes] = {}


class Jobs:
    """The jobs of one node.

    Args:
        endpoint: position of the node in the list.
        nodes: the list.
        rpc: what executes a call here.
        rules: for the time to wait.
        epoch_ms: unix ms of simulated time 0.
        further: exchange numbers of the calls of a sequence behind its first. Such a call may go out when a
            member is given up, and then its delays are drawn by its number, which nothing else may shift.
        retries: takes what members do not answer in time; None to forget it.
    """

    def __init__(
        self,
        endpoint: int,
        nodes: NodeList,
        rpc: StorageRpc,
        rules: NodeRules,
        epoch_ms: int,
        further: Iterator[int],
        retries: Retries | None = None,
    ) -> None:
        self._rpc, self.epoch_ms, self._retries = rpc, epoch_ms, retries
        # Exchange numbers of all other calls, by member: so none depends on what was told to another one.
        self._numbers, self._further = defaultdict[int, Iterator[int]](partial(count, 1)), further
        self._timeout_us, self._all_failed_is_500 = rules.replication_timeout_us, rules.all_failed_is_500
        self._own = nodes.ed25519[endpoint].hex()
        self._endpoint = endpoint
        self.use(nodes)
        # Member, exchange number -> deadline, replication, the member's key as hex. In order of deadline,
        # since all wait equally long.
        self._awaited: dict[tuple[int, int], tuple[int, _Replication, str]] = {}

    def use(self, nodes: NodeList) -> None:
        """Take a node list; calls that already wait go on waiting for the members they were sent to."""
        endpoint = self._endpoint
        members = nodes.members.get(nodes.swarm[endpoint], ())
        self._others = tuple((node, nodes.ed25519[node].hex()) for node in members if node != endpoint)

    @property
    def others(self) -> tuple[int, ...]:
        """The other members, in the order in which they are told."""
        return tuple(node for node, _ in self._others)

    def __len__(self) -> int:
        return len(self._awaited)

    def forget(self) -> None:
        """Drop all that is under way, as a program that stops does."""
        self._awaited.clear()

    def begin(self, job: Job, effects: list[Effect], now_us: int) -> Answer | None:
        """Start a job whose calls are set.

        Args:
            job: what to do.
            effects: takes the forwarded calls.
            now_us: simulated time.

        Returns:
            The answer if it is complete.
        """
        if job.in_turn:
            return self._continue(job, effects, now_us)
        calls = job.calls
        if _FOR_ALL.isdisjoint(map(type, calls)):
            # Nothing to forward: a poll, in most cases.
            now_ms, run = now_us // US_PER_MS + self.epoch_ms, self._rpc.answer
            answers = [run(call, now_ms) for call in calls]
            return batch_answer(answers) if job.is_batch else answers[0]
        job.answers = [None] * len(job.calls)
        job.left = len(job.calls)
        for index, call in enumerate(job.calls):
            answer = self._execute(job, index, call, effects, now_us)
            if answer is not None:
                job.answers[index] = answer
                job.left -= 1
        return self._whole(job)

    def take(
        self,
        src: int,
        exchange: int,
        status: int,
        payload: bytes,
        effects: list[Effect],
        now_us: int,
    ) -> tuple[Job, Answer | None] | None:
        """Take a member's answer; None if nothing like it is awaited from that node."""
        awaited = self._awaited.pop((src, exchange), None)
        if awaited is None:
            return None
        _deadline, replication, key = awaited
        return self._heard(replication, key, entry_of_answer(status, payload), effects, now_us)

    def next_deadline_us(self) -> int | None:
        """Give the earliest time a member's answer is overdue."""
        return next(iter(self._awaited.values()))[0] if self._awaited else None

    def expire_one(self, effects: list[Effect], now_us: int) -> tuple[Job, Answer | None] | None:
        """Give up on the member that is overdue longest; None if none is."""
        for (member, exchange), (deadline, replication, key) in self._awaited.items():
            if deadline > now_us:
                return None
            del self._awaited[member, exchange]
            if self._retries is not None:
                self._retries.add(member, replication.forward, now_us)
            return self._heard(replication, key, TIMEOUT_ENTRY, effects, now_us)
        return None

    def _heard(
        self, replication: _Replication, key: str, entry: bytes, effects: list[Effect], now_us: int
    ) -> tuple[Job, Answer | None]:
        job = replication.job
        replication.entries[key] = entry
        replication.left -= 1
        if replication.left:
            return job, None
        answer = self._swarm_answer(replication)
        if job.in_turn:
            job.answers.append(answer)
            return job, self._continue(job, effects, now_us)
        job.answers[replication.index] = answer
        job.left -= 1
        return job, self._whole(job)

    def _continue(self, job: Job, effects: list[Effect], now_us: int) -> Answer | None:
        answers = job.answers
        while len(answers) < len(job.calls) and not (answers and not _succeeded(answers[-1])):
            index = len(answers)
            answer = self._execute(job, index, job.calls[index], effects, now_us)
            if answer is None:
                return None
            answers.append(answer)
        return batch_answer([answer for answer in answers if answer is not None])

    def _whole(self, job: Job) -> Answer | None:
        if job.left:
            return None
        if not job.is_batch:
            return job.answers[0]
        return batch_answer([answer for answer in job.answers if answer is not None])

    def _execute(
        self, job: Job, index: int, call: SimpleCall, effects: list[Effect], now_us: int
    ) -> Answer | None:
        now_ms = now_us // US_PER_MS + self.epoch_ms
        if type(call) is StoreCall:
            refusal = self._rpc.refusal_of_store(call, now_ms)
            if refusal is not None:
                return refusal
            forward = write_forward(call)
        elif type(call) in RECURSIVE:
            refusal = self._rpc.refusal(call, now_ms)  # type: ignore[arg-type]
            if refusal is not None:
                return refusal
            forward = write_recursive(call)  # type: ignore[arg-type]
        else:
            return self._rpc.answer(call, now_ms)
        # Members get it before it is executed here.
        replication = _Replication(job, index, call, forward, len(self._others), now_ms)  # type: ignore[arg-type]
        deadline = now_us + self._timeout_us
        further = job.in_turn and index
        for node, key in self._others:
            exchange = next(self._further if further else self._numbers[node])
            effects.append((SEND, node, _OMQ, exchange, "sn.storage_cc", forward, _NOTE))
            self._awaited[node, exchange] = (deadline, replication, key)
        replication.hash, replication.entries[self._own] = self._rpc.run_own(replication.call, now_ms)
        if self._others:
            return None
        return self._swarm_answer(replication)

    def _swarm_answer(self, replication: _Replication) -> Answer:
        """Write the answer once every member has been heard or given up."""
        entries, call = replication.entries, replication.call
        answer = store_answer(replication.hash, entries, replication.now_ms, self._rpc.hard_fork)
        if answer[0] != 200 and not self._all_failed_is_500:
            answer = (200, *answer[1:])
        if type(call) is DeleteCall and call.required and answer[0] == 200 and not deletes_any(entries):
            return (404, *answer[1:])
        return answer


def _succeeded(answer: Answer | None) -> bool:
    return answer is not None and 200 <= answer[0] < 300
