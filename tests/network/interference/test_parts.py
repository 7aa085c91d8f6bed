"""What single interferences do to one request, without a world around them."""

from __future__ import annotations

from typing import Any

import pytest

from sessionsim.core.errors import CannotOpen, InvalidInput
from sessionsim.core.seeds import Entropy, Seeds
from sessionsim.network.interference.holding import NEVER, Holding
from sessionsim.network.interference.kinds import (
    Delay,
    Drop,
    Equivocate,
    Isolate,
    Passing,
    Probe,
    Replay,
    Tag,
)
from sessionsim.network.interference.rhythm import Rhythm
from sessionsim.network.interference.sending import Sending, Target
from sessionsim.network.interference.tampering import Tampering, tagged
from sessionsim.network.interference.telling import Telling
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.crypto.layer import GcmLayer, XchachaLayer
from sessionsim.protocol.storage import MessageStore
from sessionsim.protocol.stored import Message
from sessionsim.protocol.wire import rpc
from sessionsim.protocol.wire.onion import decode_hop, encode_hop, open_request

S = 1_000_000
NOBODY = frozenset[int]()


def always(config: Any, share: float = 1.0) -> Rhythm:
    assert config.share_prob == share
    return Rhythm("x", config, (50,), Seeds(1), 100 * S)


def holding(config: Passing, kind: str = "x", links: bool = False) -> Holding:
    where = (NOBODY, frozenset({50})) if links else (frozenset({3}), NOBODY)
    return Holding("x", kind, config, *where, always(config))


def test_a_delay_is_the_same_for_every_request_of_a_marked_slot() -> None:
    made = holding(Delay(share_prob=1.0, hold_us=7, lasts_us=10 * S))
    assert [made.release_us(50, t_us) for t_us in (0, 5 * S, 10 * S)] == [7, 5 * S + 7, 10 * S]
    assert made.release_us(51, 5) == 5


def test_a_drop_is_for_good_at_a_node_and_passing_on_a_link() -> None:
    made = holding(Drop(share_prob=1.0, lasts_us=1 * S))
    assert made.release_us(50, 5) == NEVER
    assert made.release_us(50, 1 * S) == 1 * S
    link = holding(Drop(share_prob=1.0, lasts_us=1 * S), links=True)
    # Sent again after 0.3, 0.6 and 1.2 s: it gets through at 0.9 + 1.2 s, not at the end of the slot.
    assert link.through_us(50, 0, 100_000, asks=False) == 300_000 + 600_000 + 1_200_000
    assert link.through_us(50, 1 * S, 100_000, asks=True) == 1 * S


