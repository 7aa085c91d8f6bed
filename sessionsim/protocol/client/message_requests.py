"""Message requests: the first text to a stranger, and the yes to it (client-behaviour 6.3; messages 2.3).

The first text is an ordinary one. With it the writer accepts the other side, which a push of the contacts
config tells the own devices. On the other side the text lies among the requests: its writer becomes a contact
that has accepted but is not accepted, which is pushed too, and gets no read receipts. A yes is a signal of
its own in the writer's inbox, ahead of any answer; a no says nothing to anybody, and is left out here.

Command: `("accept-request", ref, id of whose request it is)`. A request that is no more open, since both have
written at once or another device has said yes, needs no answer and is refused as such.
Sources: session-desktop: ts/interactions/conversationInteractions.ts
(handleAcceptConversationRequestWithoutConfirm), ts/models/conversation.ts, libsession_utils_contacts.ts;
session-android: DefaultConversationRepository.kt (acceptMessageRequest).
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
        client.outbox.writing.append(self._writes)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"accept-request": self._accept}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return None

    def wake(self, now_us: int) -> list[Effect]:
        return []

    def _accept(self, ref: int, other_id: bytes, now_us: int) -> list[Effect]:
        """Say yes to somebody's request."""
        approvals = self._approvals
        if approvals.has_given(other_id) or not approvals.has_got(other_id):
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
