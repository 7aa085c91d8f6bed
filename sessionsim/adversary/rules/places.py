"""Where addresses stand, by the public registry, and with them the accounts that use them.

With a country goes the time that clocks show there, if it has one time only. Which of several zones somebody
lives in does not follow from an address, and no field of the protocol carries local time: from busy hours it
can be guessed (`attacks.time_zone`), never known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from sessionsim.adversary.derivations import Steps
from sessionsim.adversary.notes import Derive, Notes
from sessionsim.core.ledger import Relation
from sessionsim.core.zones import only_zone

_USE = (Relation.ACTS_FOR, Relation.LINKED, Relation.GIVES)


def locate(notes: Notes) -> None:
    """Note the place of each address that was seen, and of each account that uses one for certain.

    To be asked last, since it rests on who belongs together.
    """
    countries: dict[str, str] = {}
    for endpoint, country in notes.view.countries.items():
        if endpoint in notes.view.addresses:
            countries[f"addr:{notes.view.addresses[endpoint]}"] = country
    if not countries:
        return
    seen: dict[str, int] = {}
    for subject, t_us in notes.sighted():
        if subject in countries:
            seen[subject] = min(t_us, seen.get(subject, t_us))
    for address, t_us in seen.items():
        _note(notes, address, t_us, tuple, address, countries)
    for (relation, one, other), (t_us, why) in list(notes.known.items()):
        address, who = (other, one) if other.startswith("addr:") else (one, other)
        if relation in _USE and address in countries and who.startswith("account:"):
            _note(notes, who, t_us, why, address, countries)


def _note(notes: Notes, who: str, t_us: int, why: Derive, address: str, countries: Mapping[str, str]) -> None:
    """Note where somebody is. Args: why: how it is known to use the address."""
    for place, registry in _places(address, countries[address]):
        notes.note(Relation.LOCATED, who, place, t_us, partial(_after, why, registry))


def _places(address: str, country: str) -> Iterator[tuple[str, Steps]]:
    """Give the places that an address stands in, each with how anyone can look it up."""
    registry = f"the public registry of addresses has {address} in country:{country}"
    yield f"country:{country}", (registry,)
    zone = only_zone(country)
    if zone:
        yield f"zone:{zone}", (registry, f"clocks in country:{country} all show zone:{zone}")


def _after(why: Derive, more: Steps) -> Steps:
    return (*why(), *more)
