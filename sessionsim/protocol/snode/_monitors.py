"""Subscriptions to accounts that a node keeps, and what it tells the subscribers (transport 5.12).

A subscriber is a connection: asking again for the same account prolongs and widens what it has. It is told of
every message that is new here, stored by a client or forwarded by a member, but not of those that other nodes
hand on. Revoked tokens still subscribe. A node of 2.8 takes subscriptions to any account; newer ones refuse
(error 6) those of other swarms, and end them when the account leaves. The real texts of these two also name
the new swarm, which is left out here.
Source: session-storage-server: oxenss/server/mqbase.cpp; oxenss/snode/service_node.cpp send_notifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import CannotOpen
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.authorisation import READ, Subaccount, is_granted
from sessionsim.protocol.crypto.suite import Suite
from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.machine import BACK, SEND, Effect
from sessionsim.protocol.node_rules import NodeRules
from sessionsim.protocol.wire import monitor
from sessionsim.protocol.wire.monitor import MonitorCall, MonitorError, MonitorRefused, Notification
from sessionsim.protocol.wire.rpc_node import StoreCall

_NOT_HERE: Final = "Account is not stored by this service node's swarm"
_NO_LONGER_HERE: Final = "Account is no longer stored by this service node's swarm"

_NOTE: Final = note_of(Cause.PUSH)

_Subscriber = tuple[int, int]  # endpoint and its connection


class _Subscription:
    __slots__ = ("expiry_us", "namespaces", "want_data")

    def __init__(self) -> None:
        self.namespaces: frozenset[int] = frozenset()
        self.want_data, self.expiry_us = False, 0


class Monitors:
    """The subscriptions at one node.

    Args:
        suite: cryptography.
        rules: the version.
        is_ours: says whether the node's swarm keeps an account.
        numbers: the node's exchange numbers.
        epoch_ms: unix ms of simulated time 0.
    """

    def __init__(
        self,
        suite: Suite,
        rules: NodeRules,
        is_ours: Callable[[bytes], bool],
        numbers: Iterator[int],
        epoch_ms: int,
    ) -> None:
        self._suite, self._is_ours, self._numbers = suite, is_ours, numbers
        self._only_ours, self.epoch_ms = rules.monitor_ends, epoch_ms
        self._life_us = rules.subscription_us
        self.accounts: dict[bytes, dict[_Subscriber, _Subscription]] = {}
        self._oldest: dict[tuple[bytes, _Subscriber], None] = {}  # all subscriptions, next to expire first

    def subscribe(self, src: int, conn: int, payload: bytes, now_us: int) -> bytes:
        """Take a request and give its answer."""
        self._drop_expired(now_us)
        try:
            calls, many = monitor.read_calls(payload)
        except MonitorRefused as refused:
            return monitor.write_answer([refused], False)
        return monitor.write_answer([self._take((src, conn), call, now_us) for call in calls], many)

    def _take(
        self, subscriber: _Subscriber, call: MonitorCall | MonitorRefused, now_us: int
    ) -> MonitorRefused | None:
        if isinstance(call, MonitorRefused):
            return call
        try:
            account = self._checked(call, now_us)
        except MonitorRefused as refused:
            return refused
        subscriptions = self.accounts.setdefault(account, {})
        subscription = subscriptions.setdefault(subscriber, _Subscription())
        subscription.namespaces |= frozenset(call.namespaces)
        subscription.want_data |= call.want_data
        subscription.expiry_us = now_us + self._life_us
        self._oldest.pop((account, subscriber), None)
        self._oldest[account, subscriber] = None
        return None

    def _checked(self, call: MonitorCall, now_us: int) -> bytes:
        """Give the account of a subscription that may be had. Raises MonitorRefused."""
        monitor.check_time(call.timestamp_s, now_us + self.epoch_ms * US_PER_MS)
        account, key = call.account, call.ed25519 or call.account[1:]
        if call.ed25519:
            try:
                account = account_id_of_ed25519(call.ed25519)
            except CannotOpen as wrong:
                raise MonitorRefused(MonitorError.BAD_PUBKEY, "Invalid P= ed25519 public key") from wrong
        if call.token:
            subaccount = Subaccount(call.token, call.token_signature)
            if not is_granted(self._suite, account, key, subaccount, READ):
                raise MonitorRefused(MonitorError.BAD_SIG, "Subaccount verification failed")
            key = call.token[4:]
        text = monitor.signed_text(account, call.timestamp_s, call.want_data, call.namespaces)
        if not self._suite.verify(key, text, call.signature):
            raise MonitorRefused(MonitorError.BAD_SIG, "Signature verification failed")
        if self._only_ours and not self._is_ours(account):
            raise MonitorRefused(MonitorError.WRONG_SWARM, _NOT_HERE)
        return account

    def tell(self, news: list[StoreCall], effects: list[Effect], now_us: int) -> None:
        """Tell the subscribers of new messages, and empty the list of them."""
        for call in news:
            for (endpoint, conn), subscription in self.accounts.get(call.account, {}).items():
                if subscription.expiry_us < now_us or call.namespace not in subscription.namespaces:
                    continue
                payload = monitor.write_notification(
                    Notification(
                        call.account,
                        call.hash,
                        call.namespace,
                        call.timestamp_ms,
                        call.expiry_ms,
                        call.data if subscription.want_data else None,
                    )
                )
                effects.append((SEND, endpoint, conn | BACK, next(self._numbers), "notify", payload, _NOTE))
        news.clear()

    def end_foreign(self, effects: list[Effect]) -> None:
        """End the subscriptions to accounts that the node's swarm no longer keeps."""
        if not self._only_ours:
            return
        for account in [account for account in self.accounts if not self._is_ours(account)]:
            payload = monitor.write_ended(account, MonitorRefused(MonitorError.WRONG_SWARM, _NO_LONGER_HERE))
            for endpoint, conn in self.accounts.pop(account):
                del self._oldest[account, (endpoint, conn)]
                effects.append(
                    (SEND, endpoint, conn | BACK, next(self._numbers), "monitor_ended", payload, _NOTE)
                )

    def lose(self, endpoint: int, conn: int) -> None:
        """Forget a subscriber that can no longer be reached."""
        for account, subscriber in list(self._oldest):
            if subscriber == (endpoint, conn):
                self._drop(account, subscriber)

    def forget(self) -> None:
        """Drop all subscriptions: they live in memory. Nobody is told."""
        self.accounts.clear()
        self._oldest.clear()

    def _drop_expired(self, now_us: int) -> None:
        expired = []
        for account, subscriber in self._oldest:
            if self.accounts[account][subscriber].expiry_us >= now_us:
                break
            expired.append((account, subscriber))
        for account, subscriber in expired:
            self._drop(account, subscriber)

    def _drop(self, account: bytes, subscriber: _Subscriber) -> None:
        del self._oldest[account, subscriber]
        del self.accounts[account][subscriber]
        if not self.accounts[account]:
            del self.accounts[account]
