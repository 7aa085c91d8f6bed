"""A signature says who made a request, and when; linked to an address, also where."""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.notes import Notes, groups
from sessionsim.core.ledger import Relation


def take_signatures(notes: Notes) -> None:
    """Note who was there, first and last, and at which addresses they acted."""
    meaning = notes.meaning
    request, signer = (column(values) for values in meaning.signed)
    t_us = notes.closure.t_read[request]
    for (number,), places in groups((signer,), t_us):
        subject = meaning.names[number]
        for order in (places, places[::-1]):
            place = next((place for place in order if meaning.is_signed(place)), None)
            if place is not None:
                notes.see(subject, int(t_us[place]), len(places), partial(signature, notes, place))
    for (client, number), (place, first_us) in notes.signers(notes.client).items():
        notes.note(
            Relation.ACTS_FOR,
            address_of(notes.view, client),
            meaning.names[number],
            first_us,
            partial(signed_there, notes, place),
        )


def signature(notes: Notes, place: int) -> Steps:
    """Say how a signature was seen. Args: place: in the table of signatures."""
    meaning = notes.meaning
    request, check = meaning.signed[0][place], meaning.checks[place]
    calls = meaning.calls[request]
    call = next((call for call in calls if call.account == check.account), calls[0])
    return (
        *notes.words.read(request),
        *notes.words.call(call),
        f"field signature: valid under {check.verifies.hex()}",
    )


def signed_there(notes: Notes, place: int) -> Steps:
    """Say how a signature came from an address."""
    return (*notes.linked(notes.meaning.signed[0][place]), *signature(notes, place))
