"""How much work nodes and servers can do: processor time, requests and bytes that wait. Off by default.

    a request arrives ──> waits for a processor of its host ──> is worked on ──> what comes of it leaves

Work is counted where it is done: a suite around the real one counts key agreements and signatures, whatever
kind of request asks for them, and their cost comes from a table of measured times, never from how long this
program takes. So both suites cost the same. A node does its work when a request arrives and lets its effects
out when a processor would have been through with it; requests are worked on in order of arrival. Nodes on one
address share its processors; every server has a host of its own, with more of them. What arrives while too
much waits is dropped, as a full queue of OxenMQ does.

The disk of a node is a rule of the node (`disk_max` of `[nodes]`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Any, Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S
from sessionsim.protocol.crypto.layer import Layer
from sessionsim.protocol.crypto.suite import KeyPair, Suite

_MEASURED: Final = (
    "measured on one core of a shared machine, PyNaCl 1.6 (libsodium); `sessionsim bench` times the same call"
)
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class CapacityRules:
    """What nodes and servers can do, and what requests cost."""

    on: bool = setting(
        False,
        doc="Whether nodes need time for their work.",
        source="Assumption: off; at the load of a few clients a node is idle",
    )
    cores: int = setting(
        2, low=1, high=1024,
        doc="Processors of a host; nodes on one address share them.",
        source="Assumption: small rented hosts; two threads of the server are reserved for nodes (omq.cpp)",
    )  # fmt: skip
    server_cores: int = setting(
        8, low=0, high=1024,
        doc="Processors of each server; 0 for servers that need no time.",
        source="Assumption: one host of ordinary size for each; nothing is published",
    )  # fmt: skip
    speed: float = setting(
        1.0, low=1e-6, high=1e6, doc="How many times faster than the measured one a processor is.",
        source="Assumption: as the measured one",
    )  # fmt: skip
    agreement_us: int = setting(
        31, unit="us", low=0, high=US_PER_S, doc="One X25519 agreement; each onion layer needs one.",
        source=_MEASURED,
    )  # fmt: skip
    signature_us: int = setting(
        19, unit="us", low=0, high=US_PER_S, doc="One Ed25519 signature made.", source=_MEASURED
    )
    verification_us: int = setting(
        53, unit="us", low=0, high=US_PER_S, doc="One Ed25519 signature checked.", source=_MEASURED
    )
    kibibyte_us: int = setting(
        1, unit="us", low=0, high=US_PER_S,
        doc="Opening, hashing and sealing, for each 1,024 bytes of a request.", source=_MEASURED,
    )  # fmt: skip
    request_us: int = setting(
        100, unit="us", low=0, high=US_PER_S,
        doc="All else of a request or answer: reading, looking up, the database.",
        source="Assumption: of the order of the cryptography; not measured on the real server",
    )  # fmt: skip
    queue_max: int = setting(
        1_000, low=1, high=10**9, doc="Requests that wait at a host at most; more are dropped.",
        source="session-storage-server: oxenss/server/omq.cpp: a queue of 1,000 for requests of nodes",
    )  # fmt: skip
    memory_max_bytes: int = setting(
        1_000_000_000, unit="bytes", low=1, doc="Bytes of requests that wait at a host at most.",
        source="Assumption: half of a small host's memory",
    )  # fmt: skip


class Meter:
    """What the call under way has done so far."""

    __slots__ = ("agreements", "signatures", "verifications")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.agreements = self.signatures = self.verifications = 0


class MeteredSuite:
    """A suite that counts. Args: suite: does the work; meter: takes the counts."""

    def __init__(self, suite: Suite, meter: Meter) -> None:
        self._suite, self._meter = suite, meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._suite, name)

    def layer_from(self, layer_type: type[Layer], own: KeyPair, ephemeral: bytes) -> Layer:
        self._meter.agreements += 1
        return self._suite.layer_from(layer_type, own, ephemeral)

    def sign(self, own: KeyPair, message: bytes) -> bytes:
        self._meter.signatures += 1
        return self._suite.sign(own, message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        self._meter.verifications += 1
        return self._suite.verify(public, message, signature)

    def verify_stored(self, public: bytes, message: bytes, signature: bytes) -> bool:
        self._meter.verifications += 1
        return self._suite.verify_stored(public, message, signature)


class _Host:
    """The processors of one address. `waiting`: start and bytes of what is not begun, in order."""

    __slots__ = ("free_us", "waiting", "waiting_bytes")

    def __init__(self, cores: int) -> None:
        self.free_us = [0] * cores
        self.waiting: deque[tuple[int, int]] = deque()
        self.waiting_bytes = 0

    def catch_up(self, now_us: int) -> None:
        waiting = self.waiting
        while waiting and waiting[0][0] <= now_us:
            self.waiting_bytes -= waiting.popleft()[1]

    def work(self, now_us: int, cost_us: int, size_bytes: int) -> int:
        """Take work on. Returns when it is done."""
        begins_us = max(now_us, self.free_us[0])
        heapreplace(self.free_us, begins_us + cost_us)
        if begins_us > now_us:
            self.waiting.append((begins_us, size_bytes))
            self.waiting_bytes += size_bytes
        return begins_us + cost_us


class Capacity:
    """The nodes and servers of a run at work.

    Args:
        rules: costs and limits.
        meter: of the suite that they use.
        addresses: of each node; equal addresses are one host.
        servers: endpoints of servers.
    """

    def __init__(
        self, rules: CapacityRules, meter: Meter, addresses: Sequence[int], servers: Iterable[int] = ()
    ) -> None:
        self._rules, self._meter = rules, meter
        hosts = {address: _Host(rules.cores) for address in addresses}
        self._host_of = {node: hosts[address] for node, address in enumerate(addresses)}
        if rules.server_cores:
            self._host_of |= {server: _Host(rules.server_cores) for server in servers}
        for host in self._host_of.values():
            heapify(host.free_us)
        self._node, self._bytes, self._done_us = -1, 0, -1  # at work on something of so many bytes; when done
        self.dropped = dict.fromkeys(self._host_of, 0)

    def works(self, endpoint: int) -> bool:
        """Say whether somebody needs time for its work."""
        return endpoint in self._host_of

    def admits(self, node: int, size_bytes: int, now_us: int) -> bool:
        """Say whether there is room for a request that has just arrived; otherwise it is dropped."""
        host, rules = self._host_of[node], self._rules
        host.catch_up(now_us)
        if len(host.waiting) < rules.queue_max and host.waiting_bytes + size_bytes <= rules.memory_max_bytes:
            return True
        self.dropped[node] += 1
        return False

    def begin(self, node: int, size_bytes: int) -> None:
        """Begin to count what a node or server does."""
        self._meter.reset()
        self._node, self._bytes, self._done_us = node, size_bytes, -1

    def lag_us(self, src: int, now_us: int) -> int:
        """Give after which time what a machine now lets out leaves; 0 for others than who is at work."""
        if src != self._node:
            return 0
        if self._done_us < 0:
            host = self._host_of[src]
            host.catch_up(now_us)
            self._done_us = host.work(now_us, self._cost_us(), self._bytes)
        return self._done_us - now_us

    def end(self, now_us: int) -> None:
        """Finish with a node or server, which may have let nothing out."""
        self.lag_us(self._node, now_us)
        self._node = -1

    def _cost_us(self) -> int:
        meter, rules = self._meter, self._rules
        cost_us = (
            meter.agreements * rules.agreement_us
            + meter.signatures * rules.signature_us
            + meter.verifications * rules.verification_us
            + self._bytes * rules.kibibyte_us / _KIB
            + rules.request_us
        )
        return round(cost_us / rules.speed)
