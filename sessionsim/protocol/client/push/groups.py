"""Fast mode in groups: a device subscribes for every group it is in, and reads what is pushed from there.

The right to subscribe is that to read: an admin signs with the group's key, a member with its subaccount
(transport 5.2). All groups go in one request, as the own account does, and again when that one is renewed;
one that is joined or left between is told soon after. A push that carries its message is read at once, by the
same code as what a poll brings; any other makes the device poll that group.

Events: `push-groups` (value: groups that the server took in a request, or -1 if it took none).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.groups.standing import Place, Standing
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.push.part import PushListener
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.push.authority import Authority
from sessionsim.protocol.push.payload import Pushed
from sessionsim.protocol.push.subscription import sign_subscription, subscribe_request, unsubscribe_request
from sessionsim.protocol.wire.push_json import read_parts
from sessionsim.protocol.wire.rpc import Retrieved

if TYPE_CHECKING:
    from sessionsim.protocol.client.groups.part import Groups
    from sessionsim.protocol.client.machine import Client

_NONE_TAKEN: Final = -1


class GroupPushes:
    """The groups of a device in fast mode.

    Args:
        client: whose.
        listener: has its token, key and rules, and hands on what is pushed of groups.
        groups: those the device is in.
    """

    def __init__(self, client: Client, listener: PushListener, groups: Groups) -> None:
        self._client, self._listener, self._groups = client, listener, groups
        self._told: dict[bytes, Authority] = {}  # groups that are subscribed for, and by what right
        self._next_us: int | None = None
        self._failures = 0
        listener.elsewhere = self._pushed
        listener.renewed = self._renew
        groups.noted.append(self._changed)
        client.presence.errands.append(self.next_due_us)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return self._next_us

    def wake(self, now_us: int) -> list[Effect]:
        if self._next_us is None or self._next_us > now_us:
            return []
        self._next_us = None
        wanted = {standing.group_id: standing for standing in self._wanted()}
        effects: list[Effect] = []
        gone = [group_id for group_id in self._told if group_id not in wanted]
        for group_id in gone:
            effects.append(self._unsubscribe(group_id, now_us))
        new = [standing for group_id, standing in wanted.items() if group_id not in self._told]
        return [*effects, *(self._subscribe(new, now_us) if new else ())]

    def _wanted(self) -> list[Standing]:
        return [standing for standing in self._groups.standings.values() if standing.place is Place.IN]

    def _renew(self, now_us: int) -> None:
        """Subscribe again for all, beside the own account."""
        self._told.clear()
        self._next_us = now_us

    def _changed(self, standing: Standing, now_us: int) -> list[Effect]:
        """Learn that a group was joined or left."""
        if (standing.place is Place.IN) != (standing.group_id in self._told) and self._listener.subscribed:
            due_us = now_us + self._listener.rules.group_delay_us
            self._next_us = due_us if self._next_us is None else min(self._next_us, due_us)
        return []

    # --- the push server ----------------------------------------------------------------------------------

    def _subscribe(self, standings: Sequence[Standing], now_us: int) -> Sequence[Effect]:
        listener, now_s = self._listener, self._now_s(now_us)
        signed = [
            (
                sign_subscription(
                    _authority(standing), standing.sign, listener.rules.group_namespaces, now_s
                ),
                listener.device,
                listener.enc_key,
            )
            for standing in standings
        ]
        ids = [standing.group_id for standing in standings]
        rights = {standing.group_id: _authority(standing) for standing in standings}
        self._told |= rights

        def answered(status: int, body: bytes, t_us: int) -> list[Effect]:
            taken = _taken(status, body, len(ids))
            for group_id, took in zip(ids, taken, strict=True):
                if not took:
                    self._told.pop(group_id, None)
            if all(taken):
                self._failures = 0
            else:
                rules = listener.rules
                pause_us = min(rules.retry_us << min(self._failures, 40), rules.retry_cap_us)
                self._failures += 1
                self._next_us = t_us + pause_us
            return [(EVENT, "push-groups", -1, sum(taken) or _NONE_TAKEN)]

        return [listener.ask(subscribe_request(signed), now_us, answered)]

    def _unsubscribe(self, group_id: bytes, now_us: int) -> Effect:
        """End one subscription; what the server makes of it changes nothing here."""
        standing, authority = self._groups.standings[group_id], self._told.pop(group_id)
        request = unsubscribe_request(
            [(authority, self._listener.device)], standing.sign, self._now_s(now_us)
        )
        return self._listener.ask(request, now_us, lambda _status, _body, _t_us: [])

    def _now_s(self, now_us: int) -> int:
        return self._client.wire_ms(now_us) * US_PER_MS // US_PER_S

    # --- pushes -------------------------------------------------------------------------------------------

    def _pushed(self, pushed: Pushed, now_us: int) -> list[Effect]:
        """Read what comes from a group."""
        rules, body = self._listener.rules, pushed.data
        if pushed.account not in self._groups.standings:
            return []
        message = None
        if body is not None and rules.takes_body:
            message = Retrieved(pushed.hash, pushed.timestamp_ms or 0, pushed.expiry_ms or 0, body)
        elif not rules.polls_without_body:
            return []
        return self._groups.pushed(pushed.account, pushed.namespace, message, now_us)


def _authority(standing: Standing) -> Authority:
    shown = standing.asker.subaccount
    if shown is None:
        return Authority(standing.group_id)
    return Authority(standing.group_id, b"", shown.token, shown.signature)


def _taken(status: int, body: bytes, count: int) -> list[bool]:
    """Say of each part of a request whether the server took it."""
    try:
        parts = read_parts(body)[0] if status == 200 else []
    except RemoteProtocolError:
        parts = []
    taken = [isinstance(part, dict) and part.get("success") is True for part in parts[:count]]
    return taken + [False] * (count - len(taken))
