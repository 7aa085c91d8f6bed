"""A signature says who made a request, and when; linked to an address, also where."""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.columns import column
from sessionsim.adversary.derivations import Steps, address_of
from sessionsim.adversary.notes import Notes, account_term, groups
from sessionsim.core.ledger import Relation


def take_signatures(notes: Notes) -> None:
    """Note which accounts were there, first and last, and at which addresses they acted."""
    meaning = notes.meaning
    request, account = (column(values) for values in meaning.signed)
    t_us = notes.closure.t_read[request]
    for (number,), places in groups((account,), t_us):
        subject = account_term(meaning.accounts[number])
        for order in (places, places[::-1]):
            place = next((place for place in order if meaning.is_signed(place)), None)
            if place is not None:
                notes.see(subject, int(t_us[place]), len(places), partial(signature, notes, place))
    for (client, number), (place, first_us) in notes.signers(notes.client).items():
        notes.note(
            Relation.ACTS_FOR,
            address_of(notes.view, client),
            account_term(meaning.accounts[number]),
            first_us,
            partial(signed_there, notes, place),
        )


def signature(notes: Notes, place: int) -> Steps:
    """Say how a signature was seen. Args: place: in the table of signatures."""
    meaning = notes.meaning
    request, check = meaning.signed[0][place], meaning.checks[place]
    call = next(call for call in meaning.calls[request] if call.account == check.account)
    return (
        *notes.words.read(request),
        *notes.words.call(call),
        f"field signature: valid under {check.ed25519.hex()}",
    )


def signed_there(notes: Notes, place: int) -> Steps:
    """Say how a signature came from an address."""
    return (*notes.linked(notes.meaning.signed[0][place]), *signature(notes, place))
