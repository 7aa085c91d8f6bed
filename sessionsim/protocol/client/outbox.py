"""Sending: a serial queue per recipient, attempts with back-off, and the sync copy after the first store.

A message is encrypted once; each attempt stores the same bytes at a random node of the recipient's swarm,
so a repeated store is a duplicate there. When the store has succeeded, a second copy encrypted to the own
account is stored in the own swarm (client-behaviour 6.3). A 421 replaces the cached swarm and is retried
at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.extras import Extras
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.sealing import Seal
from sessionsim.protocol.contents import Expiry, Message, Text, write
from sessionsim.protocol.machine import LOG, Effect
from sessionsim.protocol.versions.v1 import Profile, encode_text
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_ATTEMPT_BITS = 8  # room for the attempts of one copy in an exchange number (ClientRules.send_attempts ≤ 100)
_NAMESPACE = 0  # direct messages


class _Copy:
    """One copy of a text on its way to a swarm: the recipient's, or the own one (`purpose` SYNC).

    `number` counts the texts in the order in which they were accepted, so that the draws of a copy depend on
    nothing that happens to another; with the purpose it is `order`, unique among copies.
    """

    __slots__ = (
        "attempts",
        "body",
        "data",
        "extras",
        "note",
        "number",
        "order",
        "owner_id",
        "purpose",
        "recipient_id",
        "ref",
        "sent_ms",
    )

    def __init__(
        self,
        number: int,
        ref: int,
        purpose: Purpose,
        owner_id: bytes,
        recipient_id: bytes,
        body: str,
        sent_ms: int,
        extras: Extras | None,
    ) -> None:
        self.number, self.ref, self.purpose, self.extras = number, ref, purpose, extras
        self.owner_id, self.recipient_id, self.body, self.sent_ms = owner_id, recipient_id, body, sent_ms
        self.data, self.attempts = b"", 0
        self.order = number << 4 | purpose
        self.note = note_of(Cause.MESSAGE if purpose is Purpose.SEND else Cause.SYNC, ref)


class Outbox:
    """The sending half of a client. Args: client: whose; profile: what it tells about itself."""

    def __init__(self, client: Client, profile: Profile) -> None:
        self._client = client
        self._profile = profile if client.rules.send_profile else None
        self._queues: dict[bytes, deque[tuple[int, int, str, Extras | None]]] = {}
        self._retries: list[tuple[int, int, _Copy]] = []
        self._texts = 0
        self._copies: set[int] = set()  # messages whose sync copy is on its way

    def accept(self, ref: int, recipient_id: bytes, body: str, now_us: int) -> list[Effect]:
        """Take a text for a recipient; it starts when those before it to the same recipient are done."""
        return self.accept_with(ref, recipient_id, body, None, now_us)

    def accept_with(
        self, ref: int, recipient_id: bytes, body: str, extras: Extras | None, now_us: int
    ) -> list[Effect]:
        """Take a text with what hangs on it; None for nothing."""
        queue = self._queues.setdefault(recipient_id, deque())
        queue.append((self._texts, ref, body, extras))
        self._texts += 1
        return self._start_next(recipient_id, now_us) if len(queue) == 1 else []

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"send": self.accept}

    def pending(self) -> Iterator[int]:
        """Give the messages that are neither stored nor given up."""
        return (ref for queue in self._queues.values() for _, ref, _, _ in queue)

    def pending_copies(self) -> Iterator[int]:
        """Give the messages whose sync copy is neither stored nor given up."""
        return iter(self._copies)

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        """Give when the earliest retry is due."""
        return self._retries[0][0] if self._retries else None

    def wake(self, now_us: int) -> list[Effect]:
        """Start the retries that are due."""
        effects: list[Effect] = []
        while self._retries and self._retries[0][0] <= now_us:
            effects += self._attempt(heappop(self._retries)[2], now_us)
        return effects

    def _start_next(self, recipient_id: bytes, now_us: int) -> list[Effect]:
        queue = self._queues[recipient_id]
        if not queue:
            return []
        number, ref, body, extras = queue[0]
        sent_ms = self._client.wire_ms(now_us)
        return self._prepare(
            _Copy(number, ref, Purpose.SEND, recipient_id, recipient_id, body, sent_ms, extras), now_us
        )

    def _prepare(self, copy: _Copy, now_us: int) -> list[Effect]:
        """Begin with a copy as soon as it can be encrypted."""
        return self._client.sealing.prepare(
            copy.ref, copy.owner_id, now_us, lambda seal, t_us: self._begin(copy, seal, t_us)
        )

    def _begin(self, copy: _Copy, seal: Seal, now_us: int) -> list[Effect]:
        """Encrypt one copy for the inbox `copy.owner_id`, log its hash, and make the first attempt."""
        ours = copy.purpose is Purpose.SYNC
        content = self._content(copy, copy.recipient_id if ours else b"")
        copy.data = seal(content, copy.sent_ms, copy.order.to_bytes(8, "little"))
        what = "sync_hash" if ours else "hash"
        message_hash = rpc.message_hash(copy.owner_id, _NAMESPACE, copy.data)
        if copy.owner_id == self._client.account.id:
            self._client.inbox.made(message_hash)
        logs: list[Effect] = [(LOG, what, copy.ref, message_hash)]
        if ours:
            self._copies.add(copy.ref)
        else:
            expiry_ms = copy.sent_ms + self._client.rules.message_ttl_us // US_PER_MS
            logs.append((LOG, "written", copy.ref, (copy.sent_ms, expiry_ms)))
        return logs + self._attempt(copy, now_us)

    def _content(self, copy: _Copy, sync_target: bytes) -> bytes:
        """Write the plaintext of a copy."""
        profile, extras = self._profile, copy.extras
        if extras is None:
            return encode_text(copy.body, copy.sent_ms, profile=profile, sync_target=sync_target)
        attachments, previews = extras
        text = Text(copy.body, attachments, previews=previews, profile=profile, sync_target=sync_target)
        return write(Message(copy.sent_ms, text, Expiry() if profile else None))

    def _attempt(self, copy: _Copy, now_us: int) -> list[Effect]:
        return self._client.swarms.find(
            copy.owner_id, now_us, lambda swarm, t_us: self._store(copy, swarm, t_us)
        )

    def _store(self, copy: _Copy, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        """Ask one random node of the swarm to store the copy."""
        client, rules = self._client, self._client.rules
        exchange = (copy.number << _ATTEMPT_BITS | copy.attempts) << 4 | copy.purpose
        copy.attempts += 1
        if not swarm:
            return self._not_stored(copy, 0, now_us, {}, "no swarm found")
        node = swarm[number_at(client.entropy, b"store" + exchange.to_bytes(8, "little"), len(swarm))]
        style = client.body_style
        call = rpc.store_call(
            style, copy.owner_id.hex(), copy.data, copy.sent_ms, rules.message_ttl_us // US_PER_MS
        )
        if rules.send_form == "store":
            body = rpc.request_body(style, call)
        else:
            body = rpc.batch_body(style, [call], rules.send_form.encode())
        effects: list[Effect] = []
        if copy.purpose is Purpose.SEND:
            effects.append((LOG, "attempts", copy.ref, copy.attempts))
        effects.append(
            client.requests.send(
                exchange, node, body, copy.note, now_us,
                lambda status, answer, t_us: self._answered(copy, status, answer, t_us),
            )
        )  # fmt: skip
        return effects

    def _answered(self, copy: _Copy, status: int, body: bytes, now_us: int) -> list[Effect]:
        fields: dict[str, Any] = {}
        try:
            if status == 200 and self._client.rules.send_form != "store":
                status, fields = rpc.read_batch(body)[0]
            elif status in (200, 421):
                fields = rpc.read_object(body)
        except (RemoteProtocolError, IndexError):
            status = 0
        if status != 200:
            return self._not_stored(copy, status, now_us, fields)
        what = "stored" if copy.purpose is Purpose.SEND else "sync_stored"
        return [(LOG, what, copy.ref, now_us), *self._done(copy, now_us, stored=True)]

    def _not_stored(
        self, copy: _Copy, status: int, now_us: int, fields: dict[str, Any], reason: str = ""
    ) -> list[Effect]:
        """Try again later, or give the copy up after the last attempt."""
        client, rules = self._client, self._client.rules
        if status == 421:
            client.swarms.correct(copy.owner_id, fields)
        if copy.attempts >= rules.send_attempts:
            what = "failed" if copy.purpose is Purpose.SEND else "sync_failed"
            reason = reason or (f"status {status}" if status else "no answer")
            return [(LOG, what, copy.ref, reason), *self._done(copy, now_us, stored=False)]
        if status == 421:
            return self._attempt(copy, now_us)
        pause = rules.send_backoff_us * rules.send_backoff_growth ** (copy.attempts - 1)
        heappush(self._retries, (now_us + int(min(pause, rules.send_backoff_cap_us)), copy.order, copy))
        return []

    def _done(self, copy: _Copy, now_us: int, *, stored: bool) -> list[Effect]:
        """Go on after a copy: its sync copy, and the next text to the same recipient."""
        if copy.purpose is Purpose.SYNC:
            self._copies.discard(copy.ref)
            return []
        effects: list[Effect] = []
        own_id = self._client.account.id
        if stored and self._client.rules.sync_copy and copy.recipient_id != own_id:
            sync = _Copy(
                copy.number, copy.ref, Purpose.SYNC, own_id, copy.recipient_id, copy.body, copy.sent_ms,
                copy.extras,
            )  # fmt: skip
            effects += self._prepare(sync, now_us)
        self._queues[copy.recipient_id].popleft()
        return effects + self._start_next(copy.recipient_id, now_us)
