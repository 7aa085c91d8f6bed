"""Sending: a serial queue per recipient, attempts with back-off, and the sync copy after the first store.

What is sent is a text, or a signal of the client (`signals`). It is encrypted once; each attempt stores the
same bytes at a random node of the recipient's swarm, so a repeated store is a duplicate there. When the store
has succeeded, a second copy encrypted to the own account is stored in the own swarm (client-behaviour 6.3). A
421 replaces the cached swarm and is retried at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.units import US_PER_MS
from sessionsim.protocol.client.confirmations import UNCONFIRMED, confirmed
from sessionsim.protocol.client.extras import Extras
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.paths import number_at
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.sealing import Seal
from sessionsim.protocol.contents import Expiry, Message, Part, Text, write
from sessionsim.protocol.machine import LOG, Effect
from sessionsim.protocol.versions.v1 import Profile, encode_text
from sessionsim.protocol.wire import rpc

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_ATTEMPT_BITS = 8  # room for the attempts of one copy in an exchange number (ClientRules.send_attempts ≤ 100)
_NAMESPACE = 0  # direct messages


class Signal(NamedTuple):
    """What a client sends beside texts.

    Args:
        part: makes it; gets the time of sending (unix ms), and the other person's id (33 bytes) in the copy
            for the own devices, otherwise nothing.
        ttl_us: how long nodes shall keep it.
        copied: whether the own other devices get a copy.
        queued: whether it waits for what was to go to the same person before.
    """

    part: Callable[[int, bytes], Part]
    ttl_us: int
    copied: bool
    queued: bool = True


class _Letter(NamedTuple):
    """Something to be sent to one person.

    Args:
        number: of its kind, texts and signals apart.
        body, extras: of a text.
        signal: None for a text.
    """

    number: int
    ref: int
    recipient_id: bytes
    body: str
    extras: Extras | None
    signal: Signal | None


class _Copy:
    """One copy of a letter on its way to a swarm: the recipient's, or the own one (`ours`).

    `number` counts the copies of its purpose in the order in which their letters were accepted, so that the
    draws of a copy depend on nothing that happens to another; with the purpose it is `order`, unique among
    copies.
    """

    __slots__ = (
        "attempts", "data", "dropped", "letter", "note", "number", "order", "ours", "owner_id", "purpose",
        "redirects", "ref", "sent_ms",
    )  # fmt: skip

    def __init__(self, letter: _Letter, owner_id: bytes, sent_ms: int, *, ours: bool) -> None:
        self.letter, self.ref, self.ours = letter, letter.ref, ours
        self.owner_id, self.sent_ms = owner_id, sent_ms
        self.data, self.attempts, self.dropped = b"", 0, False
        self.redirects = 0  # followed since the last pause
        self.number = letter.number
        if letter.signal is not None:
            self.purpose, cause = Purpose.SIGNAL, Cause.SIGNAL
            self.number = letter.number << 1 | ours
        elif ours:
            self.purpose, cause = Purpose.SYNC, Cause.SYNC
        else:
            self.purpose, cause = Purpose.SEND, Cause.MESSAGE
        self.order = self.number << 4 | self.purpose
        self.note = note_of(cause, letter.ref)


class Outbox:
    """The sending half of a client. Args: client: whose; profile: what it tells about itself."""

    def __init__(self, client: Client, profile: Profile) -> None:
        self._client = client
        self.profile = profile if client.rules.send_profile else None
        self._queues: dict[bytes, deque[_Letter]] = {}
        self._retries: list[tuple[int, int, _Copy]] = []
        self._texts = self._signals = 0
        self._unqueued: dict[int, None] = {}  # messages that go without a queue
        self._copies: set[int] = set()  # messages whose sync copy is on its way
        self._under_way: dict[_Copy, None] = {}  # from their beginning to their end
        # Who is told to whom a text is going to be sent: id, and the time in µs.
        self.writing: list[Callable[[bytes, int], list[Effect]]] = []

    def accept(self, ref: int, recipient_id: bytes, body: str, now_us: int) -> list[Effect]:
        """Take a text for a recipient; it starts when those before it to the same recipient are done."""
        return self.accept_with(ref, recipient_id, body, None, now_us)

    def accept_with(
        self, ref: int, recipient_id: bytes, body: str, extras: Extras | None, now_us: int
    ) -> list[Effect]:
        """Take a text with what hangs on it; None for nothing."""
        self._texts += 1
        told = [effect for tell in self.writing for effect in tell(recipient_id, now_us)]
        letter = _Letter(self._texts - 1, ref, recipient_id, body, extras, None)
        return told + self._queue(letter, now_us)

    def send(self, ref: int, recipient_id: bytes, signal: Signal, now_us: int) -> list[Effect]:
        """Take a signal for a recipient."""
        self._signals += 1
        letter = _Letter(self._signals - 1, ref, recipient_id, "", None, signal)
        if signal.queued:
            return self._queue(letter, now_us)
        self._unqueued[ref] = None
        return self._start(letter, now_us)

    def _queue(self, letter: _Letter, now_us: int) -> list[Effect]:
        queue = self._queues.setdefault(letter.recipient_id, deque())
        queue.append(letter)
        return self._start(letter, now_us) if len(queue) == 1 else []

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"send": self.accept}

    def pending(self) -> Iterator[int]:
        """Give the messages that are neither stored nor given up."""
        yield from self._unqueued
        yield from (letter.ref for queue in self._queues.values() for letter in queue)

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

    def _start(self, letter: _Letter, now_us: int) -> list[Effect]:
        return self._prepare(
            _Copy(letter, letter.recipient_id, self._client.wire_ms(now_us), ours=False), now_us
        )

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up everything that is not stored yet, as when a program without a persistent queue stops."""
        effects: list[Effect] = [(LOG, "failed", ref, reason) for ref in self.pending()]
        effects += [(LOG, "sync_failed", ref, reason) for ref in sorted(self._copies)]
        for copy in self._under_way:
            copy.dropped = True
        for left in (self._under_way, self._queues, self._unqueued, self._copies, self._retries):
            left.clear()
        return effects

    def _prepare(self, copy: _Copy, now_us: int) -> list[Effect]:
        """Begin with a copy as soon as it can be encrypted."""
        self._under_way[copy] = None
        return self._client.sealing.prepare(
            copy.ref, copy.owner_id, now_us, lambda seal, t_us: self._begin(copy, seal, t_us)
        )

    def _begin(self, copy: _Copy, seal: Seal, now_us: int) -> list[Effect]:
        """Encrypt one copy for the inbox `copy.owner_id`, log its hash, and make the first attempt."""
        if copy.dropped:
            return []
        copy.data = seal(self._content(copy), copy.sent_ms, copy.order.to_bytes(8, "little"))
        message_hash = rpc.message_hash(copy.owner_id, _NAMESPACE, copy.data)
        if copy.owner_id == self._client.account.id:
            self._client.inbox.made(message_hash, copy.sent_ms)
        logs: list[Effect] = [(LOG, "sync_hash" if copy.ours else "hash", copy.ref, message_hash)]
        if copy.ours:
            self._copies.add(copy.ref)
        else:
            logs.append((LOG, "written", copy.ref, (copy.sent_ms, copy.sent_ms + self._ttl_ms(copy))))
        return logs + self._attempt(copy, now_us)

    def _ttl_ms(self, copy: _Copy) -> int:
        signal = copy.letter.signal
        return (signal.ttl_us if signal else self._client.rules.message_ttl_us) // US_PER_MS

    def _content(self, copy: _Copy) -> bytes:
        """Write the plaintext of a copy."""
        _, _, recipient_id, body, extras, signal = copy.letter
        profile, sync_target = self.profile, recipient_id if copy.ours else b""
        if signal is not None:
            return write(Message(copy.sent_ms, signal.part(copy.sent_ms, sync_target)))
        if extras is None:
            return encode_text(body, copy.sent_ms, profile=profile, sync_target=sync_target)
        attachments, previews = extras
        text = Text(body, attachments, previews=previews, profile=profile, sync_target=sync_target)
        return write(Message(copy.sent_ms, text, Expiry() if profile else None))

    def _attempt(self, copy: _Copy, now_us: int) -> list[Effect]:
        return self._client.swarms.find(
            copy.owner_id, now_us, lambda swarm, t_us: self._store(copy, swarm, t_us)
        )

    def _store(self, copy: _Copy, swarm: tuple[int, ...], now_us: int) -> list[Effect]:
        """Ask one random node of the swarm to store the copy."""
        if copy.dropped:
            return []
        client, rules = self._client, self._client.rules
        exchange = (copy.number << _ATTEMPT_BITS | copy.attempts) << 4 | copy.purpose
        copy.attempts += 1
        if not swarm:
            return self._not_stored(copy, 0, now_us, {}, "no swarm found")
        node = swarm[number_at(client.entropy, b"store" + exchange.to_bytes(8, "little"), len(swarm))]
        style = client.body_style
        call = rpc.store_call(style, copy.owner_id.hex(), copy.data, copy.sent_ms, self._ttl_ms(copy))
        if rules.send_form == "store":
            body = rpc.request_body(style, call)
        else:
            body = rpc.batch_body(style, [call], rules.send_form.encode())
        effects: list[Effect] = []
        if not copy.ours:
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
        if copy.dropped:
            return []
        try:
            if status == 200 and self._client.rules.send_form != "store":
                status, fields = rpc.read_batch(body)[0]
            elif status in (200, 421):
                fields = rpc.read_object(body)
        except (RemoteProtocolError, IndexError):
            status = 0
        if status != 200:
            return self._not_stored(copy, status, now_us, fields)
        client = self._client
        share = client.rules.store_confirmed_prob
        believed, told = confirmed(client.suite, fields, share, copy.ref, ours=copy.ours)
        if not believed:
            return told + self._not_stored(copy, 0, now_us, {}, UNCONFIRMED)
        what = "sync_stored" if copy.ours else "stored"
        return [*told, (LOG, what, copy.ref, now_us), *self._done(copy, now_us, stored=True)]

    def _not_stored(
        self, copy: _Copy, status: int, now_us: int, fields: dict[str, Any], reason: str = ""
    ) -> list[Effect]:
        """Try again later, or give the copy up after the last attempt."""
        client, rules = self._client, self._client.rules
        if status == 421:
            client.swarms.correct(copy.owner_id, fields)
        if copy.attempts >= rules.send_attempts:
            what = "sync_failed" if copy.ours else "failed"
            reason = reason or (f"status {status}" if status else "no answer")
            return [(LOG, what, copy.ref, reason), *self._done(copy, now_us, stored=False)]
        if status == 421 and copy.redirects < rules.send_redirects:
            copy.redirects += 1
            return self._attempt(copy, now_us)
        copy.redirects = 0
        pause = rules.send_backoff_us * rules.send_backoff_growth ** (copy.attempts - 1)
        heappush(self._retries, (now_us + int(min(pause, rules.send_backoff_cap_us)), copy.order, copy))
        return []

    def _done(self, copy: _Copy, now_us: int, *, stored: bool) -> list[Effect]:
        """Go on after a copy: its sync copy, and the next letter to the same recipient."""
        del self._under_way[copy]
        if copy.ours:
            self._copies.discard(copy.ref)
            return []
        effects: list[Effect] = []
        letter, own_id = copy.letter, self._client.account.id
        signal = letter.signal
        copied = signal.copied if signal else self._client.rules.sync_copy
        if stored and copied and letter.recipient_id != own_id:
            effects += self._prepare(_Copy(letter, own_id, copy.sent_ms, ours=True), now_us)
        if signal is not None and not signal.queued:
            del self._unqueued[copy.ref]
            return effects
        queue = self._queues[letter.recipient_id]
        queue.popleft()
        return effects + self._start(queue[0], now_us) if queue else effects
