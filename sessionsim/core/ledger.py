"""The ledger: who knows which fact for certain, since when, and from which bytes.

A fact is a relation between two typed terms, with the derivation that led to it. Terms are written
`type:value`: `addr:244.0.0.7`, `account:05…` (66 hex digits), `group:03…`, `blinded:15…`, `member:<token>`,
`message:<43-character hash>`, `string:…` for one that means nothing by itself, `bytes:398`,
`ms:1777000000000`, `file:17`, `name:Alice`, `country:DE`, `zone:UTC+2`, `kind:text`,
`room:https://…/lounge`. No relation names a leak: relations are what the fields of opened bytes say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Relation(StrEnum):
    """What a fact says about its subject and object."""

    ACTS_FOR = "acts for"  # addr, account: requests signed by the account came from the address
    GIVES = "gives as its address"  # account, addr: it named the address in the set-up of a call
    SENT = "sent"  # addr, message or file: the address had it stored
    FETCHED = "fetched"  # addr, message or file: it was handed to the address
    REACHED = "reached"  # addr, addr: what the one had stored was handed to the other
    ASKED = "asked about"  # addr, any id: an unsigned question about it came from the address
    ADDRESSED_TO = "addressed to"  # message, account: the inbox it was stored in
    WRITTEN_BY = "written by"  # message, account: the sender in the opened envelope, or the app's one account
    HAS_SIZE = "has size"  # message, bytes
    HAS_TTL = "has ttl"  # message, ms
    STAMPED = "stamped"  # message, ms: a time stamp readable in the bytes
    HOLDS = "holds"  # message, kind: what it is once it is opened
    SHOWS = "shows"  # anything, form: what its clear parts look like
    ONLINE = "online"  # account or addr, "": seen acting at t_us
    TALKS_TO = "talks to"  # account, account: sender and recipient of one message are both known
    KNOWS = "has as a contact"  # account, account: from its own list of contacts
    CALLED = "is called"  # account or group, name
    LOCATED = "is in"  # addr or account, country or zone: by the public registry of addresses
    LINKED = "is one with"  # any name, any name: both belong to one owner
    MEMBER_OF = "is a member of"  # account or member, group or room
    LEADS = "leads"  # account, group: it is an admin
    HAS_DEVICES = "has devices"  # account or member, devices: at least so many
    SEEN = "seen"  # any name, "": it stands in bytes that were read
    NAMED = "names"  # addr, account or message, any name: it stands in what this one sent, signed or is


# What a fact says, as a sentence; {s} and {o} are its subject and object.
SENTENCES: Final[Mapping[Relation, str]] = {
    Relation.ACTS_FOR: "requests that {o} signed came from {s}",
    Relation.SENT: "{s} had {o} stored",
    Relation.FETCHED: "{o} was handed to {s}",
    Relation.GIVES: "{s} named {o} as an address at which it can be called",
    Relation.REACHED: "what {s} had stored was handed to {o}",
    Relation.ASKED: "somebody at {s} asked about {o}, without a signature",
    Relation.ADDRESSED_TO: "{s} lies in the inbox of {o}",
    Relation.WRITTEN_BY: "{s} was written by {o}",
    Relation.HAS_SIZE: "{s} is stored with {o}",
    Relation.HAS_TTL: "{s} is to be kept for {o}",
    Relation.STAMPED: "{s} shows {o} as its time",
    Relation.HOLDS: "{s} holds {o}, now that it is opened",
    Relation.SHOWS: "{s} shows {o}",
    Relation.ONLINE: "{s} was there at this time",
    Relation.TALKS_TO: "{s} wrote to {o}",
    Relation.KNOWS: "{s} has {o} among its contacts",
    Relation.CALLED: "{s} is called {o}",
    Relation.LOCATED: "{s} is in {o}, says the public registry of addresses",
    Relation.LINKED: "{s} and {o} belong to one owner",
    Relation.MEMBER_OF: "{s} is a member of {o}",
    Relation.LEADS: "{s} is an admin of {o}",
    Relation.HAS_DEVICES: "{s} has at least {o}",
    Relation.SEEN: "{s} stands in bytes that could be read",
    Relation.NAMED: "{o} stands in what {s} sent, signed or holds",
}


def sentence(relation: Relation, subject: str, object_: str) -> str:
    """Say a fact in words."""
    return SENTENCES[relation].format(s=subject, o=object_)


@dataclass(frozen=True, slots=True)
class Fact:
    """One certain fact of one observer.

    Args:
        observer: name of the vantage.
        relation: see Relation.
        subject, object: typed terms; the object may be empty.
        t_us: observer's clock when the last row needed arrived.
        derivation: steps in order, each a short text naming a row (`row 12`), a key or a field.
    """

    observer: str
    relation: Relation
    subject: str
    object: str
    t_us: int
    derivation: tuple[str, ...]
