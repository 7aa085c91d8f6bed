"""Where addresses stand, by the public registry, and with them the accounts that use them."""

from __future__ import annotations

from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.core.ledger import Relation

_USE = (Relation.ACTS_FOR, Relation.LINKED, Relation.GIVES)


def locate(notes: Notes) -> None:
    """Note the country of each address that was seen, and of each account that uses one for certain.

    To be asked last, since it rests on who belongs together.
    """
    countries: dict[str, str] = {}
    for endpoint, country in notes.view.countries.items():
        if endpoint in notes.view.addresses:
            countries[f"addr:{notes.view.addresses[endpoint]}"] = f"country:{country}"
    if not countries:
        return
    seen: dict[str, int] = {}
    for subject, t_us in notes.sighted():
        if subject in countries:
            seen[subject] = min(t_us, seen.get(subject, t_us))
    for address, t_us in seen.items():
        told = partial(_registry, address, countries)
        notes.note(Relation.LOCATED, address, countries[address], t_us, told)
    for (relation, one, other), (t_us, why) in list(notes.known.items()):
        address, who = (other, one) if other.startswith("addr:") else (one, other)
        if relation in _USE and address in countries and who.startswith("account:"):
            steps = partial(_by_address, why, address, countries)
            notes.note(Relation.LOCATED, who, countries[address], t_us, steps)


def _registry(address: str, countries: dict[str, str]) -> Steps:
    return (f"the public registry of addresses has {address} in {countries[address]}",)


def _by_address(why: Derive, address: str, countries: dict[str, str]) -> Steps:
    return (*why(), *_registry(address, countries))
