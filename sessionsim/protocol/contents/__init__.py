"""What messages say: every kind of content as a record, written to and read from Content (messages 2.3).

`write` and `read` are the codec. `ttl_ms`, `copied_to_self` and `text_bits` say what clients do with a kind
before it is sent. Nothing here seals or opens; direct messages do that in `direct`.
"""

from __future__ import annotations

from sessionsim.protocol.contents._attachment import VOICE_MESSAGE, Attachment
from sessionsim.protocol.contents._group_change import (
    GroupChange,
    GroupDeleteContent,
    GroupInfoChange,
    GroupInvite,
    GroupInviteResponse,
    GroupMemberChange,
    GroupMemberLeft,
    GroupMemberLeftNotice,
    GroupPromote,
    InfoKind,
    MemberKind,
    admin_signature,
    is_from_admin,
    signed_text,
)
from sessionsim.protocol.contents._group_update import GroupUpdate, read_change, write_change
from sessionsim.protocol.contents._handling import (
    CALL_TTL_MS,
    CONFIG_TTL_MS,
    CONTENT_TTL_MS,
    HANDLING,
    TTL_RULES,
    TYPING_TTL_MS,
    Handling,
    copied_to_self,
    ttl_ms,
)
from sessionsim.protocol.contents._limits import PRO_CHARACTERS, STANDARD_CHARACTERS, text_bits
from sessionsim.protocol.contents._message import (
    COMMUNITY_WINDOW_MS,
    DESKTOP_READS,
    READ_ORDERS,
    Expiry,
    ExpiryKind,
    Message,
    Part,
    ReadRules,
    read,
    write,
)
from sessionsim.protocol.contents._profile import Profile
from sessionsim.protocol.contents._signals import (
    Call,
    CallKind,
    Extraction,
    ExtractionKind,
    ReadReceipt,
    RequestResponse,
    Typing,
    Unsend,
)
from sessionsim.protocol.contents._visible import (
    Invitation,
    Preview,
    Quote,
    QuotedAttachment,
    Reaction,
    Text,
    TimerUpdate,
)

__all__ = [
    "CALL_TTL_MS", "COMMUNITY_WINDOW_MS", "CONFIG_TTL_MS", "CONTENT_TTL_MS", "DESKTOP_READS", "HANDLING",
    "PRO_CHARACTERS", "READ_ORDERS", "STANDARD_CHARACTERS", "TTL_RULES", "TYPING_TTL_MS", "VOICE_MESSAGE",
    "Attachment", "Call", "CallKind", "Expiry", "ExpiryKind", "Extraction", "ExtractionKind", "GroupChange",
    "GroupDeleteContent", "GroupInfoChange", "GroupInvite", "GroupInviteResponse", "GroupMemberChange",
    "GroupMemberLeft", "GroupMemberLeftNotice", "GroupPromote", "GroupUpdate", "Handling", "InfoKind",
    "Invitation", "MemberKind", "Message", "Part", "Preview", "Profile", "Quote", "QuotedAttachment",
    "Reaction", "ReadReceipt", "ReadRules", "RequestResponse", "Text", "TimerUpdate", "Typing", "Unsend",
    "admin_signature", "copied_to_self", "is_from_admin", "read", "read_change", "signed_text", "text_bits",
    "ttl_ms", "write", "write_change",
]  # fmt: skip
