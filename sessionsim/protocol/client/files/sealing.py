"""How a client encrypts a file before it uploads it, and opens what it downloads (messages 2.3, 6).

The bytes of a file come from the client's entropy: the workload says what kind of file somebody sends and how
large it is, not what is in it. So files of different messages have nothing in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from sessionsim.core.errors import CannotOpen, ProtocolError, RemoteProtocolError
from sessionsim.core.intents import File
from sessionsim.protocol.contents import VOICE_MESSAGE, Attachment
from sessionsim.protocol.files import deterministic, legacy
from sessionsim.protocol.files.address import DEFAULT_SERVER, FileAddress, read_address, write_address
from sessionsim.protocol.files.attachment import Attachment as Pointed
from sessionsim.protocol.files.attachment import open_attached

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client

_LEGACY_BYTES: Final = legacy.KEY_BYTES + 16  # key and IV. Source: messages 6.1


class _Looks(NamedTuple):
    content_type: str
    name: str
    width: int = 0
    height: int = 0
    flags: int = 0


# What the pointer says of a file. Assumption: names and sizes as phones give them; they only count as bytes.
LOOKS: Final[Mapping[str, _Looks]] = {
    "photo": _Looks("image/jpeg", "IMG_20260428_121530.jpg", 2048, 1536),
    "video": _Looks("video/mp4", "VID_20260428_121530.mp4", 1280, 720),
    "voice": _Looks("audio/aac", "voice-message.aac", flags=VOICE_MESSAGE),
    "file": _Looks("application/pdf", "document-2026-04-28.pdf"),
    "preview": _Looks("image/jpeg", "", 640, 360),
}


class SealedUpload(NamedTuple):
    """A file ready for upload. Args: blob: what the server gets; pointer: what the message says, but for the
    address."""

    blob: bytes
    pointer: Attachment


def content_of(client: Client, address: bytes, size_bytes: int) -> bytes:
    """Give the bytes of an own file. Args: address: of its draws, one for each file of this device."""
    return client.entropy.expand(b"file content" + address, max(1, size_bytes))


def seal(client: Client, encryption: str, file: File, address: bytes) -> SealedUpload:
    """Encrypt an own file.

    Args:
        encryption: "legacy" or "deterministic".
        address: of its draws.
    """
    content, looks = content_of(client, address, file.size_bytes), LOOKS[file.what]
    digest = b""
    if encryption == "deterministic":
        blob, key = deterministic.seal_file(
            content, client.account.ed.secret, deterministic.Purpose.ATTACHMENT
        )
    else:
        random = client.entropy.expand(b"file key" + address, _LEGACY_BYTES)
        key = random[: legacy.KEY_BYTES]
        blob, digest = legacy.seal_attachment(content, key, random[legacy.KEY_BYTES :])
    pointer = Attachment(
        "", key, digest, len(content), looks.content_type, looks.name, "", looks.flags, looks.width,
        looks.height,
    )  # fmt: skip
    return SealedUpload(blob, pointer)


def address_of(client: Client, file_id: str, encryption: str) -> str:
    """Write the address of an uploaded file, as the platform does."""
    style = client.rules.body_style
    return write_address(FileAddress(file_id, encryption == "deterministic"), style=style)


def file_id_at(url: str) -> str:
    """Give the id of a file on the server that clients know.

    Raises:
        RemoteProtocolError: no address, or one of another server: nobody is sent there.
    """
    address = read_address(url)
    if address.server != DEFAULT_SERVER:
        raise RemoteProtocolError("a file on another server")
    return address.file_id


def opens(pointer: Attachment, blob: bytes) -> bool:
    """Say whether a downloaded blob is the file that a message means."""
    size_bytes = pointer.size_bytes if pointer.size_bytes is not None else -1
    try:
        content = open_attached(Pointed(pointer.url, size_bytes, pointer.key, pointer.digest), blob)
    except (CannotOpen, ProtocolError):
        return False
    return not pointer.size_bytes or len(content) == pointer.size_bytes
