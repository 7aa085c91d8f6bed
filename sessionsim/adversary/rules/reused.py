"""Passing keys and nonces that the observer meets in several layers: names of whoever drew them.

They stand in clear beside what they close, so who gets a layer has them, opened or not. One that is met once
tells nothing.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.adversary.rules.signatures import signature
from sessionsim.core.ledger import Relation


def take_reused(notes: Notes) -> None:
    """Note whose layers have a key or nonce in common."""
    met: dict[str, list[tuple[int, int]]] = {}
    for layer, term in zip(*notes.closure.transcript.layers.reused, strict=True):
        there_us = int(notes.closure.t_layer[layer])
        if there_us < NEVER:
            met.setdefault(term, []).append((there_us, layer))
    for term, found in met.items():
        if len(found) > 1:
            since_us = sorted(found)[1][0]  # one alone is new
            for there_us, layer in found:
                _note(notes, layer, term, max(there_us, since_us))


def _note(notes: Notes, layer: int, term: str, t_us: int) -> None:
    """Note a string beside a layer: that it is there, who sent it, and who signed what is inside."""
    closure, meaning = notes.closure, notes.meaning
    thing, steps = _stands(notes, layer)
    client, first, _ = (int(of_part[closure.part[thing]]) for of_part in closure.clients)
    notes.note(Relation.SEEN, term, "", t_us, partial(_and, steps, term))
    if client >= 0:
        linked: Derive = partial(_linked, notes, client, first, thing, steps)
        known_us = max(t_us, closure.linked_us(first, thing))
        notes.note(
            Relation.NAMED, address_of(notes.view, client), term, known_us, partial(_and, linked, term)
        )
    layers = closure.transcript.layers
    request = layers.request[closure.transcript.inwards(layer)[-1]]
    for place in np.flatnonzero(column(meaning.signed[0]) == request).tolist() if request >= 0 else ():
        known_us = max(t_us, int(closure.t_read[request]))
        if known_us < NEVER and meaning.is_signed(place):
            signer = meaning.names[meaning.signed[1][place]]
            signed = partial(_both, steps, partial(signature, notes, place))
            notes.note(Relation.NAMED, signer, term, known_us, partial(_and, signed, term))


def _stands(notes: Notes, layer: int) -> tuple[int, Derive]:
    """Give the row that a layer came in first, or the layer that it came out of, and how that was had."""
    closure = notes.closure
    places = closure.transcript.rows_of_layer.of(layer)
    place = min(places, key=lambda one: (int(closure.t_row[one]), one), default=-1)
    if place >= 0 and closure.t_row[place] == closure.t_layer[layer]:
        return place, partial(notes.words.frame, place)
    around = closure.transcript.outwards(layer)[-2]
    return closure.layer_thing(around), partial(notes.words.layer, around)


def _linked(notes: Notes, client: int, first: int, thing: int, steps: Derive) -> Steps:
    return (*notes.words.reached(client, first, thing), *steps())


def _both(one: Derive, other: Derive) -> Steps:
    return (*one(), *other())


def _and(steps: Derive, term: str) -> Steps:
    return (*steps(), f"there stands {term}, as beside other layers")
