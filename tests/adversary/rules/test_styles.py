"""What shows how somebody writes, and to whom; hand-driven, for two client families."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import deduce
from sessionsim.core.columns import Transport
from sessionsim.core.ledger import Relation

GUARD, REPLICA = 0, 8
ROUTE = (GUARD, 5, 6, REPLICA)


def shown(facts: Any) -> set[tuple[str, str]]:
    return {(fact.subject, fact.object) for fact in facts if fact.relation is Relation.SHOWS}


@pytest.mark.parametrize(
    ("style", "cipher", "order"),
    [
        ("desktop", "aes-gcm", "jsonrpc method params pubkey pubkey_ed25519 signature timestamp last_hash"),
        ("libsession", "xchacha20", "method params last_hash max_size pubkey pubkey_ed25519 signature"),
    ],
)
def test_cipher_to_the_first_hop_and_field_order_to_the_replica(
    make_stage: Any, style: str, cipher: str, order: str
) -> None:
    stage = make_stage("fast", style)
    stage.poll(0, ROUTE)
    address = stage.address(0)
    assert shown(stage.facts([GUARD])) == {(address, f"cipher:{cipher}"), (address, "transport:https")}
    ((account, shape),) = shown(stage.facts([REPLICA]))
    assert account == stage.account(0)
    assert shape.startswith("shape:" + order[:20])
    assert set(order.split()) <= set(shape.removeprefix("shape:").split())
    assert shown(stage.facts([5])) == set()  # neither the address nor the account


def test_transport_is_that_of_the_rows(stage: Any) -> None:
    stage.poll(0, ROUTE)
    view = stage.view([GUARD])
    view.rows["transport"][:] = Transport.QUIC
    assert (stage.address(0), "transport:quic") in shown(deduce(view))


def test_a_forged_signature_shows_nobodys_order(stage: Any) -> None:
    stage.poll(0, ROUTE, forged=True)
    assert shown(stage.facts([REPLICA])) == set()


def test_a_relay_has_no_style(stage: Any) -> None:
    stage.poll(0, ROUTE)
    for node in range(16):
        assert not any(subject.startswith("addr:240") for subject, _ in shown(stage.facts([node])))


def test_what_was_never_received_shows_nothing_to_a_tap_of_the_server_side(stage: Any) -> None:
    stage.poll(0, ROUTE)
    rows = {name: values[:0] for name, values in stage.view([GUARD]).rows.items()}
    view = stage.view([GUARD])
    empty = type(view)(view.observer, view.suite, rows, view.blobs, view.keys, view.nodes, view.own)
    assert deduce(empty) == []
    assert np.size(rows["src"]) == 0
