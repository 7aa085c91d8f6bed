"""Truth in the words of questions: which candidates are true of a subject, and whose secret it is.

One rule per question of `core.verdict`. The same key scores verdicts and labels the views of training seeds.
Pairs that a question is not about (an account and its own address book entry, for example) are `apart`: they
count neither for nor against an attack. Owners are account numbers; -1 where nobody's secret is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np

from sessionsim.core.columns import Cause
from sessionsim.core.scene import Role
from sessionsim.core.units import US_PER_MIN
from sessionsim.core.verdict import Question
from sessionsim.metrics import _presence
from sessionsim.metrics._facts import Replicate, dotted

Truths = Mapping[str, tuple[str, ...]]
_SPOKEN: Final = (Cause.MESSAGE, Cause.SYNC)
_OF_MINUTES: Final = (Question.ACTIVE_MINUTE, Question.FOREGROUND_MINUTE)
_OF_TWO: Final = (
    Question.CONTACT, Question.CONTACT_ADDRESS, Question.CONTACT_OF_ADDRESS, Question.GROUP_MEMBER,
)  # fmt: skip


class AnswerKey:
    """The answers of one replicate."""

    def __init__(self, replicate: Replicate) -> None:
        accounts, devices = replicate.truth.accounts, replicate.truth.devices
        self._replicate = replicate
        ip = dict(
            zip(replicate.endpoints["endpoint"].tolist(), replicate.endpoints["ip"].tolist(), strict=True)
        )
        self._account = [f"account:{name}" for name in accounts["account_id"].tolist()]
        self._device = [f"addr:{dotted(ip[e])}" for e in devices["endpoint"].tolist()]
        self._of_device: list[int] = devices["account"].tolist()
        # An account with several devices has several addresses; each of them is a right answer.
        self._addresses: list[tuple[str, ...]] = [
            tuple(name for name, its in zip(self._device, self._of_device, strict=True) if its == k)
            for k in range(len(self._account))
        ]
        self._number = {name: k for k, name in enumerate(self._account)}
        self._number |= dict(zip(self._device, self._of_device, strict=True))
        columns = (devices["endpoint"].tolist(), devices["guards"].tolist())
        self._blinded = self._named("blinded")
        self._number |= {name: account for account, name, _ in self._blinded}
        self._guards: dict[str, list[tuple[int, frozenset[int]]]] = {}
        for name, endpoint, guards in zip(self._device, *columns, strict=True):
            nodes = frozenset(int(guard) for guard in str(guards).split())
            self._guards.setdefault(name, []).append((endpoint, nodes))
        self._truths: dict[Question, Truths] = {}

    def truths(self, question: Question) -> Truths:
        """Give, for each subject the run has, the true candidates; empty for a question it cannot answer."""
        if question not in self._truths:
            rule = _RULES.get(question)
            self._truths[question] = rule(self) if rule is not None else {}
        return self._truths[question]

    def is_apart(self, question: Question, subject: str, candidate: str) -> bool:
        """Tell whether a pair is none that the question is about."""
        if question in _OF_MINUTES:
            begin_us = int(candidate.removeprefix("minute:")) * US_PER_MIN
            truth = self._replicate.truth
            return not truth.start_us <= begin_us <= truth.end_us - US_PER_MIN
        if question in _OF_TWO:
            return self._number.get(subject, -1) == self._number.get(candidate, -2)
        return False

    def owner(self, subject: str) -> int:
        """Give the number of the account whose secret is asked for; -1 if it is nobody's of this run."""
        found = self._number.get(subject)
        if found is not None:
            return found
        if subject.startswith("message:"):
            return self._copies.get(subject, (-1, -1))[0]
        if subject.startswith("row:"):
            return self._row_owner.get(subject, -1)
        return -1

    def within(self, subject: str) -> bool:
        """Tell whether a subject belongs to the measured phase; only messages and rows can lie outside it."""
        if subject.startswith("row:"):
            return subject in self._measured_rows
        return not subject.startswith("message:") or subject in self._measured

    def sees(self, observer: str, term: str) -> bool:
        """Tell whether an observer can have come across a term at all: without that it is no candidate.

        An address shows on a tapped link and at an operated guard, an account at an operated member of its
        swarm; a device shows both to whoever owns it.
        """
        position = self._replicate.positions.get(observer)
        if position is None:
            return True
        if term.startswith("addr:"):
            return any(
                endpoint in position.watched or not position.acting_as(Role.GUARD).isdisjoint(guards)
                for endpoint, guards in self._guards.get(term, ())
            )
        if term.startswith("account:") and term in self._number:
            account = self._number[term]
            swarm = int(str(self._replicate.truth.accounts["swarm"][account]), 16)
            own = {endpoint for address in self._addresses[account] for endpoint, _ in self._guards[address]}
            members = self._replicate.nodes.members.get(swarm, ())
            return not position.acting_as(Role.MEMBER).isdisjoint(members) or bool(own & position.entered)
        return True

    @property
    def carried(self) -> Mapping[str, str]:
        """Give, for rows that carry a message, which one: `row:12` -> `message:<hash>`."""
        return self._carried

    # --- what truth holds, in other words -------------------------------------------------------------

    @cached_property
    def _copies(self) -> dict[str, tuple[int, int]]:
        """Stored copy -> account that stored it, account whose inbox it went into."""
        return {name: (sender, inbox) for name, sender, inbox, _ in self._each_copy()}

    @cached_property
    def _measured(self) -> frozenset[str]:
        return frozenset(name for name, _, _, measured in self._each_copy() if measured)

    def _each_copy(self) -> list[tuple[str, int, int, bool]]:
        messages = self._replicate.truth.messages
        columns = ("hash", "sync_hash", "sender", "recipient", "measured")
        found = []
        for name, sync, sender, recipient, measured in zip(
            *(messages[column].tolist() for column in columns), strict=True
        ):
            if name and recipient >= 0:  # not to a group or a room
                found.append((f"message:{name}", int(sender), int(recipient), bool(measured)))
            if sync:
                found.append((f"message:{sync}", int(sender), int(sender), bool(measured)))
        return found

    @cached_property
    def _rows(self) -> list[tuple[str, Cause, int, int]]:
        """Requests on clients' links: row, cause, message number, endpoint of the client."""
        truth, records = self._replicate.truth, self._replicate.records
        src = records["src"].astype(np.int64)
        asked = np.flatnonzero((src >= len(self._replicate.nodes)) & (records["direction"] == 0))
        # The position of a record is its row number (core.storage); the truth of rows may be in any order.
        cause = np.zeros(len(src), dtype=np.int64)
        ref = np.full(len(src), -1, dtype=np.int64)
        row = truth.transmissions["row"].astype(np.int64)
        cause[row], ref[row] = truth.transmissions["cause"], truth.transmissions["ref"]
        columns = (asked.tolist(), cause[asked].tolist(), ref[asked].tolist(), src[asked].tolist())
        return [(f"row:{r}", Cause(c), k, end) for r, c, k, end in zip(*columns, strict=True)]

    @cached_property
    def _measured_rows(self) -> frozenset[str]:
        truth, sent = self._replicate.truth, self._replicate.records["t_sent_us"].astype(np.int64)
        inside = np.flatnonzero((sent >= truth.start_us) & (sent < truth.end_us))
        return frozenset(f"row:{row}" for row in inside.tolist())

    @cached_property
    def _carried(self) -> dict[str, str]:
        messages = self._replicate.truth.messages
        names = {Cause.MESSAGE: messages["hash"].tolist(), Cause.SYNC: messages["sync_hash"].tolist()}
        return {
            row: f"message:{names[cause][ref]}"
            for row, cause, ref, _ in self._rows
            if cause in _SPOKEN and ref >= 0 and names[cause][ref]
        }

    @cached_property
    def _row_owner(self) -> dict[str, int]:
        endpoints = self._replicate.truth.devices["endpoint"].tolist()
        number = dict(zip(endpoints, self._of_device, strict=True))
        return {row: number.get(src, -1) for row, _, _, src in self._rows}

    # --- one rule per question ------------------------------------------------------------------------

    def _sender_address(self) -> Truths:
        return {name: self._addresses[sender] for name, (sender, _) in self._copies.items()}

    def _recipient_address(self) -> Truths:
        return {name: self._addresses[inbox] for name, (_, inbox) in self._copies.items()}

    def _sender_account(self) -> Truths:
        return {name: (self._account[sender],) for name, (sender, _) in self._copies.items()}

    def _address_of(self) -> Truths:
        return dict(zip(self._account, self._addresses, strict=True))

    def _account_of(self) -> Truths:
        return {b: (self._account[k],) for b, k in zip(self._device, self._of_device, strict=True)}

    @cached_property
    def _talk(self) -> list[tuple[int, int]]:
        messages = self._replicate.truth.messages
        pairs = zip(messages["sender"].tolist(), messages["recipient"].tolist(), strict=True)
        return sorted({(int(a), int(b)) for a, b in pairs if b >= 0})

    def _contact(self) -> Truths:
        found: dict[str, set[str]] = {name: set() for name in self._account}
        for a, b in self._talk:
            found[self._account[a]].add(self._account[b])
            found[self._account[b]].add(self._account[a])
        return {name: tuple(sorted(others)) for name, others in found.items()}

    def _contact_of_address(self) -> Truths:
        found: dict[str, set[str]] = {name: set() for name in self._device}
        for a, b in self._talk:
            for address in self._addresses[a]:
                found[address].add(self._account[b])
        return {name: tuple(sorted(others)) for name, others in found.items()}

    def _contact_address(self) -> Truths:
        found: dict[str, set[str]] = {name: set() for name in self._device}
        for a, b in self._talk:
            for one in self._addresses[a]:
                for other in self._addresses[b]:
                    found[one].add(other)
                    found[other].add(one)
        return {name: tuple(sorted(others)) for name, others in found.items()}

    def _devices(self) -> Truths:
        return {
            name: (f"devices:{len(addresses)}",)
            for name, addresses in zip(self._account, self._addresses, strict=True)
        }

    def _event_kind(self) -> Truths:
        return {row: (f"kind:{cause.name.lower()}",) for row, cause, _, _ in self._rows}

    def _real_or_dummy(self) -> Truths:
        return {row: ("kind:message",) if cause in _SPOKEN else () for row, cause, _, _ in self._rows}

    def _active_minute(self) -> Truths:
        truth, names = self._replicate.truth, self._account
        spans = _presence.spans(truth, ("awake",))
        return {
            name: _presence.minutes(_presence.together(spans, truth.devices, k), truth.end_us)
            for k, name in enumerate(names)
        }

    def _foreground_minute(self) -> Truths:
        truth = self._replicate.truth
        spans = _presence.spans(truth, ("awake", "foreground"))
        endpoints = truth.devices["endpoint"].tolist()
        return {
            name: _presence.minutes(spans[endpoint], truth.end_us)
            for name, endpoint in zip(self._device, endpoints, strict=True)
        }

    def _first_seen(self) -> Truths:
        truth = self._replicate.truth
        spans = _presence.spans(truth, ("awake",))
        found = {}
        for k, name in enumerate(self._account):
            begins = [begin for begin, _ in _presence.together(spans, truth.devices, k) if begin > 0]
            # The return from the longest absence is asked for, as an account has many short ones.
            found[name] = (str(_presence.return_us(spans, truth.devices, k)),) if begins else ()
        return found

    def _time_zone(self) -> Truths:
        zones = self._replicate.truth.accounts.get("utc_offset_h")
        if zones is None:
            return {}
        return {
            name: (str(zone),) if np.isfinite(zone) else ()
            for name, zone in zip(self._account, zones.astype(np.float64).tolist(), strict=True)
        }

    def _named(self, *kinds: str) -> list[tuple[int, str, str]]:
        """Give what truth calls accounts in some ways: account, name, kind."""
        names = self._replicate.truth.names
        rows = zip(*(names[column].tolist() for column in ("account", "term", "kind")), strict=True)
        return [(int(account), str(term), str(kind)) for account, term, kind in rows if kind in kinds]

    def _group_member(self) -> Truths:
        groups: dict[str, set[int]] = {}
        for account, group, _ in self._named("member", "admin"):
            groups.setdefault(group, set()).add(account)
        found: dict[str, set[str]] = {name: set() for name in self._account}
        for members in groups.values():
            for one in members:
                found[self._account[one]] |= {self._account[other] for other in members - {one}}
        return {name: tuple(sorted(others)) for name, others in found.items()}

    def _address_of_blinded(self) -> Truths:
        return {name: self._addresses[account] for account, name, _ in self._blinded}

    def _platform(self) -> Truths:
        platforms = self._replicate.truth.devices["platform"].tolist()
        pairs = zip(self._device, platforms, strict=True)
        return {name: (f"platform:{platform}",) for name, platform in pairs}


