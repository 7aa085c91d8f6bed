"""What a client of version 2 asks of its own swarm beside polls: to read at once, and to store.

A read asks one node for the device group's messages and the account's record, and hands on what it brings as
a poll does. A push is one `sequence`, which stops at its first error, so that nothing is deleted that was
not replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.v2.calls import signed_retrieve
from sessionsim.protocol.client.v2.fetches import MAX_SIZE, OWN_FETCH, OWN_PUSH, exchange_of
from sessionsim.protocol.machine import Effect
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEVICES
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_NOTE = note_of(Cause.ACCOUNT_KEYS)
Results = list[tuple[int, dict[str, Any]]]
# Gets status and body of each call that was carried out, none if nothing was heard; and the time in µs.
Answered = Callable[[Results, int], list[Effect]]


class OwnSwarm:
    """Requests to the own swarm. Args: client: whose."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._counts = {OWN_FETCH: 0, OWN_PUSH: 0}
        self._last_hash: dict[tuple[int, int], str] = {}

    def read(self, now_us: int, done: Callable[[bool, int], list[Effect]]) -> list[Effect]:
        """Read the namespaces of version 2 to their end. Args: done: told whether that came about."""
        return self._find(OWN_FETCH, now_us, lambda node, t_us: self._ask(node, t_us, done))

    def store(self, calls: Sequence[rpc.Call], now_us: int, done: Answered) -> list[Effect]:
        """Have calls carried out in turn until the first that fails."""
        body = rpc.batch_body(self._client.body_style, calls, b"sequence")
        return self._find(
            OWN_PUSH, now_us, lambda node, t_us: self._request(OWN_PUSH, node, body, t_us, done)
        )

    def _find(self, kind: int, now_us: int, found: Callable[[int, int], list[Effect]]) -> list[Effect]:
        """Choose a random node of the own swarm; −1 if there is none."""
        number, client = self._counts[kind], self._client
        address = b"own keys" + exchange_of(number, kind).to_bytes(8, "little")

        def choose(swarm: tuple[int, ...], t_us: int) -> list[Effect]:
            node = swarm[number_at(client.entropy, address, len(swarm))] if swarm else -1
            return found(node, t_us)

        return client.swarms.find(client.account.id, now_us, choose)

    def _request(self, kind: int, node: int, body: bytes, now_us: int, done: Answered) -> list[Effect]:
        number, client = self._counts[kind], self._client
        self._counts[kind] += 1
        if node < 0:
            return done([], now_us)
        return [
            client.requests.send(
                exchange_of(number, kind), node, body, _NOTE, now_us,
                lambda status, answer, t_us: done(self._results(status, answer), t_us),
            )
        ]  # fmt: skip

    def _results(self, status: int, body: bytes) -> Results:
        try:
            if status == 421:
                self._client.swarms.correct(self._client.account.id, rpc.read_object(body))
            if status != 200:
                return []
            results = rpc.read_batch(body)
        except RemoteProtocolError:
            return []
        for code, fields in results:
            if code == 421:
                self._client.swarms.correct(self._client.account.id, fields)
        return results

    def _ask(self, node: int, now_us: int, done: Callable[[bool, int], list[Effect]]) -> list[Effect]:
        client = self._client
        wire_ms, account = client.wire_ms(now_us), client.account
        cursors = [self._last_hash.get((node, namespace), "") for namespace in (DEVICES, ACCOUNT_KEYS)]
        calls = (
            signed_retrieve(client.suite, account, DEVICES, cursors[0], wire_ms, MAX_SIZE),
            rpc.open_retrieve_call(account.id_hex, ACCOUNT_KEYS, cursors[1], MAX_SIZE),
        )
        body = rpc.batch_body(client.body_style, calls)
        return self._request(
            OWN_FETCH, node, body, now_us, lambda results, t_us: self._taken(node, results, done, t_us)
        )

    def _taken(
        self, node: int, results: Results, done: Callable[[bool, int], list[Effect]], now_us: int
    ) -> list[Effect]:
        """Hand on what a read brought; a node that holds more than one answer is asked again by a poll."""
        client, effects, ended = self._client, list[Effect](), set[int]()
        for namespace, (code, fields) in zip((DEVICES, ACCOUNT_KEYS), results, strict=False):
            if code != 200:
                continue
            try:
                messages, more = rpc.read_retrieved(fields)
            except RemoteProtocolError:
                continue
            if messages:
                self._last_hash[node, namespace] = messages[-1].hash
            for message in rpc.renamed(client.account.id, namespace, messages):
                effects += client.takers[namespace](message, now_us)
            if not more:
                ended.add(namespace)
                effects += client.read_to_end[namespace](now_us)
        return done(len(ended) == 2, now_us) + effects
