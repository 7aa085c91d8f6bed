"""Whether what a device shows is what somebody ordered, for everything that is no text."""

from __future__ import annotations

from sessionsim.core.intents import Acceptance, Call, Deletion, Reaction, Receipt, Typing
from sessionsim.network.orders import Order
from sessionsim.protocol import contents
from sessionsim.protocol.client.signals.calls import KINDS


def shows(body: object, order: Order) -> bool:
    """Tell whether a record of `contents` says what the order wanted; no text does."""
    wish = order.wish
    match body:
        case contents.Typing():
            return isinstance(wish, Typing) and body.started == (wish.step != "stop")
        case contents.ReadReceipt():
            return isinstance(wish, Receipt) and len(body.sent_ms) == len(wish.read)
        case contents.Reaction():
            return isinstance(wish, Reaction) and (body.emoji, body.removed) == (wish.emoji, wish.removed)
        case contents.GroupDeleteContent():
            return isinstance(wish, Deletion) and order.group >= 0
        case contents.RequestResponse():
            return isinstance(wish, Acceptance)
        case contents.Unsend():
            return isinstance(wish, Deletion)
        case contents.Call():
            return isinstance(wish, Call) and body.kind == KINDS[wish.signals[order.step].step]
    return False
