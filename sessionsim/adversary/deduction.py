"""From what was opened to facts: what the fields of read bytes say about the ends of their exchange.

Only certain facts are made here; guesses from times and sizes are the attacks' business. A fact about a
network address needs exactly one client address among the ends of the exchange, linked to the bytes by
`closure`. No rule knows an attack; each says what one kind of field means:

    signature of a request     the account's owner made it, at the address of its exchange
    store, forwarded store     the message, its inbox, size, lifetime and readable time stamp
    store answered with 200    the address had it stored
    retrieve answered          the messages in it went to the address
    opened message             its writer, and whom a copy for own devices was for
    one client connection      one app, and an app serves one account: what it signed and what it had stored
                               have one owner, unless it signed for several (client-behaviour 6.1; the
                               apps of all platforms)

ONLINE is kept small: the first and the last sighting of each account and address, with the number of
sightings in the derivation. It is certain at these two times and says nothing about the time between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from sessionsim.adversary.closure import Closure, Exchange, Reading
from sessionsim.adversary.opening import OpenedTable
from sessionsim.adversary.sources import Derive, Source, Steps, address_of
from sessionsim.adversary.terms import Call, Result, base64_bytes, hex_bytes, whole_number
from sessionsim.core.errors import ProtocolError
from sessionsim.core.ledger import Fact, Relation
from sessionsim.core.view import View
from sessionsim.protocol.wire.rpc import message_hash, read_retrieved, signed_text

_OK: Final = 200
# Which field holds the time that a method signs. Source: transport 5.2.
_SIGNED_TIME: Final = {"retrieve": ("timestamp",), "store": ("sig_timestamp", "timestamp")}


def deduce(view: View, opened: OpenedTable | None = None) -> list[Fact]:
    """Deduce all certain facts of one view.

    Args:
        view: what the observer has.
        opened: a table to share between the observers of one run, so that nothing is opened twice.

    Returns:
        Facts, each once, ordered by time, relation, subject and object; ONLINE twice where the first and the
        last sighting differ. A view without bytes gives only ONLINE of the addresses it saw.
    """
    return facts_of(Closure(view, opened))


def facts_of(closure: Closure) -> list[Fact]:
    """Read the facts off a closure; see `deduce`."""
    ledger = _Ledger(closure)
    for exchange in closure.exchanges:
        ledger.take(exchange)
    ledger.join_connections()
    ledger.sight_addresses()
    return ledger.facts()


def _account(account_id: bytes) -> str:
    return f"account:{account_id.hex()}"


@dataclass(slots=True)
class _Connection:
    """What came over one client connection: accounts that signed, and messages it had stored."""

    signers: dict[bytes, tuple[int, Derive]] = field(default_factory=dict)
    stores: list[tuple[bytes, str, int, Derive]] = field(default_factory=list)


@dataclass(slots=True)
class _Presence:
    """Sightings of one account or address."""

    count: int
    first: tuple[int, Derive]
    last: tuple[int, Derive]


class _Ledger:
    """Collects facts; of equal ones the earliest stays."""

    def __init__(self, closure: Closure) -> None:
        self._closure, self._view, self._opened = closure, closure.view, closure.opened
        self._known: dict[tuple[Relation, str, str], tuple[int, Derive]] = {}
        self._presence: dict[str, _Presence] = {}
        self._connections: dict[tuple[int, int], _Connection] = {}

    def _note(self, relation: Relation, subject: str, object_: str, t_us: int, derive: Derive) -> None:
        key = (relation, subject, object_)
        known = self._known.get(key)
        if known is None or t_us < known[0]:
            self._known[key] = (t_us, derive)

    def _see(self, subject: str, t_us: int, derive: Derive) -> None:
        presence = self._presence.get(subject)
        if presence is None:
            self._presence[subject] = _Presence(1, (t_us, derive), (t_us, derive))
            return
        presence.count += 1
        if t_us < presence.first[0]:
            presence.first = (t_us, derive)
        if t_us > presence.last[0]:
            presence.last = (t_us, derive)

    def take(self, exchange: Exchange) -> None:
        """Read one exchange."""
        reading = exchange.reading
        if reading is None:
            return
        source = Source(self._closure, exchange, reading)
        signers = self._signers(reading)
        for account_id, call in signers.items():
            self._take_signature(source, account_id, call)
        results = exchange.answered.results if exchange.answered is not None else ()
        for position, call in enumerate(reading.calls):
            result = results[position] if position < len(results) else None
            if call.method == "store" and call.account:
                self._take_store(source, call, result)
            elif call.method == "retrieve" and call.account and result is not None:
                self._take_retrieve(source, call, result)

    def _signers(self, reading: Reading) -> dict[bytes, Call]:
        """Find the accounts whose owners signed one of the calls; one valid signature each is enough."""
        found: dict[bytes, Call] = {}
        for call in reading.calls:
            if call.account and call.account not in found and self._is_signed(call):
                found[call.account] = call
        return found

    def _is_signed(self, call: Call) -> bool:
        names = _SIGNED_TIME.get(call.method)
        if names is None or "signature" not in call.fields:
            return False
        time = next((whole_number(call.fields[name]) for name in names if name in call.fields), None)
        namespace = whole_number(call.fields.get("namespace", 0))
        if time is None or namespace is None:
            return False
        return self._opened.signed(
            call.account,
            hex_bytes(call.fields.get("pubkey_ed25519")),
            signed_text(call.method, namespace, time),
            base64_bytes(call.fields["signature"]),
        )

    def _take_signature(self, source: Source, account_id: bytes, call: Call) -> None:
        account = _account(account_id)

        def steps() -> Steps:
            return (
                *source.read(),
                f"field method: {call.method}",
                f"field pubkey: {account_id.hex()}",
                f"field signature: valid under {hex_bytes(call.fields['pubkey_ed25519']).hex()}",
            )

        self._see(account, source.t_us, steps)
        if source.client is None:
            return
        t_us = source.linked_us
        self._note(Relation.ACTS_FOR, source.address, account, t_us, lambda: (*source.linked(), *steps()))
        connection = self._connection(source)
        if account_id not in connection.signers:
            connection.signers[account_id] = (t_us, lambda: (*source.linked(), *steps()))

    def _take_store(self, source: Source, call: Call, result: Result | None) -> None:
        data, namespace = base64_bytes(call.fields.get("data")), whole_number(call.fields.get("namespace", 0))
        if not data or namespace is None:
            return
        hash_ = message_hash(call.account, namespace, data)

        def steps() -> Steps:
            return (
                *source.read(),
                "field method: store",
                f"field pubkey: {call.account.hex()}",
                f"field data: {len(data)} bytes, hash {hash_}",
            )

        self._take_message(call.account, hash_, data, source.t_us, steps)
        ttl = _ttl_ms(call.fields)
        if ttl is not None:
            self._note(Relation.HAS_TTL, f"message:{hash_}", f"ms:{ttl}", source.t_us, steps)
        accepted = result is not None and result.code == _OK and result.fields.get("hash") == hash_
        if source.client is None or not accepted:
            return

        def sent() -> Steps:
            return (*source.linked(), *steps(), *source.answer(), "field code: 200")

        t_us = source.answered_us
        self._note(Relation.SENT, source.address, f"message:{hash_}", t_us, sent)
        self._connection(source).stores.append((call.account, hash_, t_us, sent))

    def _take_retrieve(self, source: Source, call: Call, result: Result) -> None:
        namespace = whole_number(call.fields.get("namespace", 0))
        if result.code != _OK or namespace is None:
            return
        try:
            messages, _more = read_retrieved(result.fields)
        except ProtocolError:
            return
        for message in messages:
            hash_, size = message.hash, len(message.data)
            if hash_ != message_hash(call.account, namespace, message.data):
                continue  # the node claims something else than it shows

            def steps(hash_: str = hash_, size: int = size) -> Steps:
                return (
                    *source.read(),
                    "field method: retrieve",
                    f"field pubkey: {call.account.hex()}",
                    *source.answer(),
                    f"field messages: {size} bytes, hash {hash_}",
                )

            t_us = source.answer_us
            self._take_message(call.account, hash_, message.data, t_us, steps)
            if source.client is not None and source.delivered:
                self._note(
                    Relation.FETCHED,
                    source.address,
                    f"message:{hash_}",
                    source.delivered_us,
                    lambda steps=steps: (*source.linked(), *steps(), *source.delivery()),  # type: ignore[misc]
                )

    def _take_message(self, inbox: bytes, hash_: str, data: bytes, t_us: int, steps: Derive) -> None:
        """Note what a stored message shows by itself, and what a held key opens in it."""
        message = f"message:{hash_}"
        known = self._known.get((Relation.ADDRESSED_TO, message, _account(inbox)))
        if known is not None and known[0] <= t_us:
            return
        self._note(Relation.ADDRESSED_TO, message, _account(inbox), t_us, steps)
        self._note(Relation.HAS_SIZE, message, f"bytes:{len(data)}", t_us, steps)
        stamp = self._opened.stamp_ms(data)
        if stamp is not None:
            clear = f"field Envelope.timestamp: {stamp}"
            self._note(Relation.STAMPED, message, f"ms:{stamp}", t_us, lambda: (*steps(), clear))
        account = self._closure.keyring.account(inbox)
        letter = self._opened.letter(data, account) if account is not None else None
        if letter is None:
            return
        opened = f"key x25519 of {_account(inbox)} opens Envelope.content"
        writer, target = _account(letter.sender_id), letter.sync_target or inbox

        def read() -> Steps:
            return (*steps(), opened, f"signed by {letter.sender_id.hex()}")

        t_us = max(t_us, self._closure.keyring.account_since_us(inbox))
        self._note(Relation.WRITTEN_BY, message, writer, t_us, read)
        if letter.sender_id != target:
            named = f"field syncTarget: {target.hex()}" if letter.sync_target else "written to this inbox"
            self._note(Relation.TALKS_TO, writer, _account(target), t_us, lambda: (*read(), named))

    def _connection(self, source: Source) -> _Connection:
        return self._connections.setdefault(source.connection, _Connection())

    def join_connections(self) -> None:
        """Name the writer of what a connection had stored, when all it signed was for one account."""
        for (number, _client), connection in self._connections.items():
            if len(connection.signers) != 1:
                continue
            ((writer, (signed_us, signed)),) = connection.signers.items()
            for inbox, hash_, stored_us, stored in connection.stores:

                def steps(stored: Derive = stored, signed: Derive = signed, number: int = number) -> Steps:
                    return (*signed(), *stored(), f"both came over connection {number}")

                t_us = max(signed_us, stored_us)
                self._note(Relation.WRITTEN_BY, f"message:{hash_}", _account(writer), t_us, steps)
                if inbox != writer:
                    self._note(Relation.TALKS_TO, _account(writer), _account(inbox), t_us, steps)

    def sight_addresses(self) -> None:
        """Note when client addresses were seen sending anything, also from outside on a link."""
        rows = self._view.rows
        source = rows["src"].astype(np.int64)
        servers = np.fromiter(self._view.servers, np.int64, len(self._view.servers))
        sending = np.flatnonzero((source >= len(self._view.nodes)) & ~np.isin(source, servers))
        sources, starts, counts = np.unique(source[sending], return_index=True, return_counts=True)
        ends = len(sending) - 1 - np.unique(source[sending][::-1], return_index=True)[1]
        columns = (sources.tolist(), counts.tolist(), sending[starts].tolist(), sending[ends].tolist())
        for endpoint, count, first, last in zip(*columns, strict=True):
            address = address_of(self._view, endpoint)
            sights: list[tuple[int, Derive]] = []
            for at in (first, last):
                row, conn = int(rows["row"][at]), int(rows["conn"][at])
                text = f"row {row}: {address} sends on connection {conn}"
                sights.append((int(rows["t_us"][at]), lambda text=text: (text,)))  # type: ignore[misc]
            self._presence[address] = _Presence(count, *sights)

    def facts(self) -> list[Fact]:
        """Give the facts collected so far, in stable order."""
        observer = self._view.observer
        found = [
            Fact(observer, relation, subject, object_, t_us, derive())
            for (relation, subject, object_), (t_us, derive) in self._known.items()
        ]
        for subject, presence in self._presence.items():
            for t_us, derive in dict([presence.first, presence.last]).items():
                steps = (*derive(), f"seen {presence.count} times in all")
                found.append(Fact(observer, Relation.ONLINE, subject, "", t_us, steps))
        return sorted(found, key=lambda fact: (fact.t_us, fact.relation, fact.subject, fact.object))


def _ttl_ms(fields: dict[str, Any]) -> int | None:
    ttl = whole_number(fields.get("ttl"))
    if ttl is not None:
        return ttl
    expiry, stamp = whole_number(fields.get("expiry")), whole_number(fields.get("timestamp"))
    return expiry - stamp if expiry is not None and stamp is not None else None
