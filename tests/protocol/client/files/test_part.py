"""What a client makes of pointers: own ones, strange ones, and files that are not what they say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.core.intents import File
from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.extras import Extras
from sessionsim.protocol.client.files import sealing
from sessionsim.protocol.client.files.part import Files
from sessionsim.protocol.client.files.rules import PLATFORMS
from sessionsim.protocol.client.links import Found, Links, WebRules
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import PLATFORMS as CLIENTS
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.contents import Attachment, Message, Preview, Text, write
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.machine import EVENT, LOG, Effect
from sessionsim.protocol.wire.file_json import write_json
from sessionsim.protocol.wire.onion_server import ServerAddress

SERVER = ServerAddress("filev2.getsession.org", bytes(32), "http")
VOICE, PHOTO = File("voice", 3_000), File("photo", 9_000)
NAME = "A" * 44


class Wire:
    """Keeps requests; the test answers them, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def send_to_server(self, *request: Any, **how: Any) -> Effect:
        self.waiting.append(request)
        return ("sent",)

    def answer(self, status: int, body: bytes) -> list[Effect]:
        done = self.waiting.pop(0)[5]
        effects: list[Effect] = done(status, body, 77)
        return effects


def files(platform: str = "ios") -> tuple[Files, Wire, Client]:
    wire = Wire()
    client = cast(
        "Client",
        SimpleNamespace(
            requests=wire,
            rules=CLIENTS[platform],
            entropy=Entropy(bytes(32)),
            account=account_from_seed(bytes(16)),
            readers=[],
        ),
    )
    return Files(client, SERVER, PLATFORMS[platform]), wire, client


def message(*attachments: Attachment, preview: Preview | None = None) -> Opened:
    text = Text("look", attachments, previews=(preview,) if preview else ())
    return Opened(b"\x05" + bytes(32), write(Message(5, text)))


def seen(ref: int, preview: Preview, image: File | None) -> Links:
    links = Links(cast("Client", None), None, WebRules())
    links._found[ref] = Found(preview, image)
    return links


def ready(found: list[Extras | str]) -> Any:
    def take(extras: Extras | str, now_us: int) -> list[Effect]:
        found.append(extras)
        return [("ready", now_us)]

    return take


@pytest.mark.parametrize("platform", ["desktop", "android", "ios"])
def test_what_one_client_uploads_another_opens(platform: str) -> None:
    part, wire, client = files(platform)
    found: list[Extras | str] = []
    part.attach(3, (VOICE,), ready(found), 5)
    sealed = sealing.seal(client, PLATFORMS[platform].encryption, VOICE, (3).to_bytes(8, "little") + b"\0")
    assert wire.answer(200, write_json({"id": NAME, "expires": 1.5})) == [
        (EVENT, "file-uploaded", 3, len(sealed.blob)), ("ready", 77)
    ]  # fmt: skip
    (extras,) = found
    assert isinstance(extras, Extras)
    (pointer,) = extras.attachments
    assert (pointer.size_bytes, pointer.content_type, pointer.flags) == (3_000, "audio/aac", 1)
    assert pointer.url.startswith(f"http://filev2.getsession.org/file/{NAME}")
    reader, its_wire, _ = files("desktop")
    reader.read("hash", message(pointer), 9)
    assert its_wire.answer(200, sealed.blob) == [(EVENT, "file-fetched", "hash", 200)]


def test_a_file_that_the_key_does_not_open_or_of_another_size_is_told() -> None:
    part, wire, client = files()
    sealed = sealing.seal(client, "legacy", VOICE, b"x")
    url = f"http://filev2.getsession.org/file/{NAME}"
    pointer = Attachment(url, sealed.pointer.key, sealed.pointer.digest, 3_000)
    for blob, value in ((sealed.blob, 200), (sealed.blob[:-1] + b"?", -1), (b"x", -1), (b"", 0)):
        part.fetch("hash", pointer, 0)
        assert wire.answer(200, blob) == [(EVENT, "file-fetched", "hash", value)]
    part.fetch("hash", Attachment(url, bytes(64), sealed.pointer.digest, 3_000), 0)
    assert wire.answer(200, sealed.blob) == [(EVENT, "file-fetched", "hash", -1)]
    deterministic = sealing.seal(client, "deterministic", VOICE, b"x")
    part.fetch("hash", Attachment(url + "#d", deterministic.pointer.key, size_bytes=2_999), 0)
    assert wire.answer(200, deterministic.blob) == [(EVENT, "file-fetched", "hash", -1)]


