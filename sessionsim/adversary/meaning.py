"""What the fields of read bytes say, free of who read them: signatures, messages, and what became of them.

Each rule says what one kind of field means, none knows an attack:

    signature of a request     the account's owner made it
    store, forwarded store     a message, its inbox, size, lifetime and readable time stamp
    store answered with 200    it was stored
    retrieve answered          messages that were handed out
    sealed message             its writer, and whom a copy for own devices was for, under the inbox's key

Everything is noted in columns that name the request or answer it stands in. From there `closure` knows who
could read it, and `deduction` makes facts of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sessionsim.adversary.keyring import NO_KEY, Keys
from sessionsim.adversary.terms import Call, Result, base64_bytes, hex_bytes, whole_number
from sessionsim.core.errors import CannotOpen, ProtocolError
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.identity import account_id_of_ed25519
from sessionsim.protocol.versions.v1 import DirectMessage, open_direct
from sessionsim.protocol.wire.envelope import unwrap
from sessionsim.protocol.wire.rpc import message_hash, read_retrieved, signed_text

OK: Final = 200
NONE: Final = -1
# Which field holds the time that a method signs. Source: transport 5.2.
_SIGNED_TIME: Final = {"retrieve": ("timestamp",), "store": ("sig_timestamp", "timestamp")}


class Brief(NamedTuple):
    """What is kept of a call.

    Args:
        method: its name.
        account: whom it is about; empty for nobody.
        namespace: None for none that is a number.
        message: number of the message it stores; NONE for none.
        cursor: the newest hash its sender says to have; empty for none.
    """

    method: str
    account: bytes
    namespace: int | None
    message: int
    cursor: str


class Check(NamedTuple):
    """A signature still to be checked. Args: account: whose it claims to be."""

    account: bytes
    ed25519: bytes
    text: bytes
    signature: bytes


class Message(NamedTuple):
    """A stored message.

    Args:
        hash: its name.
        inbox: the account it is for.
        size_bytes: of what is stored.
        stamp_ms: the time in its wrapper, which needs no key; None for none.
        key: number of the inbox's secret, if it opened the message; NO_KEY otherwise.
        letter: what that secret opened.
    """

    hash: str
    inbox: bytes
    size_bytes: int
    stamp_ms: int | None
    key: int
    letter: DirectMessage | None


class Meaning:
    """Notes what requests and answers say. Columns of one table have one length.

    Args:
        suite: cryptography, to check signatures and open messages.
        keys: the secrets of accounts.
        again: reads the calls of a request once more, all fields of them.
    """

    def __init__(self, suite: Suite, keys: Keys, again: Callable[[int], Sequence[Call]]) -> None:
        self._suite, self._keys, self._again = suite, keys, again
        self.calls: list[tuple[Brief, ...]] = []
        self.messages: list[Message] = []
        self.accounts: list[bytes] = []  # those that signed, by number
        self.checks: list[Check] = []  # of the first signature of each account in each request
        self.answers = array("q"), array("q")  # request, answer: of each answer that was read
        self.signed = array("q"), array("q")  # request, number of the account; same length as checks
        self.in_request = array("q"), array("q"), array("q")  # request, message, call
        self.in_answer = array("q"), array("q"), array("q")  # number of the read answer, message, call
        self.accepted = array("q"), array("q"), array("q")  # number of the read answer, message, call
        self.lifetimes = array("q"), array("q"), array("q"), array("q")  # request, message, ms, call
        self._account: dict[bytes, int] = {}
        self._message: dict[str, int] = {}
        self._valid: dict[int, bool] = {}
        self._interned: dict[tuple[Brief, ...], tuple[Brief, ...]] = {}

    def take_request(self, calls: Sequence[Call]) -> int:
        """Note a request. Returns its number."""
        request = len(self.calls)
        briefs = tuple(self._brief(request, place, call) for place, call in enumerate(calls))
        if all(brief.message == NONE for brief in briefs):  # polls of one account are alike
            briefs = self._interned.setdefault(briefs, briefs)
        self.calls.append(briefs)
        self._note_signatures(request, calls)
        return request

    def _brief(self, request: int, place: int, call: Call) -> Brief:
        namespace, message = whole_number(call.fields.get("namespace", 0)), NONE
        if call.method == "store" and call.account and namespace is not None:
            message = self._stored(call, namespace)
            if message >= 0:
                _add(self.in_request, request, message, place)
                ttl_ms = _ttl_ms(call.fields)
                if ttl_ms is not None:
                    _add(self.lifetimes, request, message, ttl_ms, place)
        cursor = call.fields.get("last_hash", "")
        return Brief(call.method, call.account, namespace, message, cursor if type(cursor) is str else "")

    def _stored(self, call: Call, namespace: int) -> int:
        data = base64_bytes(call.fields.get("data"))
        return self._meet(call.account, namespace, data) if data else NONE

    def _meet(self, inbox: bytes, namespace: int, data: bytes) -> int:
        """Give the number of a message, and open it when it is new and its inbox's key is held."""
        name = message_hash(inbox, namespace, data)
        number = self._message.setdefault(name, len(self.messages))
        if number < len(self.messages):
            return number
        try:
            stamp_ms: int | None = unwrap(data)[0]
        except ProtocolError:
            stamp_ms = None
        account, letter, key = self._keys.account(inbox), None, NO_KEY
        if account is not None:
            try:
                letter = open_direct(self._suite, account, data)
                key = self._keys.find(inbox[1:])
            except ProtocolError:
                letter = None
        self.messages.append(Message(name, inbox, len(data), stamp_ms, key, letter))
        return number

    def _note_signatures(self, request: int, calls: Sequence[Call]) -> None:
        """Note whose signatures a request carries."""
        found = set[bytes]()
        for call in calls:
            if not call.account or call.account in found or "signature" not in call.fields:
                continue
            check = _check_of(call)
            if check is None:
                continue
            found.add(call.account)
            number = self._account.setdefault(call.account, len(self.accounts))
            if number == len(self.accounts):
                self.accounts.append(call.account)
            _add(self.signed, request, number)
            self.checks.append(check)

    def is_signed(self, place: int) -> bool:
        """Check one row of `signed`, once: the key is the account's, and a signature holds under it.

        One valid signature of an account in a request is enough; all are looked at if the first is none.
        """
        if place not in self._valid:
            first = self.checks[place]
            self._valid[place] = self._holds(first) or any(
                self._holds(check)
                for check in map(_check_of, self._again(self.signed[0][place]))
                if check is not None and check.account == first.account
            )
        return self._valid[place]

    def _holds(self, check: Check) -> bool:
        try:
            if account_id_of_ed25519(check.ed25519) != check.account:
                return False
        except CannotOpen:
            return False
        return self._suite.verify(check.ed25519, check.text, check.signature)

    def take_answer(self, request: int, answer: int, results: Sequence[Result]) -> None:
        """Note an answer to a request, one result per call that was answered."""
        read = len(self.answers[0])
        _add(self.answers, request, answer)
        for place, (call, result) in enumerate(zip(self.calls[request], results, strict=False)):
            if result.code != OK:
                continue
            if call.message >= 0 and result.fields.get("hash") == self.messages[call.message].hash:
                _add(self.accepted, read, call.message, place)
            elif call.method == "retrieve" and call.account and call.namespace is not None:
                self._take_retrieved(read, place, call, result.fields)

    def _take_retrieved(self, read: int, place: int, call: Brief, fields: dict[str, Any]) -> None:
        if fields.get("messages") == []:
            return
        try:
            messages, _more = read_retrieved(fields)
        except ProtocolError:
            return
        assert call.namespace is not None
        for message in messages:
            number = self._meet(call.account, call.namespace, message.data)
            if self.messages[number].hash == message.hash:  # else the node claims another than it shows
                _add(self.in_answer, read, number, place)


def _add(columns: tuple[array[int], ...], *values: int) -> None:
    for column, value in zip(columns, values, strict=True):
        column.append(value)


def _check_of(call: Call) -> Check | None:
    """Give the signature of a call with what it must hold over; None where a field is missing."""
    fields, names = call.fields, _SIGNED_TIME.get(call.method)
    if names is None:
        return None
    time = next((whole_number(fields[name]) for name in names if name in fields), None)
    namespace = whole_number(fields.get("namespace", 0))
    if time is None or namespace is None:
        return None
    return Check(
        call.account,
        hex_bytes(fields.get("pubkey_ed25519")),
        signed_text(call.method, namespace, time),
        base64_bytes(fields["signature"]),
    )


def _ttl_ms(fields: dict[str, Any]) -> int | None:
    ttl = whole_number(fields.get("ttl"))
    if ttl is None:
        expiry, stamp = whole_number(fields.get("expiry")), whole_number(fields.get("timestamp"))
        ttl = expiry - stamp if expiry is not None and stamp is not None else None
    return ttl if ttl is not None and -_MOST_MS < ttl < _MOST_MS else None


_MOST_MS: Final = 1 << 62  # Assumption: no lifetime is longer; keeps hostile numbers out of 64-bit columns
