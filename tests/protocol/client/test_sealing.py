"""Version 1 seals at once, draws by address alone, and opens only what is for the own account."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.errors import CannotOpen, ProtocolError
from sessionsim.core.seeds import Seeds
from sessionsim.protocol.client import DESKTOP, Client
from sessionsim.protocol.identity import Account, account_from_seed
from sessionsim.protocol.versions.v1 import Profile, encode_text, open_direct
from sessionsim.protocol.wire.onion import Hop

ANN, BEN = (account_from_seed(bytes([k]) * 16) for k in (1, 2))
SENT_MS = 1_777_000_000_000


@pytest.fixture(scope="module")
def world(make_world: Any) -> Any:
    return make_world(suite="sodium")


def client(world: Any, account: Account) -> Client:
    hops = tuple(Hop(pair.public.hex().encode(), x.public) for pair, x in zip(world.ed, world.x, strict=True))
    entropy = Seeds(3).entropy(account.id_hex)
    return Client(
        account, world.nodes, hops, DESKTOP, world.suite, entropy, SENT_MS, Profile("Ann", "", b"", 0)
    )


def sealed(sender: Client, recipient: Account, address: bytes = b"1") -> bytes:
    found = []

    def ready(seal: Any, now_us: int) -> list[Any]:
        assert now_us == 5
        found.append(seal(encode_text("hello", SENT_MS), SENT_MS, address))
        return [("went on",)]

    assert sender.sealing.prepare(0, recipient.id, 5, ready) == [("went on",)]
    return found[0]


def test_what_is_sealed_is_a_message_of_version_1_and_opens_to_its_content(world: Any) -> None:
    stored = sealed(client(world, ANN), BEN)
    message = open_direct(world.suite, BEN, stored)
    assert (message.sender_id, message.body, message.envelope_ms) == (ANN.id, "hello", SENT_MS)
    opened = client(world, BEN).sealing.open(stored)
    assert (opened.sender_id, opened.content) == (ANN.id, encode_text("hello", SENT_MS))


def test_the_address_alone_decides_the_bytes(world: Any) -> None:
    ann = client(world, ANN)
    assert sealed(ann, BEN) == sealed(client(world, ANN), BEN)
    assert sealed(ann, BEN) != sealed(ann, BEN, b"2")


def test_what_is_not_for_us_does_not_open(world: Any) -> None:
    stored = sealed(client(world, ANN), BEN)
    with pytest.raises(CannotOpen):
        client(world, ANN).sealing.open(stored)
    for junk in (b"", b"\x00\x02", stored[:-1], stored + b"x"):
        with pytest.raises(ProtocolError):
            client(world, BEN).sealing.open(junk)
