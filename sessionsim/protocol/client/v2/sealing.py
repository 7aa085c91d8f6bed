"""Sealing and opening as version 2 does it: under keys of the account, or without (protocol-v2 6, 7).

A message to somebody whose keys are not known waits for a fetch, but only so long (hole H4); then it goes
out without them, as the rules say: as version 1, or as version 2 under the long-term key. The copy for the
own other devices is sealed to the own account's keys (hole H5). What was sealed by version 1 is opened too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.sealing import Opened, Ready, Seal, SealingV1
from sessionsim.protocol.client.v2 import happenings
from sessionsim.protocol.client.v2.fetches import KeyFetches
from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.v2 import PublicKeys, V2Rules, open_message, version_of
from sessionsim.protocol.v2.devices import DeviceGroup
from sessionsim.protocol.v2.marked_fallback import is_marked, open_marked, seal_marked
from sessionsim.protocol.v2.receiving import V1
from sessionsim.protocol.versions.v2 import RANDOM_BYTES, seal_direct

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client


class _Waiting:
    """A message that waits for keys."""

    __slots__ = ("begun_us", "gone", "ready", "recipient_id", "ref")

    def __init__(self, ref: int, recipient_id: bytes, begun_us: int, ready: Ready) -> None:
        self.ref, self.recipient_id, self.begun_us, self.ready = ref, recipient_id, begun_us, ready
        self.gone = False


class SealingV2:
    """Encryption of direct messages by version 2; a part, since messages may have to wait.

    Args:
        client: whose.
        rules: times and holes.
        fetches: the keys of others.
        group: holds the keys of the account.
    """

    def __init__(self, client: Client, rules: V2Rules, fetches: KeyFetches, group: DeviceGroup) -> None:
        self._client, self._rules, self._fetches, self._group = client, rules, fetches, group
        self._v1 = SealingV1(client)
        self._deadlines: list[tuple[int, int, _Waiting]] = []
        self._count = 0

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        while self._deadlines and self._deadlines[0][2].gone:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def wake(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        while self._deadlines and self._deadlines[0][0] <= now_us:
            effects += self._go(heappop(self._deadlines)[2], now_us)
        return effects

    # ---- Sealing ----

    def prepare(self, ref: int, recipient_id: bytes, now_us: int, ready: Ready) -> list[Effect]:
        if recipient_id == self._client.account.id:
            return self._own_copy(ref, now_us, ready)
        plan = self._fetches.plan(recipient_id, now_us)
        told: Effect = (EVENT, happenings.KEYS + plan.state.value, ref, 0)
        if not plan.wait:
            effects = self._sealed(ref, recipient_id, plan.keys, 0, now_us, ready)
            return [told, *effects, *(self._fetches.fetch(recipient_id, now_us) if plan.fetch else ())]
        waiting = _Waiting(ref, recipient_id, now_us, ready)
        self._count += 1
        heappush(self._deadlines, (now_us + self._rules.key_wait_us, self._count, waiting))
        return [told, *self._fetches.fetch(recipient_id, now_us, partial(self._go, waiting))]

    def _own_copy(self, ref: int, now_us: int, ready: Ready) -> list[Effect]:
        if self._rules.own_copy == "v1":
            return self._v1.prepare(ref, self._client.account.id, now_us, ready)
        # Outside the group the newest keys are not known, and those held are open to whoever stayed in it.
        keys = self._group.account_keys[0].public if self._group.is_member else None
        return self._sealed(ref, self._client.account.id, keys, 0, now_us, ready, told=False)

    def _go(self, waiting: _Waiting, now_us: int) -> list[Effect]:
        """Go on with a message: its keys are there, or will not be in time."""
        if waiting.gone:
            return []
        waiting.gone = True
        keys = self._fetches.plan(waiting.recipient_id, now_us).keys
        waited_us = now_us - waiting.begun_us
        return self._sealed(waiting.ref, waiting.recipient_id, keys, waited_us, now_us, waiting.ready)

    def _sealed(
        self,
        ref: int,
        recipient_id: bytes,
        keys: PublicKeys | None,
        waited_us: int,
        now_us: int,
        ready: Ready,
        *,
        told: bool = True,
    ) -> list[Effect]:
        seal: Seal = partial(self._seal, recipient_id, keys)
        form = happenings.SEALED_PFS if keys is not None else happenings.SEALED_FALLBACK
        if keys is None and self._rules.no_keys_form == "v1":
            seal, form = partial(self._v1.seal, recipient_id), happenings.SEALED_V1
        effects: list[Effect] = [(EVENT, form, ref, waited_us)] if told else []
        return [*effects, *ready(seal, now_us)]

    def _seal(
        self, recipient_id: bytes, keys: PublicKeys | None, content: bytes, _sent_ms: int, address: bytes
    ) -> bytes:
        client = self._client
        random = client.entropy.expand(b"seal v2" + address, RANDOM_BYTES)
        if keys is None and self._rules.fallback_form == "marked":
            return seal_marked(client.suite, client.account.ed, recipient_id, content, random[:32])
        return seal_direct(client.suite, client.account, recipient_id, keys, content, random)

    # ---- Opening ----

    def open(self, stored: bytes) -> Opened:
        return self.open_as(stored)[1]

    def open_as(self, stored: bytes) -> tuple[str, Opened]:
        """Open a message and say how it was protected.

        Raises:
            NoKeyFits: no key that is held opens it. ProtocolError: it is none, or wrong inside.
        """
        suite, account = self._client.suite, self._client.account
        if self._rules.fallback_form == "marked" and is_marked(stored):
            opened = open_marked(suite, account, stored)
        elif version_of(stored) == V1:
            return happenings.OPENED_V1, self._v1.open(stored)
        else:
            opened = open_message(suite, account, self._group.account_keys, stored)
        how = happenings.OPENED_FALLBACK if opened.key is None else happenings.OPENED_PFS
        return how, Opened(account_id_of_ed25519(opened.inner.sender), opened.inner.content)
