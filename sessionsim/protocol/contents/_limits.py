"""How long a text may be (messages 7.1). Senders keep to it; no reader refuses a longer one."""

from __future__ import annotations

from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.protocol.pro_signature import MESSAGE_10K

# Unicode code points. Source: messages 7.1; libsession-util: include/session/session_protocol.h.
STANDARD_CHARACTERS: Final = 2000
PRO_CHARACTERS: Final = 10_000


def text_bits(body: str, *, pro: bool = False) -> int:
    """Check the length of a text and give the bits that a Pro claim must say for it.

    Args:
        body: the text, counted in code points.
        pro: the sender is a member.

    Returns:
        `MESSAGE_10K` if the text is longer than the standard allows, otherwise 0.

    Raises:
        InvalidInput: too long for this sender.
    Source: messages 7.1; libsession-util: src/session_protocol.cpp (pro_features_for_message).
    """
    longest = PRO_CHARACTERS if pro else STANDARD_CHARACTERS
    if len(body) > longest:
        raise InvalidInput("message text", f"{len(body)} characters", f"at most {longest} characters")
    return MESSAGE_10K if len(body) > STANDARD_CHARACTERS else 0
