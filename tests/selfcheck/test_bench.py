"""The benchmark counts what it says it counts. No timing is asserted here."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

import pytest

from sessionsim.network.world import build
from sessionsim.selfcheck import bare, bench
from sessionsim.selfcheck.bench import exchange_cost, message_cost, record_rate


def test_primitives_of_a_message_in_swarms_of_seven() -> None:
    """Three exchanges of four layers, two stores at seven members, one poll of five namespaces."""
    times = {p.name.partition(" (")[0]: p.times(7) for p in bare.MESSAGE_PRIMITIVES}
    assert times == {
        "X25519 shared secret": 24,
        "X25519 ephemeral public key": 14,
        "sealed box, sealed": 2,
        "sealed box, opened": 1,
        "decoy signature point": 2,
        "Ed25519 signature": 21,
        "Ed25519 verification": 6,
        "HMAC-SHA256 layer key": 24,
        "AES-256-GCM sealed": 15,
        "AES-256-GCM opened": 15,
        "BLAKE2b message hash": 16,
    }


def test_every_primitive_and_the_codec_floor_run() -> None:
    for primitive in bare.MESSAGE_PRIMITIVES:
        primitive.call()
    bare.exchange_codec_floor()
    bare.bare_simpy(5, 2)


@pytest.mark.parametrize("memo", [False, True])
def test_a_message_costs_three_exchanges_and_its_replication(memo: bool) -> None:
    cost = message_cost(40, memo=memo)
    assert 24 + 4 * 4 <= cost.transmissions <= 24 + 4 * 6  # swarms of five to seven
    assert cost.ours_us > 0
    assert cost.bare_us > 0


def test_an_exchange_is_eight_transmissions_beside_its_bare_programs() -> None:
    cost = exchange_cost(12, 10, memo=True)
    assert cost.ours_us > 0
    assert cost.codec_us > 0
    assert cost.simpy_us > 0
    assert 0 < cost.in_flight < 10


def test_rows_are_counted() -> None:
    assert record_rate(4) > 0


# libsodium function -> the primitive of the list that stands for it.
CURVES = {
    "Lib.crypto_scalarmult": "X25519 shared secret",
    "Lib.crypto_scalarmult_base": "X25519 ephemeral public key",
    "Lib.crypto_box_beforenm": "sealed box, sealed",
    "Lib.crypto_box_seal_open": "sealed box, opened",
    "Lib.crypto_scalarmult_ed25519_base_noclamp": "decoy signature point",
    "Lib.crypto_sign": "Ed25519 signature",
    "Lib.crypto_sign_open": "Ed25519 verification",
    "AESGCM.encrypt": "AES-256-GCM sealed",
    "AESGCM.decrypt": "AES-256-GCM opened",
}


def test_a_delivered_message_performs_exactly_the_listed_primitives() -> None:
    """Without memo. Conversions of keys, which a process computes once, are not in the list."""
    messages = 25
    spec = bench._message_spec(messages, memo=False)
    polls = [(intent.t_us + bench._FETCH_AFTER_US, intent.recipient, ("poll",)) for intent in spec.intents]
    world = build(spec)
    called: Counter[str] = Counter()

    def note(_frame: FrameType, event: str, function: object) -> None:
        if event == "c_call":
            called[getattr(function, "__qualname__", "")] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        world.run(commands=polls)
    finally:
        sys.setprofile(before)
    assert world.host is not None
    members = 1 + (world.host.transmissions / messages - 24) / 4
    listed = {p.name.partition(" (")[0]: round(p.times(members) * messages) for p in bare.MESSAGE_PRIMITIVES}
    assert {name: called[function] for function, name in CURVES.items()} == {
        name: listed[name] for name in CURVES.values()
    }
    unlisted = {name for name in called if name.startswith("Lib.crypto_")} - set(CURVES)
    assert unlisted <= {
        "Lib.crypto_box_easy_afternm",  # of the sealed box
        "Lib.crypto_core_ed25519_scalar_reduce",  # of the decoy
        "Lib.crypto_sign_ed25519_pk_to_curve25519",
        "Lib.crypto_sign_ed25519_sk_to_curve25519",
    }
