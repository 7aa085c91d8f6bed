"""How somebody writes: transport, cipher, and the order of fields, which differ between programs.

What a style means, for example which platform it is, is no concern of these facts; that two differ is.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.keyring import NEVER
from sessionsim.adversary.notes import Notes, groups
from sessionsim.adversary.rules.signatures import signature
from sessionsim.core.columns import Transport
from sessionsim.core.ledger import Relation


def take_styles(notes: Notes) -> None:
    """Note what an address and a signer show of the program they use."""
    _transports(notes)
    _ciphers(notes)
    _shapes(notes)


def _transports(notes: Notes) -> None:
    view = notes.view
    source = view.rows["src"].astype(np.int64)
    servers = np.fromiter(view.servers, np.int64, len(view.servers))
    to_node = view.rows["dst"].astype(np.int64) < len(view.nodes)
    sending = np.flatnonzero((source >= len(view.nodes)) & ~np.isin(source, servers) & to_node)
    transport = view.rows["transport"].astype(np.int64)[sending]
    for (client, number), places in groups(
        (source[sending], transport), view.rows["t_us"][sending].astype(np.int64)
    ):
        at, address = int(sending[places[0]]), address_of(view, client)
        shown = f"transport:{Transport(number).name.lower()}"
        steps = (f"row {int(view.rows['row'][at])}: {address} sends over {Transport(number).name}",)
        notes.note(Relation.SHOWS, address, shown, int(view.rows["t_us"][at]), partial(tuple, steps))


def _ciphers(notes: Notes) -> None:
    """Note the cipher that the outermost layers from an address name."""
    closure, transcript = notes.closure, notes.closure.transcript
    client = transcript.rows["src"].astype(np.int64)
    servers = np.fromiter(notes.view.servers, np.int64, len(notes.view.servers))
    outer = (transcript.layer >= 0) & (client >= len(notes.view.nodes)) & ~np.isin(client, servers)
    some = np.flatnonzero(outer & (closure.t_row < NEVER))
    cipher = column(transcript.layers.ciphers)[transcript.layer[some]]
    for (end, number), places in groups((client[some], cipher), closure.t_row[some]):
        place = int(some[places[0]])
        shown, address = f"cipher:{transcript.layers.cipher_names[number]}", address_of(notes.view, end)
        steps = (f"row {notes.words.row(place)}: {address} names or leaves out its cipher: {shown}",)
        notes.note(Relation.SHOWS, address, shown, int(closure.t_row[place]), partial(tuple, steps))


def _shapes(notes: Notes) -> None:
    """Note the order of fields in requests, of who signed them."""
    meaning, t_read = notes.meaning, notes.closure.t_read
    asked, number = (column(values) for values in meaning.shapes)
    shape = np.full(len(t_read), -1, np.int64)
    shape[asked] = number
    request, signer = (column(values) for values in meaning.signed)
    t_us = np.where(shape[request] >= 0, t_read[request], NEVER)
    for (by, its), places in groups((signer, shape[request]), t_us):
        for place in places:
            if meaning.is_signed(place):
                name, why = meaning.names[its], partial(_shaped, notes, place, meaning.names[its])
                notes.note(Relation.SHOWS, meaning.names[by], name, int(t_us[place]), why)
                break


def _shaped(notes: Notes, place: int, shape: str) -> Steps:
    return (*signature(notes, place), f"its fields stand in the order {shape.partition(':')[2]}")
