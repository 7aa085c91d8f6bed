from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from sessionsim.adversary import Closure, Exchange, OpenedTable, deduce, facts_of
from sessionsim.adversary.opening import Attempt, Keyring
from sessionsim.adversary.terms import Layer
from sessionsim.core.scene import Role
from sessionsim.core.view import View

PLACES = [(0,), (0, 12), (0, 1, 12), (0, 2, 12, 13), (1, 2), (8, 0, 12), (16,), (17, 13), tuple(range(18))]


class EveryKey(Keyring):
    """Tries every held secret in every role, whatever the layer names."""

    def candidates(self, layer: Layer, roles: Collection[Role] = ()) -> list[Attempt]:
        attempts = []
        for pair, key in self._x25519.values():
            held = key.owner, key.since_us
            attempts.append(Attempt(pair, layer.ephemeral, pair.public, *held))
            attempts += [Attempt(pair, pair.public, node, *held) for node in self._nodes.x25519]
        return attempts


def conversation(stage: Any) -> Any:
    stage.poll(0, (0, 5, 6, 8))
    stage.store(0, 1, (0, 1, 2, 12))
    stage.store(1, 0, (3, 4, 0, 9))
    stage.poll(1, (3, 4, 5, 13))
    return stage


@pytest.mark.parametrize("place", PLACES)
def test_index_by_public_key_loses_nothing_against_exhaustive_trial(make_stage: Any, place: Any) -> None:
    stage = conversation(make_stage("fast", "desktop"))
    view = stage.view(place)
    indexed, exhaustive = Closure(view), Closure(view, keyring=EveryKey(view.keys, view.nodes))
    assert facts_of(indexed) == facts_of(exhaustive)
    assert [outline(exchange) for exchange in indexed.exchanges] == [
        outline(exchange) for exchange in exhaustive.exchanges
    ]
    assert exhaustive.opened.tries > 2 * indexed.opened.tries or not view.keys


def outline(exchange: Exchange) -> tuple[Any, ...]:
    calls = None if exchange.reading is None else exchange.reading.calls
    return exchange.sightings, exchange.clients, exchange.nodes, calls, exchange.answered


@pytest.mark.parametrize("place", PLACES)
def test_no_answer_opens_outside_its_own_exchange(stage: Any, place: Any) -> None:
    conversation(stage)
    closure = stage.closure(*place)
    table = closure.opened
    for i, asking in enumerate(closure.exchanges):
        for j, other in enumerate(closure.exchanges):
            for at in other.sightings:
                if at in closure._ciphertexts and asking.reading is not None and asking.reading.cipher:
                    opens = table.answer(asking.reading.cipher, closure._ciphertexts[at], True) is not None
                    assert opens == (i == j)


def test_every_exchange_of_an_all_seeing_observer_is_whole(stage: Any) -> None:
    conversation(stage)
    closure = stage.closure(*range(16))
    onion = [exchange for exchange in closure.exchanges if exchange.clients]
    assert len(onion) == 4
    assert all(len(exchange.sightings) == 8 for exchange in onion)
    assert all(exchange.reading and exchange.answered for exchange in onion)


def test_stored_messages_and_accounts_do_not_link_exchanges(stage: Any) -> None:
    stage.store(0, 1, (0, 1, 2, 12))
    stage.poll(1, (3, 4, 5, 12))
    stage.poll(1, (3, 4, 5, 12))
    closure = stage.closure(*range(16))
    assert len([exchange for exchange in closure.exchanges if exchange.clients]) == 3


def test_shared_table_opens_only_the_surplus(stage: Any) -> None:
    conversation(stage)
    table = OpenedTable(stage.suite.name)
    first = deduce(stage.view((0, 12)), table)
    tries = table.tries
    assert deduce(stage.view((0, 12)), table) == first
    assert table.tries == tries
    assert deduce(stage.view((0, 1, 12)), table) == stage.facts((0, 1, 12))
    assert table.tries > tries


def test_shared_table_gives_nothing_to_those_without_the_key(stage: Any) -> None:
    conversation(stage)
    table = OpenedTable(stage.suite.name)
    deduce(stage.view(range(18)), table)
    for place in PLACES[:-1]:
        assert deduce(stage.view(place), table) == stage.facts(place)


def test_without_keys_nothing_opens(stage: Any) -> None:
    conversation(stage)
    view = stage.view(range(16))
    blind = View("eve", view.suite, view.rows, view.blobs, (), view.nodes, view.own, view.addresses)
    closure = Closure(blind)
    assert all(exchange.reading is None for exchange in closure.exchanges if exchange.clients)


def test_ed25519_secret_of_a_node_opens_too(stage: Any) -> None:
    conversation(stage)
    view = stage.view((0, 12))
    only = tuple(key for key in view.keys if key.kind == "ed25519")
    seen = View("eve", view.suite, view.rows, view.blobs, only, view.nodes, view.own, view.addresses)
    assert deduce(seen) == deduce(view)
