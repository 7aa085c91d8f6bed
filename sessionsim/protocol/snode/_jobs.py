"""Requests that are being executed, each store waiting for the whole swarm (transport 5.5, 5.7).

A recursive call is forwarded to all other members at once, then executed here, and is answered when all
members have answered or their time is up. A batch starts everything together and answers when all is done; a
sequence starts the next when the last has been answered, and stops at the first status outside 200-299.
"""

from __future__ import annotations

from sessionsim.core.columns import Cause, Transport, note_of
from sessionsim.core.nodelist import NodeList
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._storage_rpc import StorageRpc
from sessionsim.protocol.wire.rpc_answers import (
    TIMEOUT_ENTRY,
    Answer,
    batch_answer,
    entry_of_answer,
    store_answer,
)
from sessionsim.protocol.wire.rpc_node import SimpleCall, StoreCall, write_forward

_OMQ = int(Transport.OMQ)
_NOTE = note_of(Cause.REPLICATION)


class Job:
    """A client's request on its way to being answered.

    Args:
        src, conn, exchange: whom the answer goes to.
        layer: what seals it; None for a request that came without an onion.
        ephemeral: the client's key of that layer.
        as_json, as_base64: how the client wants the answer wrapped.
    """

    __slots__ = (
        "answers",
        "as_base64",
        "as_json",
        "calls",
        "conn",
        "ephemeral",
        "exchange",
        "in_turn",
        "is_batch",
        "layer",
        "left",
        "src",
    )

    def __init__(
        self,
        src: int,
        conn: int,
        exchange: int,
        layer: Layer | None = None,
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


class _Replication:
    """One store that waits for members. Args: job, index: the call it is; left: members not heard from."""

    __slots__ = ("entries", "hash", "index", "job", "left", "now_ms")

    def __init__(
        self, job: Job, index: int, hash_: str, entries: dict[str, bytes], left: int, now_ms: int
    ) -> None:
        self.job, self.index, self.hash, self.entries, self.left, self.now_ms = (
            job,
            index,
            hash_,
            entries,
            left,
            now_ms,
        )


class Jobs:
    """The jobs of one node.

    Args:
        endpoint: position of the node in the list.
        nodes: the list.
        rpc: what executes a call here.
        rules: for the time to wait.
        epoch_ms: unix ms of simulated time 0.
    """

    def __init__(
        self, endpoint: int, nodes: NodeList, rpc: StorageRpc, rules: NodeRules, epoch_ms: int
    ) -> None:
        self._rpc, self._epoch_ms = rpc, epoch_ms
        self._timeout_us = rules.replication_timeout_us
        self._own = nodes.ed25519[endpoint].hex()
        members = nodes.members[nodes.swarm[endpoint]]
        self._others = tuple((node, nodes.ed25519[node].hex()) for node in members if node != endpoint)
        # Exchange number -> deadline, replication, member, its key as hex. In order of deadline, since all
        # wait equally long.
        self._awaited: dict[int, tuple[int, _Replication, int, str]] = {}

    def __len__(self) -> int:
        return len(self._awaited)

    def begin(
        self, job: Job, first_exchange: int, effects: list[Effect], now_us: int
    ) -> tuple[Answer | None, int]:
        """Start a job whose calls are set.

        Args:
            job: what to do.
            first_exchange: the first exchange number that is free.
            effects: takes the forwarded stores.
            now_us: simulated time.

        Returns:
            The answer if it is complete, and the next free exchange number.
        """
        if job.in_turn:
            return self._continue(job, first_exchange, effects, now_us)
        calls = job.calls
        if StoreCall not in map(type, calls):
            # Nothing to forward: a poll, in most cases.
            now_ms, run = now_us // US_PER_MS + self._epoch_ms, self._rpc.answer
            answers = [run(call, now_ms) for call in calls]  # type: ignore[arg-type]
            return batch_answer(answers) if job.is_batch else answers[0], first_exchange
        job.answers = [None] * len(job.calls)
        job.left = len(job.calls)
        exchange = first_exchange
        for index, call in enumerate(job.calls):
            answer, exchange = self._execute(job, index, call, exchange, effects, now_us)
            if answer is not None:
                job.answers[index] = answer
                job.left -= 1
        return self._whole(job), exchange

    def take(
        self,
        src: int,
        exchange: int,
        status: int,
        payload: bytes,
        free: int,
        effects: list[Effect],
        now_us: int,
    ) -> tuple[Job, Answer | None, int] | None:
        """Take a member's answer; None if nothing like it is awaited from that node."""
        awaited = self._awaited.get(exchange)
        if awaited is None or awaited[2] != src:
            return None
        del self._awaited[exchange]
        _deadline, replication, _member, key = awaited
        return self._heard(replication, key, entry_of_answer(status, payload), free, effects, now_us)

    def next_deadline_us(self) -> int | None:
        """Give the earliest time a member's answer is overdue."""
        return next(iter(self._awaited.values()))[0] if self._awaited else None

    def expire_one(
        self, free: int, effects: list[Effect], now_us: int
    ) -> tuple[Job, Answer | None, int] | None:
        """Give up on the member that is overdue longest; None if none is."""
        for exchange, (deadline, replication, _member, key) in self._awaited.items():
            if deadline > now_us:
                return None
            del self._awaited[exchange]
            return self._heard(replication, key, TIMEOUT_ENTRY, free, effects, now_us)
        return None

    def _heard(
        self, replication: _Replication, key: str, entry: bytes, free: int, effects: list[Effect], now_us: int
    ) -> tuple[Job, Answer | None, int]:
        job = replication.job
        replication.entries[key] = entry
        replication.left -= 1
        if replication.left:
            return job, None, free
        answer = store_answer(replication.hash, replication.entries, replication.now_ms, self._rpc.hard_fork)
        if job.in_turn:
            job.answers.append(answer)
            return job, *self._continue(job, free, effects, now_us)
        job.answers[replication.index] = answer
        job.left -= 1
        return job, self._whole(job), free

    def _continue(self, job: Job, free: int, effects: list[Effect], now_us: int) -> tuple[Answer | None, int]:
        answers = job.answers
        while len(answers) < len(job.calls) and not (answers and not _succeeded(answers[-1])):
            index = len(answers)
            answer, free = self._execute(job, index, job.calls[index], free, effects, now_us)
            if answer is None:
                return None, free
            answers.append(answer)
        return batch_answer([answer for answer in answers if answer is not None]), free

    def _whole(self, job: Job) -> Answer | None:
        if job.left:
            return None
        if not job.is_batch:
            return job.answers[0]
        return batch_answer([answer for answer in job.answers if answer is not None])

    def _execute(
        self, job: Job, index: int, call: SimpleCall, free: int, effects: list[Effect], now_us: int
    ) -> tuple[Answer | None, int]:
        now_ms = now_us // US_PER_MS + self._epoch_ms
        if type(call) is not StoreCall:
            return self._rpc.answer(call, now_ms), free  # type: ignore[arg-type]
        refusal = self._rpc.refusal_of_store(call, now_ms)
        if refusal is not None:
            return refusal, free
        # Members get it before it is executed here.
        forward = write_forward(call)
        entries: dict[str, bytes] = {}
        replication = _Replication(job, index, "", entries, len(self._others), now_ms)
        deadline = now_us + self._timeout_us
        for node, key in self._others:
            effects.append((SEND, node, _OMQ, free, "sn.storage_cc", forward, _NOTE))
            self._awaited[free] = (deadline, replication, node, key)
            free += 1
        replication.hash, entries[self._own] = self._rpc.store_own(call, now_ms)
        if self._others:
            return None, free
        return store_answer(replication.hash, entries, now_ms, self._rpc.hard_fork), free


def _succeeded(answer: Answer | None) -> bool:
    return answer is not None and 200 <= answer[0] < 300
