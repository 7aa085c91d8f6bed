"""Truth in the words of the ledger: which facts hold, and how many secrets there were to learn.

A run has one ordinary copy of each message, addressed to the recipient, and a sync copy addressed to its
own sender; each has a storage hash. Secrets are counted over the direct texts of the measured phase, apart
for the two kinds of copies; a fact about any copy, measured or not, text or signal or of a group, is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sessionsim.core.ledger import Fact, Relation
from sessionsim.metrics._counts import FloatArray
from sessionsim.metrics._facts import Replicate, dotted
from sessionsim.metrics._people import People
from sessionsim.metrics._secrets import OF_SENDERS, SECRETS, Secret

_COPIES = ("message", "sync copy")


class Copy(NamedTuple):
    """One stored copy of a message.

    Args:
        kind: `message` or `sync copy`.
        sender, inbox: account numbers; inbox -1 for a group or a room.
        measured: whether it counts, a text of the measured phase.
    """

    kind: str
    sender: int
    inbox: int
    body_bytes: int
    says: str
    measured: bool


class AnswerSheet:
    """Answers, for one replicate, whether a fact is true and whose secret it is."""

    def __init__(self, replicate: Replicate) -> None:
        accounts, messages = replicate.truth.accounts, replicate.truth.messages
        devices = replicate.truth.devices
        ip_of = dict(
            zip(replicate.endpoints["endpoint"].tolist(), replicate.endpoints["ip"].tolist(), strict=True)
        )
        self.n_accounts = replicate.n_accounts
        self.people = People(replicate)
        self.account = {f"account:{name}": k for k, name in enumerate(accounts["account_id"].tolist())}
        self.address: dict[str, int] = {
            f"addr:{dotted(ip_of[endpoint])}": account
            for endpoint, account in zip(
                devices["endpoint"].tolist(), devices["account"].tolist(), strict=True
            )
        }
        self.copies: dict[str, Copy] = {}
        self._copy_of: dict[str, str] = {}  # sync copy -> message
        self.contacts: set[tuple[int, int]] = set()
        # Where people only write texts, truth lists all that is stored; else there are configs and keys too.
        # An active adversary stores what truth does not list either.
        injected = "injected" in set(replicate.truth.events["what"].tolist())
        self._is_all = set(messages["kind"].tolist()) <= {"text"} and not injected
        self._talk: set[tuple[int, int]] = set()
        columns = ("hash", "sync_hash", "sender", "recipient", "body_bytes", "measured", "kind")
        for name, sync, sender, recipient, size, measured, kind in zip(
            *(messages[column].tolist() for column in columns), strict=True
        ):
            counts = bool(measured) and kind == "text"
            if sync:
                self.copies[f"message:{sync}"] = Copy("sync copy", sender, sender, size, kind, counts)
                self._talk.add((sender, sender))
                self._copy_of[f"message:{sync}"] = f"message:{name}"
            if name:
                self.copies[f"message:{name}"] = Copy("message", sender, recipient, size, kind, counts)
            if recipient < 0:
                continue
            self._talk.add((sender, recipient))
            if counts:
                self.contacts.add((sender, recipient))

    def contradicts(self, fact: Fact) -> bool:
        """Tell whether truth says otherwise. What truth does not cover it cannot contradict.

        That a name stands somewhere is no claim about whom it belongs to. Truth knows messages and their
        copies by their hashes; of stored configs and keys of groups it knows none.
        """
        subject, target = fact.subject, fact.object
        if self._is_all and any(
            term.startswith("message:") and term not in self.copies for term in (subject, target)
        ):
            return True
        copy = self.copies.get(subject)
        match fact.relation:
            case Relation.ACTS_FOR:
                account = self.account.get(target)
                if not target.startswith("account:"):
                    return subject not in self.address
                return account is None or self.address.get(subject) != account
            case Relation.SENT:
                copy = self.copies.get(target)
                return subject not in self.address or (
                    copy is not None and self.address[subject] != copy.sender
                )
            case Relation.FETCHED:
                copy = self.copies.get(target)
                return subject not in self.address or (
                    copy is not None and copy.inbox >= 0 and self.address[subject] != copy.inbox
                )
            case Relation.ADDRESSED_TO:
                inbox = -1 if copy is None else copy.inbox
                return target.startswith("account:") and (
                    target not in self.account or (inbox >= 0 and self.account[target] != inbox)
                )
            case Relation.WRITTEN_BY:
                return target.startswith("account:") and (
                    target not in self.account or (copy is not None and self.account[target] != copy.sender)
                )
            case Relation.TALKS_TO:
                return (self.account.get(subject), self.account.get(target)) not in self._talk
            case Relation.HAS_SIZE:
                # The stored bytes hold the text and more around it.
                return copy is not None and int(target.removeprefix("bytes:")) <= copy.body_bytes
            case Relation.HOLDS:
                return copy is not None and copy.says == "text" and target != "kind:text"
            case Relation.REACHED:
                pair = self.address.get(subject), self.address.get(target)
                return None in pair or (self._is_all and pair not in self._talk)
            case Relation.ASKED:
                return subject not in self.address
            case Relation.ONLINE:
                return subject.startswith(("account:", "addr:")) and not (
                    subject in self.account or subject in self.address
                )
            case Relation.LINKED:
                owners = self._owner(subject), self._owner(target)
                return min(owners) >= 0 and owners[0] != owners[1]
            case _:
                return self.people.contradicts(fact)

    def _owner(self, term: str) -> int:
        """Give the account behind a name; -1 for one that truth does not list."""
        return self.people.owner(term)

    def belongs(self, fact: Fact) -> bool:
        """Tell whether a name that stands somewhere is that of whoever sent or made it."""
        subject, target = fact.subject, fact.object
        copy = self.copies.get(subject)
        if copy is not None:
            return copy.sender in (self.account.get(target), self.address.get(target))
        owner = self.address.get(subject)
        return owner is not None and owner == self.account.get(target)

    def items(self, facts: Iterable[Fact], name: str) -> set[str]:
        """Give what true facts give away of a secret: messages, contacts (`3>7`), accounts (`3`) …"""
        secret = SECRETS[name]
        true = [fact for fact in facts if self._asks_for(secret, fact) and not self.contradicts(fact)]
        if name == "S8":
            return self._whole_lists(true)
        if name == "S8-weight":
            return self._two_ended(true)
        if name == "S11":
            sent = {self._copy_of.get(fact.object, fact.object) for fact in true}
            return {term for term in sent if term in self.copies and self.copies[term].measured}
        if name == "S1-sync":
            return {term for fact in true for term in self._item(fact, "sync copy")}
        return {item for fact in true for item in self._item(fact, secret.kind)}

    @staticmethod
    def _asks_for(secret: Secret, fact: Fact) -> bool:
        """Say whether a fact is one that a secret asks for."""
        return (
            fact.relation in secret.relations
            and fact.subject.startswith(secret.subject)
            and fact.object.startswith(secret.object)
        )

    def _item(self, fact: Fact, kind: str) -> set[str]:
        """Name what a true fact is about; empty if it is none of the counted secrets."""
        if fact.relation is Relation.NAMED and not self.belongs(fact):
            return set()
        if kind in _COPIES:
            terms = (term for term in (fact.subject, fact.object) if term in self.copies)
            return {term for term in terms if self.copies[term].measured and self.copies[term].kind == kind}
        if kind == "contact":
            pair = self._owner(fact.subject), self._owner(fact.object)
            return {f"{pair[0]}>{pair[1]}"} if pair in self.contacts else set()
        if kind == "account":
            owners = {self._owner(fact.subject), self._owner(fact.object) if fact.object else -1} - {-1}
            both = fact.relation in (Relation.LINKED, Relation.GIVES)
            known = not both or {term[:4] for term in (fact.subject, fact.object)} == {"addr", "acco"}
            return {str(owner) for owner in owners} if known else set()
        return self.people.items(fact, kind)

    def _whole_lists(self, facts: Iterable[Fact]) -> set[str]:
        """Give the accounts all of whose contacts are known."""
        pairs = {(self._owner(fact.subject), self._owner(fact.object)) for fact in facts}
        known = pairs | {(b, a) for a, b in pairs}
        lists = self._all("contact list")
        missing = {str(k) for a, b in self.contacts for k in (a, b) if (a, b) not in known}
        return lists - missing

    def _two_ended(self, facts: Iterable[Fact]) -> set[str]:
        """Give the messages both of whose ends are known."""
        ends: dict[Relation, set[str]] = {relation: set() for relation in SECRETS["S8-weight"].relations}
        for fact in facts:
            ends[fact.relation] |= self._item(fact, "message")
        return set.intersection(*ends.values())

    def population(self, kind: str, secret: str) -> FloatArray:
        """Count per account, shape (n_accounts,), how many secrets there were."""
        return self.per_account(self._all(kind), kind, secret)

    def _all(self, kind: str) -> set[str]:
        if kind in _COPIES:
            return {name for name, copy in self.copies.items() if copy.measured and copy.kind == kind}
        if kind == "contact":
            return {f"{a}>{b}" for a, b in self.contacts}
        if kind == "contact list":
            return {str(k) for pair in self.contacts for k in pair}
        if kind == "account":
            return {str(k) for k in range(self.n_accounts)}
        return self.people.all(kind)

    def per_account(self, items: Iterable[str], kind: str, secret: str) -> FloatArray:
        """Count items by the account whose secret they are, shape (n_accounts,)."""
        owners = np.zeros(self.n_accounts)
        for item in items:
            if kind in _COPIES:
                copy = self.copies[item]
                owners[copy.sender if secret in OF_SENDERS else copy.inbox] += 1
            else:
                owners[int(item.split(">")[0])] += 1
        return owners