_RULES: Final[Mapping[Question, Callable[[AnswerKey], Truths]]] = {
    Question.SENDER_ADDRESS: AnswerKey._sender_address,
    Question.RECIPIENT_ADDRESS: AnswerKey._recipient_address,
    Question.SENDER_ACCOUNT: AnswerKey._sender_account,
    Question.ADDRESS_OF: AnswerKey._address_of,
    Question.ACCOUNT_OF: AnswerKey._account_of,
    Question.CONTACT: AnswerKey._contact,
    Question.CONTACT_OF_ADDRESS: AnswerKey._contact_of_address,
    Question.CONTACT_ADDRESS: AnswerKey._contact_address,
    Question.DEVICES: AnswerKey._devices,
    Question.ACTIVE_MINUTE: AnswerKey._active_minute,
    Question.FOREGROUND_MINUTE: AnswerKey._foreground_minute,
    Question.FIRST_SEEN: AnswerKey._first_seen,
    Question.TIME_ZONE: AnswerKey._time_zone,
    Question.EVENT_KIND: AnswerKey._event_kind,
    Question.REAL_OR_DUMMY: AnswerKey._real_or_dummy,
    Question.PLATFORM: AnswerKey._platform,
    Question.GROUP_MEMBER: AnswerKey._group_member,
    Question.ADDRESS_OF_BLINDED: AnswerKey._address_of_blinded,
}
