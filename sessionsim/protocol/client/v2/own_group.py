"""The device group of the account: when a client reads it, changes keys, and pushes (protocol-v2 5, 8, 9).

What a device knows is `v2.devices.DeviceGroup`; here is when what happens. Group messages and the account's
record come with polls, or with a read of its own when something is due: before keys are changed, before a
push, and when a message does not open. Keys are changed and a push is made at the end of a read only, so that
they carry what it brought. A push that fails is tried again after the next read.

Linking is in `linking`, what else a person decides about devices in `deciding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.core.units import US_PER_MS, US_PER_S
from sessionsim.protocol.client.idling import NEVER_US
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.client.v2.calls import signed_delete, signed_store
from sessionsim.protocol.client.v2.key_history import KeyHistory
from sessionsim.protocol.client.v2.own_swarm import OwnSwarm, Results
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.namespaces import ACCOUNT_KEYS, DEVICES
from sessionsim.protocol.v2 import V2Rules
from sessionsim.protocol.v2.devices import (
    DeviceGroup,
    IncomingRequest,
    Membership,
    Outcome,
    Push,
    Taken,
)
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

RETRY_US: Final = 10 * US_PER_S  # Assumption: pause after a read or push that failed, as for one node (6)


class OwnGroup:
    """The device group of a client.

    Args:
        client: whose.
        rules: times and holes.
        group: what this device knows of it.
    """

    def __init__(self, client: Client, rules: V2Rules, group: DeviceGroup) -> None:
        self._client, self._rules, self.group = client, rules, group
        self.swarm = OwnSwarm(client)
        # Told when the device has learnt of a key, of a request to join, and of a complete read.
        self.on_keys: Callable[[int], list[Effect]] = lambda now_us: []
        self.on_request: Callable[[IncomingRequest, int], None] = lambda request, now_us: None
        self.on_read: Callable[[int], list[Effect]] = lambda now_us: []
        self.on_plan: Callable[[int], None] = lambda now_us: None  # after whatever may have changed seeds
        self._seen: set[str] = set()
        self.answered: list[str] = []  # hashes of link requests that are dealt with
        self._reading = self._pushing = self._whole = False
        self._group_due_us: int | None = None  # when the group has keys to change next
        self._lapse_us: int | None = None  # when the time of a retained key is over next
        self._read_us: int | None = None  # when to read again, whatever the group says
        self._pause_us = 0  # nothing is read or pushed before, after a failure
        self.stands = Membership.UNKNOWN
        self.history = KeyHistory(group)

    # ---- The part ----

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        self.plan(now_us)
        if not self._rules.polls_own_namespaces:
            self._read_us = now_us
        return []

    def next_due_us(self) -> int | None:
        times = (self._lapse_us, self._read_due_us())
        return min((t_us for t_us in times if t_us is not None), default=None)

    def _read_due_us(self) -> int | None:
        times = [t_us for t_us in (self._group_due_us, self._read_us) if t_us is not None]
        return max(min(times), self._pause_us) if times and not self._reading else None

    def wake(self, now_us: int) -> list[Effect]:
        if self._lapse_us is not None and self._lapse_us <= now_us:
            self.group.lapse(self.unix_us(now_us))
            self.plan(now_us)
        read_us = self._read_due_us()
        return self.read(now_us) if read_us is not None and read_us <= now_us else []

    def unix_us(self, now_us: int) -> int:
        """Give this device's clock, unix µs."""
        return self._client.epoch_ms * US_PER_MS + now_us

    def plan(self, now_us: int) -> None:
        """Note when the group has something to do next, after whatever may have changed that."""
        epoch_us = self._client.epoch_ms * US_PER_MS
        due_us, lapse_us = self.group.next_due_us(), self.group.lapse_due_us()
        self._group_due_us = None if due_us is None else due_us - epoch_us
        self._lapse_us = None if lapse_us is None else lapse_us - epoch_us
        self.history.note(now_us)
        self.on_plan(now_us)

    # ---- Reading ----

    def forget_seen(self) -> None:
        """Take messages as new that were looked at before."""
        self._seen.clear()

    def plan_read(self, t_us: int) -> None:
        """Have the group read again at some time, whether keys fall due or not."""
        self._read_us = t_us

    def read(self, now_us: int) -> list[Effect]:
        """Read the group's messages and the account's record now, unless that is under way."""
        if self._reading:
            return []
        self._reading, self._read_us = True, None
        return self.swarm.read(now_us, self._was_read)

    def _was_read(self, whole: bool, now_us: int) -> list[Effect]:
        self._reading = False
        if not whole:
            self._read_us = self._pause_us = now_us + RETRY_US
        return []

    def take_message(self, message: rpc.Retrieved, now_us: int) -> list[Effect]:
        """Take a message of namespace 21; see `parts.Taker`."""
        if message.hash in self._seen:
            return []
        self._seen.add(message.hash)
        size, seeds, ours = len(message.data), self.group.seeds, self.group.made_active
        try:
            found = self.group.receive(
                message.data, message.hash, message.timestamp_ms, message.expiry_ms, self.unix_us(now_us)
            )
        except ProtocolError:
            return [(EVENT, happenings.GROUP_REFUSED, message.hash, size)]
        if isinstance(found, Taken):
            # A member that hears of a departure changes the keys on the spot, whoever else has done so.
            followed: Effect = (EVENT, happenings.FOLLOWED, -1, 0)
            effects = [followed] * self.group.untold_rotations + self.came(found, size, now_us)
        elif found is not None:
            effects = [(EVENT, happenings.REQUEST_READ, message.hash, size)]
            self.on_request(found, now_us)
        else:
            effects = []
        self.plan(now_us)
        if ours and not self.group.made_active:
            age_us = self.unix_us(now_us) - seeds[0].created_s * US_PER_S
            effects.append((EVENT, happenings.OVERTAKEN, -1, age_us))
        return effects + (self.on_keys(now_us) if self.group.seeds is not seeds else [])

    def take_record(self, message: rpc.Retrieved, now_us: int) -> list[Effect]:
        """Take the account's public record; see `parts.Taker`."""
        try:
            known = self.group.see_record(message.data)
        except ProtocolError:
            known = False
        if known or not self.group.is_member:  # who is in no group knows no keys to compare with
            return []
        return [(EVENT, happenings.RECORD_FOREIGN, message.hash, len(message.data))]

    def messages_read(self, now_us: int) -> list[Effect]:
        """Take it that a node has given all messages of the group; the account's record is read next."""
        self._whole = True
        self.group.fetched()
        return []

    def record_read(self, now_us: int) -> list[Effect]:
        """Do what may be done after a complete read: change keys that are due, ask to join, push."""
        if not self._whole:
            return []
        self._whole = False
        effects = self._act(now_us) + self.noticed(now_us) + self.on_read(now_us)
        return effects + self._push(now_us)

    def still_until_us(self, now_us: int) -> int | None:
        """Say until when reads that bring nothing change nothing; None: the next may."""
        group, unix_us, epoch_us = self.group, self.unix_us(now_us), self.unix_us(0)
        needs = group.needs_push()
        if needs.group or needs.record or self._reading or self._pushing or self._whole:
            return None
        if not group.was_fetched or group.untold_rotations or group.membership(unix_us) is not self.stands:
            return None
        until_us = NEVER_US if self._group_due_us is None else self._group_due_us
        expiry_us = group.next_expiry_us(unix_us)
        return until_us if expiry_us is None else min(until_us, expiry_us - epoch_us)

    def came(self, taken: Taken, size: int, now_us: int) -> list[Effect]:
        """Tell what came of a group message, and send what leaving another group sends."""
        effects: list[Effect] = [(EVENT, happenings.GROUP_READ + taken.outcome.value, -1, size)]
        if taken.outcome is Outcome.ADMITTED:
            self.plan(now_us)
        if taken.departure is not None:
            effects += self.depart(taken.departure.message, taken.departure.obsolete, now_us)
        return effects + self.noticed(now_us)

    def noticed(self, now_us: int) -> list[Effect]:
        """Tell of changes of the account's keys, and how this device stands to the account's groups."""
        unix_us = self.unix_us(now_us)
        effects: list[Effect] = [
            (EVENT, happenings.ACCOUNT_ROTATED, -1, unix_us - replaced_s * US_PER_S)
            for replaced_s in self.group.take_rotations()
        ]
        stands = self.group.membership(unix_us)
        if stands is not self.stands:
            self.stands = stands
            effects.append((EVENT, happenings.MEMBERSHIP + stands.value, -1, 0))
        return effects

    # ---- Keys ----

    def _act(self, now_us: int) -> list[Effect]:
        if self._group_due_us is None or self._group_due_us > now_us:
            return []
        rotated = self.group.act(self.unix_us(now_us))
        self.plan(now_us)
        return [(EVENT, happenings.DEVICE_ROTATED, -1, 0)] if rotated.device else []

    # ---- Pushing ----

    def _push(self, now_us: int) -> list[Effect]:
        """Push what is owed, if a read has just ended and no push is under way."""
        if self._pushing or now_us < self._pause_us:
            return []
        needs = self.group.needs_push()
        if not needs.group and not needs.record:
            return []
        push = self.group.build_push(self.unix_us(now_us)) if needs.group else None
        record = self.group.build_record() if needs.record else b""
        calls = [] if push is None else [self._store_call(DEVICES, push.message, now_us)]
        calls += [self._store_call(ACCOUNT_KEYS, record, now_us)] if record else []
        obsolete = [] if push is None else [*push.obsolete, *self.answered]
        calls += self._delete_calls(obsolete)
        self._pushing = True
        unstated = self.group.unstated_removals if push is not None else 0
        told: list[Effect] = [(EVENT, happenings.UNSTATED, -1, unstated)] if unstated else []
        return told + self.swarm.store(
            calls, now_us, lambda results, t_us: self._pushed(push, record, obsolete, results, t_us)
        )

    def _pushed(
        self, push: Push | None, record: bytes, obsolete: list[str], results: Results, now_us: int
    ) -> list[Effect]:
        self._pushing = False
        effects, rest = list[Effect](), list(results)
        if push is not None:
            if not took_store(rest):
                return self._push_failed(now_us)
            name = rpc.message_hash(self._client.account.id, DEVICES, push.message)
            self._seen.add(name)
            self.group.confirm_push(push, name, self.unix_us(now_us))
            self.plan(now_us)
            self.answered = [one for one in self.answered if one not in obsolete]
            effects.append((EVENT, happenings.GROUP_PUSHED, -1, len(push.message)))
        if record:
            if not took_store(rest):
                return effects + self._push_failed(now_us)
            self.group.see_record(record)
            effects.append((EVENT, happenings.RECORD_PUSHED, -1, len(record)))
        return effects

    def _push_failed(self, now_us: int) -> list[Effect]:
        self._pause_us = self._read_us = now_us + RETRY_US
        return [(EVENT, happenings.PUSH_FAILED, -1, 0)]

    def _store_call(self, namespace: int, data: bytes, now_us: int) -> rpc.Call:
        client, rules = self._client, self._rules
        ttl_us = rules.record_ttl_us if namespace == ACCOUNT_KEYS else rules.device_group_ttl_us
        return signed_store(
            client.suite, client.account, namespace, data, client.wire_ms(now_us), ttl_us // US_PER_MS
        )

    def _delete_calls(self, hashes: list[str]) -> list[rpc.Call]:
        return [signed_delete(self._client.suite, self._client.account, hashes)] if hashes else []

    def depart(self, message: bytes, obsolete: tuple[str, ...], now_us: int) -> list[Effect]:
        """Tell a group that this device has left it. Nothing is done if that fails: they will see it gone."""
        calls = [self._store_call(DEVICES, message, now_us)] if message else []
        calls += self._delete_calls(list(obsolete))
        told: Effect = (EVENT, happenings.GROUP_PUSHED, -1, len(message))
        left: Effect = (EVENT, happenings.LEFT, -1, 0)
        if not calls:
            return [left]
        pushed = self.swarm.store(
            calls, now_us, lambda results, t_us: [told] if message and took_store(results) else []
        )
        return [left, *pushed]


def took_store(results: Results) -> bool:
    """Take the result of a store off the front, and say whether it was stored."""
    return bool(results) and results.pop(0)[0] == 200
