"""What the fields of read bytes say, free of who read them: signatures, messages, names, what became of them.

Each rule says what one kind of field means, none knows an attack:

    signature of a request     its owner made it
    store, forwarded, handed   a message, its inbox, size, lifetime, readable time stamp and form
    notification               a message was stored in an inbox
    store answered with 200    it was stored
    retrieve answered          messages that were handed out
    sealed message             its writer, and whom a copy for own devices was for, under the inbox's key
    any other field            the names in it (see `names`)

Everything is noted in columns that name the request or answer it stands in. From there `closure` knows who
could read it, and `deduction` makes facts of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sessionsim.adversary.account_seeds import AccountSeeds
from sessionsim.adversary.briefs import NO_MESSAGE as NONE
from sessionsim.adversary.briefs import Asked, Brief, Briefs
from sessionsim.adversary.clear_strings import ClearStrings
from sessionsim.adversary.fields import ID_BYTES, base64_bytes, hex_bytes, whole_number
from sessionsim.adversary.forms import form_of
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.known_fields import NOTHING, known_in_answer, known_in_call, usual_in_call
from sessionsim.adversary.letters import Letter, open_letter
from sessionsim.adversary.mail import Mail, mail_got, mail_sent
from sessionsim.adversary.names import (
    KEY_LENGTHS,
    STRING,
    file_term,
    id_term,
    names_anywhere,
    names_in,
    names_of_path,
    owner_of_ed25519,
)
from sessionsim.adversary.opened import names_in_bytes
from sessionsim.adversary.openings import Openings
from sessionsim.adversary.signing import Check, check_of, check_of_server_request, holds
from sessionsim.adversary.stored_message import MOST_MS, Message, lifetime_ms
from sessionsim.adversary.terms import Answer, Body, Call
from sessionsim.adversary.usual import are_usual
from sessionsim.core.errors import ProtocolError
from sessionsim.core.view import Haul
from sessionsim.protocol.configs.kinds import KINDS
from sessionsim.protocol.crypto import Suite
from sessionsim.protocol.wire.envelope import unwrap
from sessionsim.protocol.wire.rpc import message_hash, read_retrieved
from sessionsim.protocol.wire.rpc_fields import is_hash

OK: Final = 200
RETRIEVE: Final = "retrieve"
_SHOWN: Final = 400  # characters of a shape
_UPLOADS: Final = frozenset(("POST /file",))  # answered with the file's id. Source: client-behaviour 6.5
_DOWNLOAD: Final = "GET /file/"  # followed by the file's id. Source: client-behaviour 6.5
_CARRIERS: Final = frozenset(("store", "sn.data", "notify"))  # calls that hold a message


class Meaning:
    """Notes what requests and answers say. Columns of one table have one length.

    Args:
        suite: cryptography, to check signatures and open messages.
        keys: the secrets of accounts.
        public: terms of addresses that are nobody's secret.
        again: reads the calls of a request once more, all fields of them.
    """

    def __init__(
        self, suite: Suite, keys: Keys, public: Collection[str], again: Callable[[int], Sequence[Call]]
    ) -> None:
        self._suite, self._keys, self._public, self._again = suite, keys, public, again
        self._seeds = AccountSeeds(suite, keys)
        self.openings = Openings(suite, keys, public, self._number_whole)
        self.calls: list[tuple[Brief, ...]] = []
        self.retrieving = bytearray()  # of each request: whether all its calls ask for messages
        self.messages: list[Message | None] = []  # None while only a name is known
        self.hashes: list[tuple[str, bytes]] = []  # of each message: name and inbox
        self.names: list[str] = []  # terms, by number
        self.token_signed = array("q")  # places in `signed` of members, who show a token
        self.checks: list[Check] = []  # of the first signature of each signer in each request
        self.answers = array("q"), array("q")  # request, answer: of each answer that was read
        self.signed = array("q"), array("q")  # request, number of the signer; same length as checks
        self.in_request = array("q"), array("q"), array("q")  # request, message, call
        self.announced = (
            array("q"),
            array("q"),
            array("q"),
        )  # request, message, call: of messages told by name
        self.in_answer = array("q"), array("q"), array("q")  # number of the read answer, message, call
        self.mail_in_request = array("q"), array("q"), array("q")  # as in_request, of communities' inboxes
        self.mail_in_answer = array("q"), array("q"), array("q")  # and as in_answer
        self._servers: dict[int, bytes] = {}  # of requests to servers: the server's key
        self.hauled: dict[int, int] = {}  # number of a haul -> message
        self.accepted = array("q"), array("q"), array("q")  # number of the read answer, message, call
        self.lifetimes = array("q"), array("q"), array("q"), array("q")  # request, message, ms, call
        self.signed_stores = array("q"), array("q"), array("q")  # request, message, call: signed themselves
        self.polls = array("q"), array("q"), array("q")  # request, what its sender says to have, signed time
        self.shapes = array("q"), array("q")  # request, number of the order of its fields
        self.asked = array("q"), array("q")  # request, name: about whom a call without signature is
        self.uploads = array("q"), array("q")  # number of the read answer, name: of a file that was stored
        self.downloads = array("q"), array("q")  # the same of a file that was handed out
        self.named_in_request = array("q"), array("q"), array("q")  # request, name, call or NONE
        self.named_in_answer = array("q"), array("q")  # number of the read answer, name
        self.named_in_row = array("q"), array("q")  # row, name: in clear beside a ciphertext
        self.named_in_layer = array("q"), array("q")  # opened layer, name: in clear inside it
        self.clear = ClearStrings()
        self._shapes: dict[tuple[str, ...], int] = {}
        self._name: dict[str, int] = {}
        self._message: dict[str, int] = {}
        self._valid: dict[int, bool] = {}
        self._briefs = Briefs()

    def name(self, term: str) -> int:
        """Give the number of a term."""
        number = self._name.setdefault(term, len(self.names))
        if number == len(self.names):
            self.names.append(term)
        return number

    def ids(self) -> set[bytes]:
        """Give all ids of 33 bytes among the names."""
        return {
            raw for raw in (hex_bytes(name.partition(":")[2]) for name in self.names) if len(raw) == ID_BYTES
        }

    def take_request(self, body: Body, server_x25519: bytes = b"") -> int:
        """Note a request. Args: server_x25519: key of the server it is for, if any. Returns its number."""
        request = len(self.calls)
        briefs = [self._brief(request, place, call) for place, call in enumerate(body.calls)]
        asked = self._briefs.together(briefs)
        self.calls.append(asked.briefs)
        self.retrieving.append(all([brief[0] == RETRIEVE for brief in asked.briefs]))
        self._note_signatures(request, body, server_x25519)
        self._note_names(request, body)
        if body.to_server is not None:
            self._servers[request] = server_x25519
            for place, call in enumerate(body.calls):
                for mail in mail_sent(call.method, call.fields):
                    _add(self.mail_in_request, request, self._take_mail(server_x25519, mail), place)
        self._note_habits(request, body, asked)
        # About whom it asks without a signature.
        unsigned = {
            account
            for method, account, fields in body.calls
            if "signature" not in fields and account and method not in _CARRIERS
        }
        for account in sorted(unsigned):
            _add(self.asked, request, self.name(id_term(account)))
        return request

    def _brief(self, request: int, place: int, call: Call) -> Brief:
        method, account, fields = call
        namespace, cursor = fields.get("namespace", 0), fields.get("last_hash", "")
        cursor = cursor if type(cursor) is str else ""
        if type(namespace) is int and method not in _CARRIERS:
            return self._briefs.plain((method, account, namespace, cursor))
        namespace, message = whole_number(namespace), NONE
        if method in _CARRIERS and account and namespace is not None:
            message = self._carried(request, place, call, namespace)
        return Brief(method, account, namespace, message, cursor)

    def _carried(self, request: int, place: int, call: Call, namespace: int) -> int:
        data = base64_bytes(call.fields.get("data"))
        if not data:
            told = call.fields.get("hash")
            name = told.decode("latin-1") if isinstance(told, bytes) else told
            if isinstance(name, str) and is_hash(name):
                _add(self.announced, request, self._number(name, call.account), place)
            return NONE
        message = self._meet(call.account, namespace, data)
        _add(self.in_request, request, message, place)
        ttl_ms = lifetime_ms(call.fields)
        if ttl_ms is not None:
            _add(self.lifetimes, request, message, ttl_ms, place)
        return message if call.method == "store" else NONE

    def _take_mail(self, server_x25519: bytes, mail: Mail) -> int:
        """Give the number of a letter in a community's inbox, and open it when it is new."""
        number = self._number(mail.name, mail.recipient)
        if self.messages[number] is None:
            self.messages[number] = Message(mail.name, mail.recipient, len(mail.sealed), None, "", ())
            self.openings.take_mail(number, server_x25519, mail)
        return number

    def take_haul(self, haul: Haul) -> None:
        """Note a message that was got from a swarm with stolen keys."""
        self.hauled[haul.number] = self._meet(haul.account, haul.namespace, haul.data)

    def _number(self, name: str, inbox: bytes) -> int:
        number = self._message.setdefault(name, len(self.hashes))
        if number == len(self.hashes):
            self.hashes.append((name, inbox))
            self.messages.append(None)
        return number

    def _number_whole(self, name: str, inbox: bytes, parts: Sequence[int]) -> int:
        """Give a number to what came in several messages."""
        number, size_bytes = self._number(name, inbox), sum(self.message(part).size_bytes for part in parts)
        self.messages[number] = Message(name, inbox, size_bytes, None, "", ())
        return number

    def _meet(self, inbox: bytes, namespace: int, data: bytes) -> int:
        """Give the number of a message, and look into it when it is new."""
        name = message_hash(inbox, namespace, data)
        number = self._number(name, inbox)
        if self.messages[number] is None:
            try:
                stamp_ms: int | None = unwrap(data)[0]
            except ProtocolError:
                stamp_ms = None
            form, leaves = form_of(data)
            names = tuple(self._names_of_message(number, data, leaves))
            self.messages[number] = Message(name, inbox, len(data), stamp_ms, form, names)
            letter = self._letter(inbox, namespace, data)
            self.openings.meet(number, inbox, namespace, data, letter)
        return number

    def _letter(self, inbox: bytes, namespace: int, data: bytes) -> Letter | None:
        if namespace in KINDS:  # the box around a config is no letter
            return None
        return open_letter(self._suite, self._keys, self._seeds, inbox, data)

    def _names_of_message(self, number: int, data: bytes, leaves: Sequence[bytes]) -> Iterator[str]:
        """Give the names in the clear parts of a message; its strings are noted where they repeat."""
        spelled = (name for name in names_in(leaves, self._public) if not name.startswith(STRING))
        yield from spelled if leaves else names_anywhere(data, self._public)
        self.clear.meet(number, leaves)

    def _note_habits(self, request: int, body: Body, said: Asked) -> None:
        """Note what a sender has already, by its own words, and how it writes."""
        if said.cursors:
            stamp_ms = whole_number(body.calls[said.saying].fields.get("timestamp"))
            if stamp_ms is not None and abs(stamp_ms) < MOST_MS:
                _add(self.polls, request, self.name(said.cursors), stamp_ms)
        if body.shape:
            shape = self._shapes.get(body.shape)
            if shape is None:
                shape = self._shapes[body.shape] = self.name(f"shape:{' '.join(body.shape)[:_SHOWN]}")
            self.shapes[0].append(request)
            self.shapes[1].append(shape)

    def message(self, number: int) -> Message:
        """Give a message that was met as a whole."""
        found = self.messages[number]
        assert found is not None
        return found

    def _note_signatures(self, request: int, body: Body, server_x25519: bytes) -> None:
        """Note whose signatures a request carries, of each signer the first."""
        seen, found = b"", set[str]()
        for call in body.calls:
            if call.account and (call.account != seen or "subaccount" in call.fields):
                check = check_of(call)
                if check is not None:
                    seen = call.account
                    self._note_check(request, check, found)
        if body.to_server is not None:
            check = check_of_server_request(body.to_server, server_x25519)
            if check is not None:
                self._note_check(request, check, found)
        for place, brief in enumerate(self.calls[request]):
            if brief[3] != NONE and "signature" in body.calls[place].fields:  # its message
                _add(self.signed_stores, request, brief.message, place)

    def _note_check(self, request: int, check: Check, found: set[str]) -> None:
        if check.signer in found:
            return
        found.add(check.signer)
        if check.token is not None:
            self.token_signed.append(len(self.checks))
        self.signed[0].append(request)
        self.signed[1].append(self.name(check.signer))
        self.checks.append(check)

    def is_signed(self, place: int) -> bool:
        """Check one row of `signed`, once: the key is the signer's, and a signature holds under it.

        One valid signature of a signer in a request is enough; all are looked at if the first is none.
        """
        if place not in self._valid:
            first = self.checks[place]
            self._valid[place] = holds(self._suite, first) or any(
                holds(self._suite, check)
                for check in map(check_of, self._again(self.signed[0][place]))
                if check is not None and check.signer == first.signer
            )
        return self._valid[place]

    def _note_names(self, request: int, body: Body) -> None:
        """Note the names in a request's fields."""
        found, before = dict[tuple[str, int], None](), b""
        for place, call in enumerate(body.calls):
            if call.account and call.account != before:
                before = call.account
                found[id_term(before), NONE] = None
            method, account, fields = call
            if not are_usual(fields, usual_in_call(method)):
                for name in names_in(fields, self._public, known_in_call(method)):
                    found[name, place] = None
            key = fields.get("pubkey_ed25519")
            if (type(key) is str or type(key) is bytes) and len(
                key
            ) in KEY_LENGTHS:  # the account's own, or else somebody else's
                owner = owner_of_ed25519(key, account)
                if owner:
                    found[owner, place] = None
            if body.to_server is not None:
                found |= dict.fromkeys((name, place) for name in names_of_path(method))
                posted = base64_bytes(fields.get("data"))  # a post lies open to its server
                found |= dict.fromkeys((name, place) for name in names_in_bytes(posted, self._public))
        for name in names_in(body.beside, self._public) if body.beside else ():
            found[name, NONE] = None
        requests, names, places = self.named_in_request
        for name, place in found:
            requests.append(request)
            names.append(self.name(name))
            places.append(place)

    def take_beside(
        self, table: tuple[array[int], array[int]], place: int, fields: Mapping[str, Any]
    ) -> None:
        """Note the names that stand in clear beside a ciphertext. Args: table: named_in_row or _layer."""
        for name in names_in(fields, self._public) if fields else ():
            _add(table, place, self.name(name))

    def take_unread(self, table: tuple[array[int], array[int]], place: int, raw: bytes) -> None:
        """Note the names in bytes of no known form. Args: table: named_in_row or named_in_layer."""
        for name in names_anywhere(raw, self._public):
            _add(table, place, self.name(name))

    def note_answer(self, request: int, answer: int) -> int:
        """Note that an answer was read. Returns its number among those."""
        self.answers[0].append(request)
        self.answers[1].append(answer)
        return len(self.answers[0]) - 1

    def take_answer(self, request: int, answer: int, read_answer: Answer) -> None:
        """Note an answer to a request, one result per call that was answered."""
        read = self.note_answer(request, answer)
        found = dict[str, None]()
        if read_answer.beside:
            method = next((call.method for call in self.calls[request]), "")
            passed = known_in_answer(method) if " " in method else NOTHING
            found |= dict.fromkeys(names_in(read_answer.beside, self._public, passed))
        if read_answer.unread:
            found |= dict.fromkeys(names_anywhere(read_answer.unread, self._public))
        before, idle = None, False
        for place, (call, (code, fields)) in enumerate(
            zip(self.calls[request], read_answer.results, strict=False)
        ):
            if fields is not before:  # often one and the same for all calls
                before, idle = fields, fields.get("messages") == []
                known = known_in_answer(call.method)
                if not are_usual(fields, known):
                    found |= dict.fromkeys(names_in(fields, self._public, known))
            if code != OK or (idle and call.method == RETRIEVE):
                continue
            for mail in mail_got(call.method, fields) if request in self._servers else ():
                _add(self.mail_in_answer, read, self._take_mail(self._servers[request], mail), place)
            if call.method in _UPLOADS and type(fields.get("id")) is str:
                found[file_term(fields["id"])] = None
                _add(self.uploads, read, self.name(file_term(fields["id"])))
            elif call.method.startswith(_DOWNLOAD):
                _add(self.downloads, read, self.name(file_term(call.method[len(_DOWNLOAD) :])))
            if call.message >= 0 and fields.get("hash") == self.message(call.message).hash:
                _add(self.accepted, read, call.message, place)
            elif call.method == RETRIEVE and call.account and call.namespace is not None:
                self._take_retrieved(read, place, call, fields)
        for name in found:
            _add(self.named_in_answer, read, self.name(name))

    def _take_retrieved(self, read: int, place: int, call: Brief, fields: Mapping[str, Any]) -> None:
        try:
            messages, _more = read_retrieved(dict(fields))
        except ProtocolError:
            return
        assert call.namespace is not None
        for message in messages:
            number = self._meet(call.account, call.namespace, message.data)
            if self.hashes[number][0] == message.hash:  # else the node claims another than it shows
                _add(self.in_answer, read, number, place)


def _add(columns: tuple[array[int], ...], *values: int) -> None:
    for column, value in zip(columns, values, strict=True):
        column.append(value)
