"""Storage RPC of clients, from the bytes of a request to the answer that leaves (transport 5.1, 5.7)."""

from __future__ import annotations

from typing import Final

from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.machine import SEND, Effect, Effects
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.snode._jobs import Job, Jobs
from sessionsim.protocol.snode._monitors import Monitors
from sessionsim.protocol.snode._rate_limiter import RateLimiter
from sessionsim.protocol.snode._replies import Replies
from sessionsim.protocol.snode._standing import Standing
from sessionsim.protocol.snode._storage_rpc import StorageRpc
from sessionsim.protocol.wire.rpc_answers import Answer, text_answer
from sessionsim.protocol.wire.rpc_direct import read_direct, read_direct_call, style_of
from sessionsim.protocol.wire.rpc_fields import Refused
from sessionsim.protocol.wire.rpc_methods import NEW
from sessionsim.protocol.wire.rpc_node import BatchCall, IfElseCall, NodeCall, PollCall
from sessionsim.protocol.wire.rpc_params import read_call

_ALL_KNOWN: Final[frozenset[str]] = frozenset()


class Calls:
    """The calls of one node.

    Args:
        rpc: executes them here.
        jobs: those that wait for the swarm.
        standing: the node's own, for ifelse.
        replies: lets answers out.
        monitors: tells subscribers what has been stored.
        rules: limits and version.
        epoch_ms: unix ms of simulated time 0.
    """

    def __init__(
        self,
        rpc: StorageRpc,
        jobs: Jobs,
        standing: Standing,
        replies: Replies,
        monitors: Monitors,
        rules: NodeRules,
        epoch_ms: int,
    ) -> None:
        self._rpc, self._jobs, self._standing, self._monitors = rpc, jobs, standing, monitors
        self._finished, self.epoch_ms = replies.finished, epoch_ms
        self._jobs_max, self._max_bytes = rules.relays_max, rules.request_max_bytes
        unknown = _ALL_KNOWN if rules.new_methods else NEW
        self._limits = (rules.message_max_bytes, rules.batch_max, unknown)
        self._rates = (
            rules.rate_bucket,
            rules.rate_client_per_s,
            rules.rate_node_per_s,
            rules.rate_clients_max,
        )
        self.forget()

    def forget(self) -> None:
        """Begin with full buckets, as a program that starts does."""
        self._limiter = RateLimiter(*self._rates)

    def run(self, job: Job, body: bytes, now_us: int) -> Effects:
        """Take a request that came inside an onion, or alone over HTTPS or QUIC."""
        if len(self._jobs) >= self._jobs_max:
            return (self._refused(job, 503, "Server busy, try again later"),)
        if job.layer is None and self._limiter.refuses_client(job.src, now_us):
            return (self._refused(job, 429, "Too Many Requests\n"),)
        try:
            call = read_call(body, *self._limits)
        except Refused as refused:
            return (self._refused(job, refused.status, refused.text),)
        if type(call) is PollCall:
            return (self._finished(job, self._rpc.poll(call, now_us // US_PER_MS + self.epoch_ms)),)
        return self._start(job, call, now_us)

    def run_direct(self, job: Job, payload: bytes, now_us: int) -> Effects:
        """Take a request over OMQ or QUIC, where nobody asks whether the node is ready."""
        try:
            if len(payload) > self._max_bytes:
                raise Refused(413, "Request body too large")
            if self._limiter.refuses_client(job.src, now_us):
                raise Refused(429, "Too many requests, try again later")
            method, body = read_direct(payload)
            job.direct = style_of(body)
            call = read_direct_call(method, body, *self._limits)
        except Refused as refused:
            return (self._refused(job, refused.status, refused.text),)
        return self._start(job, call, now_us)

    def _refused(self, job: Job, status: int, text: str) -> Effect:
        return self._finished(job, text_answer(status, text))

    def _start(self, job: Job, call: NodeCall, now_us: int) -> Effects:
        job.asked = call
        if type(call) is IfElseCall:
            branch, job.outcomes = self._standing.choose(call)
            if branch is None:
                return (self._finished(job, None),)
            call = branch
        if type(call) is BatchCall:
            job.calls, job.is_batch, job.in_turn = call.calls, True, call.in_turn
        else:
            job.calls = (call,)  # type: ignore[assignment]
        effects: list[Effect] = []
        answer = self._jobs.begin(job, effects, now_us)
        if answer is not None:
            effects.append(self._finished(job, answer))
        if self._rpc.news:
            self._monitors.tell(self._rpc.news, effects, now_us)
        return effects

    def run_forwarded(self, src: int, conn: int, exchange: int, payload: bytes, now_us: int) -> Effects:
        """Take what another member of the swarm passes on."""
        status, answer = self._rpc.forwarded(payload, now_us // US_PER_MS + self.epoch_ms)
        effects = [(SEND, src, conn, exchange, status, answer, 0)]
        if self._rpc.news:
            self._monitors.tell(self._rpc.news, effects, now_us)
        return effects

    def take(self, src: int, exchange: int, status: int, payload: bytes, now_us: int) -> list[Effect] | None:
        """Take a member's answer; None if nothing like it is awaited."""
        effects: list[Effect] = []
        outcome = self._jobs.take(src, exchange, status, payload, effects, now_us)
        if outcome is None:
            return None
        self._conclude(outcome, effects, now_us)
        return effects

    def give_up(self, effects: list[Effect], now_us: int) -> None:
        """Go on without the members whose time is up."""
        while (outcome := self._jobs.expire_one(effects, now_us)) is not None:
            self._conclude(outcome, effects, now_us)

    def _conclude(self, outcome: tuple[Job, Answer | None], effects: list[Effect], now_us: int) -> None:
        job, answer = outcome
        if answer is not None:
            effects.append(self._finished(job, answer))
        if self._rpc.news:
            self._monitors.tell(self._rpc.news, effects, now_us)
