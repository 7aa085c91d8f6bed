"""What a stranger of a community writes into a client's inbox there."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.seeds import Entropy
from sessionsim.protocol import blinded_message, contents
from sessionsim.protocol.client.communities.mailbox import Mailbox
from sessionsim.protocol.client.communities.standing import Standing
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.communities.answers import DirectMail
from sessionsim.protocol.communities.poll_rules import DESKTOP as POLLS
from sessionsim.protocol.contents import Message, Part, write
from sessionsim.protocol.machine import DELIVER
from sessionsim.protocol.versions.v1 import Profile
from sessionsim.protocol.wire.onion_server import ServerAddress
from sessionsim.protocol.wire.padding import pad
from tests.fuzz.decoder import machine
from tests.fuzz.held import held
from tests.fuzz.table._communities import FRIEND_ID, OWN_ID, SERVER_X
from tests.fuzz.table._keys import FAST, FRIEND, OWN, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES, NOW_US

_PARTS: tuple[Part, ...] = (
    contents.Text("hello", profile=contents.Profile("Bob", "", b"", 5)),
    contents.Text("", attachments=(contents.Attachment("http://x/file/1", size_bytes=5),)),
    contents.RequestResponse(True),
    contents.Typing(True, 5),
)
_NONCE = noise("mail", 24)


class _Written:
    """A client that reads one message after the other; each is sealed as its writer would."""

    def __init__(self) -> None:
        profile = Profile("Ann", "", b"", None)
        entropy = Entropy(noise("mailbox", 32))
        self.client = Client(OWN, NODES, HOPS, DESKTOP, FAST, entropy, EPOCH_MS, profile)
        rooms = [(0, "lobby")]
        self._standing = Standing(self.client, 0, ServerAddress("c", SERVER_X), rooms, POLLS)
        self._mailbox = Mailbox(self.client, [self._standing], profile)

    def __call__(self, raw: bytes) -> object:
        sender, recipient = bytes.fromhex(FRIEND_ID), bytes.fromhex(OWN_ID)
        sealed = blinded_message.seal(FRIEND, SERVER_X, recipient, pad(raw), _NONCE)
        self._standing.seen.clear()  # a node of a test reads more than any client does
        mail = DirectMail(1, sender, recipient, sealed, 5)
        effects = self._mailbox.take(self._standing, mail, NOW_US, sent=False)
        return [effect for effect in effects if effect[0] == DELIVER]


def _written() -> tuple[_Written, Callable[[], int]]:
    made = _Written()
    return made, lambda: held(made.client)


DECODERS = (
    machine(
        "client.communities.mailbox.Mailbox.take", "protobuf", _written,
        tuple(write(Message(9, part)) for part in _PARTS), 400_000, share=2,
    ),
)  # fmt: skip
