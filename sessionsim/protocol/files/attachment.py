"""An attachment: what a message says about a file, and how the file is opened with that (messages 2.3, 6).

The message carries address, key and size (`AttachmentPointer`); the file itself lies encrypted on a server.
Three kinds are told apart as clients do it: no key, a file of a community, in clear; `d` in the address,
deterministic; otherwise legacy, with MAC and digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.files import deterministic, legacy
from sessionsim.protocol.files.address import read_address
from sessionsim.protocol.wire.envelope import text_of
from sessionsim.protocol.wire.session_pb2 import AttachmentPointer

# Of key and digest, for files in clear, deterministic and legacy ones. Source: messages 2.3.
_LENGTHS: Final = {(0, 0), (32, 0), (64, 32)}
_MAX_UINT64: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a message says about one file.

    Args:
        url: its address.
        size_bytes: of the file before encryption.
        key: 64 bytes (legacy), 32 (deterministic), or empty in communities.
        digest: 32 bytes, only legacy.
        content_type, file_name, caption: text; empty for none.
        voice: it is a voice message.
        width, height: pixels; 0 if it is no picture.
        thumbnail: bytes; old clients only.
    """

    url: str
    size_bytes: int
    key: bytes = b""
    digest: bytes = b""
    content_type: str = ""
    file_name: str = ""
    caption: str = ""
    voice: bool = False
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""


def write_pointer(attachment: Attachment) -> AttachmentPointer:
    """Write an attachment for a data message, preview or quote.

    The required `id` is what the address ends in if that is a number, as on older servers; otherwise 0.
    It is deprecated: readers go by the address.

    Raises:
        InvalidInput: a text that UTF-8 cannot express.
        LocalProtocolError: a number out of range, or a key without the digest that belongs to it.
    Source: messages 2.3; session-ios: SessionMessagingKit/Database/Models/Attachment.swift (buildProto).
    """
    if (len(attachment.key), len(attachment.digest)) not in _LENGTHS:
        raise LocalProtocolError("an attachment has no key, one of 32 bytes, or one of 64 and a digest of 32")
    last = attachment.url.partition("#")[0].rpartition("/")[2]
    number = int(last) if last.isascii() and last.isdecimal() and len(last) <= 20 else 0
    voice, none = AttachmentPointer.VOICE_MESSAGE, AttachmentPointer.NONE
    try:
        pointer = AttachmentPointer(
            id=number if number <= _MAX_UINT64 else 0,
            size=attachment.size_bytes,
            flags=voice if attachment.voice else none,
            url=attachment.url,
        )
        optional: tuple[tuple[str, bytes | str | int], ...] = (
            ("contentType", attachment.content_type),
            ("key", attachment.key),
            ("thumbnail", attachment.thumbnail),
            ("digest", attachment.digest),
            ("fileName", attachment.file_name),
            ("width", attachment.width),
            ("height", attachment.height),
            ("caption", attachment.caption),
        )
        for name, value in optional:
            if value:
                setattr(pointer, name, value)
    except UnicodeEncodeError as wrong:
        raise InvalidInput("attachment", attachment.file_name, "texts that UTF-8 can express") from wrong
    except ValueError as wrong:
        raise LocalProtocolError(f"a pointer cannot hold these numbers: {wrong}") from wrong
    return pointer


def read_pointer(pointer: AttachmentPointer) -> Attachment:
    """Read an attachment out of a parsed message.

    Raises:
        RemoteProtocolError: no address, a text that is not UTF-8, or a key of a length no scheme has.
    Source: messages 2.3, 6.
    """
    if len(pointer.key) not in {key for key, _digest in _LENGTHS}:
        raise RemoteProtocolError("an attachment with a key of no known length")
    url = text_of(pointer.url)
    if not url:
        raise RemoteProtocolError("an attachment without address")
    return Attachment(
        url,
        pointer.size,
        pointer.key,
        pointer.digest,
        text_of(pointer.contentType),
        text_of(pointer.fileName),
        text_of(pointer.caption),
        bool(pointer.flags & AttachmentPointer.VOICE_MESSAGE),
        pointer.width,
        pointer.height,
        pointer.thumbnail,
    )


def open_attached(attachment: Attachment, blob: bytes) -> bytes:
    """Open a downloaded file with what the message says about it.

    Raises:
        CannotOpen: the file is not the one the message means.
        RemoteProtocolError: it has a key, but its address is none of a file server.
    Source: messages 6.1, 6.2; session-desktop: ts/session/utils/AttachmentsDownload.ts.
    """
    if not attachment.key:
        return blob
    if read_address(attachment.url).deterministic:
        return deterministic.open_file(blob, attachment.key)
    if not attachment.digest:
        raise CannotOpen("a legacy attachment without digest")
    return legacy.open_attachment(blob, attachment.key, attachment.digest, attachment.size_bytes)
