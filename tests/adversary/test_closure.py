from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sessionsim.adversary import Closure, Transcript, deduce, exchanges
from sessionsim.adversary.keyring import NEVER, Keys
from sessionsim.adversary.layers import Way, Ways
from sessionsim.adversary.terms import Layer
from sessionsim.adversary.trees import Link, walk
from sessionsim.core.scene import Position, Role
from sessionsim.core.view import View

PLACES = [(0,), (0, 12), (0, 1, 12), (0, 2, 12, 13), (1, 2), (8, 0, 12), (16,), (17, 13), tuple(range(18))]


def every_way(stage: Any) -> Any:
    """Try every secret in every role, whatever the layer names."""

    def of(keys: Keys) -> Ways:
        def ways(layer: Layer) -> Iterable[Way]:
            for number, pair in enumerate(keys.pairs):
                yield Way(number, layer.ephemeral, pair.public)
                yield from (Way(number, pair.public, node) for node in stage.nodes.x25519)

        return ways

    return of


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
    indexed, exhaustive = Transcript(view), Transcript(view, every_way(stage))
    assert deduce(view, indexed) == deduce(view, exhaustive)
    assert exchanges(Closure(view, indexed)) == exchanges(Closure(view, exhaustive))
    assert exhaustive.tries > 2 * indexed.tries or not view.keys


@pytest.mark.parametrize("place", PLACES)
def test_no_answer_opens_outside_its_own_exchange(stage: Any, place: Any) -> None:
    conversation(stage)
    closure = stage.closure(*place)
    transcript = closure.transcript
    for request, (cipher, _) in enumerate(transcript.ciphers):
        for answer_place in np.flatnonzero(transcript.answer >= 0).tolist():
            if cipher is None:
                continue
            opens = transcript.answer_again(request, answer_place) is not None
            same = closure.part[closure.request_thing(request)] == closure.part[answer_place]
            assert opens == same


def test_every_exchange_of_an_all_seeing_observer_is_whole(stage: Any) -> None:
    conversation(stage)
    onion = [exchange for exchange in stage.exchanges(*range(16)) if exchange.clients]
    assert len(onion) == 4
    assert all(len(exchange.sightings) == 8 for exchange in onion)
    assert all(exchange.calls and exchange.results for exchange in onion)
    assert all(len(exchange.keys) == 4 for exchange in onion)


def test_stored_messages_and_accounts_do_not_link_exchanges(stage: Any) -> None:
    stage.store(0, 1, (0, 1, 2, 12))
    stage.poll(1, (3, 4, 5, 12))
    stage.poll(1, (3, 4, 5, 12))
    assert len([exchange for exchange in stage.exchanges(*range(16)) if exchange.clients]) == 3


def test_a_shared_transcript_is_read_once(stage: Any) -> None:
    conversation(stage)
    transcript = Transcript(stage.view(range(18)))
    tries = transcript.tries
    for place in PLACES:
        deduce(stage.view(place), transcript)
    assert transcript.tries - tries < tries  # only texts of derivations are read again
    assert transcript.tries == tries


@pytest.mark.parametrize("place", PLACES)
def test_a_shared_transcript_gives_each_observer_what_its_own_would(stage: Any, place: Any) -> None:
    conversation(stage)
    shared = Transcript(stage.view(range(18)))
    view = stage.view(place)
    assert deduce(view, shared) == deduce(view)
    assert exchanges(Closure(view, shared)) == exchanges(Closure(view))


ROLES = [(0, Role.GUARD), (0, Role.MIDDLE), (12, Role.MEMBER), (2, Role.LAST), (13, Role.MEMBER)]


@pytest.mark.parametrize("held", [ROLES[:1], ROLES[1:3], ROLES[2:], ROLES])
def test_so_does_one_for_observers_that_look_at_single_roles(stage: Any, held: Any) -> None:
    conversation(stage)
    view = stage.at(Position(in_role=frozenset(held)))
    assert deduce(view, Transcript(stage.view(range(18)))) == deduce(view)


def test_without_keys_nothing_opens(stage: Any) -> None:
    conversation(stage)
    view = stage.view(range(16))
    blind = View("eve", view.suite, view.rows, view.blobs, (), view.nodes, view.own, view.addresses)
    assert all(exchange.calls is None for exchange in exchanges(Closure(blind)) if exchange.clients)


def test_ed25519_secret_of_a_node_opens_too(stage: Any) -> None:
    conversation(stage)
    view = stage.view((0, 12))
    only = tuple(key for key in view.keys if key.kind == "ed25519")
    seen = View("eve", view.suite, view.rows, view.blobs, only, view.nodes, view.own, view.addresses)
    assert deduce(seen) == deduce(view)


def test_the_path_is_the_one_that_was_complete_first(stage: Any) -> None:
    conversation(stage)
    closure = stage.closure(*range(16))
    n_rows = len(closure.t_row)
    for request in np.flatnonzero(closure.t_read < NEVER).tolist():
        start, end = int(closure.clients[1][closure.part[closure.request_thing(request)]]), 0
        if start < 0:
            continue
        end = closure.request_thing(request)
        path = closure.path(start, end)
        assert [path[0].one, path[-1].other] == [start, end]
        back = [(link.other, link.one) for link in closure.path(end, start)[::-1]]
        assert back == [(link.one, link.other) for link in path]  # asked again, the other way round
        assert all(a.other == b.one for a, b in pairwise(path))
        bottleneck = max(link.t_us for link in path)
        # Without the links that came as late, the two would not be joined.
        earlier = [link for link in closure.links(int(closure.part[start])) if link.t_us < bottleneck]
        tree: dict[int, list[Link]] = {}
        for link in earlier:
            tree.setdefault(link.one, []).append(link)
            tree.setdefault(link.other, []).append(Link(link.other, link.one, link.t_us))
        assert walk(tree, start, end) == []
        assert n_rows > start


def test_times_of_opening_are_those_of_keys_and_rows(stage: Any) -> None:
    stage.poll(0, (0, 5, 6, 8))
    closure = stage.closure(0, 5)
    t_open = sorted(set(closure.t_open.tolist()) - {NEVER})
    rows = closure.view.rows
    first = int(rows["t_us"][rows["direction"] == 0][0])
    assert t_open == [first]  # the guard opens its own layer and the middle's as soon as it has them
