"""Linking devices: a device asks to join, and a person who holds both compares emoji (protocol-v2 9).

How long the comparison takes comes with the commands. Persons are honest here: whoever accepts links admits
the next device that asks, as somebody does who has just asked on that device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sessionsim.core.errors import CannotOpen
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.idling import NEVER_US
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.client.v2.calls import signed_store
from sessionsim.protocol.client.v2.own_group import RETRY_US, OwnGroup, took_store
from sessionsim.protocol.client.v2.own_swarm import Results
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.namespaces import DEVICES
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.devices import IncomingRequest, Membership

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_NO_MORE = (Membership.IN_GROUP, Membership.DISPLACED, Membership.REMOVED)


class Linking:
    """Both sides of linking, as a part. Args: client: whose; rules: times; own: its device group."""

    def __init__(self, client: Client, rules: V2Rules, own: OwnGroup) -> None:
        self._client, self._rules, self._own = client, rules, own
        self._compare_us: int | None = None  # how long the person takes; None: not asking to join
        self._confirm_us: int | None = None
        self._accept_until_us = self._accept_after_us = 0  # no more once somebody is admitted
        self._accepting: list[tuple[int, IncomingRequest]] = []

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"link": self._link, "accept-links": self._accept_links}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        accept_us = self._accepting[0][0] if self._accepting else None
        return min((t_us for t_us in (self._confirm_us, accept_us) if t_us is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._confirm_us is not None and self._confirm_us <= now_us:
            self._confirm_us = None
            taken = self._own.group.confirm_link(self._own.unix_us(now_us))
            effects += self._own.came(taken, 0, now_us) if taken is not None else []
        while self._accepting and self._accepting[0][0] <= now_us:
            effects += self._accept(self._accepting.pop(0)[1], now_us)
        return effects

    def after_read(self, now_us: int) -> list[Effect]:
        """Go on after a complete read: ask, or go on waiting for one who asks."""
        effects: list[Effect] = []
        if self._compare_us is not None:
            self._own.group.lapse(self._own.unix_us(now_us))  # a request may have expired unanswered
            effects += self._own.noticed(now_us) + self._ask(self._compare_us, now_us)
        if now_us < self._accept_until_us:  # somebody sits before this device and waits
            self._own.plan_read(now_us + RETRY_US)
        return effects

    # ---- The device that asks ----

    def still_until_us(self, now_us: int) -> int | None:
        """Say until when `after_read` does nothing; None: it does something now."""
        return None if self._compare_us is not None or now_us < self._accept_until_us else NEVER_US

    def _link(self, compare_us: int, now_us: int) -> list[Effect]:
        """Ask to join the account's group. Args: compare_us: how long the person compares emoji."""
        self._compare_us = compare_us
        return self._own.read(now_us)

    def _ask(self, compare_us: int, now_us: int) -> list[Effect]:
        """Ask the newest group that is to be seen, unless an earlier request may still be answered."""
        own, group, unix_us = self._own, self._own.group, self._own.unix_us(now_us)
        if own.stands in _NO_MORE:
            self._compare_us = None
            return []
        own.plan_read(now_us + RETRY_US)
        others = [one for one in group.groups(unix_us) if one.group_id != group.group_id]
        if own.stands is Membership.WAITING or not others or self._confirm_us is not None:
            return []
        try:
            asked = group.request_link(others[0].group_id, unix_us)
        except CannotOpen:  # a link key that is none: nobody can be asked
            return []
        client, ttl_ms = self._client, self._rules.link_request_ttl_us // US_PER_MS
        call = signed_store(
            client.suite, client.account, DEVICES, asked.message, client.wire_ms(now_us), ttl_ms
        )
        self._confirm_us = now_us + compare_us

        def done(results: Results, t_us: int) -> list[Effect]:
            stored = took_store(results)
            group.request_stored(asked.asked_s, stored, own.unix_us(t_us))
            return [(EVENT, happenings.REQUEST_PUSHED, -1, len(asked.message))] if stored else []

        return own.swarm.store([call], now_us, done)

    # ---- The member ----

    def _accept_links(self, compare_us: int, for_us: int, now_us: int) -> list[Effect]:
        """Admit the next device that asks, after so long, if it asks within a time: one person holds both."""
        self._accept_until_us, self._accept_after_us = now_us + for_us, compare_us
        for request in self._own.group.requests:
            self.consider(request, now_us)
        return self._own.read(now_us)

    def consider(self, request: IncomingRequest, now_us: int) -> None:
        """Take note of a request to join."""
        if now_us < self._accept_until_us:
            self._accepting.append((now_us + self._accept_after_us, request))

    def _accept(self, request: IncomingRequest, now_us: int) -> list[Effect]:
        own = self._own
        if not self._accept_until_us or not own.group.accept(request, own.unix_us(now_us)):
            return []
        self._accept_until_us = 0
        own.answered.append(request.message_hash)
        own.plan(now_us)
        return [(EVENT, happenings.ADMITTED, -1, 0), *own.noticed(now_us), *own.read(now_us)]
