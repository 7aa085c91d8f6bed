"""Fetching the account keys of others, and the cache that they go into (protocol-v2 6).

A fetch asks the recipient's swarm, one node after the other, each for so long, all for so long. The first
node that answers decides: valid keys, or none. If no node answers, the cache stays as it is. An account
has at most one fetch under way; whoever wants its keys meanwhile is told when it ends. Opening a
conversation fetches ahead, so that the keys are there when the message is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError, RemoteProtocolError
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.turns import luck_of, picked
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.crypto import Suite, mlkem, real
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.namespaces import ACCOUNT_KEYS
from sessionsim.protocol.v2 import KeyCache, PublicKeys, V2Rules, read_record
from sessionsim.protocol.v2.key_cache import Plan
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

# Kinds of requests for keys, the bits above the purpose in an exchange number.
KIND_BITS: Final = 2
CONTACT, OWN_FETCH, OWN_PUSH = range(3)
_TRY_BITS: Final = 4  # Assumption: more than the nodes of a swarm (transport 2.1)
_COUNT_BITS: Final = 24  # Assumption: more than an account's keys are ever fetched in a run
_TRIAL: Final = bytes(mlkem.COINS_BYTES)  # any: what is made with them is thrown away
MAX_SIZE: Final = -8  # Assumption: as for configs (client-behaviour 6.1); a record has 1302 bytes

Ended = Callable[[int], list[Effect]]


def exchange_of(number: int, kind: int) -> int:
    """Give the exchange number of a request for keys. Args: number: unique within its kind."""
    return (number << KIND_BITS | kind) << 4 | Purpose.KEYS


class _Fetch:
    """One fetch. `attempt` counts requests, so that an answer to an earlier one is known as late."""

    __slots__ = ("account_id", "attempt", "deadline_us", "end_us", "ended", "number", "order", "waiting")

    def __init__(self, account_id: bytes, number: int, end_us: int) -> None:
        self.account_id, self.number, self.end_us = account_id, number, end_us
        self.attempt, self.order, self.deadline_us = -1, list[int](), end_us
        self.waiting: list[Ended] = []
        self.ended = False


class KeyFetches:
    """What a client knows of the keys of others. Args: client: whose; rules: times and holes."""

    def __init__(self, client: Client, rules: V2Rules) -> None:
        self._client, self._rules = client, rules
        self.cache = KeyCache(rules)
        self._under_way: dict[bytes, _Fetch] = {}
        self._deadlines: list[tuple[int, int, _Fetch]] = []
        # Accounts in the order in which their keys were first wanted, and how often they were fetched.
        self._accounts: dict[bytes, int] = {}
        self._counts: dict[bytes, int] = {}

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"open-conversation": self.prefetch}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        while self._deadlines and not self._awaited(*self._deadlines[0]):
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        while self._deadlines and self._deadlines[0][0] <= now_us:
            due = heappop(self._deadlines)
            if self._awaited(*due):
                effects += self._next_node(due[2], now_us)
        return effects

    def plan(self, account_id: bytes, now_us: int) -> Plan:
        """Decide for a message, see `v2.key_cache`."""
        return self.cache.plan(account_id, now_us)

    def prefetch(self, account_id: bytes, now_us: int) -> list[Effect]:
        """Have the keys of a person ready whose conversation is opened."""
        if account_id == self._client.account.id or not self.plan(account_id, now_us).fetch:
            return []
        return self.fetch(account_id, now_us)

    def fetch(self, account_id: bytes, now_us: int, ended: Ended | None = None) -> list[Effect]:
        """Fetch the keys of an account unless that is under way. Args: ended: told when it is over."""
        fetch = self._under_way.get(account_id)
        if fetch is not None:
            fetch.waiting += [ended] if ended else []
            return []
        count = self._counts[account_id] = self._counts.get(account_id, -1) + 1
        number = self._accounts.setdefault(account_id, len(self._accounts)) << _COUNT_BITS | count
        fetch = self._under_way[account_id] = _Fetch(
            account_id, number, now_us + self._rules.fetch_timeout_us
        )
        fetch.waiting += [ended] if ended else []
        self._wait_until(fetch, fetch.end_us)
        return self._find(fetch, now_us)

    def _find(self, fetch: _Fetch, now_us: int) -> list[Effect]:
        return self._client.swarms.find(
            fetch.account_id, now_us, lambda swarm, t_us: self._begin(fetch, swarm, t_us)
        )

    def _begin(self, fetch: _Fetch, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        if fetch.ended:  # the lookup took longer than the whole fetch may
            return []
        address = b"keys of" + fetch.number.to_bytes(8, "little")
        fetch.order = picked(swarm, len(swarm), luck_of(self._client.entropy, address), 0)
        return self._next_node(fetch, now_us)

    def _next_node(self, fetch: _Fetch, now_us: int) -> list[Effect]:
        """Ask the next node; without one, or without time, the fetch is over and nothing was heard."""
        fetch.attempt += 1
        if now_us >= fetch.end_us or not fetch.order or fetch.attempt >= 1 << _TRY_BITS:
            return self._end(fetch, -1, now_us)
        attempt, node = fetch.attempt, fetch.order.pop(0)
        self._wait_until(fetch, min(now_us + self._rules.fetch_request_timeout_us, fetch.end_us))
        client = self._client
        call = rpc.open_retrieve_call(fetch.account_id.hex(), ACCOUNT_KEYS, "", MAX_SIZE)
        return [
            client.requests.send(
                exchange_of(fetch.number << _TRY_BITS | attempt, CONTACT), node,
                rpc.request_body(client.body_style, call), note_of(Cause.ACCOUNT_KEYS), now_us,
                lambda status, body, t_us: self._answered(fetch, attempt, status, body, t_us),
            )
        ]  # fmt: skip

    def _answered(self, fetch: _Fetch, attempt: int, status: int, body: bytes, now_us: int) -> list[Effect]:
        if fetch.ended or attempt != fetch.attempt:
            return []
        try:
            if status == 421:
                self._client.swarms.correct(fetch.account_id, rpc.read_object(body))
                self._wait_until(fetch, fetch.end_us)
                return self._find(fetch, now_us)
            if status == 200:
                messages, _more = rpc.read_retrieved(rpc.read_object(body))
                keys, size = newest_record(self._client.suite, fetch.account_id, messages)
                self.cache.fetched(fetch.account_id, keys, now_us)
                return self._end(fetch, size, now_us)
        except RemoteProtocolError:
            pass  # the next node may say something sensible
        return self._next_node(fetch, now_us)

    def _end(self, fetch: _Fetch, size: int, now_us: int) -> list[Effect]:
        fetch.ended = True
        del self._under_way[fetch.account_id]
        effects: list[Effect] = [(EVENT, happenings.FETCHED, -1, size)]
        for ended in fetch.waiting:
            effects += ended(now_us)
        return effects

    def _wait_until(self, fetch: _Fetch, deadline_us: int) -> None:
        fetch.deadline_us = deadline_us
        heappush(self._deadlines, (deadline_us, fetch.number, fetch))

    def _awaited(self, deadline_us: int, _number: int, fetch: _Fetch) -> bool:
        return not fetch.ended and fetch.deadline_us == deadline_us


def newest_record(
    suite: Suite, account_id: bytes, messages: list[rpc.Retrieved]
) -> tuple[PublicKeys | None, int]:
    """Give the last valid record among what a public outbox holds, and its length; None and 0 for none.

    An account may well sign keys that are none: whoever cannot be written to has no keys.
    """
    for message in reversed(messages):
        try:
            keys = read_record(account_id, message.data)
            suite.kem_encapsulate(keys.kem, _TRIAL)
        except ProtocolError:
            continue
        if real.is_x25519_key(keys.x):
            return keys, len(message.data)
    return None, 0
