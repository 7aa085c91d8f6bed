"""Pointers to files: what a message says about an attachment that lies on a file server (messages 2.3, 6).

The file itself is encrypted elsewhere; here stand its address, key and what is shown before it is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.protocol.contents._checks import check_size
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import AttachmentPointer

VOICE_MESSAGE: Final = AttachmentPointer.VOICE_MESSAGE  # 1, a bit of `flags`. Source: messages 2.3
LEGACY_KEY_BYTES: Final = 64  # AES key, HMAC key. Source: messages 2.3, 6.1
KEY_BYTES: Final = 32  # deterministic encryption. Source: messages 2.3, 6.2
DIGEST_BYTES: Final = 32  # legacy encryption only. Source: messages 2.3


@dataclass(frozen=True, slots=True)
class Attachment:
    """A pointer to a file.

    Args:
        id: number of the file on an old server; newer clients take it from the address or write 0.
        url: address, with the server's key in its fragment; empty for none.
        key: 64 bytes with the legacy encryption, 32 with the deterministic one, empty in communities.
        digest: SHA-256 of the encrypted file, 32 bytes, with the legacy encryption only.
        size_bytes: size of the plaintext; None if not said.
        content_type, file_name, caption: texts; empty if not said.
        flags: `VOICE_MESSAGE` or 0.
        width, height: pixels; 0 if not said.
        thumbnail: bytes that older clients put here; otherwise empty.
    """

    url: str
    key: bytes = b""
    digest: bytes = b""
    size_bytes: int | None = None
    content_type: str = ""
    file_name: str = ""
    caption: str = ""
    flags: int = 0
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""
    id: int = 0

    def __post_init__(self) -> None:
        check_size(self.key, "attachment key", 0, KEY_BYTES, LEGACY_KEY_BYTES)
        check_size(self.digest, "attachment digest", 0, DIGEST_BYTES)


def write_attachment(attachment: Attachment) -> AttachmentPointer:
    """Write a pointer; what is empty or 0 is left out, but for the id."""
    return AttachmentPointer(
        id=attachment.id,
        contentType=attachment.content_type or None,
        key=attachment.key or None,
        size=attachment.size_bytes,
        thumbnail=attachment.thumbnail or None,
        digest=attachment.digest or None,
        fileName=attachment.file_name or None,
        flags=attachment.flags or None,
        width=attachment.width or None,
        height=attachment.height or None,
        caption=attachment.caption or None,
        url=attachment.url or None,
    )


def read_attachment(found: AttachmentPointer) -> Attachment:
    """Read a pointer. Raises RemoteProtocolError or LocalProtocolError: no UTF-8, wrong lengths."""
    return Attachment(
        url=text_of(found.url),
        key=found.key,
        digest=found.digest,
        size_bytes=found.size if found.HasField("size") else None,
        content_type=text_of(found.contentType),
        file_name=text_of(found.fileName),
        caption=text_of(found.caption),
        flags=found.flags,
        width=found.width,
        height=found.height,
        thumbnail=found.thumbnail,
        id=found.id,
    )