def test_who_is_isolated_waits_for_its_slot() -> None:
    made = Isolate(slot_us=S, share_prob=0.5, lasts_us=10 * S)
    rhythm = Rhythm("x", made, (50,), Seeds(1), 100 * S)
    one = Holding("x", "isolate", made, frozenset({3}), NOBODY, rhythm)
    for t_us in range(0, 10 * S, S // 3):
        until_us = one.release_us(50, t_us)
        assert until_us == t_us if rhythm.is_marked(50, t_us) else until_us > t_us
        assert rhythm.is_marked(50, until_us) or until_us == 10 * S


def test_on_a_link_answers_wait_for_nobody_but_drops() -> None:
    link = holding(Delay(share_prob=1.0, hold_us=7), links=True)
    assert link.through_us(50, 5, 100, asks=True) == 12
    assert link.through_us(50, 5, 100, asks=False) == 5


@pytest.mark.parametrize("suite", ["fast", "sodium"])
@pytest.mark.parametrize("layer", [GcmLayer, XchachaLayer])
def test_a_tag_is_one_bit_and_no_honest_node_opens_it(suite: str, layer: Any) -> None:
    made = suite_named(suite)
    node = made.ephemeral(bytes([7]) * 32)
    public, sealing = made.layer_to(layer, bytes([9]) * 32, node.public)
    cipher = "aes-gcm" if layer is GcmLayer else "xchacha20"
    payload = encode_hop(sealing.seal(b"what is asked", bytes(24)), public, cipher, 1)
    for draw in range(60):
        altered = tagged(payload, draw)
        before, after = int.from_bytes(payload), int.from_bytes(altered)
        assert (before ^ after).bit_count() == 1
        ciphertext, ephemeral, enc_type, hop = decode_hop(altered)
        assert (ephemeral, enc_type, hop) == (public, cipher, 1)
        with pytest.raises(CannotOpen):
            open_request(made, node, ephemeral, enc_type, ciphertext)
    assert tagged(payload, 5) == tagged(payload, 5) != tagged(payload, 6)


def test_only_a_copy_goes_later() -> None:
    nodes, config = frozenset({3}), Replay(after_us=9)
    assert Tampering("x", "replay", config, nodes, always(Delay(share_prob=1.0))).after_us == 9
    assert Tampering("x", "tag", Tag(), nodes, always(Delay(share_prob=1.0))).after_us is None


def test_a_probe_goes_to_a_member_of_the_swarm_that_is_not_ones_own() -> None:
    config = Probe(share_prob=1.0, slot_us=10 * S, count=3, size_bytes=500)
    target = Target(50, b"\x05" + bytes(32), (3, 4, 5))
    made = Sending(
        "x", "probe", config, frozenset({3, 9}), [target], always(config), Entropy(bytes(32)), 10**12
    )
    moments = list(made.moments())
    assert [t_us for t_us, _, _ in moments[:4]] == [0, 20_000, 40_000, 10 * S]
    hashes = set()
    for t_us, whom, address in moments:
        letter = made.letter(whom, address, t_us, lambda: 77)
        _, dst, conn, exchange, head, body, note = letter.effect
        assert dst in (4, 5)
        assert letter.src in (3, 9)
        assert (conn, exchange, head, note) == (0, 77, "storage_rpc", 0)
        fields = rpc.read_object(body)["params"]
        assert fields["pubkey"] == target.account.hex()
        assert fields["timestamp"] == 10**12 + t_us // 1000
        assert len(fields["data"]) == 668  # 500 bytes as base64
        hashes.add(letter.hash)
    assert len(hashes) == len(moments)
    own = Sending("x", "probe", config, frozenset({3, 4, 5}), [target], always(config), Entropy(bytes(32)), 0)
    letter = own.letter(target, b"a", 0, lambda: 77)
    assert letter.src != letter.effect[1]


class Replica:
    """One node's box of one account, read by honest and by other means."""

    def __init__(self, **settings: Any) -> None:
        self.store = MessageStore(cleanup_period_ms=10_000, disk_max_bytes=10**9, overhead_bytes=0)
        for k in range(3):
            self.put(k)
        telling = Telling("x", Equivocate(**settings), frozenset({3}), Entropy(bytes(32)), (100, 10**12))
        self.told: list[tuple[str, str]] = []
        self.reads = telling.reading(3, self.store.retrieve, lambda *what: self.told.append(what[2:]))

    def put(self, k: int) -> None:
        self.store.store(b"a", 0, f"{k:043d}", 0, 10**13, b"m%d" % k, 50)

    def read(self, cursor: str, namespace: int = 0, now_ms: int = 200) -> list[Message]:
        return list(self.reads(b"a", namespace, cursor, 0, 10**6, now_ms)[0])


def test_each_asker_is_told_a_name_of_its_own_and_goes_on_from_there() -> None:
    replica = Replica()
    first, second = replica.read(""), replica.read("")
    assert (
        [message.data for message in first] == [message.data for message in second] == [b"m0", b"m1", b"m2"]
    )
    assert [one.hash for one in first[:2]] == [one.hash for one in second[:2]]
    assert first[-1].hash != second[-1].hash
    assert len(first[-1].hash) == rpc.HASH_LENGTH
    assert replica.told == [(first[-1].hash, ""), (second[-1].hash, "")]
    assert replica.read(first[-1].hash) == []
    replica.put(3)
    (third,) = replica.read(first[-1].hash)
    assert third.data == b"m3"
    assert replica.told[-1] == (third.hash, first[-1].hash)


def test_other_boxes_and_other_times_are_read_honestly() -> None:
    replica = Replica()
    assert replica.read("", now_ms=99)[-1].hash == f"{2:043d}"
    replica.store.store(b"a", 2, "c" * 43, 0, 10**13, b"config", 50)
    assert replica.read("", namespace=2)[0].hash == "c" * 43
    assert replica.told == []


def test_what_is_hidden_is_hidden_from_everybody_for_good() -> None:
    replica = Replica(hidden_prob=0.5, renames=False)
    for k in range(3, 200):
        replica.put(k)
    shown = replica.read("")
    assert replica.read("") == shown
    assert 70 < len(shown) < 130
    assert replica.told == []
    assert Replica(hidden_prob=1.0, renames=False).read("") == []


def test_equivocation_must_do_something() -> None:
    with pytest.raises(InvalidInput, match="renames"):
        Equivocate(renames=False)
