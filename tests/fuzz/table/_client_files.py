"""Pointers that others put into messages, and what the file server answers to a client."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.files import PLATFORMS, Files, sealing
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import IOS
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.contents import Attachment, Message, Preview, Text, write
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.wire.onion_server import ServerAddress
from tests.fuzz.decoder import Decoder, machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import OWN, noise, text_of

_URL = "http://filev2.getsession.org/file/" + "A" * 44
_POINTER = Attachment(_URL + "#d", noise("key", 32), size_bytes=5)
_TEXTS = (
    write(Message(5, Text("look", (_POINTER,)))),
    write(Message(5, Text("https://a.example", previews=(Preview("https://a.example", "A", _POINTER),)))),
    write(Message(5, Text("hello"))),
)


class _Answered:
    """A client whose downloads are answered at once, with the very message that pointed to the file."""

    def __init__(self) -> None:
        wire: Any = SimpleNamespace(send_to_server=self._ask)
        client = SimpleNamespace(
            requests=wire, rules=IOS, entropy=Entropy(noise("files", 32)), account=OWN, readers=[]
        )
        server = ServerAddress("filev2.getsession.org", noise("x", 32), "http")
        self.files = Files(cast("Client", client), server, PLATFORMS["ios"])
        self._asked: list[Any] = []

    def _ask(self, *request: Any, **how: Any) -> Effect:
        self._asked.append(request[5])
        return ("sent",)

    def read(self, raw: bytes) -> object:
        effects = self.files.read("hash", Opened(bytes(33), raw), 0)
        while self._asked:
            effects += self._asked.pop()(200, raw, 0)
        return [effect for effect in effects if effect[0] == EVENT]


def _reader() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    made = _Answered()
    return made.read, lambda: held(made.files)


DECODERS = (
    machine("client.files.part.Files.read", "protobuf", _reader, _TEXTS, 20_000, share=2),
    Decoder(
        "client.files.sealing.file_id_at",
        "text",
        lambda raw: sealing.file_id_at(text_of(raw)),
        (_URL.encode(), (_URL + "#d").encode()),
        share=2,
    ),
)
