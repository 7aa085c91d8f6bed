"""Pointers to files: what they say, how the file opens with them, and hostile ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.files import client
from sessionsim.protocol.files.address import FileAddress, read_address, write_address
from sessionsim.protocol.files.attachment import Attachment, open_attached, read_pointer, write_pointer
from sessionsim.protocol.files.deterministic import Purpose, seal_file
from sessionsim.protocol.files.legacy import seal_attachment
from sessionsim.protocol.files.server import FileServer
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.session_pb2 import AttachmentPointer, DataMessage

HASH_URL = write_address(FileAddress("a" * 44, deterministic=True))
OLD_URL = write_address(FileAddress("4503599627370497"))
FULL = Attachment(
    OLD_URL,
    1234,
    bytes(range(64)),
    bytes(range(32)),
    "image/jpeg",
    "grüße.jpg",
    "a caption",
    True,
    640,
    480,
    b"thumb",
)


def test_fields_stand_at_their_numbers() -> None:
    raw = write_pointer(FULL).SerializeToString()
    expected = (
        "09" + (4503599627370497).to_bytes(8, "little").hex()  # id, fixed64
        + "120a" + b"image/jpeg".hex()
        + "1a40" + FULL.key.hex()
        + "20d209"  # size
        + "2a05" + b"thumb".hex()
        + "3220" + FULL.digest.hex()
        + "3a0b" + "grüße.jpg".encode().hex()
        + "4001"  # voice message
        + "488005" + "50e003"
        + "5a09" + b"a caption".hex()
        + "aa06" + f"{len(OLD_URL):02x}" + OLD_URL.encode().hex()
    )  # fmt: skip
    assert raw.hex() == expected


@pytest.mark.parametrize(
    ("url", "number"),
    [
        (OLD_URL, 4503599627370497),
        (HASH_URL, 0),
        ("https://c.example.org/room/x/file/17", 17),
        (f"http://a/file/{1 << 64}", 0),
        (f"http://a/file/{(1 << 64) - 1}", (1 << 64) - 1),
        ("http://a/file/١", 0),
    ],
)
def test_the_deprecated_id_is_the_number_at_the_end_of_the_address(url: str, number: int) -> None:
    assert write_pointer(Attachment(url, 1)).id == number


def test_a_pointer_comes_back_through_a_message() -> None:
    message = DataMessage(
        body="see", attachments=[write_pointer(FULL), write_pointer(Attachment(HASH_URL, 0))]
    )
    read = decode(DataMessage, message.SerializeToString())
    assert [read_pointer(pointer) for pointer in read.attachments] == [FULL, Attachment(HASH_URL, 0)]


def test_a_file_opens_by_what_its_pointer_says() -> None:
    content = b"photo" * 100
    sealed = seal_file(content, bytes(32), Purpose.ATTACHMENT)
    legacy = seal_attachment(content, FULL.key, bytes(16))
    new = Attachment(HASH_URL, len(content), sealed.key)
    old = replace(FULL, size_bytes=len(content), digest=legacy.digest)
    assert open_attached(new, sealed.blob) == content
    assert open_attached(old, legacy.blob) == content
    assert open_attached(Attachment("https://c.example.org/room/x/file/17", 5), b"clear") == b"clear"


@pytest.mark.parametrize("ids", ["hash", "number"])
def test_a_file_goes_from_one_person_over_the_server_to_another(ids: str) -> None:
    server = FileServer(FileServerRules(ids=ids), suite_named("fast"), Entropy(bytes(32)), 0)
    content = b"photo" * 1000
    if ids == "hash":
        blob, key = seal_file(content, bytes(32), Purpose.ATTACHMENT)
        digest = b""
    else:
        key = FULL.key
        blob, digest = seal_attachment(content, key, bytes(16))
    file_id = client.uploaded(server.handle(client.upload_request(blob), 0)).file_id
    url = write_address(FileAddress(file_id, deterministic=ids == "hash"))
    sent = DataMessage(attachments=[write_pointer(Attachment(url, len(content), key, digest))])

    (pointer,) = decode(DataMessage, sent.SerializeToString()).attachments
    attachment = read_pointer(pointer)
    request = client.download_request(read_address(attachment.url).file_id)
    assert open_attached(attachment, client.downloaded(server.handle(request, 1))) == content


def test_a_file_does_not_open_by_a_pointer_of_another_kind() -> None:
    sealed = seal_file(b"photo", bytes(32), Purpose.ATTACHMENT)
    legacy = seal_attachment(b"photo", FULL.key, bytes(16))
    for attachment, blob in (
        (Attachment(OLD_URL, 5, sealed.key), sealed.blob),  # the flag is missing
        (Attachment(HASH_URL, 5, FULL.key, legacy.digest), legacy.blob),  # the flag is wrong
        (Attachment(OLD_URL, 5, FULL.key), legacy.blob),  # no digest
        (replace(FULL, size_bytes=5), legacy.blob),  # digest of another file
    ):
        with pytest.raises(CannotOpen):
            open_attached(attachment, blob)
    with pytest.raises(RemoteProtocolError):
        open_attached(Attachment("nowhere", 5, sealed.key), sealed.blob)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(FULL, key=FULL.key[:63]),
        replace(FULL, digest=b""),
        replace(FULL, key=FULL.key[:32]),
        replace(FULL, size_bytes=1 << 32),
        replace(FULL, size_bytes=-1),
        replace(FULL, width=1 << 32),
    ],
)
def test_own_mistakes(wrong: Attachment) -> None:
    with pytest.raises(LocalProtocolError):
        write_pointer(wrong)


def test_a_name_that_utf8_cannot_express_is_the_persons_mistake() -> None:
    with pytest.raises(InvalidInput):
        write_pointer(replace(FULL, file_name="\ud800"))


@pytest.mark.parametrize(
    "hostile",
    [
        AttachmentPointer(id=1),
        AttachmentPointer(id=1, url=""),
        AttachmentPointer(id=1, url=OLD_URL, key=bytes(33)),
        AttachmentPointer.FromString(bytes(9)[:0] + b"\x09" + bytes(8) + b"\xaa\x06\x01\xff"),
        AttachmentPointer.FromString(b"\x09" + bytes(8) + b"\xaa\x06\x01a\x3a\x01\xff"),
    ],
)
def test_hostile_pointers_are_refused(hostile: AttachmentPointer) -> None:
    with pytest.raises(RemoteProtocolError):
        read_pointer(hostile)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_random_bytes_are_read_or_refused(raw: bytes, blob: bytes) -> None:
    try:
        attachment = read_pointer(decode(AttachmentPointer, b"\x09" + bytes(8) + raw))
        open_attached(attachment, blob)
    except RemoteProtocolError:
        return
