"""What an adversary stores for accounts whose id it knows: probes and floods.

Anyone may store in namespace 0 of any account (transport 5.4). What is stored here is random, so no client
can open it; each fetches it once from every member of its swarm, like everything else in its inbox. It goes
from an operated node straight to a member of the swarm, without an onion, since there is nothing to hide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from sessionsim.core.columns import Transport
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS
from sessionsim.network.interference.kinds import Probe
from sessionsim.network.interference.rhythm import Rhythm
from sessionsim.protocol.machine import SEND, Effect
from sessionsim.protocol.wire import rpc

_HTTPS: Final = int(Transport.HTTPS)
_APART_US: Final = 20 * US_PER_MS  # Assumption: between the messages of one burst
_TTL_MS: Final = 14 * 24 * 3_600_000  # Source: transport 5.4, the longest time in namespace 0
_NAMESPACE: Final = 0


class Target(NamedTuple):
    """An account to store for. Args: endpoint: of its first device; account: 33 bytes; swarm: its members."""

    endpoint: int
    account: bytes
    swarm: tuple[int, ...]


class Letter(NamedTuple):
    """One store. Args: src: operated node that asks; hash: of what is stored."""

    src: int
    account: bytes
    hash: str
    effect: Effect


class Sending:
    """One interference of kind probe or flood.

    Args:
        name, kind, config: as declared.
        nodes: operated ones, at least one.
        targets: accounts; rhythm: of each, by its endpoint.
        entropy: its addressed chance.
        epoch_ms: unix ms of simulated time 0.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        config: Probe,
        nodes: frozenset[int],
        targets: Sequence[Target],
        rhythm: Rhythm,
        entropy: Entropy,
        epoch_ms: int,
    ) -> None:
        self.name, self.kind, self.rhythm = name, kind, rhythm
        self._config, self._nodes, self._targets = (
            config,
            sorted(nodes),
            {one.endpoint: one for one in targets},
        )
        self._entropy, self._epoch_ms = entropy, epoch_ms

    def slots(self) -> Iterator[tuple[str, int, int]]:
        """Give account id in hex, begin and end in µs of every marked slot."""
        for endpoint, begin_us, end_us in self.rhythm.slots():
            yield self._targets[endpoint].account.hex(), begin_us, end_us

    def moments(self) -> Iterator[tuple[int, Target, bytes]]:
        """Give time, account and address of the draws of every store."""
        for endpoint, begin_us, _ in self.rhythm.slots():
            for k in range(self._config.count):
                address = b"%d %d %d" % (endpoint, begin_us, k)
                yield begin_us + k * _APART_US, self._targets[endpoint], address

    def letter(self, target: Target, address: bytes, now_us: int, number: Callable[[], int]) -> Letter:
        """Write one store. Args: number: gives an exchange number that is free."""
        drawn = self._entropy.draw(b"route" + address)
        others = [node for node in target.swarm if node not in self._nodes] or list(target.swarm)
        dst = others[int.from_bytes(drawn[:8], "little") % len(others)]
        own = [node for node in self._nodes if node != dst] or self._nodes
        src = own[int.from_bytes(drawn[8:16], "little") % len(own)]
        data = self._entropy.expand(b"data" + address, self._config.size_bytes)
        now_ms = self._epoch_ms + now_us // US_PER_MS
        call = rpc.store_call(rpc.LIBSESSION, target.account.hex(), data, now_ms, _TTL_MS, _NAMESPACE)
        body = rpc.request_body(rpc.LIBSESSION, call)
        effect = (SEND, dst, _HTTPS, number(), "storage_rpc", body, 0)
        return Letter(src, target.account, rpc.message_hash(target.account, _NAMESPACE, data), effect)
