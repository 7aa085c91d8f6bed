"""The push server: who subscribed, what nodes announce, what goes to which device (client-behaviour 6.4).

`handle` takes a client's request, `calls` gives what to ask of a node, `announced` takes what a node pushed
and gives the pushes to send. Nothing else goes in or out; swarms and connections are the caller's.

All members of a swarm announce each message, so a message is pushed to a device the first time only, for
5 to 10 minutes. A device that unsubscribes gets nothing any more, but the account stays subscribed at the
nodes until its signature expires, as on the real server: other devices may need it.
What the operator knows is `devices`: account, token, key; and every announcement.
"""

from __future__ import annotations

from typing import Any

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.crypto import Suite, aead
from sessionsim.protocol.push.notifiers import APPLE, Push, make_push
from sessionsim.protocol.push.payload import seal_payload, write_list
from sessionsim.protocol.push.registration import (
    EntryRefused,
    PushError,
    Registered,
    read_subscription,
    read_unsubscription,
)
from sessionsim.protocol.push.renewals import Renewals
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.subscription import SERVICES, Device, Subscription
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.monitor import (
    Notification,
    read_notification,
    write_call,
    write_calls,
)
from sessionsim.protocol.wire.push_json import read_parts, write_replies


class PushServer:
    """One push server.

    Args:
        rules: limits and periods.
        suite: checks signatures.
        entropy: draws nonces and renewal times.
        epoch_ms: unix ms at simulated time 0.
        services: those whose notifiers run.
    """

    __slots__ = (
        "_entropy",
        "_epoch_us",
        "_fresh",
        "_next_cleanup_us",
        "_older",
        "_pushes",
        "_recent",
        "_rotates_us",
        "_rules",
        "_services",
        "_suite",
        "devices",
        "monitored",
        "renewals",
    )

    def __init__(
        self,
        rules: PushRules,
        suite: Suite,
        entropy: Entropy,
        epoch_ms: int,
        services: tuple[str, ...] = SERVICES,
    ) -> None:
        self._rules, self._suite, self._entropy = rules, suite, entropy
        self._epoch_us, self._services = epoch_ms * US_PER_MS, frozenset(services)
        # What devices asked for, and what is asked of nodes on their behalf, without repeats; by account.
        self.devices: dict[bytes, dict[Device, Registered]] = {}
        self.monitored: dict[bytes, list[Subscription]] = {}
        self.renewals = Renewals(rules, entropy)
        self._fresh: list[bytes] = []
        self._recent: set[tuple[Device, str]] = set()
        self._older: set[tuple[Device, str]] = set()
        self._rotates_us = rules.filter_life_us
        self._next_cleanup_us = 0
        self._pushes = 0

    def handle(self, request: ServerRequest, now_us: int) -> ServerAnswer:
        """Answer a client. Errors of single entries come with status 200 too.

        Args:
            request: anything.
            now_us: simulated time.

        Source: session-push-notification-server: spns/register.py, spns/hivemind.cpp (on_sub_unsub_impl).
        """
        self._clean(now_us)
        path = request.endpoint.partition("?")[0]
        if path not in ("/subscribe", "/unsubscribe"):
            return ServerAnswer(404, {}, b"")
        if request.method != "POST":
            return ServerAnswer(405, {}, b"")
        try:
            if len(request.body) > self._rules.request_max_bytes:
                raise RemoteProtocolError("Invalid request: request too large")
            parts, many = read_parts(request.body)
        except RemoteProtocolError as wrong:
            return _answer([_refusal(PushError.BAD_INPUT, str(wrong))], many=False)
        act = self._subscribe if path == "/subscribe" else self._unsubscribe
        replies = []
        for part in parts:
            try:
                replies.append(act(part, now_us))
            except EntryRefused as wrong:
                replies.append(_refusal(wrong.code, wrong.text))
            except RemoteProtocolError as wrong:
                replies.append(_refusal(PushError.ERROR, str(wrong)))
        return _answer(replies, many=many)

    def _subscribe(self, part: object, now_us: int) -> dict[str, Any]:
        unix_us = self._epoch_us + now_us
        device, registered = read_subscription(self._rules, self._suite, self._services, part, unix_us)
        subscription = registered.subscription
        account = subscription.authority.account
        known = self.devices.setdefault(account, {})
        is_new = device not in known
        known[device] = registered
        self._monitor(subscription)
        if is_new:
            self._fresh.append(account)
            return {"success": True, "added": True, "message": "Subscription successful"}
        return {"success": True, "updated": True, "message": "Resubscription successful"}

    def _unsubscribe(self, part: object, now_us: int) -> dict[str, Any]:
        unix_us = self._epoch_us + now_us
        account, device = read_unsubscription(self._rules, self._suite, self._services, part, unix_us)
        known = self.devices.get(account, {})
        removed = known.pop(device, None) is not None
        if removed and not known:
            del self.devices[account]
        told = "unsubscribed from" if removed else "was not subscribed to"
        return {"success": True, "removed": removed, "message": f"Device {told} push notifications"}

    def _monitor(self, subscription: Subscription) -> None:
        known = self.monitored.setdefault(subscription.authority.account, [])
        for position, other in enumerate(known):
            if other.same_as(subscription):
                if subscription.signed_s > other.signed_s:
                    known[position] = subscription
                return
        known.append(subscription)

    def take_fresh(self) -> tuple[bytes, ...]:
        """Give the accounts with a new device since the last time: their nodes are to be asked at once."""
        fresh = tuple(dict.fromkeys(self._fresh))
        self._fresh.clear()
        return fresh

    def calls(self, node: int, now_us: int) -> bytes | None:
        """Give the next request to a node.

        Args:
            node: as the caller has named it to `renewals`.
            now_us: simulated time.

        Returns:
            A bencoded list of subscriptions; None if nothing is due. If more was due than fits, the next call
            gives the rest.

        Source: session-push-notification-server: spns/hive/snode.cpp (check_subs).
        """
        self._clean(now_us)
        written: list[bytes] = []
        size = 1

        def room(account: bytes) -> bool:
            nonlocal size
            parts = [write_call(subscription.call()) for subscription in self.monitored.get(account, ())]
            if not parts:
                self.renewals.drop(node, account)
            written.extend(parts)
            size += sum(map(len, parts))
            return size < self._rules.renewal_bytes

        self.renewals.take(node, now_us, room)
        return write_calls(written) if written else None

    def announced(self, payload: bytes, now_us: int) -> tuple[Push, ...]:
        """Take what a node pushed.

        Args:
            payload: any bytes.
            now_us: simulated time.

        Returns:
            What to send to the services; empty if nobody subscribed or all have had it.

        Raises:
            RemoteProtocolError: not a notification.
        Source: session-push-notification-server: spns/hivemind.cpp (process_notifications).
        """
        notification = read_notification(payload)
        if now_us >= self._rotates_us:
            self._older, self._recent = self._recent, set()
            self._rotates_us = now_us + self._rules.filter_life_us
        pushes = []
        for device, registered in self.devices.get(notification.account, {}).items():
            if notification.namespace not in registered.subscription.namespaces:
                continue
            seen = (device, notification.hash)
            if seen in self._older or seen in self._recent:
                continue
            self._recent.add(seen)
            pushes.append(self._push(device, registered, notification))
        return tuple(pushes)

    def _push(self, device: Device, registered: Registered, notification: Notification) -> Push:
        if not registered.subscription.want_data:
            notification = notification._replace(data=None)
        services = self._rules.dict_without_body
        padded = write_list(
            notification,
            body_max_bytes=self._rules.body_max_bytes,
            dict_without_body=services == "all" or (services == "apple" and device.service in APPLE),
            block_bytes=self._rules.padding_bytes,
        )
        self._pushes += 1
        nonce = self._entropy.draw(b"push nonce %d" % self._pushes)[: aead.NONCE_BYTES]
        return make_push(device.service, device.token, seal_payload(padded, registered.enc_key, nonce))

    def _clean(self, now_us: int) -> None:
        if now_us < self._next_cleanup_us:
            return
        self._next_cleanup_us = (
            now_us - now_us % self._rules.cleanup_period_us + self._rules.cleanup_period_us
        )
        dead_s = (self._epoch_us + now_us - self._rules.signature_life_us) // US_PER_S
        for account, registered in list(self.devices.items()):
            for device, one in list(registered.items()):
                if one.subscription.signed_s <= dead_s:
                    del registered[device]
            if not registered:
                del self.devices[account]
        for account, known in list(self.monitored.items()):
            known[:] = [one for one in known if one.signed_s > dead_s]
            if not known:
                del self.monitored[account]


def _refusal(code: PushError, text: str) -> dict[str, Any]:
    return {"error": int(code), "message": text}


def _answer(replies: list[dict[str, Any]], *, many: bool) -> ServerAnswer:
    headers = {"content-type": "application/json"}
    return ServerAnswer(200, headers, write_replies(replies, as_list=many))
