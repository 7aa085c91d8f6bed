"""What clients tell each other beside texts: typing, receipts, reactions, deletions and call signalling.

All are ordinary direct messages (client-behaviour 6.3, 6.5). Most wait in the queue of their recipient; call
signalling does not (session-desktop: MessageQueue.ts, sendToPubKeyNonDurably; session-android:
MessageSender.kt, sendNonDurably). A deletion also deletes at nodes: whoever deletes a message, and whoever is
asked to, deletes what lies of it in the own swarm; nobody can delete in the swarm of another account.

Commands: `("typing", ref, recipient_id, started)`, `("receipt", ref, recipient_id, times)`,
`("react", ref, recipient_id, author_id, time, emoji, removed)`, `("unsend", ref, recipient_id, author_id,
time)` with the times of sending of the messages they are about (unix ms), and `("call", ref, recipient_id,
step, body_bytes)` with a step of `core.intents.CALL_STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.errands import Errand, Errands, Patience
from sessionsim.protocol.client.outbox import Signal
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.requests import Purpose
from sessionsim.protocol.client.signals.calls import CallNames, call_step
from sessionsim.protocol.client.signals.rules import SignalRules
from sessionsim.protocol.client.signals.typing import TypingSigns
from sessionsim.protocol.contents import (
    Call,
    Message,
    Part,
    Reaction,
    ReadReceipt,
    RequestResponse,
    Text,
    Typing,
    Unsend,
    read,
)
from sessionsim.protocol.machine import DELIVER, LOG, Effect
from sessionsim.protocol.wire import rpc, rpc_signed, rpc_write

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened

NOT_APPROVED: Final = "not an approved contact"
NOT_ACCEPTED: Final = "a request that was not accepted"
NOT_DELETED: Final = "the own copy was not deleted"
_DELETIONS: Final = 1  # tells the errands here from the signals of the outbox, which have the same purpose
_NOTE: Final = note_of(Cause.SIGNAL)


class Signals:
    """The part of a client that sends and takes signals.

    Args:
        client: whose.
        rules: its platform's.
        approvals: who has accepted whom.
        address: IPv4 address of the device, which set-ups of calls name; empty for none.
    """

    def __init__(self, client: Client, rules: SignalRules, approvals: Approvals, address: str = "") -> None:
        self._client, self._rules, self._approvals, self._address = client, rules, approvals, address
        own = client.rules
        self._patience = Patience(
            own.send_attempts, own.send_backoff_us, own.send_backoff_growth, own.send_backoff_cap_us
        )
        self._errands, self._asker = (
            Errands(client),
            rpc_write.Asker(client.account.id, client.account.ed.public),
        )
        self._calls = CallNames(client.entropy)
        self._deleting: dict[int, None] = {}  # deletions whose own copy goes first
        self._archive: dict[tuple[bytes, int], str] = {}
        self._signs = TypingSigns(rules.typing_shown_us)
        client.readers.append(self._wrote)
        client.inbox.archive = self._archive
        client.inbox.signals = self.take

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "typing": self._typing,
            "receipt": self._receipt,
            "react": self._react,
            "unsend": self._unsend,
            "call": self._call,
        }

    def pending(self) -> Iterator[int]:
        """Give the deletions that are not sent yet; what is sent is the outbox's."""
        return iter(self._deleting)

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        times = (self._errands.next_due_us(), self._signs.next_due_us())
        return min((t_us for t_us in times if t_us is not None), default=None)

    def wake(self, now_us: int) -> list[Effect]:
        return self._errands.wake(now_us) + self._signs.wake(now_us)

    # --- sending ------------------------------------------------------------------------------------------

    def _typing(self, ref: int, recipient_id: bytes, started: bool, now_us: int) -> list[Effect]:
        if self._rules.typing_to == "approved" and not self._approvals.has_got(recipient_id):
            return [(LOG, "failed", ref, NOT_APPROVED)]
        return self._send(
            ref, recipient_id, ("typing",), lambda sent_ms, _target: Typing(started, sent_ms), now_us,
            ttl_us=self._rules.typing_ttl_us,
        )  # fmt: skip

    def _receipt(self, ref: int, recipient_id: bytes, times: tuple[int, ...], now_us: int) -> list[Effect]:
        if self._rules.receipts_to == "accepted" and not self._approvals.has_given(recipient_id):
            return [(LOG, "failed", ref, NOT_ACCEPTED)]
        receipt = ReadReceipt(times)
        return self._send(ref, recipient_id, ("receipt",), lambda _sent_ms, _target: receipt, now_us)

    def _react(
        self,
        ref: int,
        recipient_id: bytes,
        author_id: bytes,
        time_ms: int,
        emoji: str,
        removed: bool,
        now_us: int,
    ) -> list[Effect]:
        reaction = Reaction(time_ms, author_id, emoji, removed)
        return self._send(
            ref, recipient_id, ("reaction",),
            lambda _sent_ms, target: Text(reaction=reaction, sync_target=target), now_us,
        )  # fmt: skip

    def _unsend(
        self, ref: int, recipient_id: bytes, author_id: bytes, time_ms: int, now_us: int
    ) -> list[Effect]:
        """Delete an own message: the copy in the own swarm, and everywhere else by asking."""
        own_copy = self._archive.pop((author_id, time_ms), None)

        def ask(t_us: int) -> list[Effect]:
            unsend = Unsend(time_ms, author_id)
            return self._send(ref, recipient_id, ("deletion",), lambda _sent_ms, _target: unsend, t_us)

        if own_copy is None or self._rules.own_copy_deleted == "never":
            return ask(now_us)
        if self._rules.own_copy_deleted == "beside":
            return ask(now_us) + self._delete(own_copy, now_us, lambda _deleted, _t_us: [])
        self._deleting[ref] = None

        def go_on(deleted: bool, t_us: int) -> list[Effect]:
            del self._deleting[ref]
            return ask(t_us) if deleted else [(LOG, "failed", ref, NOT_DELETED)]

        return self._delete(own_copy, now_us, go_on)

    def _call(self, ref: int, recipient_id: bytes, step: str, body_bytes: int, now_us: int) -> list[Effect]:
        call = call_step(step, self._calls.for_step(recipient_id, step), body_bytes, self._address)
        return self._send(
            ref, recipient_id, ("call", step), lambda _sent_ms, _target: call, now_us,
            ttl_us=self._rules.call_ttl_us, queued=False,
        )  # fmt: skip

    def _send(
        self,
        ref: int,
        recipient_id: bytes,
        names: tuple[str, ...],
        part: Callable[[int, bytes], Part],
        now_us: int,
        *,
        ttl_us: int | None = None,
        queued: bool = True,
    ) -> list[Effect]:
        """Send a signal. Args: names: under which `SignalRules.copied` may have it."""
        copied = any(name in self._rules.copied for name in names)
        ttl_us = self._client.rules.message_ttl_us if ttl_us is None else ttl_us
        return self._client.outbox.send(ref, recipient_id, Signal(part, ttl_us, copied, queued), now_us)

    def _delete(
        self, message_hash: str, now_us: int, done: Callable[[bool, int], list[Effect]]
    ) -> list[Effect]:
        """Delete a message from the own swarm; `done` learns whether that worked."""
        client, hashes = self._client, [message_hash]

        def calls(_now_ms: int) -> list[rpc.Call]:
            signature = client.suite.sign(client.account.ed, rpc_signed.delete_text(hashes))
            return [rpc_write.delete_call(client.body_style, self._asker, hashes, signature)]

        errand = Errand(
            client.account.id, Purpose.SIGNAL, _DELETIONS, _NOTE, calls, client.rules.send_form,
            self._patience, lambda _answers, t_us: done(True, t_us), lambda _status, t_us: done(False, t_us),
        )  # fmt: skip
        return self._errands.run(errand, now_us)

    # --- receiving ----------------------------------------------------------------------------------------

    def take(self, message_hash: str, opened: Opened, now_us: int) -> list[Effect] | None:
        """Take what the inbox holds if it is a signal; None if it is something else."""
        try:
            message = read(opened.content)
        except ProtocolError:
            return None
        sender_id = opened.sender_id
        shown = self._shown(message, sender_id)
        if shown is None:
            return None
        effects: list[Effect] = [(DELIVER, sender_id, message.sent_ms, shown, message_hash)]
        if sender_id != self._client.account.id:
            if isinstance(shown, Call):
                self._calls.heard(sender_id, shown.uuid)
            elif isinstance(shown, Typing):
                effects += self._signs.take(sender_id, shown, message_hash, now_us)
        if isinstance(shown, Unsend):
            effects += self._asked_to_delete(shown, sender_id, now_us)
        if isinstance(shown, RequestResponse):
            effects += [
                one for reader in self._client.readers for one in reader(message_hash, opened, now_us)
            ]
        return effects

    def _wrote(self, _hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """Learn that a text of somebody was delivered."""
        return self._signs.end(opened.sender_id, now_us)

    def _shown(
        self, message: Message, sender_id: bytes
    ) -> Typing | ReadReceipt | Reaction | Unsend | Call | RequestResponse | None:
        """Give what a device makes of a message, if it is a signal that it heeds."""
        part = message.part
        if isinstance(part, Typing | ReadReceipt | Call):
            return part
        if isinstance(part, RequestResponse):
            return part if part.approved else None  # clients send no other, and heed none
        if isinstance(part, Text) and not (part.sync_target and sender_id != self._client.account.id):
            return part.reaction
        # Only an author may have a message deleted. Source: ReceivedMessageProcessor.kt and the others.
        return part if isinstance(part, Unsend) and sender_id == part.author else None

    def _asked_to_delete(self, unsend: Unsend, sender_id: bytes, now_us: int) -> list[Effect]:
        """Delete what lies of a message in the own swarm; nothing if this device never saw it."""
        stored = self._archive.pop((unsend.author, unsend.sent_ms), None)
        if stored is None or not self._rules.received_deleted:
            return []
        return self._delete(stored, now_us, lambda _deleted, _t_us: [])
