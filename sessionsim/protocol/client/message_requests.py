"""Message requests: a first text to a stranger, and the yes or no to it (client-behaviour 6.3; messages 2.3).

The first text is an ordinary one. With it the writer accepts the other side, which a push of the contacts
config tells the own devices. On the other side the text lies among the requests: its writer becomes a contact
that has accepted but is not accepted, which is pushed too, and gets no read receipts. A yes is a signal of
its own in the writer's inbox, ahead of any answer. A no says nothing to anybody: the conversation goes from
the own devices, and its writer from the contacts, or stays there as blocked; whatever the inbox holds of
somebody who is blocked is dropped unread, by every own device that knows it.

Commands: `("accept-request", ref, id of whose request it is)` and `("refuse-request", ref, id, whether to
block)`. A request that is no more open, since both have written at once or another device has answered, needs
no answer and is refused as such. A no is `stored` when the swarm has taken the contacts that say it.
Event: `dropped` (message; value 0).
Sources: session-desktop: ts/interactions/conversationInteractions.ts
(handleAcceptConversationRequestWithoutConfirm, declineConversationWithoutConfirm), ts/models/conversation.ts,
ts/receiver/contentMessage.ts (shouldDropBlockedUserMessage), libsession_utils_contacts.ts; session-android:
DefaultConversationRepository.kt (acceptMessageRequest, declineMessageRequest).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.outbox import Signal
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.client.signals.rules import SignalRules
from sessionsim.protocol.contents import Part, RequestResponse, Text, read
from sessionsim.protocol.machine import LOG, Effect

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened

NO_REQUEST: Final = "no open request"


class MessageRequests:
    """The part of a client that asks strangers and accepts them.

    Args:
        client: whose.
        rules: its platform's.
        approvals: what the device knows; `signals` uses the same.
    """

    def __init__(self, client: Client, rules: SignalRules, approvals: Approvals) -> None:
        self._client, self._rules, self._approvals = client, rules, approvals
        client.readers.append(self._came)
        client.inbox.drops = approvals.has_blocked
        client.outbox.writing.append(self._writes)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"accept-request": self._accept, "refuse-request": self._refuse}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def _is_open(self, other_id: bytes) -> bool:
        return self._approvals.has_got(other_id) and not self._approvals.has_given(other_id)

    def _refuse(self, ref: int, other_id: bytes, blocks: bool, now_us: int) -> list[Effect]:
        """Say no to somebody's request, to the own devices alone."""
        if not self._is_open(other_id):
            return [(LOG, "failed", ref, NO_REQUEST)]
        return self._approvals.refuse(ref, other_id, blocks, now_us)

    def _accept(self, ref: int, other_id: bytes, now_us: int) -> list[Effect]:
        """Say yes to somebody's request."""
        approvals = self._approvals
        if not self._is_open(other_id):
            return [(LOG, "failed", ref, NO_REQUEST)]
        rules, client = self._rules, self._client

        def response(_sent_ms: int, _target: bytes) -> Part:
            return RequestResponse(True, client.outbox.profile if rules.response_profile else None)

        signal = Signal(response, client.rules.message_ttl_us, "response" in rules.copied)
        return approvals.give(other_id, now_us) + client.outbox.send(ref, other_id, signal, now_us)

    def _writes(self, recipient_id: bytes, now_us: int) -> list[Effect]:
        """See a text go out: whoever is written to is accepted."""
        own = recipient_id == self._client.account.id
        return [] if own else self._approvals.give(recipient_id, now_us)

    def _came(self, _message_hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """See a text that is shown: from somebody, or what another own device wrote to somebody."""
        if opened.group_id:
            return []
        if opened.sender_id != self._client.account.id:
            return self._approvals.get(opened.sender_id, now_us)
        try:
            text = read(opened.content).part
        except ProtocolError:
            return []
        target = text.sync_target if isinstance(text, Text) else b""
        return self._approvals.give(target, now_us) if target else []
