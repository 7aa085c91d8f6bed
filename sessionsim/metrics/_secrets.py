"""What there is to learn, secret by secret (metrics 0.2), and which facts give it away.

A secret asks for facts of some relations; what it is about (a message, a contact, a membership …) are its
items, counted by truth. Three secrets ask for more than one fact:

    S8          all contacts of an account are known, each by a message or from a list of contacts
    S8-weight   of a message both ends are known, so it counts as one of the contact's messages
    S11         a transmission is known to carry a message: it, or its sync copy, came from an address

Rows called `named` are of names that stand in the bytes of whoever they belong to, whatever they mean there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sessionsim.core.ledger import Relation


class Secret(NamedTuple):
    """What gives a secret away.

    Args:
        kind: what it is about; a key of PLURALS.
        relations: of the facts, one of which is enough.
        subject, object: types of their terms, empty for any.
        sparse: there are runs without any such item, which have no row of it.
    """

    kind: str
    relations: tuple[Relation, ...]
    subject: str
    object: str = ""
    sparse: bool = False


R = Relation
SECRETS: Final = {
    "S1": Secret("message", (R.SENT,), "addr"),
    "S1-sync": Secret("sync copy", (R.SENT,), "addr"),
    "S1-named": Secret("message", (R.NAMED,), "message", "addr"),
    "S2": Secret("message", (R.WRITTEN_BY,), "message"),
    "S2-named": Secret("message", (R.NAMED,), "message", "account"),
    "S3": Secret("message", (R.ADDRESSED_TO,), "message"),
    "S4": Secret("message", (R.FETCHED,), "addr"),
    "S5": Secret("contact", (R.TALKS_TO,), "account"),
    "S5-address": Secret("contact", (R.REACHED,), "addr", "addr"),
    "S5-asked": Secret("contact", (R.ASKED,), "addr", "account"),
    "S6": Secret("account", (R.ACTS_FOR,), "addr"),
    "S6-other": Secret("account", (R.LINKED, R.GIVES), ""),
    "S6-named": Secret("account", (R.NAMED,), "addr", "account"),
    "S7": Secret("account", (R.ONLINE,), "account"),
    "S7-address": Secret("account", (R.ONLINE,), "addr"),
    "S8": Secret("contact list", (R.TALKS_TO, R.KNOWS), "account"),
    "S8-weight": Secret("message", (R.WRITTEN_BY, R.ADDRESSED_TO), "message"),
    "S9": Secret("membership", (R.MEMBER_OF,), "account", "group", sparse=True),
    "S9-token": Secret("membership", (R.MEMBER_OF,), "member", "group", sparse=True),
    "S9-role": Secret("office", (R.LEADS,), "account", "group", sparse=True),
    "S10": Secret("message", (R.HAS_SIZE,), "message"),
    "S10-type": Secret("message", (R.HOLDS,), "message"),
    "S11": Secret("message", (R.SENT,), "addr"),
    "S12": Secret("account", (R.LOCATED,), "account", "country"),
    "S12-zone": Secret("account", (R.LOCATED,), "account", "zone"),
    "S12-address": Secret("account", (R.LOCATED,), "addr", "country"),
    "S13": Secret("blinded id", (R.LINKED,), "", sparse=True),
    "S13-token": Secret("token", (R.LINKED,), "", sparse=True),
    "S13-devices": Secret("account of several", (R.HAS_DEVICES,), "account", sparse=True),
}
PLURALS: Final = {
    "message": "messages", "sync copy": "sync copies", "contact": "contacts", "account": "accounts",
    "contact list": "lists of contacts", "membership": "memberships", "office": "offices",
    "blinded id": "blinded ids", "token": "tokens", "account of several": "accounts with several devices",
}  # fmt: skip
# Secrets of a message that belong to its sender; the others belong to the recipient.
OF_SENDERS: Final = frozenset(("S1", "S1-sync", "S1-named", "S2", "S2-named", "S11"))