@pytest.mark.parametrize(
    "url",
    ["http://evil.example/file/" + NAME, "http://filev2.getsession.org/room/x", "", "file:///etc/passwd"],
)
def test_nobody_is_sent_to_another_place_by_a_pointer(url: str) -> None:
    part, wire, _ = files()
    assert part.read("hash", message(Attachment(url, bytes(32))), 0) == [(EVENT, "file-fetched", "hash", -2)]
    assert wire.waiting == []
    with pytest.raises(RemoteProtocolError):
        sealing.file_id_at(url)


def test_contents_without_files_ask_nothing() -> None:
    part, wire, _ = files()
    for content in (b"", b"\xff" * 9, write(Message(5, Text("hi")))):
        assert part.read("hash", Opened(bytes(33), content), 0) == []
    assert wire.waiting == []


def test_the_picture_of_a_link_goes_with_the_preview_and_is_fetched_like_a_file() -> None:
    part, wire, _ = files()
    found: list[Extras | str] = []
    part.links = seen(1, Preview("https://a.example/", "A title"), File("preview", 500))
    assert part.has_extras(1, ())
    assert not part.has_extras(2, ())
    part.attach(1, (PHOTO,), ready(found), 0)
    assert not part.has_extras(1, ())
    for _ in range(2):
        wire.answer(200, write_json({"id": NAME, "expires": 1.5}))
    (extras,) = found
    assert isinstance(extras, Extras)
    assert [pointer.size_bytes for pointer in extras.attachments] == [9_000]
    assert extras.previews[0].title == "A title"
    assert extras.previews[0].image is not None
    assert extras.previews[0].image.size_bytes == 500
    reader, its_wire, _ = files()
    reader.read("hash", message(*extras.attachments, preview=extras.previews[0]), 0)
    assert len(its_wire.waiting) == 1  # iOS fetches one after the other
    its_wire.answer(404, b"")
    assert len(its_wire.waiting) == 1


def test_a_preview_without_picture_uploads_nothing() -> None:
    part, wire, _ = files()
    found: list[Extras | str] = []
    part.links = seen(1, Preview("https://a.example/", "A"), None)
    assert part.attach(1, (), ready(found), 4) == [("ready", 4)]
    assert found == [Extras((), (Preview("https://a.example/", "A"),))]
    assert wire.waiting == []


def test_one_failed_upload_fails_the_message_once() -> None:
    part, wire, client = files("desktop")
    client.outbox = None  # type: ignore[assignment]
    part.send(4, bytes(33), "look", (VOICE, PHOTO), 0)
    assert list(part.pending()) == [4]
    now_us = 0
    effects: list[Effect] = []
    while not effects:
        first, *others = wire.waiting
        wire.waiting = [first]
        effects = wire.answer(502, b"")
        wire.waiting += others
        now_us += 1_000_000
        part.wake(now_us)
        wire.waiting.sort(key=lambda request: request[0] >> 16)
    assert effects == [(LOG, "failed", 4, "upload: status 502")]
    assert list(part.pending()) == []
    # What still comes up is told, and goes nowhere.
    body = write_json({"id": NAME, "expires": 1.5})
    assert [effect[:3] for effect in wire.answer(200, body)] == [(EVENT, "file-uploaded", 4)]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"id":"../x","expires":1.0}', b'{"id":7}'])
def test_an_answer_without_an_id_fails_the_message(body: bytes) -> None:
    part, wire, _ = files()
    found: list[Extras | str] = []
    part.attach(3, (VOICE,), ready(found), 5)
    wire.answer(200, body)
    assert found == ["upload: malformed answer"]
