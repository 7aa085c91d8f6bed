"""The benchmark counts what it says it counts. No timing is asserted here."""

from __future__ import annotations

import pytest

from sessionsim.selfcheck import bare
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
