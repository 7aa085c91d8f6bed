from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sessionsim.adversary.keyring import NO_KEY, Keys
from sessionsim.adversary.layers import NONE, Layers, Opened, ways_by_name
from sessionsim.adversary.readers import read_plaintext, read_request
from sessionsim.adversary.terms import Layer
from sessionsim.core.columns import HEAD_CODE
from sessionsim.core.view import HeldKey
from sessionsim.protocol.crypto.layer import open_layer_type
from sessionsim.protocol.wire import bencode


def layers_of(stage: Any, *nodes: int, quick: bool = False) -> tuple[Layers, list[tuple[int, int]]]:
    """Make layers with the keys of some nodes; also gives number and depth of what opened."""
    held = [HeldKey("x25519", f"node:{node}", *stage.xs[node]) for node in nodes]
    keys, opened = Keys(held), list[tuple[int, int]]()

    def inside(number: int, depth: int, layer: Layer, what: Opened) -> tuple[int, int]:
        opened.append((number, depth))
        term = read_plaintext(what.plaintext, stage.nodes)
        return (made.meet(term, depth + 1), NONE) if isinstance(term, Layer) else (NONE, 40)

    ways = ways_by_name(keys, stage.nodes.x25519, {})
    made = Layers(stage.suite, keys, ways, inside, stage.nodes if quick else None)
    return made, opened


def columns_of(layers: Layers) -> Any:
    names = [layers.cipher_names[number] for number in layers.ciphers]
    return [
        list(layers.child),
        list(layers.request),
        *map(list, layers.keys),
        layers.marks,
        names,
        layers.tries,
    ]


def outermost(stage: Any) -> Layer:
    stage.poll(0, (0, 5, 6, 8))
    first = stage.records.blobs[int(stage.records.table()["blob"][0])]
    layer = read_request(HEAD_CODE["onion_req"], first, 0)
    assert isinstance(layer, Layer)
    return layer


def stage_rows(stage: Any) -> list[bytes]:
    """Give what was sent so far, requests only."""
    rows = stage.records.table()
    return [stage.records.blobs[int(rows["blob"][at])] for at in np.flatnonzero(rows["direction"] == 0)]


def test_a_chain_opens_as_far_as_keys_go(stage: Any) -> None:
    layer = outermost(stage)
    for nodes, depth in (((), 0), ((0,), 1), ((0, 6), 1), ((0, 5), 2), ((0, 5, 6, 8), 4), ((5, 6, 8), 0)):
        layers, opened = layers_of(stage, *nodes)
        assert layers.meet(layer) == 0
        assert opened == [(k, k) for k in range(depth)]
        assert len(layers) == (depth if depth == 4 else depth + 1)
        assert list(layers.keys[0]) == [*range(depth), *[NO_KEY] * (len(layers) - depth)]


def test_the_innermost_layer_leads_to_the_request(stage: Any) -> None:
    layers, _ = layers_of(stage, 0, 5, 6, 8)
    layers.meet(outermost(stage))
    assert list(layers.request) == [NONE, NONE, NONE, 40]
    assert list(layers.child) == [1, 2, 3, NONE]


def test_a_layer_is_opened_once(stage: Any) -> None:
    layers, _ = layers_of(stage, 0, 5, 6, 8)
    layer = outermost(stage)
    layers.meet(layer)
    tries = layers.tries
    assert layers.meet(layer) == 0
    assert layers.tries == tries == 4


def test_a_layer_on_its_way_further_is_known_again_where_it_was_opened(stage: Any) -> None:
    first, (_, *hops) = outermost(stage), stage_rows(stage)
    layers, _ = layers_of(stage, 0, 5)
    layers.meet(first)
    # The middle's layer was opened, the last hop's is closed, the destination's was never met.
    assert [layers.met_again(hop) for hop in hops] == [1, NONE, NONE]
    for other in (hops[0] + b"e", hops[0][1:], hops[0][:-1], b"", hops[0].replace(b"6:hop_no", b"6:hop_nr")):
        assert layers.met_again(other) == NONE
    more = bencode.encode({**bencode.decode(hops[0]), b"more": b"x"})
    assert layers.met_again(more) == NONE  # it holds more than the layer
    tries = layers.tries
    assert layers.met_again(hops[0]) == 1
    assert layers.tries == tries


def test_a_layer_whose_addressee_becomes_known_later_is_opened_then(stage: Any) -> None:
    layers, _ = layers_of(stage, 0)
    layer = outermost(stage)
    assert layers.meet(layer._replace(addressee=NONE)) == 0
    assert list(layers.keys[0]) == [NO_KEY]
    assert layers.meet(layer) == 0
    assert layers.keys[0][0] == 0


def test_altered_and_short_ciphertexts_open_to_nothing(stage: Any) -> None:
    layers, opened = layers_of(stage, 0)
    layer = outermost(stage)
    flipped = bytes([layer.ciphertext[0] ^ 1]) + layer.ciphertext[1:]
    assert layers.meet(layer._replace(ciphertext=flipped)) == 0
    assert layers.meet(layer._replace(ciphertext=layer.ciphertext[:20])) == NONE
    assert opened == []


@pytest.mark.parametrize("style", ["desktop", "libsession"])
def test_the_quick_way_finds_what_the_general_way_finds(make_stage: Any, style: str) -> None:
    stage = make_stage("fast", style)
    layer = outermost(stage)
    flipped = bytes([layer.ciphertext[0] ^ 1]) + layer.ciphertext[1:]
    altered = layer._replace(ciphertext=flipped)
    nobodys = layer._replace(addressee=NONE)
    for nodes in ((), (0,), (0, 6), (0, 5), (0, 5, 6), (0, 5, 6, 8), (5, 6, 8)):
        for met in (
            (layer,),
            (layer, layer),
            (altered, layer),
            (nobodys, layer),
            (layer._replace(addressee=3),),
        ):
            found = []
            for quick in (False, True):
                layers, _ = layers_of(stage, *nodes, quick=quick)
                found.append([[layers.meet(one) for one in met], columns_of(layers)])
            assert found[0] == found[1]


def test_both_ways_end_at_the_same_depth(stage: Any) -> None:
    layer = outermost(stage)
    for quick in (False, True):
        layers, _ = layers_of(stage, 0, 5, 6, 8, quick=quick)
        layers.meet(layer, depth=14)
        assert (len(layers), layers.tries) == (3, 2)  # no node opens a seventeenth layer


def test_a_layer_is_also_opened_quickly_with_the_key_of_its_sender(stage: Any) -> None:
    layer = outermost(stage)
    sender = stage.suite.ephemeral(bytes(31) + b"\1")
    plaintext = b"hidden"
    cipher = open_layer_type(layer.enc_type)(
        stage.suite.agree(sender, stage.xs[0].public), sender.public, stage.xs[0].public
    )
    sealed = layer._replace(ciphertext=cipher.seal(plaintext, bytes(24)), ephemeral=sender.public)
    keys = Keys([HeldKey("x25519", "device:16", *sender), HeldKey("x25519", "node:0", *stage.xs[0])])
    seen = []
    layers = Layers(
        stage.suite, keys, ways_by_name(keys, stage.nodes.x25519, {}),
        lambda number, depth, which, opened: seen.append(opened.plaintext) or (NONE, NONE), stage.nodes,
    )  # fmt: skip
    layers.meet(sealed)
    assert (seen, [list(column) for column in layers.keys]) == ([plaintext], [[1], [0]])
