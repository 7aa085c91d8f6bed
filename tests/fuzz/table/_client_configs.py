"""A client that keeps configs: what texts of others, direct or in groups, make it write down and fetch."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.seeds import Entropy
from sessionsim.protocol.client.configs.held import written_before
from sessionsim.protocol.client.configs.part import AccountConfigs
from sessionsim.protocol.client.configs.rules import DESKTOP as RULES
from sessionsim.protocol.client.machine import Client
from sessionsim.protocol.client.rules import DESKTOP
from sessionsim.protocol.client.sealing import Opened
from sessionsim.protocol.configs.contacts import Contact
from sessionsim.protocol.contents import Message, Profile, Text, write
from sessionsim.protocol.namespaces import CONTACTS, CONVO_INFO_VOLATILE
from tests.fuzz.decoder import machine
from tests.fuzz.held import held
from tests.fuzz.table._keys import FAST, FRIEND, GROUP, NOW_MS, OWN, noise
from tests.fuzz.table._node import EPOCH_MS, HOPS, NODES

_NAME = Profile("Own", "", b"", None)
_URL = "http://filev2.getsession.org/file/" + "A" * 44
_STORED = written_before(FAST, OWN, "Own", None, [Contact(FRIEND.id, "Ann")], (), (), EPOCH_MS)
_PROFILES = (
    Profile("Ann", "", b"", None),
    Profile("Anna", _URL, noise("picture", 32), 1_777_000_000),
    Profile("A" * 100, _URL + "#d", noise("picture", 32), 2),
)


class _Reader:
    """Reads whatever a friend sends, in a group if the number of the text is odd, and ticks it off."""

    def __init__(self) -> None:
        self.client = Client(OWN, NODES, HOPS, DESKTOP, FAST, Entropy(noise("reader", 32)), EPOCH_MS, _NAME)
        self._configs = AccountConfigs(self.client, RULES, _NAME, _STORED)
        self.client.add(self._configs)
        self.client.start(0)
        self._count = 0

    def __call__(self, raw: bytes) -> object:
        self._count += 1
        now_us, group_id = self._count * 1_000, GROUP.id if self._count % 2 else b""
        for reader in self.client.readers:
            reader("D" * 43, Opened(FRIEND.id, raw, group_id), now_us)
        self._configs._changes.tick_off(self.client.wire_ms(now_us))
        configs = self._configs.held.by_namespace
        return configs[CONTACTS].data, configs[CONVO_INFO_VOLATILE].data


def _reader() -> tuple[Callable[[bytes], object], Callable[[], int]]:
    made = _Reader()
    return made, lambda: held(made.client)


DECODERS = (
    machine(
        "client.configs.showing.Showing.read", "protobuf", _reader,
        tuple(write(Message(NOW_MS, Text("hello", profile=profile))) for profile in _PROFILES), 400_000,
    ),
)  # fmt: skip
