"""What others tell a client beside texts."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.seeds import Entropy
from sessionsim.protocol import contents
from sessionsim.protocol.client.approvals import Approvals
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.client.signals import PLATFORMS, Signals
from sessionsim.protocol.contents import Message, Part, write
from sessionsim.protocol.machine import DELIVER
from sessionsim.protocol.versions.v1 import Profile
from tests.fuzz.decoder import machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, OWN, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES, NOW_US

_PARTS: tuple[Part, ...] = (
    contents.Typing(True, 5),
    contents.ReadReceipt((5, 6)),
    contents.Unsend(5, FRIEND.id),
    contents.RequestResponse(True),
    contents.Call(contents.CallKind.OFFER, "name", ("v=0",)),
    contents.Text(reaction=contents.Reaction(5, OWN.id, "😮")),
)


class _Told:
    """A client that has one message of a friend, who then says anything; nobody answers its deletions."""

    def __init__(self) -> None:
        profile = Profile("Ann", "", b"", None)
        self.client = Client(
            OWN, NODES, HOPS, DESKTOP, FAST, Entropy(noise("signals", 32)), EPOCH_MS, profile
        )
        self._signals = Signals(self.client, PLATFORMS["desktop"], Approvals())
        self.client.add(self._signals)
        self._now_us = NOW_US

    def __call__(self, raw: bytes) -> object:
        self._now_us += 200_000_000
        self.client.wake(self._now_us)
        archive = self.client.inbox.archive
        assert archive is not None
        archive[FRIEND.id, 5] = "C" * 43
        effects = self._signals.take("D" * 43, Opened(FRIEND.id, raw), self._now_us) or ()
        return [effect for effect in effects if effect[0] == DELIVER]


def _told() -> tuple[_Told, Callable[[], int]]:
    made = _Told()
    return made, lambda: held(made.client)


DECODERS = (
    machine(
        "client.signals.part.Signals.take", "protobuf", _told,
        tuple(write(Message(9, part)) for part in _PARTS), 400_000, share=2,
    ),
)  # fmt: skip
